//! Referrers on disk: entries of `index.json` without a name, as oras writes them, and tags made of
//! another manifest's digest, as registries without the referrers API and cosign have them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{INDEX_FILE, LayoutBlobs, LayoutDirectory, LayoutError, LayoutFault, LayoutIndex};
use crate::image::{Digest, Manifest, Tag};

/// What a layout has beside its images.
#[derive(Debug, Default)]
pub struct LayoutReferrers {
    /// The manifests that have an entry of their own and say something about another one.
    pub referrers: Vec<Manifest>,
    /// What the tags name that are made of a manifest's digest: `sha256-<hex>`, perhaps with one of
    /// cosign's endings.
    pub digest_tags: BTreeMap<Tag, Arc<Manifest>>,
}

/// Reads all that `index.json` lists beside images.
pub(crate) fn read_referrers(blobs: &impl LayoutBlobs) -> Result<LayoutReferrers, LayoutFault> {
    let index = blobs.index()?;
    let mut found = LayoutReferrers::default();
    let mut seen = HashSet::new();
    let mut under_tags: HashMap<Digest, Arc<Manifest>> = HashMap::new();
    for entry in index.entries() {
        // What cannot be named by a digest that is supported cannot be one of ours.
        let Ok(digest) = entry.digest() else { continue };
        let tag = index.digest_tag(entry);
        // However many tags name a manifest, it is read once.
        if let (Some(tag), Some(known)) = (&tag, under_tags.get(&digest)) {
            found.digest_tags.insert(tag.clone(), known.clone());
            continue;
        }
        if !seen.insert(digest) && tag.is_none() {
            continue;
        }
        let manifest = blobs
            .read_manifest(digest, entry.media_type())
            .map_err(LayoutFault::blob(format!("manifest {digest}")))?;
        let Some(manifest) = manifest else { continue };
        if let Some(tag) = tag {
            let manifest = Arc::new(manifest);
            under_tags.insert(digest, manifest.clone());
            found.digest_tags.insert(tag, manifest);
        } else if manifest.subject.is_some() {
            found.referrers.push(manifest);
        }
    }
    Ok(found)
}

impl LayoutDirectory {
    /// The manifests that have an entry of their own and say something about `subject`. None where
    /// there is no layout yet.
    pub async fn referrers_of(&self, subject: Digest) -> Result<Vec<Manifest>, LayoutError> {
        let mut referrers = self.read_referrers().await?.referrers;
        referrers.retain(|referrer| referrer.has_subject(subject));
        Ok(referrers)
    }

    /// All that is listed beside images. None where there is no layout yet.
    pub async fn read_referrers(&self) -> Result<LayoutReferrers, LayoutError> {
        self.run_blocking(read_referrers).await
    }

    /// Writes manifests that say something about others, and gives each an entry without a name.
    /// Their blobs must be there.
    pub async fn write_referrers(&self, manifests: Vec<Manifest>) -> Result<(), LayoutError> {
        self.run_blocking(move |layout| layout.write_referrers_blocking(&manifests))
            .await
    }

    fn write_referrers_blocking(&self, manifests: &[Manifest]) -> Result<(), LayoutFault> {
        self.ensure_layout()?;
        for manifest in manifests {
            self.write_manifest_blocking(manifest)?;
        }
        let lock = self.lock()?;
        let mut index = self.read_index()?.unwrap_or_else(LayoutIndex::empty);
        let added = manifests
            .iter()
            .filter(|manifest| index.add_unnamed(manifest));
        if added.count() > 0 {
            self.sync_blobs()?;
            self.replace_file(&lock, INDEX_FILE, &index.to_bytes())?;
            self.sync_root()?;
        }
        Ok(())
    }
}
