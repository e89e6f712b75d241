//! Finds the rollback that an earlier attempt of this run wrote or began.

use std::sync::Arc;

use crate::image::Digest;
use crate::record::{RecordAction, RecordedRun};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::intent::{Intent, ListedIntents};
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::options::RunAccount;
use crate::release::records::timeline_view::EntryReading;

/// Newest rollbacks, and newest releases, among which a rollback of this run is looked for.
const LOOKUP_LIMIT: usize = 8;

/// Returns the root that an earlier attempt of this run withdrew or began to withdraw.
///
/// # Errors
/// A store that cannot tell.
pub(super) async fn find_earlier_attempt(
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    account: &RunAccount,
) -> Result<Option<Digest>, Failure> {
    let Some(own) = account.run.as_ref().filter(|run| run.attempt > Some(1)) else {
        return Ok(None);
    };
    let rollbacks = timeline.view.names().iter().rev();
    let rollbacks = rollbacks.filter(|name| name.action == RecordAction::Rollback);
    let newest = timeline.view.read_all(rollbacks.take(LOOKUP_LIMIT)).await?;
    if let Some(root) = newest
        .iter()
        .find_map(|reading| repeated_root(reading, own))
    {
        return Ok(Some(root));
    }
    for root in recent_roots(timeline) {
        let intents = timeline.list_intents(root).await?;
        let begun = find_begun(context, timeline, &intents, root, account).await?;
        if begun.is_some() {
            return Ok(Some(root));
        }
    }
    Ok(None)
}

/// Returns the root that an earlier attempt of the run withdrew, if the entry is its rollback.
fn repeated_root(reading: &Arc<EntryReading>, own: &RecordedRun) -> Option<Digest> {
    let record = reading.counted()?.record();
    let run = record.predicate.run.as_ref()?;
    let is_earlier = run.uri.is_some() && run.uri == own.uri && run.attempt < own.attempt;
    is_earlier.then_some(record.root)
}

fn recent_roots(timeline: &OpenTimeline) -> Vec<Digest> {
    let known = timeline.known();
    let mut roots = Vec::new();
    for entry in known
        .entries()
        .iter()
        .rev()
        .filter(|entry| entry.action.is_release())
    {
        if roots.len() < LOOKUP_LIMIT && !roots.contains(&entry.root) {
            roots.push(entry.root);
        }
    }
    roots
}

/// Finds the rollback of a root that this run began. One without a run's address counts only if nothing was
/// recorded after it: it may be of any earlier run.
///
/// # Errors
/// A store that cannot tell.
pub(super) async fn find_begun(
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    intents: &ListedIntents,
    root: Digest,
    account: &RunAccount,
) -> Result<Option<Intent>, Failure> {
    let own = account.run_uri();
    let is_rollback = |action: &RecordAction| *action == RecordAction::Rollback;
    let found = timeline
        .find_unfinished(context, intents, root, |named| named == own, is_rollback)
        .await?;
    let known = timeline.known();
    let after = known.entries().iter().rev().find(|entry| match own {
        Some(_) => entry.action.is_release() && entry.root == root,
        None => true,
    });
    Ok(found.filter(|intent| {
        let planned_at = intent.verified.record.predicate.planned_at;
        after.is_none_or(|entry| entry.planned_at < planned_at)
    }))
}
