use super::action::RecordAction;
use super::past_release::PastRelease;
use super::record_id::RecordId;
use super::record_time::RecordTime;
use super::release_predicate::RecordedDeletion;
use super::statement::ReleaseRecord;
use crate::image::Digest;

/// Counted entry of a timeline: what its record says, as far as order and state depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// The record.
    pub record: RecordId,
    /// Root that the record is about; of a rollback the withdrawn one.
    pub root: Digest,
    /// What happened.
    pub action: RecordAction,
    /// Time at which the run planned it.
    pub planned_at: RecordTime,
    /// Root that a rollback put back.
    pub restores: Option<Digest>,
    /// Rollbacks that a reinstatement ends.
    pub reinstates: Vec<RecordId>,
    /// Name of the hold that begins or ends.
    pub hold: Option<String>,
    /// What a deletion removed; of a summary unknown.
    pub deletions: Vec<RecordedDeletion>,
    /// Newest records of the timeline that the run saw.
    pub previous: Vec<RecordId>,
    /// Version of the release.
    pub version: Option<String>,
    /// Full SHA of the commit.
    pub commit: Option<String>,
    /// Account that triggered the run.
    pub actor: Option<String>,
    /// Whether only a later record's summary of it is known: without what it saw and reinstated.
    pub is_summary: bool,
}

impl TimelineEntry {
    /// Returns the entry of `record`, whose id is `id`.
    pub fn from_record(id: RecordId, record: &ReleaseRecord) -> Self {
        let predicate = &record.predicate;
        Self {
            record: id,
            root: record.root,
            action: predicate.action.clone(),
            planned_at: predicate.planned_at,
            restores: predicate.restores,
            reinstates: predicate.reinstates.clone(),
            hold: predicate.hold.clone(),
            deletions: predicate.deletions.clone(),
            previous: predicate.previous.clone(),
            version: predicate.version.clone(),
            commit: predicate.commit.as_ref().map(|commit| commit.sha.clone()),
            actor: predicate.run.as_ref().and_then(|run| run.actor.clone()),
            is_summary: false,
        }
    }

    /// Returns the entry that a later record summarizes. What it saw and reinstated is not in the summary.
    pub fn from_past_release(past: &PastRelease) -> Self {
        Self {
            record: past.record,
            root: past.root,
            action: past.action.clone(),
            planned_at: past.planned_at,
            restores: past.restores,
            reinstates: Vec::new(),
            hold: past.hold.clone(),
            deletions: Vec::new(),
            previous: Vec::new(),
            version: past.version.clone(),
            commit: past.commit.clone(),
            actor: past.actor.clone(),
            is_summary: true,
        }
    }

    /// Returns the summary that later records keep of it.
    pub fn to_past_release(&self) -> PastRelease {
        PastRelease {
            record: self.record,
            action: self.action.clone(),
            root: self.root,
            planned_at: self.planned_at,
            version: self.version.clone(),
            commit: self.commit.clone(),
            actor: self.actor.clone(),
            restores: self.restores,
            hold: self.hold.clone(),
        }
    }

    /// Returns the root that the environment is on after it; `None` if it sets none.
    pub fn root_it_sets(&self) -> Option<Digest> {
        match self.action {
            RecordAction::Rollback => self.restores,
            ref action => action.is_release().then_some(self.root),
        }
    }

    /// Returns whether another entry says the same. Whoever may push can store the statement of a record once
    /// more under another id, with other bytes around it.
    pub fn is_same_statement(&self, other: &Self) -> bool {
        if self.is_summary || other.is_summary {
            let what = |entry: &Self| (entry.planned_at, entry.root, entry.action.clone());
            return what(self) == what(other);
        }
        let renamed = Self {
            record: self.record,
            ..other.clone()
        };
        *self == renamed
    }

    /// Returns its place in the order of the timeline.
    pub fn order(&self) -> (RecordTime, RecordId) {
        (self.planned_at, self.record)
    }
}
