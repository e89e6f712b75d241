//! Reads a timeline back to the first release of a root: when the root was current, and since when that is proven.

use std::collections::HashMap;

use super::timeline_view::{EntryReading, TimelineView};
use crate::image::Digest;
use crate::record::{
    EntryName, PastRelease, RecordAction, RecordId, RecordTime, Timeline, TimelineEntry,
};
use crate::release::Failure;

/// Timeline from the first release of a root on.
#[derive(Debug, Default)]
pub(crate) struct SinceRelease {
    /// Counted entries. Those about the root, and those that put it back, were read; others can be summaries.
    pub(crate) timeline: Timeline,
    /// Times at which the records that were read were signed, where that is known.
    pub(crate) signed_at: HashMap<RecordId, RecordTime>,
}

impl TimelineView {
    /// Reads the entries from the first release of a root on; nothing if it was never released here.
    ///
    /// Each record that is read summarizes those before it, so that few are read. What begins a time of the root, or
    /// takes it back, is read itself.
    ///
    /// # Errors
    /// A store that cannot tell, or too many entries that do not count.
    pub(crate) async fn read_since_release(&self, root: Digest) -> Result<SinceRelease, Failure> {
        let Some(first) = self.names_of(root, RecordAction::is_release).next() else {
            return Ok(SinceRelease::default());
        };
        let mut since = SinceReading::default();
        for reading in self.read_all(self.names_of(root, |_| true)).await? {
            since.add_read(self, &reading);
        }
        let oldest = (first.planned_at, first.record);
        let mut names = self.names().iter().rev();
        while let Some(name) = names
            .next()
            .filter(|it| (it.planned_at, it.record) >= oldest)
        {
            match since.summaries.remove(name) {
                Some(past) if past.restores != Some(root) => since.add_summary(&past),
                _ => {
                    let reading = self.read(name).await?;
                    since.add_read(self, &reading);
                    self.check_strays()?;
                }
            }
        }
        Ok(since.into_release())
    }
}

/// What was read so far.
#[derive(Default)]
struct SinceReading {
    entries: HashMap<RecordId, TimelineEntry>,
    signed_at: HashMap<RecordId, RecordTime>,
    summaries: HashMap<EntryName, PastRelease>,
}

impl SinceReading {
    fn add_read(&mut self, view: &TimelineView, reading: &EntryReading) {
        let Some(record) = reading.counted() else {
            return;
        };
        let id = record.entry.record;
        self.entries.insert(id, record.entry.clone());
        if let Some(at) = record.verified.signed_at {
            self.signed_at.insert(id, at);
        }
        for past in &record.record().predicate.past {
            if record.verified.vouches_for(&past.action) {
                self.summaries.insert(view.name_of(past), past.clone());
            }
        }
    }

    /// Adds what is only known from a later record.
    fn add_summary(&mut self, past: &PastRelease) {
        let entry = TimelineEntry::from_past_release(past);
        self.entries.entry(entry.record).or_insert(entry);
    }

    fn into_release(self) -> SinceRelease {
        SinceRelease {
            timeline: Timeline::new(self.entries.into_values().collect()),
            signed_at: self.signed_at,
        }
    }
}
