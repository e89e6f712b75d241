//! Chooses the release that a rollback puts back.

use super::request::RollbackRequest;
use super::withdrawn::WithdrawnRelease;
use crate::record::{
    EntryName, RecordAction, RecordId, RecordTime, ReleaseMark, Timeline, TimelineEntry,
};
use crate::release::Failure;
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::release_name::ReleaseName;

/// Entries that are read together on the way back to older releases.
const BATCH: usize = 16;

/// Chooses the release to put back; `None` if the environment is on another release than the withdrawn one.
///
/// # Errors
/// A target that is withdrawn or no release, no release to go back to, and a store that cannot tell.
pub(super) async fn choose_target(
    request: &RollbackRequest,
    timeline: &OpenTimeline,
    withdrawn: &WithdrawnRelease,
) -> Result<Option<TimelineEntry>, Failure> {
    if let Some(name) = &request.to {
        return find_named(timeline, withdrawn, name).await.map(Some);
    }
    if !withdrawn.is_current {
        return Ok(None);
    }
    let target = find_known_good(timeline, withdrawn).await?;
    target
        .map(Some)
        .ok_or_else(|| no_target(timeline, withdrawn))
}

async fn find_named(
    timeline: &OpenTimeline,
    withdrawn: &WithdrawnRelease,
    name: &ReleaseName,
) -> Result<TimelineEntry, Failure> {
    let root = timeline.find_root(name).await?;
    let environment = &timeline.view.location().environment;
    if root == withdrawn.root {
        return Err(
            Failure::input(format!("to names {name}, which is the release to withdraw"))
                .with_hint("name another release, or leave to out"),
        );
    }
    if timeline.known().is_withdrawn(root) {
        return Err(Failure::refused(format!(
            "to names {name}, which is withdrawn from {environment}"
        ))
        .with_reason("a rollback puts back only what is not withdrawn")
        .with_hint("release it again with promote, reinstate: true and reason"));
    }
    timeline.newest_release(root).ok_or_else(|| {
        Failure::refused(format!(
            "to names {name}, which was never released to {environment}"
        ))
        .with_hint(timeline.advise("name a version that was released there, a digest or a record"))
    })
}

/// Finds the newest release that is known to be good, and reads all that its choice depends on.
async fn find_known_good(
    timeline: &OpenTimeline,
    withdrawn: &WithdrawnRelease,
) -> Result<Option<TimelineEntry>, Failure> {
    let reinstated = timeline
        .view
        .unread_names(|name| name.action == RecordAction::Reinstate);
    let reinstated: Vec<EntryName> = reinstated.collect();
    timeline.view.read_all(&reinstated).await?;
    loop {
        let known = with_unrecorded(timeline, withdrawn);
        let target = known.rollback_target(withdrawn.root).cloned();
        let mark = target.as_ref().and_then(|target| known.mark(target.root));
        let unread = match &target {
            Some(target) => unread_about(timeline, target),
            None => Vec::new(),
        };
        let unread = match (unread.is_empty(), mark) {
            (false, _) => unread,
            // A better release may be further back.
            (true, _) => older_names(timeline, withdrawn, target.as_ref(), mark),
        };
        if unread.is_empty() {
            return Ok(target);
        }
        for reading in timeline.view.read_all(&unread).await? {
            if let Some(record) = reading.counted() {
                timeline.read_root(record.entry.root).await?;
            }
        }
        timeline.view.check_strays()?;
    }
}

fn unread_about(timeline: &OpenTimeline, target: &TimelineEntry) -> Vec<EntryName> {
    let is_about = |name: &EntryName| name.root.is_of(target.root);
    timeline.view.unread_names(is_about).collect()
}

/// Returns the newest names that were not read, of what may be better than the target: marks of deployed releases,
/// releases if the target is adopted, and any release without a target.
fn older_names(
    timeline: &OpenTimeline,
    withdrawn: &WithdrawnRelease,
    target: Option<&TimelineEntry>,
    mark: Option<ReleaseMark>,
) -> Vec<EntryName> {
    let end = withdrawn.release.as_ref().map(TimelineEntry::order);
    let known = timeline.known();
    let is_summarized = |name: &EntryName| {
        let mut entries = known.entries().iter();
        entries.any(|entry| name.record.is_of(entry.record.digest()))
    };
    let is_adopted = target.is_some_and(|target| target.action == RecordAction::Adopt);
    let is_deployed = mark == Some(ReleaseMark::Deployed);
    let is_earlier = |name: &EntryName| end.is_none_or(|end| name.planned_at <= end.0);
    let is_wanted = |name: &EntryName| match &name.action {
        RecordAction::Deployed => {
            target.is_some() && (is_adopted || !is_deployed) && !is_summarized(name)
        }
        RecordAction::Adopt => target.is_none() && is_earlier(name),
        action if action.is_release() => match target {
            None => is_earlier(name),
            Some(_) => is_adopted && !is_deployed && is_earlier(name) && !is_summarized(name),
        },
        _ => false,
    };
    let newest_first = timeline.view.unread_names(is_wanted).rev();
    newest_first.take(BATCH).collect()
}

/// Returns the timeline with the withdrawn image as its newest release, where it has no record of it.
pub(super) fn with_unrecorded(timeline: &OpenTimeline, withdrawn: &WithdrawnRelease) -> Timeline {
    let known = timeline.known();
    if timeline.newest_release(withdrawn.root).is_some() {
        return known;
    }
    let assumed = withdrawn.release.clone().unwrap_or_else(|| TimelineEntry {
        deletions: Vec::new(),
        record: RecordId::from_blob(b"unrecorded"),
        root: withdrawn.root,
        action: RecordAction::Promote,
        planned_at: newest_time(&known).unwrap_or(timeline.planned_at),
        restores: None,
        reinstates: Vec::new(),
        hold: None,
        previous: Vec::new(),
        version: None,
        commit: None,
        actor: None,
        is_summary: false,
    });
    let entries = known.entries().iter().cloned().chain([assumed]);
    Timeline::new(entries.collect())
}

fn newest_time(known: &Timeline) -> Option<RecordTime> {
    known.entries().last()?.planned_at.next()
}

fn no_target(timeline: &OpenTimeline, withdrawn: &WithdrawnRelease) -> Failure {
    let location = timeline.view.location();
    Failure::refused(format!(
        "{} has no release to go back to from {}",
        location.environment,
        withdrawn.root.short()
    ))
    .with_reason("no release before it is recorded that is neither withdrawn nor marked as failed")
    .with_hint(timeline.advise("release another image, or name a release with to"))
}
