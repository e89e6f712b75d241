//! The tag of a hold: read, written, and taken off the image.

use super::hold_place::HoldPlace;
use super::hold_request::{HoldRequest, HoldTagChange};
use crate::image::{Digest, Manifest, Tag, TagOrDigest};
use crate::layout::TagPrecondition;
use crate::notices::TagNews;
use crate::record::entry_config;
use crate::registry::{DeletionResult, RepositoryClient};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::open_to_delete;
use crate::retention::{ObservedManifest, build_lifted_hold, is_lifted_hold};
use crate::transfer::ImageStore;

/// What the tag of a hold names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HoldTag {
    /// The tag is not there.
    Absent,
    /// An empty manifest, of this digest, which holds nothing.
    Lifted(Digest),
    /// An image.
    Holds(Digest),
}

impl HoldTag {
    /// Reads the tag.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(super) async fn read(request: &HoldRequest, place: &HoldPlace) -> Result<Self, Failure> {
        let (store, tag) = (place.store(), request.name.to_tag());
        let named = store.resolve_tag(&tag).await;
        let Some(digest) = named.map_err(|error| request.failure(error))? else {
            return Ok(Self::Absent);
        };
        if digest == build_lifted_hold().digest {
            return Ok(Self::Lifted(digest));
        }
        // Another version may write other bytes.
        let manifest = store.get_manifest(&TagOrDigest::Digest(digest)).await;
        let is_lifted = match manifest {
            Ok(Some(manifest)) => ObservedManifest::from_manifest(&manifest)
                .links()
                .is_some_and(is_lifted_hold),
            Ok(None) => false,
            Err(error) if error.is_unusable_content() => false,
            Err(error) => return Err(request.failure(error)),
        };
        Ok(match is_lifted {
            true => Self::Lifted(digest),
            false => Self::Holds(digest),
        })
    }
}

/// Writes the tag on an image. A new one names the empty manifest first: a registry that does not let it move on from
/// there could never lift the hold.
///
/// # Errors
/// A registry that lets no tag move, a tag that another run took, and a store that fails.
pub(super) async fn write_hold_tag(
    request: &HoldRequest,
    context: &ReleaseContext,
    place: &HoldPlace,
    there: HoldTag,
    image: &Manifest,
) -> Result<(), Failure> {
    let tag = request.name.to_tag();
    match place.store() {
        ImageStore::Registry(remote) => {
            if there == HoldTag::Absent {
                empty_tag(request, remote, &tag).await?;
            }
            move_tag(request, remote, &tag, image).await?;
            let named = remote.head_manifest(&TagOrDigest::Tag(tag.clone())).await;
            let named = named.map_err(|error| request.failure(error))?;
            let named = named.map(|head| head.digest);
            if named != Some(image.digest) {
                return Err(taken_tag(request, &tag));
            }
        }
        ImageStore::Layout(layout) => {
            let precondition = TagPrecondition::Unchanged(match there {
                HoldTag::Absent => None,
                HoldTag::Lifted(digest) | HoldTag::Holds(digest) => Some(digest),
            });
            let written = layout.write_tag(&tag, image, precondition).await;
            written.map_err(|error| request.failure(error))?;
        }
    }
    let text = format!("{}: created tag {tag}", request.place);
    context.notices.tag_change(TagNews::Written, text);
    Ok(())
}

/// Takes the tag off its image. On a registry it names the empty manifest first, and is deleted then: where the
/// deletion of a tag takes what it names along, it takes nothing else.
///
/// # Errors
/// A registry that lets no tag move, a tag that another run moved, and a store that fails.
pub(super) async fn remove_hold_tag(
    request: &HoldRequest,
    context: &ReleaseContext,
    there: HoldTag,
) -> Result<HoldTagChange, Failure> {
    let tag = request.name.to_tag();
    let change = match (open_to_delete(context, &request.place), there) {
        (_, HoldTag::Absent) => return Ok(HoldTagChange::Absent),
        (ImageStore::Registry(remote), there) => {
            if matches!(there, HoldTag::Holds(_)) {
                empty_tag(request, &remote, &tag).await?;
            }
            delete_empty_tag(request, context, &remote, &tag).await
        }
        (ImageStore::Layout(layout), HoldTag::Lifted(digest) | HoldTag::Holds(digest)) => {
            let deleted = layout.delete_tag(&tag, digest).await;
            match deleted.map_err(|error| request.failure(error))? {
                crate::layout::LayoutDeletion::Changed(_) => return Err(taken_tag(request, &tag)),
                _ => HoldTagChange::Deleted,
            }
        }
    };
    let text = match change {
        HoldTagChange::Emptied => format!("{}: the tag {tag} holds nothing now", request.place),
        _ => format!("{}: deleted tag {tag}", request.place),
    };
    context.notices.tag_change(TagNews::Written, text);
    Ok(change)
}

/// Deletes the tag, which names the empty manifest. It stays where the registry does not delete it: it holds nothing.
async fn delete_empty_tag(
    request: &HoldRequest,
    context: &ReleaseContext,
    remote: &RepositoryClient,
    tag: &Tag,
) -> HoldTagChange {
    let target = TagOrDigest::Tag(tag.clone());
    let reason = match remote.delete_manifest(&target).await {
        Ok(DeletionResult::Deleted | DeletionResult::Absent) => return HoldTagChange::Deleted,
        Ok(DeletionResult::Refused(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    context.notices.info(format!(
        "{}: the tag {tag} stays and holds nothing, since the registry did not delete it: {reason}",
        request.place
    ));
    HoldTagChange::Emptied
}

/// Makes the tag name the empty manifest.
async fn empty_tag(
    request: &HoldRequest,
    remote: &RepositoryClient,
    tag: &Tag,
) -> Result<(), Failure> {
    let content = entry_config();
    let written = remote.put_common_blob(&content).await;
    written.map_err(|error| request.failure(error))?;
    move_tag(request, remote, tag, &build_lifted_hold()).await
}

async fn move_tag(
    request: &HoldRequest,
    remote: &RepositoryClient,
    tag: &Tag,
    manifest: &Manifest,
) -> Result<(), Failure> {
    let target = TagOrDigest::Tag(tag.clone());
    match remote.put_manifest(&target, manifest).await {
        Ok(_) => Ok(()),
        Err(error) if error.may_be_immutable_tag() => Err(immutable_tag(request, tag)),
        Err(error) => Err(request.failure(error)),
    }
}

fn immutable_tag(request: &HoldRequest, tag: &Tag) -> Failure {
    Failure::refused(format!(
        "the registry of {} does not let the tag {tag} move",
        request.place
    ))
    .with_reason("a hold that is a tag which never moves can never be lifted")
    .with_hint("exclude hold.* from the registry's rule of immutable tags, such as by an exclusion filter of the repository at Amazon ECR, and repeat the run")
}

fn taken_tag(request: &HoldRequest, tag: &Tag) -> Failure {
    Failure::refused(format!(
        "the tag {tag} of {} does not name what this run wrote",
        request.place
    ))
    .with_reason("another run changed the hold at the same time")
    .with_hint("repeat the run when no other one changes the hold")
}
