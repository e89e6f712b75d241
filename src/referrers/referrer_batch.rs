//! Batch of referrers that are written to one destination: blobs first, then manifests, then the
//! tags that name them.

use futures_util::future::{try_join, try_join_all};
use serde_json::Value;

use super::list_referrers::{self, ReferrersSource};
use super::referrer_graph::{CosignTagImage, Referrer};
use super::tag_members::{self, MEMBERS_LIMIT};
use super::{AppendableTag, CopyRoute, ReferrerError, ReferrerKind, SidedReferrerError};
use crate::image::{Descriptor, Digest, MANIFEST_LIMIT, Manifest, ManifestBody};
use crate::layout::LayoutDirectory;
use crate::notices::Notices;
use crate::transfer::{
    CopyRequest, ImageReader, ImageStore, PlannedCopy, RejectedManifest, Root, RootPresence, Side,
    StoreError,
};

/// The bytes of manifests that are written to a layout together.
const TOGETHER: usize = 4 << 20;

/// Referrers of one manifest that the destination lacks.
pub(super) struct MissingReferrers {
    pub(super) digest: Digest,
    pub(super) missing: Vec<Referrer>,
    pub(super) source: ReferrersSource,
}

/// Layers that the destination lacks under one tag.
pub(super) struct MissingTagLayers {
    pub(super) image: CosignTagImage,
    pub(super) missing: Vec<Value>,
}

pub(super) struct ReferrerBatch<'a> {
    source: &'a ImageReader,
    store: &'a ImageStore,
    skips_rejected: bool,
    notices: &'a Notices,
    subjects: Vec<MissingReferrers>,
    tags: Vec<MissingTagLayers>,
    referrers: PlannedCopy<'a>,
    /// The layers of the images under tags.
    layers: PlannedCopy<'a>,
    tag_updates: Vec<TagUpdate>,
}

/// What is added to a tag.
struct TagUpdate {
    tag: AppendableTag,
    /// Where it is a list of what is about this, and not there yet.
    listed_subject: Option<Digest>,
    /// What the tag names, read just before it is written.
    existing: Option<Manifest>,
    own: Vec<Value>,
    /// What is written where nothing is there.
    complete: Option<Manifest>,
    /// All that was there.
    seen: Vec<Value>,
}

