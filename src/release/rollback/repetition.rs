//! Finds the rollback that an earlier attempt of this run wrote or began.

use crate::image::Digest;
use crate::record::{EntryName, RecordAction, RecordTime};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::intent::{Intent, ListedIntents};
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::options::RunAccount;

/// Rollback that an earlier attempt of this run wrote or began.
pub(super) struct EarlierRollback {
    /// Root that it withdrew.
    pub(super) root: Digest,
    planned_at: RecordTime,
}

impl EarlierRollback {
    /// Refuses to withdraw the root once more after somebody released it again. Its entries are read.
    ///
    /// # Errors
    /// A release of the root after the rollback, which no other rollback has withdrawn.
    pub(super) fn refuse_later_release(&self, timeline: &OpenTimeline) -> Result<(), Failure> {
        let known = timeline.known();
        let later = timeline
            .newest_release(self.root)
            .filter(|release| release.planned_at > self.planned_at);
        let Some(later) = later.filter(|_| !known.is_withdrawn(self.root)) else {
            return Ok(());
        };
        Err(Failure::refused(format!(
            "this run withdrew {} from {} at {}, and it was released again after that, at {}",
            self.root.short(),
            timeline.view.location().environment,
            self.planned_at,
            later.planned_at
        ))
        .with_reason("a repeated job of an old run would withdraw it once more")
        .with_hint("to withdraw it again, start a new run instead of repeating this one"))
    }
}

/// Finds the rollback that an earlier attempt of this run wrote or began: of the named root, else of any. The
/// entries of its root are read.
///
/// # Errors
/// A store that cannot tell.
pub(super) async fn find_earlier_attempt(
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    account: &RunAccount,
    named: Option<Digest>,
) -> Result<Option<EarlierRollback>, Failure> {
    let Some(own) = account.repeated_run() else {
        return Ok(None);
    };
    let is_rollback = |name: &EntryName| {
        name.action == RecordAction::Rollback && named.is_none_or(|root| name.root.is_of(root))
    };
    let read = timeline.view.read_own(own, is_rollback).await?;
    let counted = read.iter().filter_map(|reading| reading.counted());
    let mut earlier = counted.filter(|counted| own.wrote_before(counted.record()));
    if let Some(counted) = earlier.next() {
        timeline.read_root(counted.entry.root).await?;
        return Ok(Some(EarlierRollback {
            root: counted.entry.root,
            planned_at: counted.entry.planned_at,
        }));
    }
    let roots = named.map_or_else(|| timeline.recent_roots(), |root| vec![root]);
    for root in roots {
        let intents = timeline.list_intents(root).await?;
        let begun = find_intent(context, timeline, &intents, root, account).await?;
        let begun = begun
            .filter(|intent| own.uri.is_some() || !is_followed(timeline, account, root, intent));
        if let Some(begun) = begun {
            timeline.read_root(root).await?;
            let planned_at = begun.verified.record.predicate.planned_at;
            return Ok(Some(EarlierRollback { root, planned_at }));
        }
    }
    Ok(None)
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
    let found = find_intent(context, timeline, intents, root, account).await?;
    Ok(found.filter(|intent| !is_followed(timeline, account, root, intent)))
}

async fn find_intent(
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    intents: &ListedIntents,
    root: Digest,
    account: &RunAccount,
) -> Result<Option<Intent>, Failure> {
    let own = account.run_uri();
    let is_rollback = |action: &RecordAction| *action == RecordAction::Rollback;
    timeline
        .find_unfinished(context, intents, root, |named| named == own, is_rollback)
        .await
}

/// Returns whether a release of the root was recorded after an intent; of a run without an address, anything.
fn is_followed(
    timeline: &OpenTimeline,
    account: &RunAccount,
    root: Digest,
    intent: &Intent,
) -> bool {
    let known = timeline.known();
    let mut newest_first = known.entries().iter().rev();
    let after = newest_first.find(|entry| match account.run_uri() {
        Some(_) => entry.action.is_release() && entry.root == root,
        None => true,
    });
    let planned_at = intent.verified.record.predicate.planned_at;
    after.is_some_and(|entry| entry.planned_at >= planned_at)
}
