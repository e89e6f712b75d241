use super::{INDEX_FILE, LayoutDirectory, LayoutError, LayoutFault, LayoutIndex};
use crate::image::{Digest, Manifest, Tag};

/// What a tag may name before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagPrecondition {
    /// Nothing, or the same digest: an immutable tag.
    AbsentOrSame,
    /// Anything: a moving tag.
    Any,
    /// What it named when it was read: a tag whose content was added to.
    Unchanged(Option<Digest>),
}

/// What came of writing a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagWriteResult {
    /// The tag names the manifest now.
    Written {
        /// What it named before.
        previous: Option<Digest>,
    },
    /// The tag named the manifest already; nothing was written.
    Unchanged,
}

impl LayoutDirectory {
    /// Makes `tag` name `manifest`, which is written too if it is not there. All below it must be there
    /// with the digests that they go by, whoever wrote it. An immutable tag that
    /// names another digest is refused ([`LayoutFault::TagConflict`]); comparing and writing are one
    /// step, under the lock, so no other shipmark comes in between.
    pub async fn write_tag(
        &self,
        tag: &Tag,
        manifest: &Manifest,
        expect: TagPrecondition,
    ) -> Result<TagWriteResult, LayoutError> {
        let (tag, manifest) = (tag.clone(), manifest.clone());
        self.run_blocking(move |layout| layout.write_tag_blocking(&tag, &manifest, expect))
            .await
    }

    fn write_tag_blocking(
        &self,
        tag: &Tag,
        manifest: &Manifest,
        expect: TagPrecondition,
    ) -> Result<TagWriteResult, LayoutFault> {
        self.ensure_layout()?;
        self.write_manifest_blocking(manifest)?;
        self.require_whole(manifest)?;
        let lock = self.lock()?;
        self.remove_dead_files(&lock);
        let mut index = self.read_index()?.unwrap_or_else(LayoutIndex::empty);
        let there = index.digests_of_tag(tag)?;
        if there == [manifest.digest] {
            return Ok(TagWriteResult::Unchanged);
        }
        let previous = there.into_iter().find(|there| *there != manifest.digest);
        let expected = match expect {
            TagPrecondition::AbsentOrSame => previous.is_none(),
            TagPrecondition::Any => true,
            TagPrecondition::Unchanged(digest) => previous == digest,
        };
        if let (Some(there), false) = (previous, expected) {
            return Err(LayoutFault::TagConflict {
                tag: tag.clone(),
                there,
                wanted: manifest.digest,
            });
        }
        index.set_tag(tag, manifest);
        // The blobs' names must last before a name that leads to them does.
        self.sync_blobs()?;
        self.replace_file(&lock, INDEX_FILE, &index.to_bytes())?;
        self.sync_root()?;
        Ok(TagWriteResult::Written { previous })
    }
}
