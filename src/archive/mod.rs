//! OCI archives: a tar of an image layout, perhaps gzipped. They are only read.
//!
//! The headers are gone through once, when the archive is opened; blobs are then read in place, by
//! their offset. An archive is refused when it is opened if any entry could mean another file to
//! another reader: names that lead out of it, links out of it, two entries for one name.
//!
//! Who checks what is as for the directory, see [`crate::layout`].

mod entries;
mod error;
mod gzip;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use entries::Member;
pub use error::{ArchiveError, ArchiveFault};

use crate::image::{Descriptor, Digest, MANIFEST_LIMIT, Manifest, ManifestError, Selector};
use crate::layout::{
    self, BLOB_DIRECTORY, BlobFault, BlobStream, Blobs, Checked, Evidence, Extent, INDEX, Index,
    LayoutError, LayoutFault, MARKER,
};
use crate::notice::printable;

/// How many links are followed to come to a file.
const LINK_LIMIT: usize = 8;

/// An OCI archive. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Archive {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: Arc<File>,
    members: HashMap<String, Member>,
    index: Arc<Index>,
}

impl Archive {
    /// Opens a tar of an image layout. A gzipped one is unpacked into a nameless file in `scratch`,
    /// or beside the archive, which the system removes with the last reader.
    pub async fn open(
        path: impl Into<PathBuf>,
        scratch: Option<&Path>,
    ) -> Result<Self, ArchiveError> {
        let path = path.into();
        let scratch = scratch.map(Path::to_owned);
        layout::blocking(move || {
            open(&path, scratch.as_deref()).map_err(|fault| ArchiveError { path, fault })
        })
        .await
    }

    /// The archive's file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The root that `selector` means, as [`layout::Layout::select`].
    pub async fn select(&self, selector: &Selector) -> Result<Digest, LayoutError> {
        let selector = selector.clone();
        self.run(move |archive| layout::select(archive, &selector))
            .await
    }

    /// The manifest with that digest, if it is there. Its bytes have that digest.
    pub async fn manifest(&self, digest: Digest) -> Result<Option<Manifest>, LayoutError> {
        self.run(move |archive| layout::blobs::manifest(archive, digest))
            .await
    }

    /// Whether a blob is there with the right size.
    pub async fn has_blob(&self, blob: &Descriptor) -> Result<bool, LayoutError> {
        let blob = blob.clone();
        self.run(move |archive| layout::blobs::has(archive, &blob))
            .await
    }

    /// A blob's bytes. Its size is checked here; its digest is for the reader to check.
    pub async fn open_blob(&self, blob: &Descriptor) -> Result<BlobStream, LayoutError> {
        let blob = blob.clone();
        self.run(move |archive| layout::blobs::open(archive, &blob))
            .await
    }

    /// All that is listed beside images, as [`layout::Layout::evidence`].
    pub async fn evidence(&self) -> Result<Evidence, LayoutError> {
        self.run(layout::evidence).await
    }

    /// Checks that everything below `root` is there and has the right size and digest.
    pub async fn check(&self, root: Digest) -> Result<Checked, LayoutError> {
        self.run(move |archive| layout::check(archive, root)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, LayoutFault> + Send + 'static,
    ) -> Result<T, LayoutError> {
        let archive = self.clone();
        layout::blocking(move || work(&archive).map_err(|fault| fault.at(archive.path()))).await
    }
}

fn open(path: &Path, scratch: Option<&Path>) -> Result<Archive, ArchiveFault> {
    let file = gzip::open_tar(path, scratch)?;
    let listing = entries::list(&file)?;
    let file = Arc::new(file);
    let small = |name| {
        read_small(&listing.members, &file, name)
            .map_err(LayoutFault::blob(name))
            .map_err(ArchiveFault::from)
    };
    let Some(index) = small(INDEX)? else {
        return Err(listing.without_index());
    };
    layout::directory::check_marker(&small(MARKER)?.ok_or(LayoutFault::NoMarker)?)?;
    let index = Index::parse(&index)?;
    if index.entries().is_empty() {
        return Err(LayoutFault::NoImage.into());
    }
    Ok(Archive {
        inner: Arc::new(Inner {
            path: path.to_owned(),
            file,
            members: listing.members,
            index: Arc::new(index),
        }),
    })
}

/// The content of one of the two small files of a layout.
fn read_small(
    members: &HashMap<String, Member>,
    file: &Arc<File>,
    name: &str,
) -> Result<Option<Vec<u8>>, BlobFault> {
    match find(members, file, name)? {
        None => Ok(None),
        Some(extent) if extent.len > MANIFEST_LIMIT as u64 => Err(ManifestError::TooLarge.into()),
        Some(extent) => extent.read().map(Some).map_err(BlobFault::Io),
    }
}

/// Where the content of an entry lies, with links followed.
fn find(
    members: &HashMap<String, Member>,
    file: &Arc<File>,
    name: &str,
) -> Result<Option<Extent>, BlobFault> {
    let mut at = name;
    for _ in 0..=LINK_LIMIT {
        match members.get(at) {
            None if at == name => return Ok(None),
            None => return Err(BlobFault::Link(printable(at, 200))),
            Some(Member::Other(kind)) => return Err(BlobFault::NotAFile(kind)),
            Some(Member::Link(to)) => at = to,
            Some(Member::File { offset, len }) => {
                return Ok(Some(Extent {
                    file: file.clone(),
                    offset: *offset,
                    len: *len,
                }));
            }
        }
    }
    Err(BlobFault::Link(printable(at, 200)))
}

impl Blobs for Archive {
    fn find(&self, digest: Digest) -> Result<Option<Extent>, BlobFault> {
        let name = format!("{BLOB_DIRECTORY}/{}", digest.hex());
        find(&self.inner.members, &self.inner.file, &name)
    }

    fn index(&self) -> Result<Arc<Index>, LayoutFault> {
        Ok(self.inner.index.clone())
    }
}
