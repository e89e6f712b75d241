//! What is odd about the entries of a timeline: forks, strays, replays, gaps and times that have not come.

use std::collections::{HashMap, HashSet};

use super::line::EntryRemark;
use super::listed_entries::ListedEntries;
use super::readings::{HistoryReadings, ReadEntry};

use crate::record::entry_name::EntryName;
use crate::record::record_id::RecordId;
use crate::record::timeline::{FUTURE_LIMIT, Timeline};

/// Entries before a record that are compared with what it saw.
const COMPARED_LIMIT: usize = 64;

type Remarks = HashMap<EntryName, Vec<EntryRemark>>;

/// Returns the remarks on the listed entries.
pub(super) fn find_remarks(
    listed: ListedEntries<'_>,
    readings: &HistoryReadings,
    timeline: &Timeline,
) -> Remarks {
    let mut remarks = Remarks::new();
    add_replays(listed, readings, &mut remarks);
    for name in listed.names {
        if name.planned_at.since(listed.clock) > FUTURE_LIMIT {
            add(&mut remarks, name, EntryRemark::Future);
        }
    }
    add_concurrent(readings, &mut remarks);
    if listed.is_complete {
        add_missing(readings, timeline, &mut remarks);
    }
    remarks
}

fn add(remarks: &mut Remarks, name: &EntryName, remark: EntryRemark) {
    let of_name = remarks.entry(name.clone()).or_default();
    if !of_name.contains(&remark) {
        of_name.push(remark);
    }
}

/// Marks entries that do not count and name the record of one that does.
fn add_replays(listed: ListedEntries<'_>, readings: &HistoryReadings, remarks: &mut Remarks) {
    let counted = listed.names.iter();
    let counted =
        counted.filter(|name| readings.knows(name) && !readings.passed_over().contains_key(name));
    let by_record: HashMap<_, _> = counted.map(|name| (name.record, name)).collect();
    for name in readings.passed_over().keys() {
        if let Some(original) = by_record.get(&name.record) {
            add(remarks, name, EntryRemark::Replay((*original).clone()));
        }
    }
}

/// Marks entries that did not see each other: runs at the same time, and entries that no newer record names.
fn add_concurrent(readings: &HistoryReadings, remarks: &mut Remarks) {
    let read = readings.read_entries();
    let named: HashSet<RecordId> = read
        .iter()
        .flat_map(|read| read.seen.iter().chain(&read.entry.previous))
        .copied()
        .collect();
    for (at, newer) in read.iter().enumerate() {
        let seen: HashSet<_> = newer.seen.iter().chain(&newer.entry.previous).collect();
        let before = read[..at].iter().rev().take(COMPARED_LIMIT);
        let covered = before.take_while(|older| newer.covers(older));
        for older in covered.filter(|older| !seen.contains(&older.entry.record)) {
            if older.is_concurrent_with(newer) {
                add(
                    remarks,
                    &older.name(),
                    EntryRemark::Fork(newer.entry.record),
                );
                add(
                    remarks,
                    &newer.name(),
                    EntryRemark::Fork(older.entry.record),
                );
            } else if !named.contains(&older.entry.record) {
                add(remarks, &older.name(), EntryRemark::Stray);
            }
        }
    }
}

/// Marks records that name one before them of which nothing is known.
fn add_missing(readings: &HistoryReadings, timeline: &Timeline, remarks: &mut Remarks) {
    let known: HashSet<_> = timeline
        .entries()
        .iter()
        .map(|entry| entry.record)
        .collect();
    for read in readings.read_entries() {
        for previous in read.entry.previous.iter().filter(|id| !known.contains(id)) {
            let remark = EntryRemark::MissesPrevious(*previous);
            add(remarks, &read.name(), remark);
        }
    }
}

impl ReadEntry {
    fn name(&self) -> EntryName {
        let entry = &self.entry;
        EntryName::new(
            self.environment.clone(),
            entry.planned_at,
            entry.action.clone(),
            entry.root,
            entry.record,
        )
    }

    /// Returns whether its summaries reach back to an older entry.
    fn covers(&self, older: &Self) -> bool {
        self.sees_from
            .is_none_or(|oldest| older.entry.planned_at >= oldest)
    }

    /// Returns whether two records were planned from the same state.
    fn is_concurrent_with(&self, newer: &Self) -> bool {
        let (own, other) = (&self.entry.previous, &newer.entry.previous);
        own.iter().any(|id| other.contains(id)) || own.is_empty() && other.is_empty()
    }
}
