//! Stage that writes a record at one destination: the intent, a referrer of the root, before any tag, and the
//! timeline entry after all tags.

use futures_util::future::{try_join, try_join_all};

use super::intent::{Intent, intent_artifact};
use super::location::TimelineLocation;
use super::record_signing::RecordSigning;
use super::referrer_form::IntentForm;
use super::superseded::superseded_reason;
use super::timeline_records::OwnRecord;
use super::written_entry::WrittenEntry;
use crate::image::{Descriptor, Manifest, Tag, TagOrDigest};
use crate::layout::TagPrecondition;
use crate::record::{
    EntryName, RecordBlob, RecordId, ReleaseRecord, STATEMENT_MEDIA_TYPE, TimelineEntry,
    build_entry_manifest, entry_config,
};
use crate::referrers::{AppendableTag, Artifact, ReferrerError, ReferrersSource};
use crate::registry::{RegistryError, RepositoryClient};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::outcome::RecordResult;
use crate::signing::BUNDLE_TYPE;
use crate::transfer::{ImageStore, Side};

/// Content of the record that a stage writes.
pub(crate) enum RecordContent {
    /// A new record.
    New(Box<ReleaseRecord>),
    /// The record of a run that died before its entry.
    Begun(Box<Intent>),
    /// A record that has its entry, and whose intent is gone.
    Complete(Box<Intent>),
}

impl RecordContent {
    /// Returns whether the record is stored already, as a bundle.
    pub(crate) fn is_stored_bundle(&self) -> bool {
        match self {
            Self::New(_) => false,
            Self::Begun(intent) | Self::Complete(intent) => intent.blob.media_type == BUNDLE_TYPE,
        }
    }
}

/// Stage that writes one record.
pub(crate) struct RecordStage<'a> {
    pub(crate) context: &'a ReleaseContext,
    pub(crate) location: TimelineLocation,
    /// Store of the images, which gets the intent.
    pub(crate) store: &'a ImageStore,
    /// Store of the entries.
    pub(crate) entries: ImageStore,
    /// Root that the record is about.
    pub(crate) subject: Descriptor,
    pub(crate) content: RecordContent,
    pub(crate) signing: Option<RecordSigning<'a>>,
    pub(crate) form: IntentForm,
    /// Records that the record rests on.
    pub(crate) source_records: Vec<RecordBlob>,
    /// Place where the store lists referrers.
    pub(crate) referrers: ReferrersSource,
    /// Whether the intent is listed already, or is left out because the subject is gone.
    pub(crate) is_intent_listed: bool,
    /// Reason why the environment's tag stays with a newer release.
    pub(crate) superseded: Option<String>,
    /// The record as it is stored.
    pub(crate) stored: Option<StoredRecord>,
}

/// Record in its stored form.
pub(crate) struct StoredRecord {
    id: RecordId,
    name: EntryName,
    blob: RecordBlob,
    artifact: Artifact,
    /// Whether the intent is listed: by the registry itself, as its answer says, or by another stage with its own
    /// referrers.
    is_listed: bool,
    /// Whether the intent is in a list under a tag, which every writer adds to.
    is_in_shared_tag: bool,
    /// Entries of the list of referrers that were seen.
    seen: Vec<serde_json::Value>,
}

/// Writes an entry's tag. A registry that makes tags immutable may refuse a tag whose write it took before, and
/// whose answer was lost.
async fn put_entry(
    remote: &RepositoryClient,
    tag: &Tag,
    manifest: &Manifest,
) -> Result<(), RegistryError> {
    let target = TagOrDigest::Tag(tag.clone());
    match remote.put_manifest(&target, manifest).await {
        Err(error) if error.may_be_immutable_tag() => {
            let there = remote.head_manifest(&target).await?;
            match there.is_some_and(|there| there.digest == manifest.digest) {
                true => Ok(()),
                false => Err(error),
            }
        }
        written => written.map(drop),
    }
}

impl RecordContent {
    /// Returns what is recorded.
    pub(crate) fn record(&self) -> &ReleaseRecord {
        match self {
            Self::New(record) => record,
            Self::Begun(intent) | Self::Complete(intent) => &intent.verified.record,
        }
    }
}

