//! List of the referrers of an image, as a store gives it: read once for all who add to it or go by it.

use std::collections::BTreeSet;

use futures_util::future::try_join;

use super::found_referrer::COSIGN_IMAGE_TYPES;
use super::list_referrers::{self, list_in_layout, open_artifacts, parse_entries};
use super::referrer_entry::ReferrerEntry;
use super::{
    AppendableTag, FoundArtifact, FoundReferrer, ListedReferrer, ReferrerError, ReferrersSource,
    TagSnapshot,
};
use crate::image::{Digest, Tag};
use crate::transfer::{ImageStore, StoreError};

/// What was listed about an image before its evidence is read.
#[derive(Debug, Clone, Copy)]
pub struct ListedEvidence<'a> {
    /// Its referrers.
    pub referrers: &'a ListedReferrers,
    /// Tags of its repository.
    pub tags: &'a BTreeSet<Tag>,
}

/// Referrers of an image, with the place where they are listed.
#[derive(Debug, Clone)]
pub struct ListedReferrers {
    /// Place where the store lists them.
    pub source: ReferrersSource,
    /// Entries of the list.
    pub entries: Vec<ListedReferrer>,
}

impl ListedReferrers {
    /// Reads what a store lists about `subject`, to add to it. `prior` is what its tags tell.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub async fn read(
        store: &ImageStore,
        subject: Digest,
        prior: &TagSnapshot,
    ) -> Result<Self, ReferrerError> {
        let (source, entries) = list_referrers::list_referrers(store, subject, prior).await?;
        let entries = entries.into_iter().map(|entry| ListedReferrer {
            digest: entry.digest,
            artifact_type: entry.artifact_type,
            annotations: entry.annotations,
        });
        Ok(Self {
            source,
            entries: entries.collect(),
        })
    }

    /// Reads the listed artifacts of a type that begins with `kind`, except those whose annotation `wanted.0` has a
    /// value that `wanted.1` rejects. `look` converts each as it is read, so that few contents are in memory at a
    /// time.
    ///
    /// # Errors
    /// An entry that cannot be read.
    pub async fn read_artifacts<T>(
        &self,
        store: &ImageStore,
        kind: &str,
        wanted: (&str, impl Fn(&str) -> bool),
        look: impl Fn(FoundArtifact) -> T,
    ) -> Result<Vec<T>, ReferrerError> {
        let look = |found| match found {
            FoundReferrer::Artifact(artifact) => Some(look(artifact)),
            _ => None,
        };
        let entries = self.to_entries();
        let found = open_artifacts(store, entries, kind, wanted, &[], look).await?;
        Ok(found.into_iter().flatten().collect())
    }

    fn to_entries(&self) -> Vec<ReferrerEntry> {
        let entries = self.entries.iter().map(|entry| ReferrerEntry {
            digest: entry.digest,
            artifact_type: entry.artifact_type.clone(),
            annotations: entry.annotations.clone(),
        });
        entries.collect()
    }

    /// Returns the entries of all lists: the index under a tag is read too where a registry has begun to list
    /// referrers itself after a client wrote it.
    pub(super) async fn in_all_lists(
        &self,
        store: &ImageStore,
        subject: Digest,
        tags: &BTreeSet<Tag>,
    ) -> Result<Vec<ReferrerEntry>, ReferrerError> {
        let mut entries = self.to_entries();
        let list = AppendableTag::referrers_index(subject);
        let is_unread = matches!(self.source, ReferrersSource::Native) && tags.contains(list.tag());
        if is_unread && let Some(index) = list.read(store).await? {
            entries.extend(parse_entries(subject, list.listed(&index))?);
        }
        Ok(entries)
    }
}

impl FoundArtifact {
    /// Reads artifacts as [`ListedReferrers::read_artifacts`] does, from all lists: a registry may
    /// have begun to serve the referrers API after another client wrote the referrers index. What was
    /// `listed` of a registry is not listed again. An artifact in both lists counts once; one that is listed and missing has an error as its
    /// content. `look` also sees signatures of other forms.
    ///
    /// # Errors
    /// A list that cannot be read, or an entry of it.
    pub async fn find_all<T>(
        (store, subject): (&ImageStore, Digest),
        listed: Option<ListedEvidence<'_>>,
        kind: &str,
        wanted: (&str, impl Fn(&str) -> bool),
        look: impl Fn(FoundReferrer) -> T,
    ) -> Result<Vec<T>, ReferrerError> {
        let entries = match (store, listed) {
            (ImageStore::Layout(layout), _) => {
                let evidence = layout.read_referrers().await.map_err(StoreError::from)?;
                list_in_layout(&evidence, subject)?
            }
            (_, Some(ListedEvidence { referrers, tags })) => {
                referrers.in_all_lists(store, subject, tags).await?
            }
            (ImageStore::Registry(remote), None) => {
                let own = async {
                    let own = remote.referrers(subject).await;
                    own.map_err(|error| StoreError::from(error).into())
                };
                let list = AppendableTag::referrers_index(subject);
                let (own, tagged) = try_join(own, list.read(store)).await?;
                let tagged = tagged.map(|index| list.listed(&index));
                parse_entries(subject, [own, tagged].into_iter().flatten().flatten())?
            }
        };
        open_artifacts(store, entries, kind, wanted, &COSIGN_IMAGE_TYPES, look).await
    }
}
