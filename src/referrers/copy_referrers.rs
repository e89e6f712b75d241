//! Copies the referrers of an image to a destination. The plan reads what the destination has
//! before anything is written; then referrers are copied by digest and listed, so that a repeated
//! run writes nothing.
//!
//! Referrers are written as the bytes that were read. On a registry without the referrers API they
//! are added to the referrers index. Images under cosign's tags are written as they are where the
//! tag is absent; otherwise their layers are appended to the image that exists.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::list_referrers::{self, ReferrersSource};
use super::referrer_batch::{MissingReferrers, MissingTagLayers, ReferrerBatch};
use super::referrer_graph::{CosignTagImage, Referrer};
use super::tag_members;
use super::{
    AppendableTag, CopyRoute, CosignTagSuffix, ReferrerError, ReferrerGraph, ReferrerKind,
    SidedReferrerError, SkipReason, SkippedReferrer, TagSnapshot,
};
use crate::image::{Descriptor, Digest, Manifest};
use crate::transfer::{ImageStore, StoreError};

/// Questions to a destination at the same time.
const REQUEST_CONCURRENCY: usize = 16;

/// Copy of referrers to one destination, in steps: each is taken before the next.
pub struct ReferrerCopy<'a> {
    /// What a tag has to be added to for that is there. A registry that makes tags immutable refuses
    /// that, so it comes before all else.
    existing_tags: ReferrerBatch<'a>,
    /// All the rest.
    new_content: ReferrerBatch<'a>,
    copied: CopiedReferrers,
}

/// Counts of the referrers that a copy wrote, found and skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopiedReferrers {
    /// How many of a kind were written, or on a dry run would be.
    pub copied: BTreeMap<ReferrerKind, u64>,
    /// How many of a kind were there.
    pub present: BTreeMap<ReferrerKind, u64>,
    /// What was left behind.
    pub skipped: Vec<SkippedReferrer>,
}

impl<'a> ReferrerCopy<'a> {
    /// Looks at what the destination has. `prior` is what its tags tell.
    ///
    /// # Errors
    /// A side that cannot tell.
    pub async fn plan(
        between: CopyRoute<'a>,
        referrers: &ReferrerGraph,
        prior: &TagSnapshot,
    ) -> Result<Self, SidedReferrerError> {
        let mut copied = CopiedReferrers {
            skipped: referrers.skipped.clone(),
            ..CopiedReferrers::default()
        };
        let looked = try_join(
            list_at_destination(between.store, referrers, prior),
            read_tags_at_destination(between.store, referrers, prior),
        );
        let (listed, tagged) = looked.await.map_err(SidedReferrerError::at_destination)?;
        let subjects = listed.into_iter().map(|about| copied.record_subject(about));
        let (to_lists, subjects): (Vec<_>, Vec<_>) = subjects
            .filter(|(_, subject)| !subject.missing.is_empty())
            .partition(|(is_there, _)| *is_there);
        let tags = tagged.into_iter().map(|(tagged, there)| {
            let tag = copied.record_tag(tagged, there.as_ref());
            (there.is_some(), tag)
        });
        let (to_tags, tags): (Vec<_>, Vec<_>) = tags
            .filter(|(_, tag)| !tag.missing.is_empty())
            .partition(|(is_there, _)| *is_there);
        let (to_tags, rest) = try_join(
            ReferrerBatch::plan(
                &between,
                second_elements(to_lists),
                second_elements(to_tags),
            ),
            ReferrerBatch::plan(&between, second_elements(subjects), second_elements(tags)),
        )
        .await?;
        Ok(Self {
            existing_tags: to_tags,
            new_content: rest,
            copied,
        })
    }

