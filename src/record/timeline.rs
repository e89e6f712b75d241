//! The counted entries of one environment in one repository, in their order.

use std::collections::BTreeSet;
use std::time::Duration;

use thiserror::Error;

use super::past_release::{PAST_LIMIT, PastRelease};
use super::record_id::RecordId;
use super::record_time::RecordTime;
use super::timeline_entry::TimelineEntry;
use crate::image::Digest;

/// Counted entries of an environment, oldest first.
///
/// The order is that of the times at which the runs planned, and of the record ids where two times are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    entries: Vec<TimelineEntry>,
}

/// Counted entry whose time is so far ahead of the clock that nothing can be written after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("record {record} is planned at {planned_at}, ahead of the clock, {clock}")]
pub struct FutureEntryError {
    /// Record of the entry.
    pub record: RecordId,
    /// Time of the entry.
    pub planned_at: RecordTime,
    /// Time of the clock.
    pub clock: RecordTime,
}

/// How far a counted entry may be ahead of the clock before nothing is written after it.
pub(super) const FUTURE_LIMIT: Duration = Duration::from_secs(5 * 60);

impl Timeline {
    /// Returns the timeline of counted entries in any order. The same record counts once.
    pub fn new(mut entries: Vec<TimelineEntry>) -> Self {
        entries.sort_by_key(TimelineEntry::order);
        entries.dedup_by_key(|entry| entry.record);
        Self { entries }
    }

    /// Returns the entries, oldest first.
    pub fn entries(&self) -> &[TimelineEntry] {
        &self.entries
    }

    /// Returns the entry of a record.
    pub fn entry(&self, record: RecordId) -> Option<&TimelineEntry> {
        self.entries.iter().find(|entry| entry.record == record)
    }

    /// Returns the version of a root, by the newest entry about it that says one.
    pub fn version_of(&self, root: Digest) -> Option<String> {
        let mut of_root = self.entries.iter().rev().filter(|it| it.root == root);
        of_root.find_map(|it| it.version.clone())
    }

    /// Returns the records that no other record saw: one, or several after concurrent runs.
    pub fn heads(&self) -> Vec<RecordId> {
        let seen: BTreeSet<_> = self.named_before().collect();
        let records = self.entries.iter().map(|entry| entry.record);
        records.filter(|record| !seen.contains(record)).collect()
    }

    /// Returns the records that other records saw and that are gone.
    pub fn missing_records(&self) -> BTreeSet<RecordId> {
        let there: BTreeSet<_> = self.entries.iter().map(|entry| entry.record).collect();
        self.named_before()
            .filter(|record| !there.contains(record))
            .collect()
    }

    /// Returns the summaries of the newest entries, newest first, for the next record.
    pub fn past(&self) -> Vec<PastRelease> {
        let newest = self.entries.iter().rev().take(PAST_LIMIT);
        newest.map(TimelineEntry::to_past_release).collect()
    }

    /// Returns the time for the next record: that of the clock, and after every counted entry.
    ///
    /// # Errors
    /// Returns the newest entry if it is more than five minutes ahead of the clock.
    pub fn plan_next_time(&self, clock: RecordTime) -> Result<RecordTime, FutureEntryError> {
        let Some(newest) = self.entries.last() else {
            return Ok(clock);
        };
        let future = FutureEntryError {
            record: newest.record,
            planned_at: newest.planned_at,
            clock,
        };
        if newest.planned_at.since(clock) > FUTURE_LIMIT {
            return Err(future);
        }
        let after = newest.planned_at.next().ok_or(future)?;
        Ok(clock.max(after))
    }

    fn named_before(&self) -> impl Iterator<Item = RecordId> {
        let named = self.entries.iter().flat_map(|entry| &entry.previous);
        named.copied()
    }
}
