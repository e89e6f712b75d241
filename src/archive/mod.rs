//! Archives of images: tars of an image layout, and what `docker save` and its like write. They
//! are only read.
//!
//! The headers are gone through once, when the archive is opened; blobs are then read in place, by
//! their offset. An archive is refused when it is opened if any entry could mean another file to
//! another reader: names that lead out of it, links out of it, two entries for one name. Nothing is
//! ever unpacked by name.
//!
//! A docker-archive has no manifest: one is made of it, see `docker_archive.rs`, and the image is then read
//! like any other. Who checks what is as for the directory, see [`crate::layout`].

mod decompression;
mod docker_archive;
mod docker_engine;
mod error;
mod layer_compression;
mod scratch;
mod tar_entries;
mod tar_reader;
mod zstd_frames;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use docker_engine::EngineFault;
pub use error::{ArchiveError, ArchiveFault};
pub use scratch::{ScratchLimit, Unpacking};
use tar_reader::TarReader;

use crate::image::{
    DaemonImageName, Descriptor, Digest, ImageSelector, ImageSource, Manifest, ManifestBudget,
};
use crate::layout::{
    self, BLOB_DIRECTORY, BlobFault, BlobStream, CheckedCounts, FileExtent, INDEX_FILE,
    LAYOUT_FILE, LayoutBlobs, LayoutError, LayoutFault, LayoutIndex, LayoutReferrers,
};
use crate::notices::Notices;

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

    /// Opens a tar of an image layout. A compressed one is unpacked into a nameless file, which the
    /// system removes with the last reader.
    ///
    /// # Errors
    /// See [`ArchiveFault`].
    pub async fn open(
        path: impl Into<PathBuf>,
        unpacking: &Unpacking,
    ) -> Result<Self, ArchiveError> {
        let path = path.into();
        let unpacking = unpacking.clone();
        layout::run_blocking(move || {
            decompression::open_tar(&path, &unpacking)
                .and_then(|(file, _)| open_layout_archive(&path, TarReader::open(file)?))
                .map_err(|fault| ArchiveError { path, fault })
        })
        .await
    }

    /// Opens what `docker save` and its like wrote, and finds the image that `selector` means: by
    /// one of its names, or by its id (the digest of its config). The layers of that image are
    /// compressed into nameless files unless they are already.
    /// Where the archive is a layout as well, with compressed layers, the image is the layout's,
    /// with the digest that it has there.
    ///
    /// # Errors
    /// See [`ArchiveFault`].
    pub async fn open_docker(
        path: impl Into<PathBuf>,
        selector: &ImageSelector,
        unpacking: &Unpacking,
        notices: &Notices,
    ) -> Result<(Self, Digest), ArchiveError> {
        let path = path.into();
        let (selector, notices) = (selector.clone(), notices.clone());
        let unpacking = unpacking.clone();
        layout::run_blocking(move || {
            decompression::open_tar(&path, &unpacking)
                .and_then(|(file, scratch)| {
                    docker_archive::open_docker_archive(&path, file, &selector, &scratch, &notices)
                })
                .map_err(|fault| ArchiveError { path, fault })
        })
        .await
    }

    /// The same for an image of the Docker engine at `docker_host` (the variable `DOCKER_HOST`), or
    /// at the usual socket: saved, and read as an archive.
    ///
    /// # Errors
    /// See [`ArchiveFault`].
    pub async fn open_daemon_image(
        image: &DaemonImageName,
        docker_host: Option<&str>,
        unpacking: &Unpacking,
        notices: &Notices,
    ) -> Result<(Self, Digest), ArchiveError> {
        // What messages call it, in the place of a file.
        let path = PathBuf::from(ImageSource::Daemon(image.clone()).to_string());
        let scratch = unpacking.of_stream();
        let notices = notices.clone();
        let file = match docker_engine::fetch_image(docker_host, image, &scratch).await {
            Ok(file) => file,
            Err(fault) => return Err(ArchiveError { path, fault }),
        };
        layout::run_blocking(move || {
            docker_archive::open_docker_archive(
                &path,
                file,
                &ImageSelector::Only,
                &scratch,
                &notices,
            )
            .map_err(|fault| ArchiveError { path, fault })
        })
        .await
    }

    /// The archive's file.
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

/// The layout in a tar.
fn open_layout_archive(path: &Path, tar: TarReader) -> Result<ImageArchive, ArchiveFault> {
    let Some(index) = tar.read_document(INDEX_FILE)? else {
        return Err(if tar.has_entry(docker_archive::LIST_FILE) {
            ArchiveFault::DockerArchive
        } else {
            tar.missing_entry(INDEX_FILE)
        });
    };
    layout::layout_directory::check_layout_file(
        &tar.read_document(LAYOUT_FILE)?
            .ok_or(LayoutFault::NoLayoutFile)?,
    )?;
    let index = LayoutIndex::parse(&index)?;
    if index.entries().is_empty() {
        return Err(LayoutFault::NoImage.into());
    }
    Ok(ImageArchive {
        inner: Arc::new(ArchiveState {
            path: path.to_owned(),
            index: Arc::new(index),
            content: ArchiveContent::Layout(tar),
            budget: ManifestBudget::default(),
        }),
    })
}

impl LayoutBlobs for ImageArchive {
    fn find_blob(&self, digest: Digest) -> Result<Option<FileExtent>, BlobFault> {
        match &self.inner.content {
            ArchiveContent::Layout(tar) => {
                tar.find_entry(&format!("{BLOB_DIRECTORY}/{}", digest.hex()))
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
