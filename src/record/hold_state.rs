//! What a timeline says of holds.

use super::action::RecordAction;
use super::record_id::RecordId;
use super::timeline::Timeline;
use crate::image::Digest;

/// Hold that is in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineHold {
    /// Name of the hold.
    pub name: String,
    /// Root that it holds.
    pub root: Digest,
    /// Record that began it.
    pub record: RecordId,
}

impl Timeline {
    /// Returns the record that ended a hold, if no later one began it again.
    pub fn end_of_hold(&self, name: &str, root: Digest) -> Option<RecordId> {
        let mut newest_first = self.entries().iter().rev();
        let newest = newest_first.find(|entry| {
            entry.action.is_about_hold()
                && entry.hold.as_deref() == Some(name)
                && entry.root == root
        })?;
        (newest.action == RecordAction::Unhold).then_some(newest.record)
    }

    /// Returns the holds that no later record ended, oldest first. A hold is one name on one root: the end of another
    /// hold, or of one with that name on another root, does not end it.
    pub fn holds(&self) -> Vec<TimelineHold> {
        let mut holds: Vec<TimelineHold> = Vec::new();
        let entries = self.entries().iter();
        for entry in entries.filter(|entry| entry.action.is_about_hold()) {
            let Some(name) = &entry.hold else {
                continue;
            };
            let is_it = |hold: &TimelineHold| hold.name == *name && hold.root == entry.root;
            match entry.action {
                RecordAction::Hold if holds.iter().any(is_it) => {}
                RecordAction::Hold => holds.push(TimelineHold {
                    name: name.clone(),
                    root: entry.root,
                    record: entry.record,
                }),
                _ => holds.retain(|hold| !is_it(hold)),
            }
        }
        holds
    }
}
