//! Resolves the source of a release and observes its destinations, up to what their timelines rule out.

use std::sync::Arc;

use super::Failure;
use super::context::ReleaseContext;
use super::destination::OpenDestination;
use super::naming_checks;
use super::plan::branch_ancestry::BranchTagGuard;
use super::plan::branch_names::check_branch_names;
use super::plan::destination_state::DestinationState;
use super::plan::reuse::{ObservedRelease, reuse_existing_image};
use super::records::observe::{ObservedTimelines, RecordedImage, observe_timelines};
use super::records::refusals::check_release;
use super::records::timeline_view::TimelineView;
use super::refusal_list::RefusalList;
use super::request::{ReleaseRequest, ReleaseVerb};
use super::resolve::image::ResolvedImage;
use super::resolve_release::{
    ResolvedRelease, ResolvedSender, SeenDestinations, TaggedImage, observe_release,
    resolve_release,
};
use crate::image::{CommitId, Digest};
use crate::tagging::DerivedTags;
use crate::transfer::Side;

/// What is known of a release before its tags are planned.
pub(super) struct ObservedImage<'a> {
    /// Image that is released: the source, or one of a destination instead.
    pub(super) image: ResolvedImage,
    /// Digest of the source.
    pub(super) requested_digest: Digest,
    /// Digest of the image in the place that it comes from: the released one can be a selection of its platforms.
    pub(super) source_digest: Digest,
    pub(super) derived: DerivedTags,
    /// Timelines of the environments that the image may come from, the one that it comes from first.
    pub(super) sources: Vec<Arc<TimelineView>>,
    pub(super) commit: Option<CommitId>,
    pub(super) states: Vec<DestinationState>,
    pub(super) branch_guard: Option<BranchTagGuard<'a>>,
    /// Timelines of the destinations, if the release is recorded.
    pub(super) timelines: Option<ObservedTimelines>,
}

/// Resolves the source, observes the destinations, and refuses what rules out the release. What is resolved is sent
/// as soon as it is.
///
/// # Errors
/// A refusal, and stores that fail.
pub(super) async fn resolve_and_observe<'a>(
    request: &ReleaseRequest,
    context: &'a ReleaseContext,
    destinations: &[OpenDestination],
    listed: Vec<TimelineView>,
    sender: ResolvedSender,
    refusals: &mut RefusalList,
) -> Result<ObservedImage<'a>, Failure> {
    let resolved = resolve_release(request, context, destinations, listed, sender);
    let ResolvedRelease {
        image,
        derived,
        seen,
        sources,
    } = Box::pin(resolved).await?;
    let excluded = &request.excluded_versions;
    refusals.keep(naming_checks::refuse_excluded_version(excluded, &derived))?;
    for warning in &derived.warnings {
        context.notices.warning(warning.clone());
    }
    let release = TaggedImage {
        image: &image,
        derived: &derived,
        sources: &sources,
    };
    let observed = observe_image(request, context, destinations, &release, seen, refusals);
    let (existing, commit, states, branch_guard, timelines) = Box::pin(observed).await?;
    Ok(ObservedImage {
        requested_digest: image.root.digest,
        source_digest: image.source_digest(),
        image: existing.unwrap_or(image),
        derived,
        sources,
        commit,
        states,
        branch_guard,
        timelines,
    })
}

/// What is observed: the image of a destination that is released instead, the commit, and the states of the
/// destinations with what keeps their tags and their timelines.
type Observed<'a> = (
    Option<ResolvedImage>,
    Option<CommitId>,
    Vec<DestinationState>,
    Option<BranchTagGuard<'a>>,
    Option<ObservedTimelines>,
);

async fn observe_image<'a>(
    request: &ReleaseRequest,
    context: &'a ReleaseContext,
    destinations: &[OpenDestination],
    release: &TaggedImage<'_>,
    seen: SeenDestinations,
    refusals: &mut RefusalList,
) -> Result<Observed<'a>, Failure> {
    let TaggedImage {
        image,
        derived,
        sources,
    } = release;
    let states = observe_release(request, destinations, release, seen);
    let mut states = Box::pin(states).await?;
    refusals.keep(check_source(request, context, image.root.digest).await)?;
    let commit = image_commit(request, image);
    let observed = ObservedRelease {
        destinations,
        states: &states,
        derived,
        root: image.root.digest,
    };
    let existing = reuse_existing_image(request, context, &observed, commit.as_ref());
    let existing = Box::pin(existing).await?;
    let image = existing.as_ref().unwrap_or(image);
    let root = image.root.digest;
    let names = check_branch_names(request, context, destinations, derived, &mut states, root);
    refusals.keep(names)?;
    let branch_guard = BranchTagGuard::new(context, derived, commit.as_ref());
    if let Some(guard) = &branch_guard {
        let kept = guard.keep_newer_tags(destinations, derived, &mut states, root);
        kept.await?;
    }
    let recorded = RecordedImage::new(image, derived);
    let timelines = observe_recorded(
        request,
        context,
        destinations,
        &states,
        &recorded,
        sources,
        refusals,
    )
    .await?;
    Ok((existing, commit, states, branch_guard, timelines))
}

/// Observes the timelines, where the release is recorded.
async fn observe_recorded(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    states: &[DestinationState],
    image: &RecordedImage<'_>,
    sources: &[Arc<TimelineView>],
    refusals: &mut RefusalList,
) -> Result<Option<ObservedTimelines>, Failure> {
    let Some(options) = &request.record else {
        return Ok(None);
    };
    let observed = observe_timelines(options, context, destinations, states, image, sources);
    let observed = Box::pin(observed).await?;
    for (timeline, state) in observed.destinations.iter().zip(states) {
        refusals.keep(check_release(options, timeline, state, image).await)?;
    }
    Ok(Some(observed))
}

async fn check_source(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    root: Digest,
) -> Result<(), Failure> {
    match &request.check {
        None => Ok(()),
        Some(check) => {
            check
                .require_of_source(context, Side::Source, root, &request.source)
                .await
        }
    }
}

/// Returns the commit of the image: the event's for a push, the one that its labels name for a
/// promotion.
fn image_commit(request: &ReleaseRequest, image: &ResolvedImage) -> Option<CommitId> {
    match request.verb {
        ReleaseVerb::Push => request.facts.as_ref()?.commit.clone(),
        ReleaseVerb::Promote => image.origin.as_ref()?.revision.clone(),
    }
}
