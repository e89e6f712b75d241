//! Where an immutable tag names another image that was built from the same commit.
//!
//! Whoever can write to the destination can put an image there and write any commit into its label.
//! So an image that is kept passes every check that the source passes, and more than its own label
//! has to speak for it where the release names a version or an environment after it.

use super::observe_destinations::DestinationState;
use super::resolve_source::{self, ResolvedImage};
use super::{
    ExistingTagPolicy, Failure, OpenDestination, ReleaseContext, ReleaseRequest, ReleaseVerb,
    image_origin, plan, sign,
};
use crate::event::GitRef;
use crate::image::{CommitId, Digest, TagOrDigest};
use crate::tagging::{DerivedTags, ImmutableTagSource, MovingTagSource, PlannedTag, TagKind};
use crate::transfer::Side;

/// An immutable tag that names another digest than it should.
struct ImmutableTagConflict<'a> {
    destination: &'a OpenDestination,
    planned: &'a PlannedTag,
    existing_digest: Digest,
}

/// Finds the image to go on with instead: one commit is built once, so a rebuilt image, which always
/// differs, gives way to the one that the commit's tag names. `None` where nothing is in the way.
///
/// # Errors
/// A refusal, where what is there cannot be shown to be of the same commit, or fails a check.
pub(super) async fn reuse_existing_image(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    derived: &DerivedTags,
    seen: &[DestinationState],
    image: &ResolvedImage,
    commit: Option<&CommitId>,
) -> Result<Option<ResolvedImage>, Failure> {
    let root = image.root.digest;
    let conflicts: Vec<ImmutableTagConflict> = destinations
        .iter()
        .zip(seen)
        .flat_map(|(destination, seen)| {
            let may_keep = |planned: &&PlannedTag| may_reuse(request, planned);
            derived
                .tags
                .iter()
                .filter(may_keep)
                .filter_map(move |planned| {
                    let names = seen
                        .tag_digest(&planned.tag)
                        .filter(|names| *names != root)?;
                    Some(ImmutableTagConflict {
                        destination,
                        planned,
                        existing_digest: names,
                    })
                })
        })
        .collect();
    let Some(first) = conflicts.first() else {
        return Ok(None);
    };
    let refused = |conflict: &ImmutableTagConflict, why: String| {
        let place = &conflict.destination.name;
        plan::immutable_tag_conflict(place, conflict.planned, conflict.existing_digest, root)
            .why(why)
    };
    if let Some(other) = conflicts
        .iter()
        .find(|conflict| conflict.existing_digest != first.existing_digest)
    {
        let why = format!(
            "{} names {} there: the destinations differ",
            first.destination.name, first.existing_digest
        );
        return Err(refused(other, why));
    }
    let Some(commit) = commit else {
        return Err(refused(
            first,
            "it is not known of which commit the image is".to_owned(),
        ));
    };
    let OpenDestination {
        name: place, store, ..
    } = first.destination;
    let mut kept = resolve_source::resolve_in_store(store, place, first.existing_digest).await?;
    let named = image_origin::read_image_origin(&kept.reader, &kept.root)
        .await
        .map_err(|error| Failure::from_store_error(Side::Destination, place, error))?;
    match &named.revision {
        Some(revision) if revision == commit => {}
        Some(revision) => {
            return Err(refused(
                first,
                format!("what it names was built from {revision}, not from {commit}"),
            ));
        }
        None => {
            let why = "what it names does not say of which commit it is (org.opencontainers.image.revision)";
            return Err(refused(first, why.to_owned()));
        }
    }
    kept.origin = Some(named);
    if !is_checked(request, context, destinations, seen, &kept).await?
        && names_release(request, derived)
    {
        return Err(refused(first, UNPROVEN.to_owned()).with_hint(format!(
            "promote that image if it is the one that is meant (--source {}), or sign it and this release (sign)",
            plan::tag_reference(place, &first.planned.tag)
        )));
    }
    context.notices.warning(format!(
        "{}: tag {} names {} already, built from the same commit: going on with that image, not with {root}",
        place, first.planned.tag, first.existing_digest
    ));
    Ok(Some(kept))
}

/// Why an image is not kept of which nothing but its own label is known.
const UNPROVEN: &str = "only the label of that image says that it is of the same commit, and whoever can write to the repository can write that";

/// Checks an image that is kept as the source is checked, and that this release's signer has signed
/// it. Returns whether there was anything to check.
async fn is_checked(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    seen: &[DestinationState],
    kept: &ResolvedImage,
) -> Result<bool, Failure> {
    let root = kept.root.digest;
    if let Some(from) = &request.from {
        let store = resolve_source::at_place(context, from);
        let found = store.get_manifest(&TagOrDigest::Digest(root)).await;
        let found = found.map_err(|error| Failure::from_store_error(Side::Source, from, error))?;
        if found.is_none() {
            return Err(Failure::refused(format!("{} is not in {from}", kept.location))
                .why("the environment takes its images from there alone, also an image that existing: keep goes on with")
                .with_hint("promote that image to there first, or say existing: fail"));
        }
    }
    if let Some(check) = &request.check {
        let checked = check.require_of_source(context, Side::Destination, root, &kept.location);
        checked.await.map_err(|failure| match failure {
            refused @ Failure::Refused(_) => refused.with_hint("existing: keep goes on with that image, so it is checked as the source is; existing: fail refuses it by name"),
            other => other,
        })?;
    }
    if let Some(signing) = &request.signing {
        sign::require_own_signature(signing, context, destinations, seen, root).await?;
    }
    Ok(request.from.is_some() || request.check.is_some() || request.signing.is_some())
}

/// Whether the tags say more of the image than which build it is: a promotion always does, and on a git
/// tag all that a rule names.
fn names_release(request: &ReleaseRequest, derived: &DerivedTags) -> bool {
    let git_ref = request.facts.as_ref().and_then(|it| it.git_ref.as_ref());
    let is_git_tag = matches!(git_ref, Some(GitRef::Tag(_)));
    let is_build = |planned: &PlannedTag| match &planned.kind {
        TagKind::Immutable(names) => *names == ImmutableTagSource::Commit,
        TagKind::Moving(MovingTagSource::Line { .. } | MovingTagSource::Environment) => false,
        TagKind::Moving(MovingTagSource::Branch | MovingTagSource::PullRequest) => true,
        TagKind::Moving(MovingTagSource::Other) => !is_git_tag && !planned.reads_as_release(),
    };
    request.verb == ReleaseVerb::Promote || !derived.tags.iter().all(is_build)
}

/// A version's tag is refused, a commit's tag on a push is kept, unless the user says otherwise.
fn may_reuse(request: &ReleaseRequest, planned: &PlannedTag) -> bool {
    planned.kind.is_immutable()
        && match request.existing {
            ExistingTagPolicy::Keep => true,
            ExistingTagPolicy::Fail => false,
            ExistingTagPolicy::PerTagKind => {
                request.verb == ReleaseVerb::Push
                    && planned.kind == TagKind::Immutable(ImmutableTagSource::Commit)
            }
        }
}
