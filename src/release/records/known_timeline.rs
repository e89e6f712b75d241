//! Everything that is known of a timeline: what was read, and what records that were read say of others.

use super::timeline_view::TimelineView;
use crate::record::{EntryName, Timeline, TimelineEntry};

impl TimelineView {
    /// Returns the timeline of all entries that are known: those that were read and count, and those that a
    /// read record vouches for, unless they were read and do not count.
    pub(crate) fn timeline_known(&self) -> Timeline {
        let readings = self.lock();
        let read = readings.values().filter_map(|cell| cell.get());
        let counted = read.filter_map(|reading| reading.counted());
        let mut entries: Vec<_> = counted.clone().map(|record| record.entry.clone()).collect();
        for record in counted {
            let summarized = record.record().predicate.past.iter();
            let summarized = summarized.filter(|past| record.verified.vouches_for(&past.action));
            let is_read =
                |name: &EntryName| readings.get(name).is_some_and(|cell| cell.initialized());
            let unread = summarized.filter(|past| !is_read(&self.name_of(past)));
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
        let is_read = |name: &EntryName| readings.get(name).is_some_and(|cell| cell.initialized());
        let unread = names.filter(|name| is_wanted(name) && !is_read(name));
        unread.cloned().collect::<Vec<_>>().into_iter()
    }
}