impl RecordStage<'_> {
    /// Returns whether a timeline entry is written.
    pub(crate) fn writes_entry(&self) -> bool {
        !matches!(self.content, RecordContent::Complete(_))
    }

    /// Returns whether the intent may have to be added to a list under a tag.
    pub(crate) fn may_append_to_list(&self) -> bool {
        let is_native = matches!(self.referrers, ReferrersSource::Native);
        !self.is_intent_listed && !is_native
    }

    /// Returns what the timeline is to know of the record, once it is signed.
    pub(crate) fn own(&self) -> Option<OwnRecord> {
        let id = self.stored.as_ref()?.id;
        Some(OwnRecord::of_attempt(id, &self.record().predicate))
    }

    /// Notes which entry sets the current root: a newer one keeps the environment's tag.
    pub(crate) fn note_current(&mut self, current: &TimelineEntry) {
        let Some(own) = self.own().and_then(|own| own.order) else {
            return;
        };
        if current.order() > own && current.root_it_sets() != Some(self.subject.digest) {
            self.superseded = Some(superseded_reason(current));
        }
    }

    /// Returns the tag of the entry, once the record is signed.
    pub(crate) fn entry_tag(&self) -> Option<Tag> {
        self.stored.as_ref().map(|stored| stored.name.to_tag())
    }

    fn record(&self) -> &ReleaseRecord {
        self.content.record()
    }

    /// Signs the record and writes its blobs.
    ///
    /// # Errors
    /// A signing service, or a store that does not take them.
    pub(crate) async fn write_blobs(&mut self) -> Result<(), Failure> {
        let blob = match &self.content {
            RecordContent::New(record) => self.store_form(record).await?,
            RecordContent::Begun(intent) | RecordContent::Complete(intent) => intent.blob.clone(),
        };
        let stored = self.to_stored(blob);
        let to_image = async {
            match self.is_intent_listed {
                true => Ok(()),
                false => stored.artifact.put_blobs(self.store, false).await,
            }
        };
        try_join(to_image, self.write_entry_blobs(&stored.blob))
            .await
            .map_err(|error| self.failure(error.into()))?;
        self.stored = Some(stored);
        Ok(())
    }

    /// Returns a new record as it is stored: signed as a bundle, or as it is.
    async fn store_form(&self, record: &ReleaseRecord) -> Result<RecordBlob, Failure> {
        let statement = record.to_statement();
        let Some(signing) = &self.signing else {
            return Ok(RecordBlob {
                media_type: STATEMENT_MEDIA_TYPE.to_owned(),
                content: statement.into(),
            });
        };
        let bundle = signing.sign(self.context, record.root, statement).await?;
        Ok(RecordBlob {
            media_type: BUNDLE_TYPE.to_owned(),
            content: bundle.into(),
        })
    }

    fn to_stored(&self, blob: RecordBlob) -> StoredRecord {
        let (record, id) = (self.record(), RecordId::from_blob(&blob.content));
        StoredRecord {
            id,
            name: record.entry_name(id),
            artifact: intent_artifact(&self.subject, record, &blob, self.form),
            blob,
            is_listed: false,
            is_in_shared_tag: false,
            seen: Vec::new(),
        }
    }

    /// Writes the blobs that only the entry names.
    async fn write_entry_blobs(&self, own: &RecordBlob) -> Result<(), crate::transfer::StoreError> {
        if !self.writes_entry() {
            return Ok(());
        }
        let sources = self.source_records.iter().map(|record| &record.content);
        let sources = sources.map(|blob| self.entries.put_blob(blob));
        let own = async {
            // The intent brings both to the repository of the images.
            if self.location.entries_at.is_none() && !self.is_intent_listed {
                return Ok(());
            }
            let config = entry_config();
            let config = self.entries.put_common_blob(&config);
            try_join(config, self.entries.put_blob(&own.content))
                .await
                .map(drop)
        };
        try_join(own, try_join_all(sources)).await.map(drop)
    }

    /// Writes the intent's manifest, and reads meanwhile the list under a tag that it is to be added to; the root
    /// exists.
    ///
    /// # Errors
    /// A store that does not take it, or that does not list it.
    pub(crate) async fn write_intent(&mut self) -> Result<(), Failure> {
        if self.is_intent_listed {
            return Ok(());
        }
        let Some(stored) = &self.stored else {
            return Ok(());
        };
        let write = async {
            let written = stored.artifact.write(self.store).await;
            written.map_err(ReferrerError::of_refused_artifact)
        };
        let read = self.referrers.reread(self.store, self.subject.digest);
        let (receipt, referrers) = try_join(write, read)
            .await
            .map_err(|error| self.failure(error))?;
        let is_native = matches!(self.referrers, ReferrersSource::Native);
        let is_registry = matches!(self.store, ImageStore::Registry(_));
        if is_native && is_registry && !receipt.listed {
            let digest = stored.artifact.manifest.digest;
            ReferrersSource::wait_until_listed(self.store, self.subject.digest, &[digest])
                .await
                .map_err(|error| self.failure(error))?;
        }
        self.referrers = referrers;
        if let Some(stored) = &mut self.stored {
            stored.is_listed = receipt.listed;
        }
        Ok(())
    }

    /// Returns the entry that is to be added to the list of referrers under a tag, once the intent is written.
    pub(crate) fn unlisted_entry(&self) -> Option<serde_json::Value> {
        let is_native = matches!(self.referrers, ReferrersSource::Native);
        let stored = self.stored.as_ref()?;
        let is_missing = !self.is_intent_listed && !stored.is_listed && !is_native;
        is_missing.then(|| stored.artifact.descriptor().clone())
    }

    /// Notes that another stage adds the intent to the list, in one write with its own referrers.
    pub(crate) fn note_listed(&mut self) {
        if let Some(stored) = &mut self.stored {
            stored.is_listed = true;
        }
    }

    /// Adds the intent to the list of referrers, where that is kept under a tag. If this run has appended to it since
    /// the intent was written (`after`), the list is read once more.
    ///
    /// # Errors
    /// A list that cannot be read or changed.
    pub(crate) async fn write_list(&mut self, after: bool) -> Result<(), Failure> {
        if self.unlisted_entry().is_none() {
            return Ok(());
        }
        let Some(mut stored) = self.stored.take() else {
            return Ok(());
        };
        let listed = self.append_to_list(&mut stored, after).await;
        self.stored = Some(stored);
        listed.map_err(|error| self.failure(error))
    }

    async fn append_to_list(
        &self,
        stored: &mut StoredRecord,
        after: bool,
    ) -> Result<(), ReferrerError> {
        let root = self.subject.digest;
        let referrers = match after {
            true => self.referrers.reread(self.store, root).await?,
            false => self.referrers.clone(),
        };
        let ReferrersSource::TagSchema(index) = referrers else {
            return Ok(());
        };
        let own = [stored.artifact.descriptor().clone()];
        let tag = AppendableTag::referrers_index(root);
        let notices = &self.context.notices;
        tag.warn_of_overwritten(index.as_deref(), notices);
        let there = index.map(|index| *index);
        tag.append(self.store, there, &own, None, &mut stored.seen, notices)
            .await?;
        stored.is_in_shared_tag = true;
        Ok(())
    }

    /// Reads the list under a tag once more, after the tags: another run may have written over it.
    ///
    /// # Errors
    /// A list that cannot be read or changed.
    pub(crate) async fn recheck_list(&mut self) -> Result<(), Failure> {
        let Some(mut stored) = self.stored.take_if(|stored| stored.is_in_shared_tag) else {
            return Ok(());
        };
        let own = [stored.artifact.descriptor().clone()];
        let tag = AppendableTag::referrers_index(self.subject.digest);
        let notices = &self.context.notices;
        let checked = tag.recheck(self.store, &own, &mut stored.seen, notices);
        let checked = checked.await.map(drop);
        self.stored = Some(stored);
        checked.map_err(|error| self.failure(error))
    }

    /// Writes the timeline entry: the last write of a release. `None` where none is written.
    ///
    /// # Errors
    /// A store that does not take it.
    pub(crate) async fn write_entry(&self) -> Result<Option<WrittenEntry>, Failure> {
        let Some(stored) = self.stored.as_ref().filter(|_| self.writes_entry()) else {
            return Ok(None);
        };
        let manifest = build_entry_manifest(&stored.blob, &self.source_records);
        let tag = stored.name.to_tag();
        let written = match &self.entries {
            ImageStore::Registry(remote) => put_entry(remote, &tag, &manifest)
                .await
                .map_err(crate::transfer::StoreError::from),
            ImageStore::Layout(layout) => {
                let precondition = TagPrecondition::AbsentOrSame;
                let written = layout.write_tag(&tag, &manifest, precondition).await;
                written.map(drop).map_err(crate::transfer::StoreError::from)
            }
        };
        written.map_err(|error| {
            Failure::from_store_error(Side::Destination, self.location.entries(), error)
        })?;
        self.context.notices.info(format!(
            "{}: recorded {} of {} in {}: {}",
            self.location.entries(),
            stored.name.action,
            self.subject.digest.short(),
            self.location.environment,
            stored.id
        ));
        Ok(Some(WrittenEntry {
            name: stored.name.clone(),
            manifest,
            blob: stored.blob.clone(),
        }))
    }

    /// Returns what is written; before the writes, what is planned.
    pub(crate) fn result(&self) -> RecordResult {
        let predicate = &self.record().predicate;
        RecordResult {
            environment: predicate.environment.clone(),
            action: predicate.action.clone(),
            reason: predicate.reason.clone(),
            link: predicate.link.clone(),
            planned_at: predicate.planned_at,
            id: self.stored.as_ref().map(|stored| stored.id),
            entry: self.entry_tag(),
            is_new: self.writes_entry(),
            is_intent_new: !self.is_intent_listed,
            superseded: self.superseded.clone(),
        }
    }

    fn failure(&self, error: ReferrerError) -> Failure {
        Failure::from_referrer_error(Side::Destination, &self.location.destination, error)
    }
}
