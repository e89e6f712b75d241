use std::collections::{HashMap, HashSet};

use super::line::{EntryKnowledge, HistoryLine};
use super::listed_entries::ListedEntries;
use crate::record::action::RecordAction;
use crate::record::entry_name::EntryName;
use crate::record::past_release::{PAST_LIMIT, PastRelease};
use crate::record::record_id::RecordId;
use crate::record::record_time::RecordTime;
use crate::record::release_predicate::RecordedTag;
use crate::record::statement::ReleaseRecord;
use crate::record::timeline::Timeline;
use crate::record::timeline_entry::TimelineEntry;
use crate::tagging::EnvironmentName;

/// What a reader knows of the entries of a timeline. It keeps little of each record, so that ten thousand fit.
#[derive(Debug, Clone, Default)]
pub struct HistoryReadings {
    read: HashMap<EntryName, ReadEntry>,
    summaries: HashMap<EntryName, (PastRelease, RecordId)>,
    passed_over: HashMap<EntryName, String>,
}

/// How a record that counts was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordProof {
    /// Signer; `None` if nothing was verified.
    pub signer: Option<String>,
    /// Whether the record is in a bundle.
    pub is_signed: bool,
}

/// Most characters of a reason or a link that are kept.
const NOTE_LIMIT: usize = 400;

/// Entry that was read and counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadEntry {
    /// Environment of the timeline.
    pub(super) environment: EnvironmentName,
    /// What the record says, as far as order and state depend on it.
    pub entry: TimelineEntry,
    /// Tags that the run was going to write.
    pub tags: Vec<RecordedTag>,
    /// Signer; `None` if the environment does not sign.
    pub signer: Option<String>,
    /// Whether the record is in a bundle.
    pub is_signed: bool,
    /// Why it was done, as the record states it, cut to what a report shows.
    pub(super) reason: Option<String>,
    /// Address of more about it, cut likewise.
    pub(super) link: Option<String>,
    /// Records that it summarizes.
    pub(super) seen: Vec<RecordId>,
    /// Time of the oldest record that it summarizes; `None` if it summarizes all that there were.
    pub(super) sees_from: Option<RecordTime>,
}

impl HistoryReadings {
    /// Adds a record that was read and counts. `may_summarize` says of which actions its summaries count: those
    /// that its signer may record.
    pub fn add_record(
        &mut self,
        name: EntryName,
        id: RecordId,
        record: &ReleaseRecord,
        proof: RecordProof,
        may_summarize: impl Fn(&RecordAction) -> bool,
    ) {
        let past = &record.predicate.past;
        let is_full = past.len() >= PAST_LIMIT;
        let oldest = past.iter().map(|past| past.planned_at).min();
        for past in past.iter().filter(|past| may_summarize(&past.action)) {
            let of = name_of_past(&record.predicate.environment, past);
            self.summaries.entry(of).or_insert((past.clone(), id));
        }
        self.read.insert(
            name,
            ReadEntry {
                environment: record.predicate.environment.clone(),
                entry: TimelineEntry::from_record(id, record),
                tags: record.predicate.tags.clone(),
                signer: proof.signer,
                is_signed: proof.is_signed,
                reason: record.predicate.reason.as_deref().map(short_note),
                link: record.predicate.link.as_deref().map(short_note),
                seen: past.iter().map(|past| past.record).collect(),
                sees_from: oldest.filter(|_| is_full),
            },
        );
    }

    /// Adds an entry that does not count.
    pub fn add_passed_over(&mut self, name: EntryName, reason: String) {
        self.passed_over.insert(name, reason);
    }

    /// Returns whether an entry is known: read, or named by a newer record.
    pub fn knows(&self, name: &EntryName) -> bool {
        self.was_read(name) || self.summaries.contains_key(name)
    }

    /// Returns whether an entry was read.
    pub fn was_read(&self, name: &EntryName) -> bool {
        self.read.contains_key(name) || self.passed_over.contains_key(name)
    }

    /// Returns the entries that do not count.
    pub fn passed_over(&self) -> &HashMap<EntryName, String> {
        &self.passed_over
    }

    /// Returns the entries that were read and count, in the order of the timeline.
    pub fn read_entries(&self) -> Vec<&ReadEntry> {
        let mut read: Vec<&ReadEntry> = self.read.values().collect();
        read.sort_by_key(|read| read.entry.order());
        read
    }

    /// Returns the entry of that name, if it was read and counts.
    pub fn read_entry(&self, name: &EntryName) -> Option<&ReadEntry> {
        self.read.get(name)
    }

    pub(super) fn to_timeline(&self) -> Timeline {
        let summarized = self.summaries.iter();
        let summarized = summarized.filter(|(name, _)| !self.was_read(name));
        let summarized = summarized.map(|(_, (past, _))| TimelineEntry::from_past_release(past));
        let read = self.read.values().map(|read| read.entry.clone());
        Timeline::new(read.chain(summarized).collect())
    }

    pub(super) fn line_of(&self, name: &EntryName) -> Option<HistoryLine> {
        let (entry, known) = match (self.read.get(name), self.passed_over.get(name)) {
            (Some(read), _) => {
                let known = match &read.signer {
                    Some(signer) => EntryKnowledge::Verified(signer.clone()),
                    None => EntryKnowledge::Unverified,
                };
                (Some(read.entry.clone()), known)
            }
            (None, Some(reason)) => (None, EntryKnowledge::NotCounted(reason.clone())),
            (None, None) => {
                let (past, by) = self.summaries.get(name)?;
                let entry = TimelineEntry::from_past_release(past);
                (Some(entry), EntryKnowledge::Vouched(*by))
            }
        };
        Some(HistoryLine {
            name: name.clone(),
            entry,
            state: None,
            mark: None,
            known,
            reason: self.read.get(name).and_then(|read| read.reason.clone()),
            link: self.read.get(name).and_then(|read| read.link.clone()),
            remarks: Vec::new(),
        })
    }

    /// Returns the entries that records name and that are not listed, where the list would have them.
    pub(super) fn gone_entries<'a>(
        &'a self,
        listed: ListedEntries<'a>,
        names: &'a HashSet<&EntryName>,
    ) -> impl Iterator<Item = (EntryName, (&'a PastRelease, RecordId))> {
        let oldest = listed.names.first().map(|name| name.planned_at);
        let is_covered = move |past: &PastRelease| {
            listed.is_complete || oldest.is_some_and(|oldest| past.planned_at > oldest)
        };
        let summaries = self.summaries.iter();
        summaries
            .filter(move |(name, (past, _))| is_covered(past) && !names.contains(*name))
            .map(|(name, (past, by))| (name.clone(), (past, *by)))
    }
}

fn short_note(text: &str) -> String {
    text.chars().take(NOTE_LIMIT).collect()
}

/// Returns the name of the entry that a record of `environment` summarizes.
fn name_of_past(environment: &EnvironmentName, past: &PastRelease) -> EntryName {
    EntryName::new(
        environment.clone(),
        past.planned_at,
        past.action.clone(),
        past.root,
        past.record,
    )
}
