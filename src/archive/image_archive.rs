//! An open archive, read like an image layout.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::tar_reader::TarReader;
use crate::image::{Descriptor, Digest, ImageSelector, Manifest, ManifestBudget};
use crate::layout::{
    self, BLOB_DIRECTORY, BlobFault, BlobStream, CheckedCounts, FileExtent, LayoutBlobs,
    LayoutError, LayoutFault, LayoutIndex, LayoutReferrers,
};

/// An archive of images. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ImageArchive {
    inner: Arc<ArchiveState>,
}

#[derive(Debug)]
struct ArchiveState {
    path: PathBuf,
    index: Arc<LayoutIndex>,
    content: ArchiveContent,
    /// The memory for its manifests.
    budget: ManifestBudget,
}

#[derive(Debug)]
enum ArchiveContent {
    /// A tar of a layout.
    Layout(TarReader),
    /// The blobs of the one image that was made of a docker-archive.
    Converted(HashMap<Digest, FileExtent>),
}

impl ImageArchive {
    /// Returns the budget for the manifests that are read from it.
    pub fn manifest_budget(&self) -> &ManifestBudget {
        &self.inner.budget
    }

    /// Returns the archive at `path` whose blobs are entries of the tar.
    pub(super) fn from_layout_tar(path: &Path, index: LayoutIndex, tar: TarReader) -> Self {
        Self::new(path, index, ArchiveContent::Layout(tar))
    }

    /// Returns the archive at `path` whose image was converted to these blobs.
    pub(super) fn from_converted(
        path: &Path,
        index: LayoutIndex,
        blobs: HashMap<Digest, FileExtent>,
    ) -> Self {
        Self::new(path, index, ArchiveContent::Converted(blobs))
    }

    fn new(path: &Path, index: LayoutIndex, content: ArchiveContent) -> Self {
        Self {
            inner: Arc::new(ArchiveState {
                path: path.to_owned(),
                index: Arc::new(index),
                content,
                budget: ManifestBudget::default(),
            }),
        }
    }

    /// Returns the tar that the archive is read from; `None` if the image was converted.
    pub(super) fn layout_tar(&self) -> Option<&TarReader> {
        match &self.inner.content {
            ArchiveContent::Layout(tar) => Some(tar),
            ArchiveContent::Converted(_) => None,
        }
    }

    /// Returns the path of the archive's file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The root that `selector` means, as `layout::Layout::select_image`.
    pub async fn select_image(&self, selector: &ImageSelector) -> Result<Digest, LayoutError> {
        let selector = selector.clone();
        self.run_blocking(move |archive| layout::select_image(archive, &selector))
            .await
    }

    /// The manifest with that digest, if it is there. Its bytes have that digest.
    pub async fn get_manifest(&self, digest: Digest) -> Result<Option<Manifest>, LayoutError> {
        self.run_blocking(move |archive| layout::blobs::get_manifest(archive, digest))
            .await
    }

    /// Whether a blob is there with the right size.
    pub async fn has_blob(&self, blob: &Descriptor) -> Result<bool, LayoutError> {
        let blob = blob.clone();
        self.run_blocking(move |archive| layout::blobs::has_blob(archive, &blob))
            .await
    }

    /// A blob's bytes. Its size is checked here; its digest is for the reader to check.
    pub async fn open_blob(&self, blob: &Descriptor) -> Result<BlobStream, LayoutError> {
        let blob = blob.clone();
        self.run_blocking(move |archive| layout::blobs::open_blob(archive, &blob))
            .await
    }

    /// All that is listed beside images, as `layout::Layout::read_referrers`.
    pub async fn read_referrers(&self) -> Result<LayoutReferrers, LayoutError> {
        self.run_blocking(layout::read_referrers).await
    }

    /// Checks that everything below `root` is there and has the right size and digest.
    pub async fn check(&self, root: Digest) -> Result<CheckedCounts, LayoutError> {
        self.run_blocking(move |archive| layout::check(archive, root))
            .await
    }

    async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, LayoutFault> + Send + 'static,
    ) -> Result<T, LayoutError> {
        let archive = self.clone();
        layout::run_blocking(move || work(&archive).map_err(|fault| fault.at(archive.path()))).await
    }
}

impl LayoutBlobs for ImageArchive {
    fn find_blob(&self, digest: Digest) -> Result<Option<FileExtent>, BlobFault> {
        match &self.inner.content {
            ArchiveContent::Layout(tar) => {
                tar.find_entry(&format!("{BLOB_DIRECTORY}/{}", digest.to_hex()))
            }
            ArchiveContent::Converted(blobs) => Ok(blobs.get(&digest).cloned()),
        }
    }

    fn budget(&self) -> &ManifestBudget {
        &self.inner.budget
    }

    fn index(&self) -> Result<Arc<LayoutIndex>, LayoutFault> {
        Ok(self.inner.index.clone())
    }
}
