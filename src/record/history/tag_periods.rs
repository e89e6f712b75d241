//! Which roots a tag named, from when to when.

use crate::image::Digest;
use crate::record::action::RecordAction;
use crate::record::record_time::RecordTime;
use crate::record::timeline_entry::TimelineEntry;

/// Record that wrote a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRecord {
    /// The entry.
    pub entry: TimelineEntry,
    /// Root that the tag named before; `None` if it was new.
    pub previous: Option<Digest>,
}

/// Time during which a tag named a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPeriod {
    /// The root.
    pub root: Digest,
    /// Version of the root, if a record says it.
    pub version: Option<String>,
    /// Record that gave it the tag; `None` if no record did.
    pub by: Option<TimelineEntry>,
    /// Time from which it did; `None` if no record says it.
    pub from: Option<RecordTime>,
    /// Time until which it did; `None` if no record says it, or if it still does.
    pub until: Option<RecordTime>,
    /// Whether the tag names it now.
    pub is_now: bool,
}

/// Returns the roots that a tag named, oldest first, from the records that wrote it, oldest first, and from the
/// root that it names `now`.
pub fn tag_periods(records: &[TagRecord], now: Option<Digest>) -> Vec<TagPeriod> {
    let mut periods: Vec<TagPeriod> = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let time = record.entry.planned_at;
        if let Some(previous) = record.previous {
            add_unrecorded(&mut periods, previous, Some(time));
        }
        let following = records.get(at + 1);
        let next = following.map_or(now, |next| next.previous);
        let Some(root) = root_after(&record.entry, next) else {
            continue;
        };
        if periods
            .last()
            .is_some_and(|last| last.root == root && last.by.is_some())
        {
            continue;
        }
        close(&mut periods, time);
        periods.push(TagPeriod {
            root,
            version: None,
            by: Some(record.entry.clone()),
            from: Some(time),
            until: None,
            is_now: false,
        });
    }
    if let Some(now) = now {
        add_unrecorded(&mut periods, now, None);
        if let Some(last) = periods.last_mut() {
            last.is_now = true;
        }
    }
    for period in &mut periods {
        let mut released = records.iter().rev();
        let release =
            released.find(|it| it.entry.root == period.root && it.entry.action.is_release());
        period.version = release.and_then(|release| release.entry.version.clone());
    }
    periods
}

/// Returns the root that the tag has after a record: of a rollback what the next record found.
fn root_after(entry: &TimelineEntry, next: Option<Digest>) -> Option<Digest> {
    match entry.action {
        RecordAction::Rollback => next.or(entry.restores),
        ref action => action.is_release().then_some(entry.root),
    }
}

/// Adds a root that no record gave the tag, if the last period is of another one.
fn add_unrecorded(periods: &mut Vec<TagPeriod>, root: Digest, until: Option<RecordTime>) {
    if periods.last().is_some_and(|last| last.root == root) {
        return;
    }
    periods.push(TagPeriod {
        root,
        version: None,
        by: None,
        from: None,
        until,
        is_now: false,
    });
}

fn close(periods: &mut [TagPeriod], time: RecordTime) {
    if let Some(last) = periods.last_mut() {
        last.until = Some(time);
    }
}
