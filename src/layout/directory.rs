use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::blobs::{BLOB_DIRECTORY, BlobStream, Blobs, Extent, blocking};
use super::{BlobFault, Checked, INDEX, Index, LayoutError, LayoutFault, MARKER, blobs};
use crate::image::{
    Descriptor, Digest, MANIFEST_LIMIT, Manifest, ManifestBudget, ManifestError, Selector, Tag,
};

/// An OCI image layout directory. Cheap to clone; nothing of it is kept in memory, so every call
/// sees what is on disk.
#[derive(Debug, Clone)]
pub struct Layout {
    path: Arc<PathBuf>,
    /// The memory for its manifests.
    budget: ManifestBudget,
}

impl Layout {
    /// A layout to read from, which must be one: `oci-layout` of version 1.x and `index.json`.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, LayoutError> {
        let layout = Self::at(path);
        layout
            .run(|layout| {
                layout.require_directory()?;
                layout.require_marker()?;
                layout.read_index()?.ok_or(LayoutFault::NoIndex).map(drop)
            })
            .await?;
        Ok(layout)
    }

    /// A layout to write to. It need not exist yet: the first write makes it.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: Arc::new(path.into()),
            budget: ManifestBudget::default(),
        }
    }

    /// Returns the budget for the manifests that are read from it.
    pub fn manifest_budget(&self) -> &ManifestBudget {
        &self.budget
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The root that `selector` means. With [`Selector::Only`], entries that belong to others do
    /// not count: attestations, signatures, referrers, and platforms of an index.
    pub async fn select(&self, selector: &Selector) -> Result<Digest, LayoutError> {
        let selector = selector.clone();
        self.run(move |layout| super::select(layout, &selector))
            .await
    }

    /// What a tag names. `None` where there is no such tag, also where there is no layout yet.
    pub async fn resolve(&self, tag: &Tag) -> Result<Option<Digest>, LayoutError> {
        let tag = tag.clone();
        self.run(move |layout| {
            let digests = layout.index()?.tagged(&tag)?;
            match digests.as_slice() {
                [] => Ok(None),
                [digest] => Ok(Some(*digest)),
                several => Err(LayoutFault::Ambiguous {
                    name: tag.to_string(),
                    digests: several.iter().map(Digest::to_string).collect(),
                }),
            }
        })
        .await
    }

    /// All tags, in order.
    pub async fn tags(&self) -> Result<Vec<Tag>, LayoutError> {
        self.run(|layout| Ok(layout.index()?.tags())).await
    }

    /// The manifest with that digest, if it is there. Its bytes have that digest.
    pub async fn manifest(&self, digest: Digest) -> Result<Option<Manifest>, LayoutError> {
        self.run(move |layout| blobs::manifest(layout, digest))
            .await
    }

    /// Whether a blob is there with the right size.
    pub async fn has_blob(&self, blob: &Descriptor) -> Result<bool, LayoutError> {
        let blob = blob.clone();
        self.run(move |layout| blobs::has(layout, &blob)).await
    }

    /// A blob's bytes. Its size is checked here; its digest is for the reader to check.
    pub async fn open_blob(&self, blob: &Descriptor) -> Result<BlobStream, LayoutError> {
        let blob = blob.clone();
        self.run(move |layout| blobs::open(layout, &blob)).await
    }

    /// Checks that everything below `root` is there and has the right size and digest.
    pub async fn check(&self, root: Digest) -> Result<Checked, LayoutError> {
        self.run(move |layout| super::check(layout, root)).await
    }

    /// Runs blocking `work` on the layout, and names the layout in what goes wrong.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, LayoutFault> + Send + 'static,
    ) -> Result<T, LayoutError> {
        let layout = self.clone();
        blocking(move || work(&layout).map_err(|fault| fault.at(&layout.path))).await
    }

    pub(super) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn blob_path(&self, digest: Digest) -> PathBuf {
        self.join(BLOB_DIRECTORY).join(digest.hex())
    }

    fn require_directory(&self) -> Result<(), LayoutFault> {
        match self.path.metadata() {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => Err(LayoutFault::NotADirectory),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(LayoutFault::Absent),
            Err(error) => Err(LayoutFault::io("look at it")(error)),
        }
    }

    pub(super) fn require_marker(&self) -> Result<(), LayoutFault> {
        check_marker(&self.read_file(MARKER)?.ok_or(LayoutFault::NoMarker)?)
    }

    /// What `index.json` says, if there is one.
    pub(super) fn read_index(&self) -> Result<Option<Index>, LayoutFault> {
        self.read_file(INDEX)?
            .map(|bytes| Index::parse(&bytes))
            .transpose()
    }

    /// One of the two small files of a layout.
    fn read_file(&self, name: &str) -> Result<Option<Vec<u8>>, LayoutFault> {
        let doing = || LayoutFault::io(format!("read {name}"));
        let file = match open_regular(&self.join(name)) {
            Ok(file) => file,
            Err(BlobFault::Missing) => return Ok(None),
            Err(BlobFault::Io(error)) => return Err(doing()(error)),
            Err(fault) => return Err(LayoutFault::blob(name)(fault)),
        };
        let mut bytes = Vec::new();
        file.take(MANIFEST_LIMIT as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(doing())?;
        if bytes.len() > MANIFEST_LIMIT {
            return Err(LayoutFault::blob(name)(ManifestError::TooLarge.into()));
        }
        Ok(Some(bytes))
    }
}

impl Blobs for Layout {
    fn find(&self, digest: Digest) -> Result<Option<Extent>, BlobFault> {
        match open_regular(&self.blob_path(digest)) {
            Ok(file) => Ok(Some(Extent {
                len: file.metadata().map_err(BlobFault::Io)?.len(),
                file: Arc::new(file),
                offset: 0,
            })),
            Err(BlobFault::Missing) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn budget(&self) -> &ManifestBudget {
        &self.budget
    }

    fn index(&self) -> Result<Arc<Index>, LayoutFault> {
        Ok(Arc::new(self.read_index()?.unwrap_or_else(Index::empty)))
    }
}

/// Opens a file, but not a pipe, which would wait for its other end.
fn open_regular(path: &Path) -> Result<File, BlobFault> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Err(BlobFault::NotAFile("a directory")),
        Ok(metadata) if !metadata.is_file() => Err(BlobFault::NotAFile("a special file")),
        Ok(_) => File::open(path).map_err(BlobFault::Io),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(BlobFault::Missing),
        Err(error) => Err(BlobFault::Io(error)),
    }
}

/// Whether the content of `oci-layout` is that of version 1.x.
pub(crate) fn check_marker(bytes: &[u8]) -> Result<(), LayoutFault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Marker {
        image_layout_version: String,
    }
    let marker: Marker = serde_json::from_slice(bytes)
        .map_err(|error| LayoutFault::Marker(format!("cannot be understood: {error}")))?;
    if !marker.image_layout_version.starts_with("1.") {
        let version = crate::notice::printable(&marker.image_layout_version, 40);
        return Err(LayoutFault::Version(version));
    }
    Ok(())
}
