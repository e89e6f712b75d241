//! Records what a run deleted on the timelines of the repository's environments.

use std::collections::BTreeMap;

use super::prune_outcome::AppliedRepository;
use super::prune_request::{PruneRequest, RecordedUse};
use crate::image::Digest;
use crate::record::RecordedDeletion;
use crate::release::{Failure, ReleaseContext, record_deletions};
use crate::retention::DeletionStep;

/// How the reason of a deletion by a rule begins.
const RULE_PREFIX: &str = "the rule ";

/// Writes a record of the deletions in a repository for each of its environments that keeps a timeline.
///
/// # Errors
/// A record that cannot be written.
pub(super) async fn record_run(
    request: &PruneRequest,
    used: &RecordedUse,
    applied: &mut AppliedRepository,
    context: &ReleaseContext,
) -> Result<(), Failure> {
    let deletions = recorded_deletions(applied);
    for timeline in &request.records {
        let location = &timeline.location;
        let name = location.destination.to_string();
        let mut known = used.environments.iter();
        let keeps_timeline = known.any(|it| {
            it.repository == name
                && it.environment == location.environment
                && !it.timeline.entries().is_empty()
        });
        if location.destination != applied.place || !keeps_timeline {
            continue;
        }
        let written = record_deletions(timeline, deletions.clone(), context);
        let written = Box::pin(written).await?;
        let environment = location.environment.clone();
        applied.records.extend(written.map(|it| (environment, it)));
    }
    Ok(())
}

/// Returns the manifests that the run deleted, those that went by a rule first.
fn recorded_deletions(applied: &AppliedRepository) -> Vec<RecordedDeletion> {
    let mut tags: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
    let mut deletions = Vec::new();
    for deletion in applied.deletions.iter().filter(|it| !it.was_absent) {
        match &deletion.step {
            DeletionStep::Tag { tag, digest } => {
                tags.entry(*digest).or_default().push(tag.to_string());
            }
            DeletionStep::Manifest { digest, tags: own } => {
                let own = own.iter().map(ToString::to_string);
                tags.entry(*digest).or_default().extend(own);
                let rule = deletion.reason.strip_prefix(RULE_PREFIX);
                deletions.push(RecordedDeletion {
                    digest: *digest,
                    tags: Vec::new(),
                    rule: rule.map(str::to_owned),
                    reason: deletion.reason.clone(),
                });
            }
        }
    }
    for deletion in &mut deletions {
        deletion.tags = tags.remove(&deletion.digest).unwrap_or_default();
    }
    deletions.sort_by_key(|deletion| deletion.rule.is_none());
    deletions
}