impl<'a> ReferrerBatch<'a> {
    pub(super) async fn plan(
        between: &CopyRoute<'a>,
        subjects: Vec<MissingReferrers>,
        tags: Vec<MissingTagLayers>,
    ) -> Result<Self, SidedReferrerError> {
        let missing = subjects.iter().flat_map(|subject| &subject.missing);
        let referrers = missing
            .map(|referrer| Root::Named(referrer.digest))
            .collect();
        let layers = tags
            .iter()
            .map(|tag| Root::Read(Box::new(tag.to_missing_layers_image())))
            .collect();
        let (referrers, layers) = try_join(
            between.copy_request(referrers).plan(),
            between.copy_request(layers).plan(),
        )
        .await?;
        Ok(Self {
            source: between.source,
            store: between.store,
            skips_rejected: between.skips_rejected,
            notices: between.notices,
            subjects,
            tags,
            referrers,
            layers,
            tag_updates: Vec::new(),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.subjects.is_empty() && self.tags.is_empty()
    }

    /// Returns the foreign layers that are not copied.
    pub(super) fn foreign_layers(&self) -> impl Iterator<Item = &Descriptor> {
        let copies = [&self.referrers, &self.layers];
        copies
            .into_iter()
            .flat_map(|copy| copy.foreign_layers().into_values())
    }

    pub(super) async fn copy_blobs(&self) -> Result<(), SidedReferrerError> {
        try_join(self.referrers.copy_blobs(), self.layers.copy_blobs()).await?;
        Ok(())
    }

    /// Writes the referrers, and reads meanwhile what their lists, and the images under tags, are. Returns
    /// the kinds of those that the destination refused, which are skipped.
    pub(super) async fn write_manifests(
        &mut self,
    ) -> Result<Vec<ReferrerKind>, SidedReferrerError> {
        let referrers = async {
            self.referrers.write_child_manifests().await?;
            match self.skips_rejected {
                true => Ok(self.referrers.write_accepted_roots().await?),
                false => {
                    self.referrers.write_roots().await?;
                    Ok(Vec::new())
                }
            }
        };
        let (rejected, additions) = try_join(referrers, self.read_tags()).await?;
        self.tag_updates = additions;
        Ok(rejected
            .iter()
            .flat_map(|one| self.drop_rejected(one))
            .collect())
    }

    /// Takes a refused referrer out of what is listed. Returns its kind.
    fn drop_rejected(&mut self, rejected: &RejectedManifest) -> Vec<ReferrerKind> {
        let digest = rejected.digest;
        let each = self.subjects.iter_mut().flat_map(|subject| {
            let of = subject.missing.extract_if(.., |one| one.digest == digest);
            of.map(|one| one.kind).collect::<Vec<_>>()
        });
        let kinds: Vec<_> = each.collect();
        for kind in &kinds {
            let text = format!(
                "skipped referrer: {}, refused: {}",
                kind.count_phrase(1),
                rejected.error
            );
            self.notices.warning(text);
        }
        let text = digest.to_string();
        for update in &mut self.tag_updates {
            update.own.retain(|entry| entry["digest"] != text.as_str());
        }
        self.tag_updates.retain(|update| !update.own.is_empty());
        kinds
    }

    async fn read_tags(&self) -> Result<Vec<TagUpdate>, SidedReferrerError> {
        let subjects = self.subjects.iter();
        let lists = subjects.map(|subject| subject.read_list(self.source, self.store));
        let tags = self.tags.iter().map(|tag| {
            let (shared, layers) = (tag.image.to_appendable_tag(), tag.missing.clone());
            TagUpdate::load(self.store, shared, layers, tag.as_complete_image())
        });
        let (lists, tags) = try_join(try_join_all(lists), try_join_all(tags)).await?;
        Ok(lists.into_iter().flatten().chain(tags).collect())
    }

    /// Adds another entry to the list under a tag about `subject`, if there is one to be written; returns whether
    /// there is.
    pub(super) fn list_too(&mut self, subject: Digest, entry: &Value) -> bool {
        let list = AppendableTag::referrers_index(subject);
        let mut updates = self.tag_updates.iter_mut();
        let update = updates.find(|update| update.tag.tag() == list.tag());
        update
            .map(|update| update.own.push(entry.clone()))
            .is_some()
    }

    /// Returns whether tags are appended to.
    pub(super) fn appends_to_tags(&self) -> bool {
        !self.tag_updates.is_empty()
    }

    /// Sees to it that the destination lists what was copied.
    pub(super) async fn write_lists(&mut self) -> Result<(), SidedReferrerError> {
        if let ImageStore::Layout(layout) = self.store {
            self.list_on_disk(layout).await?;
        }
        let (store, notices) = (self.store, self.notices);
        let mut needed = Vec::with_capacity(self.tag_updates.len());
        for addition in std::mem::take(&mut self.tag_updates) {
            if addition.is_needed(store).await? {
                needed.push(addition);
            }
        }
        self.tag_updates = needed;
        let additions = self.tag_updates.iter_mut();
        try_join_all(additions.map(|addition| addition.write(store, notices))).await?;
        Ok(())
    }

    /// Gives each referrer an entry in a layout, for as many at a time as there is memory for.
    async fn list_on_disk(&self, layout: &LayoutDirectory) -> Result<(), SidedReferrerError> {
        let mut read = Vec::new();
        let mut bytes = 0;
        let mut missing = self.subjects.iter().flat_map(|subject| &subject.missing);
        loop {
            let next = missing.next();
            if next.is_none() || bytes > TOGETHER {
                let written = layout.write_referrers(std::mem::take(&mut read)).await;
                written
                    .map_err(|error| SidedReferrerError::at_destination(StoreError::from(error)))?;
                bytes = 0;
            }
            let Some(referrer) = next else {
                return Ok(());
            };
            let manifest = referrer.read(self.source).await?;
            bytes += manifest.bytes.len();
            read.push(manifest);
        }
    }

    /// Looks once more at the tags that were added to: a run that read one before us may have written
    /// it after us.
    pub(super) async fn recheck_tags(&mut self) -> Result<(), SidedReferrerError> {
        if matches!(self.store, ImageStore::Layout(_)) {
            return Ok(());
        }
        let (store, notices) = (self.store, self.notices);
        let additions = self.tag_updates.iter_mut();
        try_join_all(additions.map(|addition| addition.recheck(store, notices))).await?;
        Ok(())
    }
}

impl<'a> CopyRoute<'a> {
    fn copy_request(&self, roots: Vec<Root>) -> CopyRequest<'a> {
        CopyRequest {
            source: self.source,
            roots,
            root_presence: RootPresence::Missing,
            destinations: vec![self.store],
            foreign_layers: self.foreign_layers,
            blob_index: self.blob_index,
            notices: self.notices,
            meter: self.meter,
        }
    }
}

impl MissingReferrers {
    /// What has to be added to the list under a tag, if there is one.
    async fn read_list(
        &self,
        source: &ImageReader,
        store: &ImageStore,
    ) -> Result<Option<TagUpdate>, SidedReferrerError> {
        let listing = self.source.reread(store, self.digest).await;
        Ok(match listing.map_err(SidedReferrerError::at_destination)? {
            ReferrersSource::Native => None,
            ReferrersSource::TagSchema(list) => Some(TagUpdate {
                tag: AppendableTag::referrers_index(self.digest),
                listed_subject: list.is_none().then_some(self.digest),
                existing: list.map(|list| *list),
                own: self.to_list_entries(source).await?,
                complete: None,
                seen: Vec::new(),
            }),
        })
    }

