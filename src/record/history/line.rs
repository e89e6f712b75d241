use std::fmt;

use crate::record::entry_name::EntryName;
use crate::record::past_release::PastRelease;
use crate::record::record_id::RecordId;
use crate::record::release_state::ReleaseMark;
use crate::record::timeline_entry::TimelineEntry;

/// Entry of a timeline in its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// Name of the entry.
    pub name: EntryName,
    /// What its record says; `None` if it does not count.
    pub entry: Option<TimelineEntry>,
    /// State of a release; `None` for other entries and for those that do not count.
    pub state: Option<EntryState>,
    /// Newest mark of the release's root.
    pub mark: Option<ReleaseMark>,
    /// How it is known.
    pub known: EntryKnowledge,
    /// Why it was done, if its record was read and states it.
    pub reason: Option<String>,
    /// Address of more about it, if its record was read and states it.
    pub link: Option<String>,
    /// What is odd about it.
    pub remarks: Vec<EntryRemark>,
}

/// State of a release in its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// The environment is on it.
    Current,
    /// A rollback withdrew it.
    Withdrawn,
    /// Another release followed.
    Superseded,
}

/// How a reader knows an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKnowledge {
    /// It was read and verified: by this signer.
    Verified(String),
    /// It was read, and nobody says who may sign it.
    Unverified,
    /// A newer record that was read names it.
    Vouched(RecordId),
    /// It does not count, for this reason.
    NotCounted(String),
}

/// Something odd about an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryRemark {
    /// A newer record names it, and the repository has it no more.
    Gone,
    /// The record names one before it that is gone and of which nothing else is known.
    MissesPrevious(RecordId),
    /// It and another record did not see each other: two runs at the same time.
    Fork(RecordId),
    /// It counts, and no newer record names it.
    Stray,
    /// It repeats the record of another entry.
    Replay(EntryName),
    /// It is of a time that has not come.
    Future,
}

impl HistoryLine {
    pub(super) fn of_gone_entry(name: EntryName, (past, by): (&PastRelease, RecordId)) -> Self {
        Self {
            name,
            entry: Some(TimelineEntry::from_past_release(past)),
            state: None,
            mark: None,
            known: EntryKnowledge::Vouched(by),
            reason: None,
            link: None,
            remarks: vec![EntryRemark::Gone],
        }
    }

    /// Returns the record, if the entry counts.
    pub fn record(&self) -> Option<RecordId> {
        self.entry.as_ref().map(|entry| entry.record)
    }

    /// Returns the state as one word or two: `current, deployed`, `withdrawn`, `failed`; empty if it has none.
    pub fn state_words(&self) -> String {
        let mark = self.mark.map(|mark| match mark {
            ReleaseMark::Deployed => "deployed",
            ReleaseMark::Failed => "failed",
        });
        match (self.state, mark) {
            (None, _) => String::new(),
            (Some(EntryState::Superseded), Some(mark)) => mark.to_owned(),
            (Some(state), Some(mark)) => format!("{state}, {mark}"),
            (Some(state), None) => state.to_string(),
        }
    }
}

impl fmt::Display for EntryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "current",
            Self::Withdrawn => "withdrawn",
            Self::Superseded => "superseded",
        })
    }
}
