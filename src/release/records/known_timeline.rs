//! Everything that is known of a timeline: what was read, and what records that were read say of others.

use super::timeline_view::TimelineView;
use crate::notices::{Notices, to_printable};
use crate::record::{EntryName, RecordId, Timeline, TimelineEntry};

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

    /// Returns the timeline of all entries that are known: those that were read and count, and those that a
    /// read record vouches for, unless they were read and do not count.
    pub(crate) fn timeline_known(&self) -> Timeline {
        let readings = self.lock();
        let counted = readings.values().filter_map(|reading| reading.counted());
        let mut entries: Vec<_> = counted.clone().map(|record| record.entry.clone()).collect();
        for record in counted {
            let summarized = record.record().predicate.past.iter();
            let summarized = summarized.filter(|past| record.verified.vouches_for(&past.action));
            let unread = summarized.filter(|past| !readings.contains_key(&self.name_of(past)));
            entries.extend(unread.map(TimelineEntry::from_past_release));
        }
        Timeline::new(entries)
    }

    /// Returns the names that were not read yet, oldest first.
    pub(crate) fn unread_names(
        &self,
        is_wanted: impl Fn(&EntryName) -> bool,
    ) -> impl DoubleEndedIterator<Item = EntryName> {
        let readings = self.lock();
        let names = self.names().iter();
        let unread = names.filter(|name| is_wanted(name) && !readings.contains_key(name));
        unread.cloned().collect::<Vec<_>>().into_iter()
    }
}