    /// Returns whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.existing_tags.is_empty() && self.new_content.is_empty()
    }

    /// Returns the copied referrers; before they are written, the planned ones.
    pub fn copied_referrers(&self) -> &CopiedReferrers {
        &self.copied
    }

    /// Returns the foreign layers of the referrers that are not copied.
    pub fn foreign_layers(&self) -> impl Iterator<Item = &Descriptor> {
        let batches = [&self.existing_tags, &self.new_content];
        batches.into_iter().flat_map(ReferrerBatch::foreign_layers)
    }

    /// Brings what a tag has to be added to for that is there.
    ///
    /// # Errors
    /// A side that fails, or a tag that cannot be changed.
    pub async fn append_to_existing_tags(&mut self) -> Result<(), SidedReferrerError> {
        self.existing_tags.copy_blobs().await?;
        let rejected = self.existing_tags.write_manifests().await?;
        self.copied.record_rejected(rejected);
        self.existing_tags.write_lists().await
    }

    /// Brings the blobs of the rest.
    ///
    /// # Errors
    /// As [`ReferrerCopy::append_to_existing_tags`].
    pub async fn copy_blobs(&self) -> Result<(), SidedReferrerError> {
        self.new_content.copy_blobs().await
    }

    /// Writes the manifests of the rest by their digests.
    ///
    /// # Errors
    /// As [`ReferrerCopy::append_to_existing_tags`].
    pub async fn write_manifests(&mut self) -> Result<(), SidedReferrerError> {
        let rejected = self.new_content.write_manifests().await?;
        self.copied.record_rejected(rejected);
        Ok(())
    }

    /// Names the rest: lists the referrers, and writes the images under tags.
    ///
    /// # Errors
    /// As [`ReferrerCopy::append_to_existing_tags`].
    pub async fn write_lists(&mut self) -> Result<(), SidedReferrerError> {
        self.new_content.write_lists().await
    }

    /// Adds another entry to the list of referrers of `subject`, if that is a tag which is appended to; returns whether
    /// it is. The manifests are written.
    pub fn list_too(&mut self, subject: Digest, entry: &Value) -> bool {
        self.new_content.list_too(subject, entry)
    }

    /// Returns whether tags are appended to, known once the manifests are written.
    pub fn appends_to_tags(&self) -> bool {
        self.existing_tags.appends_to_tags() || self.new_content.appends_to_tags()
    }

    /// Looks once more at the tags that were added to.
    ///
    /// # Errors
    /// As [`ReferrerCopy::append_to_existing_tags`].
    pub async fn recheck_tags(&mut self) -> Result<(), SidedReferrerError> {
        try_join(
            self.existing_tags.recheck_tags(),
            self.new_content.recheck_tags(),
        )
        .await?;
        Ok(())
    }
}

fn second_elements<A, B>(pairs: Vec<(A, B)>) -> Vec<B> {
    pairs.into_iter().map(|(_, second)| second).collect()
}

/// What is wanted about one manifest, and what the destination lists about it.
struct SubjectCopy<'b> {
    digest: Digest,
    wanted: Vec<&'b Referrer>,
    source: ReferrersSource,
    present: HashSet<Digest>,
}

async fn list_at_destination<'b>(
    store: &ImageStore,
    referrers: &'b ReferrerGraph,
    prior: &TagSnapshot,
) -> Result<Vec<SubjectCopy<'b>>, ReferrerError> {
    let mut about: BTreeMap<Digest, Vec<&Referrer>> = BTreeMap::new();
    for referrer in &referrers.referrers {
        about.entry(referrer.subject).or_default().push(referrer);
    }
    let on_disk = match store {
        ImageStore::Layout(layout) => {
            Some(layout.read_referrers().await.map_err(StoreError::from)?)
        }
        ImageStore::Registry(_) => None,
    };
    let on_disk = on_disk.as_ref();
    stream::iter(about)
        .map(|(digest, wanted)| async move {
            let (listing, entries) = match on_disk {
                Some(evidence) => (
                    ReferrersSource::Native,
                    list_referrers::on_disk_to_add(evidence, digest)?,
                ),
                None => list_referrers::list_referrers(store, digest, prior).await?,
            };
            Ok(SubjectCopy {
                digest,
                wanted,
                source: listing,
                present: entries.iter().map(|entry| entry.digest).collect(),
            })
        })
        .buffered(REQUEST_CONCURRENCY)
        .try_collect()
        .await
}

