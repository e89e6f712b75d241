//! Referrers on disk: entries of `index.json` without a name, as oras writes them.

use super::scratch::sync_directory;
use super::{BLOB_DIRECTORY, Blobs, INDEX, Index, Layout, LayoutError, LayoutFault, blobs};
use crate::image::{Digest, Manifest};

impl Layout {
    /// The manifests that have an entry of their own and say something about `subject`. None where
    /// there is no layout yet.
    pub async fn referrers(&self, subject: Digest) -> Result<Vec<Manifest>, LayoutError> {
        self.run(move |layout| {
            let index = layout.index()?;
            let mut found: Vec<Manifest> = Vec::new();
            for entry in index.entries() {
                // What cannot be named by a digest that is supported cannot be one of ours.
                let Ok(digest) = entry.digest() else { continue };
                if found.iter().any(|known| known.digest == digest) {
                    continue;
                }
                let manifest = blobs::manifest(layout, digest)?;
                let about = |manifest: &Manifest| {
                    let of = manifest.subject.as_ref().map(|of| of.digest);
                    of == Some(subject)
                };
                found.extend(manifest.filter(about));
            }
            Ok(found)
        })
        .await
    }

    /// Writes a manifest that says something about another, and gives it an entry without a name.
    /// Its blobs must be there.
    pub async fn write_referrer(&self, manifest: &Manifest) -> Result<(), LayoutError> {
        let manifest = manifest.clone();
        self.run(move |layout| layout.put_referrer(&manifest)).await
    }

    fn put_referrer(&self, manifest: &Manifest) -> Result<(), LayoutFault> {
        self.prepare()?;
        self.put_manifest(manifest)?;
        let lock = self.lock()?;
        let mut index = self.read_index()?.unwrap_or_else(Index::empty);
        if index.add_unnamed(manifest) {
            sync_directory(&self.join(BLOB_DIRECTORY))?;
            self.replace(&lock, INDEX, &index.to_bytes())?;
            sync_directory(self.path())?;
        }
        Ok(())
    }
}
