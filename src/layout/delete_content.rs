//! Deletes tags, manifests and blobs of a layout. Each deletion is one step under the lock, names before files: a run
//! that dies leaves a file that nothing names, and no name without its file.

use std::collections::BTreeSet;

use super::locked_files::LayoutLock;
use super::{BLOB_DIRECTORY, INDEX_FILE, LayoutDirectory, LayoutError, LayoutFault, LayoutIndex};
use crate::image::{Digest, Tag};

/// Result of a deletion in a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayoutDeletion {
    /// It is deleted.
    Deleted,
    /// The layout does not have it.
    Absent,
    /// The tag names another manifest, or the manifest has a tag that is not to go: nothing is deleted.
    Changed(Tag),
}

impl LayoutDirectory {
    /// Deletes a tag, if it names `digest`. The manifest stays.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub async fn delete_tag(
        &self,
        tag: &Tag,
        digest: Digest,
    ) -> Result<LayoutDeletion, LayoutError> {
        let tag = tag.clone();
        self.run_blocking(move |layout| {
            let lock = layout.lock_known()?;
            let mut index = layout.read_index()?.unwrap_or_else(LayoutIndex::empty);
            let named = index.digests_of_tag(&tag)?;
            if named.is_empty() {
                return Ok(LayoutDeletion::Absent);
            }
            if named != [digest] {
                return Ok(LayoutDeletion::Changed(tag));
            }
            index.remove_tag(&tag);
            layout.replace_index(&lock, &index)?;
            Ok(LayoutDeletion::Deleted)
        })
        .await
    }

    /// Deletes a manifest with its entries, if it has no other tags than `tags`.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub async fn delete_manifest(
        &self,
        digest: Digest,
        tags: &[Tag],
    ) -> Result<LayoutDeletion, LayoutError> {
        let tags: BTreeSet<Tag> = tags.iter().cloned().collect();
        self.run_blocking(move |layout| {
            let lock = layout.lock_known()?;
            let mut index = layout.read_index()?.unwrap_or_else(LayoutIndex::empty);
            let mut named = index.tags_of(digest).into_iter();
            if let Some(other) = named.find(|tag| !tags.contains(tag)) {
                return Ok(LayoutDeletion::Changed(other));
            }
            if index.remove_digest(digest) {
                layout.replace_index(&lock, &index)?;
            }
            Ok(match layout.remove_blob(&lock, digest)? {
                true => LayoutDeletion::Deleted,
                false => LayoutDeletion::Absent,
            })
        })
        .await
    }

    /// Deletes blobs that the caller knows to be named by no manifest. Returns how many were there.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub async fn delete_blobs(&self, digests: Vec<Digest>) -> Result<usize, LayoutError> {
        self.run_blocking(move |layout| {
            let lock = layout.lock_known()?;
            let mut count = 0;
            for digest in digests {
                count += usize::from(layout.remove_blob(&lock, digest)?);
            }
            Ok(count)
        })
        .await
    }

    /// Waits for the lock of a layout that is there: a deletion makes none.
    fn lock_known(&self) -> Result<LayoutLock, LayoutFault> {
        self.require_layout_file()?;
        self.ensure_layout()?;
        self.lock()
    }

    fn replace_index(&self, lock: &LayoutLock, index: &LayoutIndex) -> Result<(), LayoutFault> {
        self.replace_file(lock, INDEX_FILE, &index.to_bytes())?;
        self.sync_root()
    }

    fn remove_blob(&self, _: &LayoutLock, digest: Digest) -> Result<bool, LayoutFault> {
        self.forget(digest);
        let folder = self.inside(BLOB_DIRECTORY)?;
        match folder.remove_file(&digest.to_hex()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(LayoutFault::io(format!("delete blob {digest}"))(error)),
        }
    }
}
