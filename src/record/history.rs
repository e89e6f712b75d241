//! History of a timeline: each entry with its state, how it is known, and what is odd about it.

mod filter;
mod line;
mod listed_entries;
mod readings;
mod remarks;
mod tag_drift;
mod tag_periods;

use std::collections::{HashMap, HashSet};

pub use filter::{CommitPrefix, DigestPattern, HistoryFilter, HistoryFilterError};
pub use line::{EntryKnowledge, EntryRemark, EntryState, HistoryLine};
pub use listed_entries::ListedEntries;
pub use readings::{HistoryReadings, ReadEntry, RecordProof};
pub use tag_drift::{ExpectedRoot, TagDrift, expected_root, expected_tags};
pub use tag_periods::{TagPeriod, TagRecord, tag_periods};

use super::action::RecordAction;
use super::entry_name::EntryName;
use super::record_id::RecordId;
use super::release_state::ReleaseMark;
use super::timeline::Timeline;
use super::timeline_entry::TimelineEntry;
use crate::image::Digest;

#[cfg(test)]
mod tests;

/// History of a timeline as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineHistory {
    /// Counted entries that are known, read or named by a newer record.
    pub timeline: Timeline,
    /// Lines of all entries that are known, oldest first.
    pub lines: Vec<HistoryLine>,
}

/// States of roots, computed once for all lines.
struct RootStates {
    current: Option<Digest>,
    withdrawn: HashSet<Digest>,
    marks: HashMap<Digest, ReleaseMark>,
    newest_releases: HashMap<Digest, RecordId>,
}

impl TimelineHistory {
    /// Returns the history of the listed entries, as far as `readings` know them.
    pub fn new(listed: ListedEntries<'_>, readings: &HistoryReadings) -> Self {
        let timeline = readings.to_timeline();
        let states = RootStates::new(&timeline);
        let remarks = remarks::find_remarks(listed, readings, &timeline);
        let names: HashSet<&EntryName> = listed.names.iter().collect();
        let mut lines: Vec<HistoryLine> = listed
            .names
            .iter()
            .filter_map(|name| readings.line_of(name))
            .collect();
        let gone = readings.gone_entries(listed, &names);
        lines.extend(gone.map(|(name, past)| HistoryLine::of_gone_entry(name, past)));
        lines.sort_by_key(|line| (line.name.planned_at, line.name.record));
        for line in &mut lines {
            if let Some(entry) = &line.entry {
                line.state = states.state(entry);
                line.mark = states.mark(entry);
            }
            line.remarks
                .extend(remarks.get(&line.name).into_iter().flatten().cloned());
        }
        Self { timeline, lines }
    }

    /// Returns whether something is odd about an entry.
    pub fn has_remarks(&self) -> bool {
        self.lines.iter().any(|line| !line.remarks.is_empty())
    }

    /// Returns the line of a record.
    pub fn line(&self, record: RecordId) -> Option<&HistoryLine> {
        self.lines.iter().find(|line| line.record() == Some(record))
    }
}

impl RootStates {
    fn new(timeline: &Timeline) -> Self {
        let mut marks = HashMap::new();
        let mut newest_releases = HashMap::new();
        for entry in timeline.entries() {
            match entry.action {
                RecordAction::Deployed => {
                    marks.insert(entry.root, ReleaseMark::Deployed);
                }
                RecordAction::Failed => {
                    marks.insert(entry.root, ReleaseMark::Failed);
                }
                ref action if action.is_release() => {
                    newest_releases.insert(entry.root, entry.record);
                }
                _ => {}
            }
        }
        Self {
            current: timeline.current().map(|(_, root)| root),
            withdrawn: timeline.withdrawn_roots(),
            marks,
            newest_releases,
        }
    }

    /// Returns the state of a release; `None` for other entries.
    fn state(&self, entry: &TimelineEntry) -> Option<EntryState> {
        if !entry.action.is_release() {
            return None;
        }
        let is_newest = self.newest_releases.get(&entry.root) == Some(&entry.record);
        Some(match self.withdrawn.contains(&entry.root) {
            true => EntryState::Withdrawn,
            false if is_newest && self.current == Some(entry.root) => EntryState::Current,
            false => EntryState::Superseded,
        })
    }

    fn mark(&self, entry: &TimelineEntry) -> Option<ReleaseMark> {
        let of_release = entry.action.is_release().then_some(entry.root)?;
        self.marks.get(&of_release).copied()
    }
}
