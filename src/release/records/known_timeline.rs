//! Everything that is known of a timeline: what was read, and what records that were read say of others.

use std::collections::BTreeSet;

use super::intent::Intent;
use super::timeline_view::TimelineView;
use crate::image::Digest;
use crate::notices::{Notices, to_printable};
use crate::record::{
    DigestPrefix, EntryName, PastRelease, RecordAction, RecordId, Timeline, TimelineEntry,
};
use crate::release::Failure;

impl TimelineView {
    /// Warns of the entries that were read and do not count, in one line.
    pub(crate) fn warn_passed_over(&self, notices: &Notices) {
        let passed = self.passed_over();
        let place = self.location().entries();
        match passed.as_slice() {
            [] => {}
            [(name, reason)] => {
                notices.warning(format!("{place}: {name} does not count: {reason}"));
            }
            [(name, reason), ..] => notices.warning(format!(
                "{place}: {} timeline entries of {} do not count. The first, {name}: {reason}",
                passed.len(),
                self.location().environment
            )),
        }
    }

    /// Returns the reason that a rollback gives, as the end of a sentence.
    pub(crate) fn withdrawal_reason(&self, rollback: RecordId) -> String {
        let reading = self.record_read(rollback);
        let record = reading.as_ref().and_then(|reading| reading.counted());
        let reason = record.and_then(|record| record.record().predicate.reason.clone());
        reason.map_or_else(String::new, |reason| {
            format!(": {}", to_printable(&reason, 200))
        })
    }

    /// Returns the timeline of all entries that are known: those that were read and count, and those that a read
    /// record vouches for. Of an entry that was read and does not count only a withdrawal, a hold or the end
    /// of one is taken from a summary: whoever may push can overwrite the entry, and a signer has said that it counted.
    pub(crate) fn timeline_known(&self) -> Timeline {
        let readings = self.lock();
        let read = readings.values().filter_map(|cell| cell.get());
        let counted = read.filter_map(|reading| reading.counted());
        let mut entries: Vec<_> = counted.clone().map(|record| record.entry.clone()).collect();
        for record in counted {
            let summarized = record.record().predicate.past.iter();
            let summarized = summarized.filter(|past| record.verified.vouches_for(&past.action));
            let is_taken = |past: &&PastRelease| {
                let cell = readings.get(&self.name_of(past));
                match cell.and_then(|cell| cell.get()) {
                    None => true,
                    Some(reading) => reading.counted().is_none() && is_lasting(&past.action),
                }
            };
            entries.extend(
                summarized
                    .filter(is_taken)
                    .map(TimelineEntry::from_past_release),
            );
        }
        Timeline::new(entries)
    }

    /// Returns the versions and immutable tags that the known releases of a root name: of those that only a summary
    /// tells of, the versions. A tag alone does not tell: whoever may push can move it.
    pub(crate) fn released_names(&self, root: Digest) -> BTreeSet<String> {
        let known = self.timeline_known();
        let entries = known.entries().iter();
        let releases = entries.filter(|entry| entry.action.is_release() && entry.root == root);
        let mut names = BTreeSet::new();
        for release in releases {
            names.extend(release.version.clone());
            let reading = self.record_read(release.record);
            if let Some(record) = reading.as_ref().and_then(|reading| reading.counted()) {
                let predicate = &record.record().predicate;
                names.extend(predicate.release_names().map(str::to_owned));
            }
        }
        names
    }

    /// Returns whether an intent has its timeline entry: one that counts has its record, whatever is stored around
    /// the statement, or a record that was read summarizes it.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn has_entry(&self, intent: &Intent) -> Result<bool, Failure> {
        let (id, record) = (intent.verified.id, &intent.verified.record);
        let own = record.entry_name(id);
        let own_prefix = DigestPrefix::from_digest(id.digest());
        let is_candidate = |name: &&EntryName| {
            let is_same = (name.planned_at, name.root) == (own.planned_at, own.root);
            name.record == own_prefix || is_same && name.action == own.action
        };
        for name in self.names().iter().filter(is_candidate) {
            let reading = self.read(name).await?;
            let statement = reading.counted().map(|counted| counted.verified.statement);
            if statement == Some(intent.verified.statement) {
                return Ok(true);
            }
        }
        let entry = TimelineEntry::from_record(id, record);
        let known = self.timeline_known();
        Ok(known
            .entries()
            .iter()
            .any(|other| other.is_same_statement(&entry)))
    }

    /// Returns the names that were not read yet, oldest first.
    pub(crate) fn unread_names(
        &self,
        is_wanted: impl Fn(&EntryName) -> bool,
    ) -> impl DoubleEndedIterator<Item = EntryName> {
        let readings = self.lock();
        let names = self.names().iter();
        let is_read = |name: &EntryName| readings.get(name).is_some_and(|cell| cell.initialized());
        let unread = names.filter(|name| is_wanted(name) && !is_read(name));
        unread.cloned().collect::<Vec<_>>().into_iter()
    }
}

/// Returns whether an action is in effect until another ends it.
fn is_lasting(action: &RecordAction) -> bool {
    matches!(action, RecordAction::Rollback | RecordAction::Reinstate) || action.is_about_hold()
}
