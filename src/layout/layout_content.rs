//! Everything that a layout holds: its names, all manifests among its blobs, and the other blobs.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::blobs::run_blocking;
use super::folder::Folder;
use super::{BlobFault, LayoutBlobs, LayoutDirectory, LayoutError, LayoutFault};
use crate::image::{Digest, MANIFEST_LIMIT, Manifest, Tag};

/// Everything that a layout holds.
#[derive(Debug, Default)]
pub struct LayoutContent {
    /// Tags, with those that signatures have in a registry, and the manifests that each names: one as a rule.
    pub tags: BTreeMap<Tag, Vec<Digest>>,
    /// Names that are no tags, with the manifests that they name.
    pub other_names: Vec<(String, Digest)>,
    /// Manifests among the blobs.
    pub manifests: BTreeMap<Digest, StoredManifest>,
    /// Other blobs.
    pub blobs: BTreeMap<Digest, StoredBlob>,
}

/// Manifest that a layout holds.
#[derive(Debug)]
pub struct StoredManifest {
    /// Manifest; else why it cannot be read.
    pub content: Result<Manifest, String>,
    /// Size and time of its file.
    pub file: StoredBlob,
}

/// File of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlob {
    /// Size in bytes.
    pub size: u64,
    /// Last change of the file: when it was written.
    pub modified: Option<SystemTime>,
}

impl LayoutDirectory {
    /// Returns everything that the layout holds. Blobs that are no manifests are not read as a whole.
    ///
    /// # Errors
    /// Files that cannot be read, and an index that is malformed.
    pub async fn read_content(&self) -> Result<LayoutContent, LayoutError> {
        self.run_blocking(|layout| {
            layout.require_layout_file()?;
            let mut content = LayoutContent::default();
            layout.read_names(&mut content)?;
            let folder = layout
                .blob_folder()
                .map_err(LayoutFault::blob("the folder of blobs"))?;
            if let Some(folder) = folder {
                layout.read_blobs(&folder, &mut content)?;
            }
            Ok(content)
        })
        .await
    }

    fn read_names(&self, content: &mut LayoutContent) -> Result<(), LayoutFault> {
        let index = self.index()?;
        for entry in index.entries() {
            let digest = entry.digest()?;
            let mut add = |tag: Tag| {
                let named = content.tags.entry(tag).or_default();
                if !named.contains(&digest) {
                    named.push(digest);
                }
            };
            let tags = index.digest_tag(entry).into_iter().chain(entry.tag());
            let names = tags.map(&mut add).count();
            if names == 0 {
                let others = entry.names().map(|name| (name.to_owned(), digest));
                content.other_names.extend(others);
            }
        }
        Ok(())
    }

    fn read_blobs(&self, folder: &Folder, content: &mut LayoutContent) -> Result<(), LayoutFault> {
        let names = folder.names().map_err(LayoutFault::io("list the blobs"))?;
        for name in names {
            // What has another name is none of ours.
            let Ok(digest) = format!("sha256:{name}").parse::<Digest>() else {
                continue;
            };
            let failed = LayoutFault::blob(format!("blob {digest}"));
            let extent = self.find_blob(digest).map_err(failed)?;
            let Some(extent) = extent else { continue };
            let file = StoredBlob {
                size: extent.len,
                modified: extent.file.metadata().and_then(|it| it.modified()).ok(),
            };
            match self.read_stored(digest, extent.len)? {
                None => drop(content.blobs.insert(digest, file)),
                Some(stored) => {
                    let content_of = StoredManifest {
                        content: stored,
                        file,
                    };
                    content.manifests.insert(digest, content_of);
                }
            }
        }
        Ok(())
    }

    /// Returns a blob as a manifest, or why it cannot be read as the one that the index says it is; `None` of every
    /// other blob.
    fn read_stored(
        &self,
        digest: Digest,
        size: u64,
    ) -> Result<Option<Result<Manifest, String>>, LayoutFault> {
        let index = self.index()?;
        let is_named = index.size_of(digest).is_some() || index.media_type_of(digest).is_some();
        if size > MANIFEST_LIMIT as u64 {
            let too_large = "is larger than a manifest may be".to_owned();
            return Ok(is_named.then_some(Err(too_large)));
        }
        let bytes = match self.manifest_bytes(digest) {
            Ok(bytes) => bytes.unwrap_or_default(),
            Err(BlobFault::Io(error)) => {
                return Err(LayoutFault::blob(format!("blob {digest}"))(BlobFault::Io(
                    error,
                )));
            }
            Err(fault) => return Ok(is_named.then(|| Err(fault.to_string()))),
        };
        if !is_named && !bytes.trim_ascii_start().starts_with(b"{") {
            return Ok(None);
        }
        let manifest = Manifest::parse(bytes, index.media_type_of(digest));
        Ok(match manifest {
            Ok(manifest) => Some(Ok(manifest)),
            Err(error) => is_named.then(|| Err(error.to_string())),
        })
    }
}

impl StoredBlob {
    /// Returns when its file was written, in seconds of the Unix epoch.
    pub fn written_at(&self) -> Option<i64> {
        let since = self.modified?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    }
}

impl LayoutDirectory {
    /// Returns whether a blob is there, whatever its size.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub async fn has_file_of(&self, digest: Digest) -> Result<bool, LayoutError> {
        let layout = self.clone();
        let found = run_blocking(move || layout.find_blob(digest)).await;
        found
            .map(|extent| extent.is_some())
            .map_err(|fault| LayoutFault::blob(format!("blob {digest}"))(fault).at(self.path()))
    }
}
