//! Archives of images: tars of an image layout, and what `docker save` and its like write. They
//! are only read.
//!
//! The headers are gone through once, when the archive is opened; blobs are then read in place, by
//! their offset. An archive is refused when it is opened if any entry could mean another file to
//! another reader: names that lead out of it, links out of it, two entries for one name. Nothing is
//! ever unpacked by name.
//!
//! A docker-archive has no manifest: one is made of it, see `docker.rs`, and the image is then read
//! like any other. Who checks what is as for the directory, see [`crate::layout`].

mod compress;
mod docker;
mod engine;
mod entries;
mod error;
mod scratch;
mod tape;
mod unpack;
mod zstd;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use engine::EngineFault;
pub use error::{ArchiveError, ArchiveFault};
pub use scratch::{ScratchLimit, Unpacking};
use tape::Tape;

use crate::image::{DaemonImage, Descriptor, Digest, Location, Manifest, ManifestBudget, Selector};
use crate::layout::{
    self, BLOB_DIRECTORY, BlobFault, BlobStream, Blobs, Checked, Evidence, Extent, INDEX, Index,
    LayoutError, LayoutFault, MARKER,
};
use crate::notice::Notices;

/// An archive of images. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Archive {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    index: Arc<Index>,
    content: Content,
    /// The memory for its manifests.
    budget: ManifestBudget,
}

#[derive(Debug)]
enum Content {
    /// A tar of a layout.
    Layout(Tape),
    /// The blobs of the one image that was made of a docker-archive.
    Made(HashMap<Digest, Extent>),
}

impl Archive {
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
        layout::blocking(move || {
            unpack::open_tar(&path, &unpacking)
                .and_then(|(file, _)| open(&path, Tape::read(file)?))
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
        selector: &Selector,
        unpacking: &Unpacking,
        notices: &Notices,
    ) -> Result<(Self, Digest), ArchiveError> {
        let path = path.into();
        let (selector, notices) = (selector.clone(), notices.clone());
        let unpacking = unpacking.clone();
        layout::blocking(move || {
            unpack::open_tar(&path, &unpacking)
                .and_then(|(file, scratch)| {
                    docker::open(&path, file, &selector, &scratch, &notices)
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
    pub async fn of_daemon(
        image: &DaemonImage,
        docker_host: Option<&str>,
        unpacking: &Unpacking,
        notices: &Notices,
    ) -> Result<(Self, Digest), ArchiveError> {
        // What messages call it, in the place of a file.
        let path = PathBuf::from(Location::Daemon(image.clone()).to_string());
        let scratch = unpacking.of_stream();
        let notices = notices.clone();
        let file = match engine::fetch(docker_host, image, &scratch).await {
            Ok(file) => file,
            Err(fault) => return Err(ArchiveError { path, fault }),
        };
        layout::blocking(move || {
            docker::open(&path, file, &Selector::Only, &scratch, &notices)
                .map_err(|fault| ArchiveError { path, fault })
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

/// The layout in a tar.
fn open(path: &Path, tape: Tape) -> Result<Archive, ArchiveFault> {
    let Some(index) = tape.document(INDEX)? else {
        return Err(if tape.has(docker::LIST) {
            ArchiveFault::DockerArchive
        } else {
            tape.without(INDEX)
        });
    };
    layout::directory::check_marker(&tape.document(MARKER)?.ok_or(LayoutFault::NoMarker)?)?;
    let index = Index::parse(&index)?;
    if index.entries().is_empty() {
        return Err(LayoutFault::NoImage.into());
    }
    Ok(Archive {
        inner: Arc::new(Inner {
            path: path.to_owned(),
            index: Arc::new(index),
            content: Content::Layout(tape),
            budget: ManifestBudget::default(),
        }),
    })
}

impl Blobs for Archive {
    fn find(&self, digest: Digest) -> Result<Option<Extent>, BlobFault> {
        match &self.inner.content {
            Content::Layout(tape) => tape.find(&format!("{BLOB_DIRECTORY}/{}", digest.hex())),
            Content::Made(blobs) => Ok(blobs.get(&digest).cloned()),
        }
    }

    fn budget(&self) -> &ManifestBudget {
        &self.inner.budget
    }

    fn index(&self) -> Result<Arc<Index>, LayoutFault> {
        Ok(self.inner.index.clone())
    }
}
