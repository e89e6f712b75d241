//! What a timeline says of a root: whether it is current, withdrawn, deployed or failed.

use std::collections::HashSet;

use super::action::RecordAction;
use super::record_id::RecordId;
use super::timeline::Timeline;
use super::timeline_entry::TimelineEntry;
use crate::image::Digest;

/// What was said of a release after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseMark {
    /// It runs.
    Deployed,
    /// It does not run as it should.
    Failed,
}

impl Timeline {
    /// Returns the entry that set the root which the environment is on, with that root: the newest that sets one
    /// which is not withdrawn.
    pub fn current(&self) -> Option<(&TimelineEntry, Digest)> {
        current_of(self.entries())
    }

    /// Returns whether a rollback of the root is in effect.
    pub fn is_withdrawn(&self, root: Digest) -> bool {
        self.withdrawals(root).next().is_some()
    }

    /// Returns the rollbacks of the root that no later reinstatement names, oldest first.
    pub fn withdrawals(&self, root: Digest) -> impl Iterator<Item = RecordId> {
        withdrawals_of(self.entries(), root)
    }

    /// Returns all roots of which a rollback is in effect.
    pub fn withdrawn_roots(&self) -> HashSet<Digest> {
        let rollbacks = self.entries().iter();
        let rollbacks = rollbacks.filter(|entry| entry.action == RecordAction::Rollback);
        let roots: HashSet<Digest> = rollbacks.map(|entry| entry.root).collect();
        let withdrawn = roots.into_iter().filter(|root| self.is_withdrawn(*root));
        withdrawn.collect()
    }

    /// Returns the newest mark of a root.
    pub fn mark(&self, root: Digest) -> Option<ReleaseMark> {
        let of_root = self.entries().iter().rev().filter(|e| e.root == root);
        let mut marks = of_root.filter_map(|entry| match entry.action {
            RecordAction::Deployed => Some(ReleaseMark::Deployed),
            RecordAction::Failed => Some(ReleaseMark::Failed),
            _ => None,
        });
        marks.next()
    }

    /// Returns the releases whose roots are not withdrawn, oldest first.
    pub fn releases_in_effect(&self) -> impl DoubleEndedIterator<Item = &TimelineEntry> {
        let releases = self.entries().iter().filter(|e| e.action.is_release());
        releases.filter(|release| !self.is_withdrawn(release.root))
    }
}

/// Returns what [`Timeline::current`] does, of the entries up to one.
pub(super) fn current_of(entries: &[TimelineEntry]) -> Option<(&TimelineEntry, Digest)> {
    let newest_first = entries.iter().rev();
    let mut setting = newest_first.filter_map(|entry| Some((entry, entry.root_it_sets()?)));
    setting.find(|(_, root)| withdrawals_of(entries, *root).next().is_none())
}

fn withdrawals_of(entries: &[TimelineEntry], root: Digest) -> impl Iterator<Item = RecordId> {
    let rollbacks = entries
        .iter()
        .filter(move |entry| entry.action == RecordAction::Rollback && entry.root == root);
    let in_effect = rollbacks.filter(|rollback| !is_reinstated(entries, rollback));
    in_effect.map(|rollback| rollback.record)
}

fn is_reinstated(entries: &[TimelineEntry], rollback: &TimelineEntry) -> bool {
    entries.iter().any(|entry| {
        entry.action == RecordAction::Reinstate
            && entry.root == rollback.root
            && entry.order() > rollback.order()
            // A reinstatement names all rollbacks that it saw; its summary does not have them.
            && (entry.is_summary || names_rollback(entries, &entry.reinstates, rollback))
    })
}

/// Returns whether a list of records has a rollback, under whichever of its ids.
fn names_rollback(
    entries: &[TimelineEntry],
    records: &[RecordId],
    rollback: &TimelineEntry,
) -> bool {
    let mut same = entries
        .iter()
        .filter(|entry| entry.is_same_statement(rollback));
    same.any(|entry| records.contains(&entry.record))
}
