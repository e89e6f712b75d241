//! Records what a run deleted on the timelines of the repository's environments.

use std::collections::BTreeMap;

use super::plan_file::{PlanFile, ShownDeletion};
use super::prune_outcome::AppliedRepository;
use super::prune_request::{PruneRequest, RecordedUse};
use crate::image::{Destination, Digest};
use crate::record::{RecordedDeletion, Timeline};
use crate::release::{Failure, ReleaseContext, record_deletions};
use crate::retention::{DeletionReason, DeletionStep, RepositorySnapshot};

/// What a record says of a deletion that another run made.
const GONE_BEFORE: &str = "it was gone when the plan was repeated";

/// Writes a record of the deletions in a repository for each of its environments that keeps a timeline: of those of
/// this run, and of those of the plan that no record has, since the run that made them died.
///
/// # Errors
/// A record that cannot be written.
pub(super) async fn record_run(
    request: &PruneRequest,
    used: &RecordedUse,
    file: &PlanFile,
    snapshot: &RepositorySnapshot,
    applied: &mut AppliedRepository,
    context: &ReleaseContext,
) -> Result<(), Failure> {
    let deletions = recorded_deletions(file, snapshot, applied);
    for request in &request.records {
        let location = &request.location;
        let name = location.destination.to_string();
        let mut known = used.environments.iter();
        let known = known.find(|it| {
            it.repository == name
                && it.environment == location.environment
                && !it.timeline.entries().is_empty()
        });
        let Some(known) = known.filter(|_| location.destination == applied.place) else {
            continue;
        };
        let new = deletions
            .iter()
            .filter(|it| !is_recorded(&known.timeline, it));
        let written = record_deletions(request, new.cloned().collect(), context);
        let written = Box::pin(written).await?;
        let environment = location.environment.clone();
        applied.records.extend(written.map(|it| (environment, it)));
    }
    Ok(())
}

/// Returns what the run deleted, and what the plan has and an earlier run of it deleted: manifests first, and of them
/// those that a rule describes.
fn recorded_deletions(
    file: &PlanFile,
    snapshot: &RepositorySnapshot,
    applied: &AppliedRepository,
) -> Vec<RecordedDeletion> {
    let own = applied.deletions.iter().filter(|it| !it.was_absent);
    let own: Vec<ShownDeletion> = own
        .map(|it| ShownDeletion {
            step: it.step.clone(),
            rule: it
                .reason
                .as_ref()
                .and_then(DeletionReason::rule)
                .map(str::to_owned),
            reason: it
                .reason
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        })
        .collect();
    let planned = file.reasons.get(&snapshot.name).into_iter().flatten();
    let is_layout = matches!(applied.place, Destination::Layout(_));
    let gone = planned.filter(|it| is_gone(&it.step, snapshot, is_layout));
    let is_new = |it: &&ShownDeletion| !own.iter().any(|own| is_same(&own.step, &it.step));
    let earlier = gone.filter(is_new).map(|it| ShownDeletion {
        reason: format!("{}; {GONE_BEFORE}", it.reason),
        ..it.clone()
    });
    let earlier: Vec<ShownDeletion> = earlier.collect();
    join_deletions(own.iter().chain(&earlier))
}

/// Returns one entry for each manifest, with the tags that went before it.
fn join_deletions<'a>(all: impl Iterator<Item = &'a ShownDeletion>) -> Vec<RecordedDeletion> {
    let mut joined: BTreeMap<Digest, RecordedDeletion> = BTreeMap::new();
    for shown in all {
        let (digest, tags, tags_only) = match &shown.step {
            DeletionStep::Tag { tag, digest } => (*digest, vec![tag.to_string()], true),
            DeletionStep::Manifest { digest, tags } => (
                *digest,
                tags.iter().map(ToString::to_string).collect(),
                false,
            ),
        };
        let entry = joined.entry(digest).or_insert_with(|| RecordedDeletion {
            digest,
            tags_only,
            tags: Vec::new(),
            rule: shown.rule.clone(),
            reason: shown.reason.clone(),
        });
        if entry.tags_only && !tags_only {
            entry.rule.clone_from(&shown.rule);
            entry.reason.clone_from(&shown.reason);
        }
        entry.tags_only &= tags_only;
        entry.tags.extend(tags);
    }
    let mut deletions: Vec<RecordedDeletion> = joined.into_values().collect();
    deletions.sort_by_key(|deletion| (deletion.tags_only, deletion.rule.is_none()));
    deletions
}

/// Returns whether what a step deletes is known not to be there. A layout is read as a whole; a registry says so of each
/// manifest that it is asked for.
fn is_gone(step: &DeletionStep, snapshot: &RepositorySnapshot, is_layout: bool) -> bool {
    match step {
        DeletionStep::Tag { tag, .. } => !snapshot.tags.contains_key(tag),
        DeletionStep::Manifest { digest, .. } if is_layout => {
            !snapshot.manifests.contains_key(digest)
        }
        DeletionStep::Manifest { digest, .. } => snapshot.absent.contains(digest),
    }
}

/// Returns whether two steps delete the same manifest or the same tag.
fn is_same(one: &DeletionStep, other: &DeletionStep) -> bool {
    match (one, other) {
        (DeletionStep::Tag { tag, .. }, DeletionStep::Tag { tag: other, .. }) => tag == other,
        (DeletionStep::Manifest { digest, .. }, DeletionStep::Manifest { digest: other, .. }) => {
            digest == other
        }
        (DeletionStep::Manifest { tags, .. }, DeletionStep::Tag { tag, .. }) => tags.contains(tag),
        (DeletionStep::Tag { .. }, DeletionStep::Manifest { .. }) => false,
    }
}

/// Returns whether a timeline has a record of a deletion.
fn is_recorded(timeline: &Timeline, deletion: &RecordedDeletion) -> bool {
    let entries = timeline.entries().iter();
    let mut known = entries.flat_map(|entry| &entry.deletions);
    known.any(|known| {
        let has_tags = deletion.tags.iter().all(|tag| known.tags.contains(tag));
        known.digest == deletion.digest && known.tags_only == deletion.tags_only && has_tags
    })
}
