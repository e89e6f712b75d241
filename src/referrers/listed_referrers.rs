//! List of the referrers of an image, as a store gives it: read once for all who add to it or go by it.

use super::list_referrers::{self, open_artifacts};
use super::referrer_entry::ReferrerEntry;
use super::{
    FoundArtifact, FoundReferrer, ListedReferrer, ReferrerError, ReferrersSource, TagSnapshot,
};
use crate::image::Digest;
use crate::transfer::ImageStore;

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
        let entries = self.entries.iter().map(|entry| ReferrerEntry {
            digest: entry.digest,
            artifact_type: entry.artifact_type.clone(),
            annotations: entry.annotations.clone(),
        });
        let found = open_artifacts(store, entries.collect(), kind, wanted, &[], look).await?;
        Ok(found.into_iter().flatten().collect())
    }
}
