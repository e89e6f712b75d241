//! Reads many entries of a timeline for its history, and keeps little of each.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::timeline_view::{EntryReading, READ_CONCURRENCY, TimelineView};
use crate::record::{EntryName, HistoryReadings, PAST_LIMIT, RecordProof};
use crate::release::Failure;

impl TimelineView {
    /// Reads the entries of `names`, oldest first, as far as `readings` do not know them. With `reads_each` every
    /// one is read, else one is enough that a newer record names.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn scan(
        &self,
        names: &[EntryName],
        reads_each: bool,
        readings: &mut HistoryReadings,
    ) -> Result<(), Failure> {
        if !reads_each {
            // Each of these names those before it.
            let steps = names.iter().rev().step_by(PAST_LIMIT + 1);
            self.read_into(steps.collect(), readings).await?;
        }
        let is_wanted = |name: &&EntryName| match reads_each {
            true => !readings.was_read(name),
            false => !readings.knows(name),
        };
        let left: Vec<_> = names.iter().filter(is_wanted).collect();
        self.read_into(left, readings).await
    }

    /// Returns what was read, one entry after the other.
    pub(crate) fn to_readings(&self) -> HistoryReadings {
        let mut readings = HistoryReadings::default();
        for (name, cell) in self.lock().iter() {
            if let Some(reading) = cell.get() {
                add_reading(name, reading, &mut readings);
            }
        }
        readings
    }

    /// Reads entries that were not read.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn read_into(
        &self,
        names: Vec<&EntryName>,
        readings: &mut HistoryReadings,
    ) -> Result<(), Failure> {
        let names: Vec<&EntryName> = names
            .into_iter()
            .filter(|name| !readings.was_read(name))
            .collect();
        let reads: Vec<_> = names
            .into_iter()
            .map(|name| async move {
                let reading = self.fetch(name).await;
                reading
                    .map(|reading| (name, reading))
                    .map_err(|error| self.failure(error))
            })
            .collect();
        let mut reads = stream::iter(reads).buffer_unordered(READ_CONCURRENCY);
        while let Some((name, reading)) = reads.try_next().await? {
            let gone = || EntryReading::PassedOver("it is gone".to_owned());
            add_reading(name, &reading.unwrap_or_else(gone), readings);
        }
        Ok(())
    }
}

/// Adds an entry that was read.
pub(crate) fn add_reading(
    name: &EntryName,
    reading: &EntryReading,
    readings: &mut HistoryReadings,
) {
    match reading {
        EntryReading::Counted(record) => {
            let verified = &record.verified;
            readings.add_record(
                name.clone(),
                verified.id,
                &verified.record,
                RecordProof {
                    signer: verified.signer.clone(),
                    is_signed: verified.is_signed,
                },
                |action| verified.vouches_for(action),
            );
        }
        EntryReading::PassedOver(reason) => {
            readings.add_passed_over(name.clone(), reason.clone());
        }
    }
}
