//! When a root was current in an environment.

use super::record_id::RecordId;
use super::record_time::RecordTime;
use super::release_state::current_of;
use super::timeline::Timeline;
use crate::image::Digest;

/// Time for which a root was current without interruption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentPeriod {
    /// Records that set the root, oldest first, with the times at which they were planned: the one that began the
    /// period, and those that set the root again.
    pub records: Vec<PeriodRecord>,
    /// Time at which the record was planned that ended it; `None` if the root is current.
    pub until: Option<RecordTime>,
}

/// Record that set a root which was or became current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodRecord {
    /// The record.
    pub record: RecordId,
    /// Time at which it was planned.
    pub planned_at: RecordTime,
    /// Whether only a later record's summary of it is known.
    pub is_summary: bool,
}

impl Timeline {
    /// Returns the periods for which a root was current, oldest first.
    pub fn current_periods(&self, root: Digest) -> Vec<CurrentPeriod> {
        let entries = self.entries();
        let mut periods: Vec<CurrentPeriod> = Vec::new();
        let mut was_current = false;
        for (at, entry) in entries.iter().enumerate() {
            let current = current_of(&entries[..=at]);
            let is_current = current.is_some_and(|(_, current)| current == root);
            let record = PeriodRecord {
                record: entry.record,
                planned_at: entry.planned_at,
                is_summary: entry.is_summary,
            };
            match periods.last_mut().filter(|_| was_current) {
                None if is_current => periods.push(CurrentPeriod {
                    records: vec![record],
                    until: None,
                }),
                Some(period) if !is_current => period.until = Some(entry.planned_at),
                Some(period) if entry.root_it_sets() == Some(root) => period.records.push(record),
                _ => {}
            }
            was_current = is_current;
        }
        periods
    }
}
