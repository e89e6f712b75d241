//! Reads the lists in which a source names the referrers of one manifest.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::{try_join, try_join_all};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::limits::GRAPH_LIMIT;
use super::list_referrers::{list_in_layout, parse_entries};
use super::referrer_entry::ReferrerEntry;
use super::referrer_graph::CosignTagImage;
use super::tag_members::read_members;
use super::{AppendableTag, CosignTagSuffix, ReferrerError, ReferrerKind};
use crate::image::{Digest, Manifest, ManifestBody, Tag};
use crate::layout::LayoutReferrers;
use crate::registry::{RepositoryClient, TagPage};
use crate::transfer::{ImageReader, ImageStore, StoreError};

/// Lists that are read at the same time.
const REQUEST_CONCURRENCY: usize = 16;

/// Referrers that a source lists for one manifest.
pub(super) struct SubjectReferrers {
    pub(super) subject: Digest,
    pub(super) entries: Vec<ReferrerEntry>,
    pub(super) cosign_images: Vec<CosignTagImage>,
}

/// Lists of referrers of a source.
pub(super) enum ReferrerLists<'a> {
    Layout(LayoutReferrers),
    Registry {
        store: &'a ImageStore,
        remote: &'a RepositoryClient,
        /// All its tags, where they come in one answer.
        tags: Option<&'a BTreeSet<Tag>>,
    },
}

impl<'a> ReferrerLists<'a> {
    pub(super) async fn load(source: &'a ImageReader) -> Result<Self, ReferrerError> {
        if let Some(store @ ImageStore::Registry(remote)) = source.as_store() {
            return Ok(Self::Registry {
                store,
                remote,
                tags: match source.first_tag_page().await? {
                    TagPage::Complete(tags) => Some(tags),
                    // Only asking for each of them shows that nothing is lost.
                    TagPage::NoRepository | TagPage::Incomplete => None,
                },
            });
        }
        let evidence = source.read_layout_referrers().await?;
        let tagged = evidence.digest_tags.values().map(Arc::as_ref);
        for manifest in evidence.referrers.iter().chain(tagged) {
            source.cache_manifest(manifest.clone());
        }
        Ok(Self::Layout(evidence))
    }

    pub(super) async fn referrers_of_all(
        &self,
        subjects: impl IntoIterator<Item = Digest>,
    ) -> Result<Vec<SubjectReferrers>, ReferrerError> {
        let about = stream::iter(subjects).map(|subject| self.referrers_of(subject));
        let mut about = std::pin::pin!(about.buffered(REQUEST_CONCURRENCY));
        let (mut all, mut entries) = (Vec::new(), 0);
        while let Some(about) = about.try_next().await? {
            entries += about.entries.len();
            if entries > GRAPH_LIMIT {
                return Err(ReferrerError::TooManyReferrers);
            }
            all.push(about);
        }
        Ok(all)
    }

    pub(super) async fn referrers_of(
        &self,
        subject: Digest,
    ) -> Result<SubjectReferrers, ReferrerError> {
        let tagged = try_join_all(
            CosignTagSuffix::ALL.map(|ending| self.read_cosign_image(subject, ending)),
        );
        let (entries, tagged) = try_join(self.list_entries(subject), tagged).await?;
        Ok(SubjectReferrers {
            subject,
            entries,
            cosign_images: tagged.into_iter().flatten().collect(),
        })
    }

    async fn list_entries(&self, subject: Digest) -> Result<Vec<ReferrerEntry>, ReferrerError> {
        let (remote, tags) = match self {
            Self::Layout(evidence) => return list_in_layout(evidence, subject),
            Self::Registry { remote, tags, .. } => (remote, tags),
        };
        let own = async { Ok(remote.referrers(subject).await.map_err(StoreError::from)?) };
        let list = AppendableTag::referrers_index(subject);
        // A registry that got the API later may have older lists under tags.
        let (own, index) = match tags {
            Some(_) => try_join(own, self.read_tag(&list, false)).await?,
            None => {
                let own = own.await?;
                let index = self.read_tag(&list, own.is_none()).await?;
                (own, index)
            }
        };
        let under_tag = index.as_ref().map(|index| list.listed(index));
        // What is listed twice is one: only its first entry is gone by.
        let listed = own.into_iter().chain(under_tag).flatten();
        parse_entries(subject, listed)
    }

    async fn read_cosign_image(
        &self,
        subject: Digest,
        ending: CosignTagSuffix,
    ) -> Result<Option<CosignTagImage>, ReferrerError> {
        let found = self
            .read_tag(&AppendableTag::cosign_image(subject, ending), true)
            .await?;
        let Some(manifest) = found else {
            return Ok(None);
        };
        let memory = match self {
            Self::Layout(_) => None,
            Self::Registry { remote, .. } => {
                let mut memory = remote.manifest_budget().reservation();
                let full = || StoreError::OverBudget(manifest.digest);
                let size = LAYER_MEMBER * manifest.members();
                memory.grow(size).ok_or_else(full)?;
                Some(Arc::new(memory))
            }
        };
        Ok(Some(CosignTagImage {
            subject,
            suffix: ending,
            layers: classify_layers(ending, &manifest),
            manifest,
            _memory: memory,
        }))
    }

    /// What a tag names that is made of a digest. Where it is not known whether there is such a tag,
    /// `ask` says whether to find out.
    async fn read_tag(
        &self,
        shared: &AppendableTag,
        ask: bool,
    ) -> Result<Option<Manifest>, ReferrerError> {
        match self {
            Self::Layout(evidence) => match evidence.digest_tags.get(shared.tag()) {
                Some(found) => shared.accept(Manifest::clone(found)).map(Some),
                None => Ok(None),
            },
            Self::Registry { store, tags, .. } => {
                let is_there = tags.map(|tags| tags.contains(shared.tag()));
                if is_there.unwrap_or(ask) {
                    shared.read(store).await
                } else {
                    Ok(None)
                }
            }
        }
    }
}

/// The layers of an image of cosign's older form, and what each is.
fn classify_layers(ending: CosignTagSuffix, manifest: &Manifest) -> Vec<(ReferrerKind, Value)> {
    let ManifestBody::Image { layers, .. } = &manifest.body else {
        return Vec::new();
    };
    let kinds = layers.iter().map(|layer| match ending {
        CosignTagSuffix::Sig => ReferrerKind::Signature,
        CosignTagSuffix::Sbom => ReferrerKind::Sbom,
        CosignTagSuffix::Att => {
            match ReferrerKind::from_layer(&layer.media_type, &layer.annotations) {
                ReferrerKind::Other(_) => ReferrerKind::Attestation,
                kind => kind,
            }
        }
    });
    kinds.zip(read_members(manifest, "layers")).collect()
}

/// What a member of a layer takes in memory once it is read in whole.
const LAYER_MEMBER: usize = 200;
