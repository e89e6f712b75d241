//! Timeline as far as decisions need it: the names of all entries, and the entries that were read.
//!
//! Names prove nothing. The newest entry is read and verified, and its summary of what came before vouches for
//! the entries that it names; what a decision depends on is read itself.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use super::location::TimelineLocation;
use super::record_rejection::RECORD_BLOB_LIMIT;
use super::trust::read_record;
use super::verified_record::VerifiedRecord;
use crate::image::{CommitId, Descriptor, Digest, Manifest, Tag, TagOrDigest};
use crate::notices::to_printable;
use crate::record::{
    DigestPrefix, EntryName, PAST_LIMIT, PastRelease, RecordAction, RecordBlob, RecordId,
    ReleaseRecord, Timeline, TimelineEntry, TimelineHold, parse_entry_manifest,
};
use crate::release::Failure;
use crate::transfer::{ImageReader, ImageStore, Side, StoreError};

/// Entries that are read at the same time.
pub(super) const READ_CONCURRENCY: usize = 16;
/// Most entries that do not count and are read to find one that does.
pub(crate) const STRAY_LIMIT: usize = 64;

/// Entries that were read or are being read.
type EntryReadings = HashMap<EntryName, Arc<OnceCell<Arc<EntryReading>>>>;

/// Timeline in a repository: the names of its entries, and what was read of them.
pub(crate) struct TimelineView {
    location: TimelineLocation,
    reader: ImageReader,
    /// Names of all entries, oldest first.
    names: Vec<EntryName>,
    readings: Arc<Mutex<EntryReadings>>,
    stray_limit: usize,
}

/// Entry that was read.
#[derive(Debug)]
pub(crate) enum EntryReading {
    /// It counts.
    Counted(Box<CountedRecord>),
    /// It does not, for this reason.
    PassedOver(String),
}

/// Record that counts, with its place in the timeline.
#[derive(Debug)]
pub(crate) struct CountedRecord {
    pub(crate) entry: TimelineEntry,
    pub(crate) verified: VerifiedRecord,
    pub(crate) blob: RecordBlob,
    /// Records that it rests on.
    pub(crate) sources: Vec<Descriptor>,
}

/// Newest counted entries of a timeline.
#[derive(Debug, Default)]
pub(crate) struct RecentEntries {
    /// Counted entries, read or vouched for by a newer one.
    pub(crate) timeline: Timeline,
    /// Records that no other one saw.
    pub(crate) heads: Vec<RecordId>,
}

impl EntryReading {
    /// Returns the record, if it counts.
    pub(crate) fn counted(&self) -> Option<&CountedRecord> {
        match self {
            Self::Counted(record) => Some(record),
            Self::PassedOver(_) => None,
        }
    }
}

impl CountedRecord {
    /// Returns the record's content.
    pub(crate) fn record(&self) -> &ReleaseRecord {
        &self.verified.record
    }

    /// Returns the commit that the image was built from, if the record names a whole one.
    pub(crate) fn commit(&self) -> Option<CommitId> {
        self.entry.commit.as_ref()?.parse().ok()
    }
}

impl TimelineView {
    /// Returns the view of the timeline whose entries are among `tags` of `store`.
    pub(crate) fn new(
        location: TimelineLocation,
        store: &ImageStore,
        tags: &BTreeSet<Tag>,
    ) -> Self {
        let prefix = EntryName::environment_prefix(&location.environment);
        let of_environment = tags.iter().filter(|tag| tag.as_str().starts_with(&prefix));
        let mut names: Vec<EntryName> = of_environment
            .filter_map(|tag| tag.as_str().parse().ok())
            .collect();
        names.sort_by_key(|name| (name.planned_at, name.record));
        Self {
            location,
            reader: ImageReader::from_store(store.clone()),
            names,
            readings: Arc::default(),
            stray_limit: STRAY_LIMIT,
        }
    }

    /// Knows what was read for another view of the same timeline. An entry is written once.
    #[must_use]
    pub(crate) fn with_readings_of(mut self, other: &Self) -> Self {
        self.readings = other.readings.clone();
        self
    }

    /// Reads more entries that do not count before it gives up.
    #[must_use]
    pub(crate) fn with_stray_limit(mut self, limit: usize) -> Self {
        self.stray_limit = limit;
        self
    }

    /// Takes the names of a later list. What was read stays read.
    pub(crate) fn take_names(&mut self, later: &Self) {
        self.names.clone_from(&later.names);
    }

    /// Returns where the timeline is.
    pub(crate) fn location(&self) -> &TimelineLocation {
        &self.location
    }

    /// Returns the reader of the entries.
    pub(crate) fn reader(&self) -> &ImageReader {
        &self.reader
    }

