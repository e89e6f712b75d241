//! What earlier attempts of this run recorded: a job that is repeated finds it again.

use std::sync::Arc;

use super::open_timeline::OpenTimeline;
use super::options::RunAccount;
use super::timeline_view::{EntryReading, TimelineView};
use crate::image::Digest;
use crate::record::{EntryName, RecordedRun, ReleaseRecord};
use crate::release::Failure;

/// Newest counted entries, of those that may be of an earlier attempt, that are read.
const ENTRIES_LIMIT: usize = 16;

/// Newest releases next to which an intent of an earlier attempt is looked for.
const ROOTS_LIMIT: usize = 8;

impl RunAccount {
    /// Returns the run if this is not its first attempt.
    pub(crate) fn repeated_run(&self) -> Option<&RecordedRun> {
        self.run.as_ref().filter(|run| run.attempt > Some(1))
    }
}

impl RecordedRun {
    /// Returns whether the same run wrote a record, in this attempt or an earlier one.
    pub(crate) fn wrote(&self, record: &ReleaseRecord) -> bool {
        let run = record.predicate.run.as_ref();
        run.is_some_and(|run| {
            run.uri.is_some() && run.uri == self.uri && run.attempt <= self.attempt
        })
    }

    /// Returns whether an earlier attempt of the same run wrote a record.
    pub(crate) fn wrote_before(&self, record: &ReleaseRecord) -> bool {
        let run = record.predicate.run.as_ref();
        self.wrote(record) && run.is_some_and(|run| run.attempt < self.attempt)
    }
}

impl TimelineView {
    /// Reads the newest counted entries with wanted names. Returns those that the run wrote, newest first.
    ///
    /// # Errors
    /// A store that cannot tell, and too many entries that do not count.
    pub(crate) async fn read_own(
        &self,
        own: &RecordedRun,
        is_wanted: impl Fn(&EntryName) -> bool,
    ) -> Result<Vec<Arc<EntryReading>>, Failure> {
        let mut names = self.names().iter().rev().filter(|name| is_wanted(name));
        let (mut found, mut counted) = (Vec::new(), 0);
        while counted < ENTRIES_LIMIT {
            let batch: Vec<&EntryName> = names.by_ref().take(ENTRIES_LIMIT - counted).collect();
            if batch.is_empty() {
                break;
            }
            for reading in self.read_all(batch).await? {
                if let Some(record) = reading.counted() {
                    counted += 1;
                    if own.wrote(record.record()) {
                        found.push(reading);
                    }
                }
            }
            self.check_strays()?;
        }
        Ok(found)
    }
}

impl OpenTimeline {
    /// Returns the roots of the newest releases, newest first.
    pub(crate) fn recent_roots(&self) -> Vec<Digest> {
        let known = self.known();
        let newest_first = known.entries().iter().rev();
        let mut roots = Vec::new();
        for entry in newest_first.filter(|entry| entry.action.is_release()) {
            if roots.len() < ROOTS_LIMIT && !roots.contains(&entry.root) {
                roots.push(entry.root);
            }
        }
        roots
    }
}
