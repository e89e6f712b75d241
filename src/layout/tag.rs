use super::{INDEX, Index, Layout, LayoutError, LayoutFault};
use crate::image::{Digest, Manifest, Tag};

/// What a tag may name before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing, or the same digest: an immutable tag.
    AbsentOrSame,
    /// Anything: a moving tag.
    Any,
    /// What it named when it was read: a tag whose content was added to.
    Was(Option<Digest>),
}

/// What came of writing a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagWrite {
    /// The tag names the manifest now.
    Written {
        /// What it named before.
        previous: Option<Digest>,
    },
    /// The tag named the manifest already; nothing was written.
    Unchanged,
}

impl Layout {
    /// Makes `tag` name `manifest`, which is written too if it is not there. All below it must be there
    /// with the digests that they go by, whoever wrote it. An immutable tag that
    /// names another digest is refused ([`LayoutFault::TagTaken`]); comparing and writing are one
    /// step, under the lock, so no other shipmark comes in between.
    pub async fn write_tag(
        &self,
        tag: &Tag,
        manifest: &Manifest,
        expect: Expectation,
    ) -> Result<TagWrite, LayoutError> {
        let (tag, manifest) = (tag.clone(), manifest.clone());
        self.run(move |layout| layout.put_tag(&tag, &manifest, expect))
            .await
    }

    fn put_tag(
        &self,
        tag: &Tag,
        manifest: &Manifest,
        expect: Expectation,
    ) -> Result<TagWrite, LayoutFault> {
        self.prepare()?;
        self.put_manifest(manifest)?;
        self.require_whole(manifest)?;
        let lock = self.lock()?;
        self.clean(&lock);
        let mut index = self.read_index()?.unwrap_or_else(Index::empty);
        let there = index.tagged(tag)?;
        if there == [manifest.digest] {
            return Ok(TagWrite::Unchanged);
        }
        let previous = there.into_iter().find(|there| *there != manifest.digest);
        let expected = match expect {
            Expectation::AbsentOrSame => previous.is_none(),
            Expectation::Any => true,
            Expectation::Was(digest) => previous == digest,
        };
        if let (Some(there), false) = (previous, expected) {
            return Err(LayoutFault::TagTaken {
                tag: tag.clone(),
                there,
                wanted: manifest.digest,
            });
        }
        index.set_tag(tag, manifest);
        // The blobs' names must last before a name that leads to them does.
        self.sync_blobs()?;
        self.replace(&lock, INDEX, &index.to_bytes())?;
        self.sync_root()?;
        Ok(TagWrite::Written { previous })
    }
}
