//! Finds the existing image of the same commit that is released instead of a rebuilt one.
//!
//! Anyone who can write to the destination can put an image there with any commit in its label. So
//! an image that is reused passes every check that the source passes, and where the release names a
//! version or an environment after it, its own label is not enough evidence.

use super::destination_state::DestinationState;
use super::tags;
use crate::event::GitRef;
use crate::image::{CommitId, Digest, TagOrDigest};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::request::{ExistingTagPolicy, ReleaseRequest, ReleaseVerb};
use crate::release::resolve::image::{self, ResolvedImage};
use crate::release::resolve::{image_origin, image_store};
use crate::release::sign::own_signature;
use crate::tagging::{DerivedTags, ImmutableTagSource, MovingTagSource, PlannedTag, TagKind};
use crate::transfer::Side;

/// A release whose source is resolved and whose destinations are observed.
pub(crate) struct ObservedRelease<'a> {
    pub(crate) destinations: &'a [OpenDestination],
    pub(crate) states: &'a [DestinationState],
    pub(crate) derived: &'a DerivedTags,
    pub(crate) root: Digest,
}

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
pub(crate) async fn reuse_existing_image(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    observed: &ObservedRelease<'_>,
    commit: Option<&CommitId>,
) -> Result<Option<ResolvedImage>, Failure> {
    let root = observed.root;
    let conflicts = find_conflicts(request, observed);
    let Some(first) = conflicts.first() else {
        return Ok(None);
    };
    let is_other =
        |conflict: &&ImmutableTagConflict| conflict.existing_digest != first.existing_digest;
    if let Some(other) = conflicts.iter().find(is_other) {
        return Err(other.refusal(
            root,
            format!(
                "{} has {} under this tag: the destinations differ",
                first.destination.name, first.existing_digest
            ),
        ));
    }
    let existing = require_same_commit(first, commit, root).await?;
    if !is_checked(request, context, observed, &existing).await?
        && names_release(request, observed.derived)
    {
        return Err(first.refusal(root, UNPROVEN.to_owned()).with_hint(format!(
            "promote that image if you trust it, with source {}, or sign it and this release (sign)",
            tags::tag_reference(&first.destination.name, &first.planned.tag)
        )));
    }
    context.notices.warning(format!(
        "{}: tag {} already points to {}, built from the same commit: releasing that image instead of {root}",
        first.destination.name, first.planned.tag, first.existing_digest
    ));
    Ok(Some(existing))
}

/// Returns the tags that point to another image and may keep it.
fn find_conflicts<'a>(
    request: &ReleaseRequest,
    observed: &ObservedRelease<'a>,
) -> Vec<ImmutableTagConflict<'a>> {
    let tags = observed.derived.tags.iter();
    let reusable: Vec<&PlannedTag> = tags.filter(|planned| may_reuse(request, planned)).collect();
    let each = observed.destinations.iter().zip(observed.states);
    let conflicts = each.flat_map(|(destination, state)| {
        reusable.iter().filter_map(move |planned| {
            let existing = state.tag_digest(&planned.tag)?;
            (existing != observed.root).then_some(ImmutableTagConflict {
                destination,
                planned,
                existing_digest: existing,
            })
        })
    });
    conflicts.collect()
}

impl ImmutableTagConflict<'_> {
    fn refusal(&self, root: Digest, why: String) -> Failure {
        let place = &self.destination.name;
        tags::immutable_tag_conflict(place, self.planned, self.existing_digest, root)
            .with_reason(why)
    }
}

/// Resolves the image that the tag points to, if its labels name the commit of this release.
async fn require_same_commit(
    conflict: &ImmutableTagConflict<'_>,
    commit: Option<&CommitId>,
    root: Digest,
) -> Result<ResolvedImage, Failure> {
    let Some(commit) = commit else {
        return Err(conflict.refusal(root, "the commit of the image is not known".to_owned()));
    };
    let OpenDestination {
        name: place, store, ..
    } = conflict.destination;
    let mut existing = image::resolve_in_store(store, place, conflict.existing_digest).await?;
    let origin = image_origin::read_image_origin(&existing.reader, &existing.root)
        .await
        .map_err(|error| Failure::from_store_error(Side::Destination, place, error))?;
    let why = match &origin.revision {
        Some(revision) if revision == commit => {
            existing.origin = Some(origin);
            return Ok(existing);
        }
        Some(revision) => {
            format!("the existing image was built from {revision}, expected {commit}")
        }
        None => "the existing image has no label org.opencontainers.image.revision".to_owned(),
    };
    Err(conflict.refusal(root, why))
}

/// Why an image is not kept of which nothing but its own label is known.
const UNPROVEN: &str = "only a label says that the existing image is of the same commit, and anybody who can write to the repository can set that label";

/// Checks an image that is kept as the source is checked, and that this release's signer has signed
/// it. Returns whether there was anything to check.
async fn is_checked(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    observed: &ObservedRelease<'_>,
    kept: &ResolvedImage,
) -> Result<bool, Failure> {
    let root = kept.root.digest;
    if let Some(from) = &request.from {
        let store = image_store::open_to_read(context, from);
        let found = store.get_manifest(&TagOrDigest::Digest(root)).await;
        let found = found.map_err(|error| Failure::from_store_error(Side::Source, from, error))?;
        if found.is_none() {
            return Err(Failure::refused(format!("{} does not exist in {from}", kept.location))
                .with_reason("the environment accepts images from that repository only, also with existing: keep")
                .with_hint("promote the image to that repository first, or set existing: fail"));
        }
    }
    if let Some(check) = &request.check {
        let checked = check.require_of_source(context, Side::Destination, root, &kept.location);
        checked.await.map_err(|failure| match failure {
            refused @ Failure::Refused(_) => refused.with_hint("existing: keep releases that image, so it is checked like the source; set existing: fail to refuse it"),
            other => other,
        })?;
    }
    if let Some(signing) = &request.signing {
        own_signature::require_own_signature(
            signing,
            context,
            observed.destinations,
            observed.states,
            root,
        )
        .await?;
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