    /// Returns the names of all entries, oldest first.
    pub(crate) fn names(&self) -> &[EntryName] {
        &self.names
    }

    /// Returns the names of the entries about a root with one of `actions`, oldest first.
    pub(crate) fn names_of(
        &self,
        root: Digest,
        is_wanted: impl Fn(&RecordAction) -> bool,
    ) -> impl DoubleEndedIterator<Item = &EntryName> {
        let root = DigestPrefix::from_digest(root);
        let names = self.names.iter().filter(move |name| name.root == root);
        names.filter(move |name| is_wanted(&name.action))
    }

    /// Reads an entry, once.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn read(&self, name: &EntryName) -> Result<Arc<EntryReading>, Failure> {
        let cell = self.lock().entry(name.clone()).or_default().clone();
        // Who asks while another reads it waits for that reading.
        let fetch = async {
            let reading = self
                .fetch(name)
                .await
                .map_err(|error| self.failure(error))?;
            reading.map(Arc::new).ok_or_else(|| self.gone_entry(name))
        };
        cell.get_or_try_init(|| fetch).await.cloned()
    }

    /// Returns the failure for an entry that is listed and is not there: what it says is unknown.
    fn gone_entry(&self, name: &EntryName) -> Failure {
        let place = self.location.entries();
        Failure::service(format!(
            "{place}: the timeline entry {name} is listed, and is not there"
        ))
        .with_reason("what it says is unknown, such as whether an image is withdrawn")
        .with_hint("repeat the run; if the entry was archived, restore it, and if it was deleted, wait until the registry lists it no more")
    }

    /// Reads entries, several at a time, in their order.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn read_all(
        &self,
        names: impl IntoIterator<Item = &EntryName>,
    ) -> Result<Vec<Arc<EntryReading>>, Failure> {
        let reads = names.into_iter().map(|name| self.read(name));
        let reads: Vec<_> = reads.collect();
        stream::iter(reads)
            .buffered(READ_CONCURRENCY)
            .try_collect()
            .await
    }

    /// Returns the entries that were read and do not count, with the reasons.
    pub(crate) fn passed_over(&self) -> Vec<(EntryName, String)> {
        let readings = self.lock();
        let read = readings
            .iter()
            .filter_map(|(name, cell)| Some((name, cell.get()?)));
        let mut passed: Vec<_> = read
            .filter_map(|(name, reading)| match &**reading {
                EntryReading::PassedOver(reason) => Some((name.clone(), reason.clone())),
                EntryReading::Counted(_) => None,
            })
            .collect();
        passed.sort_by_key(|(name, _)| (name.planned_at, name.record));
        passed
    }

    /// Returns the timeline of the counted entries that were read.
    pub(crate) fn timeline_read(&self) -> Timeline {
        let readings = self.lock();
        let read = readings.values().filter_map(|cell| cell.get());
        let counted = read.filter_map(|reading| reading.counted());
        Timeline::new(counted.map(|record| record.entry.clone()).collect())
    }

    /// Returns the counted record of that id that was read.
    pub(crate) fn record_read(&self, id: RecordId) -> Option<Arc<EntryReading>> {
        let readings = self.lock();
        let is_it = |reading: &&Arc<EntryReading>| {
            let counted = reading.counted();
            counted.is_some_and(|record| record.entry.record == id)
        };
        let mut read = readings.values().filter_map(|cell| cell.get());
        read.find(is_it).cloned()
    }

    /// Reads the newest counted entries, at most as many as a record summarizes, with all heads.
    ///
    /// # Errors
    /// A store that cannot tell, or too many entries that do not count.
    pub(crate) async fn read_recent(&self) -> Result<RecentEntries, Failure> {
        let mut read: Vec<Arc<EntryReading>> = Vec::new();
        let mut summarized: Vec<TimelineEntry> = Vec::new();
        let mut seen: HashSet<RecordId> = HashSet::new();
        let mut summaries: HashMap<EntryName, PastRelease> = HashMap::new();
        let mut statements = HashSet::new();
        for name in self.names.iter().rev() {
            // Copies do not push others out of the summary.
            if statements.len() + summarized.len() == PAST_LIMIT {
                break;
            }
            if let Some(past) = summaries.get(name) {
                summarized.push(TimelineEntry::from_past_release(past));
                continue;
            }
            let reading = self.read(name).await?;
            let Some(record) = reading.counted() else {
                self.check_strays()?;
                continue;
            };
            statements.insert(record.verified.statement);
            self.check_copies(read.len() + 1 - statements.len())?;
            seen.extend(&record.entry.previous);
            for past in &record.record().predicate.past {
                seen.insert(past.record);
                if record.verified.vouches_for(&past.action) {
                    summaries.insert(self.name_of(past), past.clone());
                }
            }
            read.push(reading);
        }
        let counted = read.iter().filter_map(|reading| reading.counted());
        let mut entries = without_copies(counted.collect());
        entries.retain(|entry| !summarized.iter().any(|other| is_copy(entry, other)));
        let heads = entries.iter().map(|entry| entry.record);
        let heads = heads.filter(|id| !seen.contains(id)).collect();
        entries.extend(summarized);
        Ok(RecentEntries {
            timeline: Timeline::new(entries),
            heads,
        })
    }

    /// Reads the entries that decide on what is current, and whether each of `roots` is withdrawn. Returns the
    /// timeline as far as it is known.
    ///
    /// # Errors
    /// A store that cannot tell, or too many entries that do not count.
    pub(crate) async fn read_state(&self, roots: &[Digest]) -> Result<Timeline, Failure> {
        for root in roots {
            self.read_withdrawal(*root).await?;
        }
        for name in self.names.iter().rev() {
            let sets_root = name.action.is_release() || name.action == RecordAction::Rollback;
            if !sets_root {
                continue;
            }
            let reading = self.read(name).await?;
            let Some(record) = reading.counted() else {
                self.check_strays()?;
                continue;
            };
            let Some(root) = record.entry.root_it_sets() else {
                continue;
            };
            self.read_withdrawal(root).await?;
            if !self.timeline_known().is_withdrawn(root) {
                break;
            }
        }
        Ok(self.timeline_known())
    }

    /// Reads the newest counted release of a root; `None` if there is none.
    ///
    /// # Errors
    /// A store that cannot tell, or too many entries that do not count.
    pub(crate) async fn read_newest_release(
        &self,
        root: Digest,
    ) -> Result<Option<Arc<EntryReading>>, Failure> {
        for name in self.names_of(root, RecordAction::is_release).rev() {
            let reading = self.read(name).await?;
            if reading.counted().is_some() {
                return Ok(Some(reading));
            }
            self.check_strays()?;
        }
        Ok(None)
    }

    /// Reads all rollbacks and reinstatements of a root.
    ///
    /// # Errors
    /// A store that cannot tell, or too many entries that do not count.
    pub(crate) async fn read_withdrawal(&self, root: Digest) -> Result<(), Failure> {
        let decides = |action: &RecordAction| {
            matches!(action, RecordAction::Rollback | RecordAction::Reinstate)
        };
        self.read_all(self.names_of(root, decides)).await?;
        self.check_strays()
    }

    /// Reads the entries of holds, and returns the holds that are in effect by what is known.
    ///
    /// # Errors
    /// A store that cannot tell, or too many entries that do not count.
    pub(crate) async fn read_holds(&self) -> Result<Vec<TimelineHold>, Failure> {
        let names = self.names.iter();
        let about_holds = names.filter(|name| name.action.is_about_hold());
        self.read_all(about_holds).await?;
        self.check_strays()?;
        Ok(self.timeline_known().holds())
    }

    /// Returns the name of the entry that a record summarizes.
    pub(super) fn name_of(&self, past: &PastRelease) -> EntryName {
        EntryName::new(
            self.location.environment.clone(),
            past.planned_at,
            past.action.clone(),
            past.root,
            past.record,
        )
    }

    /// Requires that few of the entries are copies of others: each is read.
    fn check_copies(&self, count: usize) -> Result<(), Failure> {
        if count <= self.stray_limit {
            return Ok(());
        }
        let place = self.location.entries();
        Err(Failure::service(format!(
            "{place}: more than {} timeline entries of {} are copies of others",
            self.stray_limit, self.location.environment
        ))
        .with_reason("whoever may push can store a record again under another name")
        .with_hint("delete the tags of the copies: shipmark history --verify names them"))
    }

    /// Requires that few of the entries that were read do not count.
    ///
    /// # Errors
    /// More than the limit.
    pub(crate) fn check_strays(&self) -> Result<(), Failure> {
        let strays = self.passed_over();
        if strays.len() <= self.stray_limit {
            return Ok(());
        }
        let place = self.location.entries();
        let tags: Vec<String> = strays.iter().map(|(name, _)| name.to_string()).collect();
        let (_, reason) = &strays[0];
        Err(Failure::service(format!(
            "{place}: more than {} timeline entries of {} do not count",
            self.stray_limit, self.location.environment
        ))
        .with_reason(format!("the first: {reason}"))
        .with_hint(format!(
            "delete those of these tags that are not of your runs; whoever may push to the repository can write them: {}",
            tags.join(", ")
        )))
    }

    /// Reads an entry; `None` if it is not there.
    pub(super) async fn fetch(&self, name: &EntryName) -> Result<Option<EntryReading>, StoreError> {
        let passed = |reason: String| Ok(Some(EntryReading::PassedOver(reason)));
        let target = TagOrDigest::Tag(name.to_tag());
        let store = self.reader.as_store();
        let manifest = match store {
            Some(store) => store.get_manifest(&target).await,
            None => Ok(None),
        };
        let manifest = match manifest {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return Ok(None),
            Err(error) if error.is_unusable_content() => return passed(error.to_string()),
            Err(error) => return Err(error),
        };
        let layers = match parse_entry_manifest(&manifest) {
            Ok(layers) => layers,
            Err(error) => return passed(error.to_string()),
        };
        let content = match self.read_blob(&layers.record).await? {
            Ok(content) => content,
            Err(reason) => return passed(reason),
        };
        let blob = RecordBlob {
            media_type: layers.record.media_type,
            content,
        };
        Ok(Some(self.to_reading(name, blob, layers.sources)))
    }

    /// Takes an entry that this run has just written as read.
    pub(crate) fn add_written(&self, name: &EntryName, manifest: &Manifest, blob: RecordBlob) {
        let Ok(layers) = parse_entry_manifest(manifest) else {
            return;
        };
        let reading = Arc::new(self.to_reading(name, blob, layers.sources));
        let cell = Arc::new(OnceCell::new_with(Some(reading)));
        self.lock().insert(name.clone(), cell);
    }

    fn to_reading(
        &self,
        name: &EntryName,
        blob: RecordBlob,
        sources: Vec<Descriptor>,
    ) -> EntryReading {
        match self.count(name, &blob) {
            Ok(verified) => EntryReading::Counted(Box::new(CountedRecord {
                entry: TimelineEntry::from_record(verified.id, &verified.record),
                verified,
                blob,
                sources,
            })),
            Err(reason) => EntryReading::PassedOver(reason),
        }
    }

    /// Reads a stored record; `Err` with the reason if it is not there or not what its digest says.
    async fn read_blob(&self, layer: &Descriptor) -> Result<Result<Bytes, String>, StoreError> {
        if layer.size > RECORD_BLOB_LIMIT {
            return Ok(Err(format!(
                "its record has {} bytes, expected at most {RECORD_BLOB_LIMIT}",
                layer.size
            )));
        }
        match self.reader.read_small_blob(layer, RECORD_BLOB_LIMIT).await {
            Ok(content) => Ok(Ok(content)),
            Err(error) if error.is_unusable_content() => {
                Ok(Err(format!("its record cannot be read: {error}")))
            }
            Err(error) => Err(error),
        }
    }

    fn count(&self, name: &EntryName, blob: &RecordBlob) -> Result<VerifiedRecord, String> {
        let printable = |reason: &dyn std::fmt::Display| to_printable(&reason.to_string(), 300);
        let verified = read_record(self.location.trust.as_ref(), &blob.content)
            .map_err(|reason| printable(&reason))?;
        let place = self.location.place();
        let mismatch = verified.record.check_entry(verified.id, name, &place);
        mismatch.map_err(|reason| printable(&reason))?;
        Ok(verified)
    }

    pub(super) fn failure(&self, error: StoreError) -> Failure {
        Failure::from_store_error(Side::Destination, self.location.entries(), error)
    }

    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, EntryReadings> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether an entry can only be a copy of another: one run records one thing of a root at one time.
fn is_copy(entry: &TimelineEntry, other: &TimelineEntry) -> bool {
    let what = |entry: &TimelineEntry| (entry.planned_at, entry.root, entry.action.clone());
    entry.record != other.record && what(entry) == what(other)
}

/// Returns the entries of records, each statement once: whoever may push can store a statement again under another
/// id, with other white space around it. Of copies the one that other records name counts.
fn without_copies(mut records: Vec<&CountedRecord>) -> Vec<TimelineEntry> {
    let named: HashSet<RecordId> = records
        .iter()
        .flat_map(|record| {
            let predicate = &record.record().predicate;
            let past = predicate.past.iter().map(|past| past.record);
            let reinstated = predicate.reinstates.iter().copied();
            past.chain(reinstated)
                .chain(predicate.previous.iter().copied())
        })
        .collect();
    records.sort_by_key(|record| {
        let id = record.entry.record;
        (!named.contains(&id), id)
    });
    let mut statements = HashSet::new();
    let first = records
        .into_iter()
        .filter(|record| statements.insert(record.verified.statement));
    first.map(|record| record.entry.clone()).collect()
}