/// The images under tags, and what the destination has under each of these.
async fn read_tags_at_destination<'b>(
    store: &ImageStore,
    referrers: &'b ReferrerGraph,
    prior: &TagSnapshot,
) -> Result<Vec<(&'b CosignTagImage, Option<Manifest>)>, ReferrerError> {
    stream::iter(&referrers.cosign_images)
        .map(|tagged| async move {
            Ok((
                tagged,
                tagged
                    .to_appendable_tag()
                    .read_unless_absent(store, prior)
                    .await?,
            ))
        })
        .buffered(REQUEST_CONCURRENCY)
        .try_collect()
        .await
}

impl CosignTagImage {
    pub(super) fn to_appendable_tag(&self) -> AppendableTag {
        AppendableTag::cosign_image(self.subject, self.suffix)
    }
}

impl CopiedReferrers {
    fn count_kinds<'k>(&mut self, present: bool, kinds: impl Iterator<Item = &'k ReferrerKind>) {
        for kind in kinds {
            let counts = match present {
                true => &mut self.present,
                false => &mut self.copied,
            };
            *counts.entry(kind.clone()).or_default() += 1;
        }
    }

    /// Counts planned referrers as skipped that the destination has refused.
    fn record_rejected(&mut self, kinds: Vec<ReferrerKind>) {
        for kind in kinds {
            if let Some(count) = self.copied.get_mut(&kind) {
                *count -= 1;
            }
            SkippedReferrer::add(&mut self.skipped, kind, SkipReason::Rejected);
        }
        self.copied.retain(|_, count| *count > 0);
    }

    /// What is missing about a manifest, and whether a list under a tag is there.
    fn record_subject(&mut self, about: SubjectCopy<'_>) -> (bool, MissingReferrers) {
        let is_there = |one: &&Referrer| about.present.contains(&one.digest);
        let (present, missing): (Vec<_>, Vec<_>) = about.wanted.into_iter().partition(is_there);
        self.count_kinds(true, present.iter().map(|one| &one.kind));
        self.count_kinds(false, missing.iter().map(|one| &one.kind));
        let has_list =
            matches!(&about.source, ReferrersSource::TagSchema(_)) && !about.present.is_empty();
        let subject = MissingReferrers {
            digest: about.digest,
            missing: missing.into_iter().cloned().collect(),
            source: about.source,
        };
        (has_list, subject)
    }

    /// What of an image is missing at a destination that has `there` under its tag.
    fn record_tag(
        &mut self,
        tagged: &CosignTagImage,
        there: Option<&Manifest>,
    ) -> MissingTagLayers {
        let known = there.map(|there| tagged.to_appendable_tag().members(there));
        let known = known.unwrap_or_default();
        let known: HashSet<_> = known.iter().map(tag_members::member_key).collect();
        let is_known =
            |(_, layer): &&(ReferrerKind, Value)| known.contains(&tag_members::member_key(layer));
        let (present, missing): (Vec<_>, Vec<_>) = tagged.layers.iter().partition(is_known);
        self.count_kinds(true, present.iter().map(|(kind, _)| kind));
        let mut tag = MissingTagLayers {
            image: tagged.clone(),
            missing: Vec::new(),
        };
        // An image of this kind is one SBOM; with a second one nobody knows which it is.
        if tagged.suffix == CosignTagSuffix::Sbom && there.is_some() && !missing.is_empty() {
            self.skipped.push(SkippedReferrer {
                kind: ReferrerKind::Sbom,
                count: missing.len() as u64,
                reason: SkipReason::TagConflict,
            });
            return tag;
        }
        self.count_kinds(false, missing.iter().map(|(kind, _)| kind));
        tag.missing = missing
            .into_iter()
            .map(|(_, layer)| layer.clone())
            .collect();
        tag
    }
}