    /// The entries of a list that name what is missing. They hold its annotations, and a list is a
    /// manifest: it cannot be larger than one.
    async fn to_list_entries(
        &self,
        source: &ImageReader,
    ) -> Result<Vec<Value>, SidedReferrerError> {
        let mut entries = Vec::with_capacity(self.missing.len());
        let (mut bytes, mut members) = (0, 0);
        for referrer in &self.missing {
            let manifest = referrer.read(source).await?;
            let annotations = manifest.annotations.iter();
            let sizes = annotations.map(|(name, text)| name.len() + text.len());
            bytes += sizes.sum::<usize>();
            members += manifest.annotations.len();
            if bytes > MANIFEST_LIMIT || members > MEMBERS_LIMIT {
                return Err(SidedReferrerError::at_destination(
                    ReferrerError::UnexpectedTagContent {
                        tag: AppendableTag::referrers_index(self.digest).tag().clone(),
                        problem: "a list that would become too large with the annotations of the referrers",
                    },
                ));
            }
            entries.push(list_referrers::referrer_descriptor(&manifest));
        }
        Ok(entries)
    }
}

impl Referrer {
    /// Reads it, once more where there was no memory to keep it.
    async fn read(&self, source: &ImageReader) -> Result<Manifest, SidedReferrerError> {
        let failed = |error: StoreError| SidedReferrerError {
            side: Side::Source,
            error: error.into(),
        };
        let found = source.get_manifest(self.digest).await.map_err(failed)?;
        found.ok_or_else(|| failed(StoreError::Vanished(self.digest)))
    }
}

impl MissingTagLayers {
    /// The image with the layers alone that are missing.
    fn to_missing_layers_image(&self) -> Manifest {
        let missing = self.missing.iter();
        let digests: Vec<_> = missing.map(|layer| layer["digest"].as_str()).collect();
        let mut needed = self.image.manifest.clone();
        if let ManifestBody::Image { layers, .. } = &mut needed.body {
            layers.retain(|layer| digests.contains(&Some(layer.digest.to_string().as_str())));
        }
        needed
    }

    /// The image, where all of it is missing.
    fn as_complete_image(&self) -> Option<Manifest> {
        let image = &self.image.manifest;
        let is_whole = self.missing.len() == tag_members::read_members(image, "layers").len();
        is_whole.then(|| image.clone())
    }
}

impl TagUpdate {
    async fn load(
        store: &ImageStore,
        shared: AppendableTag,
        ours: Vec<Value>,
        whole: Option<Manifest>,
    ) -> Result<Self, SidedReferrerError> {
        Ok(Self {
            existing: shared
                .read_to_add(store)
                .await
                .map_err(SidedReferrerError::at_destination)?,
            tag: shared,
            listed_subject: None,
            own: ours,
            complete: whole,
            seen: Vec::new(),
        })
    }

    /// Whether it is not the registry that lists what is listed here, by what it has said meanwhile.
    async fn is_needed(&self, store: &ImageStore) -> Result<bool, SidedReferrerError> {
        match self.listed_subject {
            None => Ok(true),
            Some(subject) => {
                let is_own = ReferrersSource::TagSchema(None)
                    .is_native_now(store, subject)
                    .await;
                is_own
                    .map(|is_own| !is_own)
                    .map_err(SidedReferrerError::at_destination)
            }
        }
    }

    /// Adds what is missing; where nothing is there, the whole is written as it is.
    async fn write(
        &mut self,
        store: &ImageStore,
        notices: &Notices,
    ) -> Result<(), SidedReferrerError> {
        let there = self.existing.take();
        self.tag.warn_of_overwritten(there.as_ref(), notices);
        let (ours, whole) = (&self.own, self.complete.as_ref());
        let add = self
            .tag
            .append(store, there, ours, whole, &mut self.seen, notices);
        add.await
            .map(drop)
            .map_err(SidedReferrerError::at_destination)
    }

    async fn recheck(
        &mut self,
        store: &ImageStore,
        notices: &Notices,
    ) -> Result<(), SidedReferrerError> {
        let Self {
            tag: shared,
            own: ours,
            seen,
            ..
        } = self;
        let recheck = shared.recheck(store, ours, seen, notices);
        recheck
            .await
            .map(drop)
            .map_err(SidedReferrerError::at_destination)
    }
}
