//! Opens an archive, compressed or not, from a file or from a Docker engine.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::layout_archive::open_layout_archive;
use super::scratch::Scratch;
use super::tar_reader::TarReader;
use super::{
    ArchiveError, ArchiveFault, ImageArchive, Unpacking, decompression, docker_archive,
    docker_engine,
};
use crate::image::{DaemonImageName, Digest, ImageSelector, ImageSource};
use crate::layout;
use crate::notices::Notices;

impl ImageArchive {
    /// Opens a tar of an image layout. A compressed one is unpacked into a nameless file, which the
    /// system removes with the last reader.
    ///
    /// # Errors
    /// See [`super::ArchiveFault`].
    pub async fn open(
        path: impl Into<PathBuf>,
        unpacking: &Unpacking,
    ) -> Result<Self, ArchiveError> {
        let path = path.into();
        let unpacking = unpacking.clone();
        layout::run_blocking(move || {
            let opened = open_tar(&path, &unpacking);
            let path = shown_path(path);
            opened
                .and_then(|(file, scratch)| {
                    open_layout_archive(&path, TarReader::open(file, &scratch)?)
                })
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
    /// See [`super::ArchiveFault`].
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
            let opened = open_tar(&path, &unpacking);
            let path = shown_path(path);
            opened
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
    /// See [`super::ArchiveFault`].
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
}

/// Path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Opens the tar at `path`, or the one that standard input delivers.
fn open_tar(path: &Path, unpacking: &Unpacking) -> Result<(File, Scratch), ArchiveFault> {
    if path != Path::new(STANDARD_INPUT) {
        return decompression::open_tar(path, unpacking);
    }
    let input = io::stdin();
    match input.is_terminal() {
        true => Err(ArchiveFault::Terminal),
        false => decompression::spool_tar(input.lock(), unpacking),
    }
}

/// Returns what messages call the archive at `path`.
fn shown_path(path: PathBuf) -> PathBuf {
    match path == Path::new(STANDARD_INPUT) {
        true => "standard input".into(),
        false => path,
    }
}
