//! Opens a tar of an image layout.

use std::path::Path;

use super::docker_image_list::LIST_FILE;
use super::tar_reader::TarReader;
use super::{ArchiveFault, ImageArchive};
use crate::layout::{self, INDEX_FILE, LAYOUT_FILE, LayoutFault, LayoutIndex};

/// Opens the image layout in a tar.
pub(super) fn open_layout_archive(
    path: &Path,
    tar: TarReader,
) -> Result<ImageArchive, ArchiveFault> {
    let Some(index) = tar.read_document(INDEX_FILE)? else {
        return Err(if tar.has_entry(LIST_FILE) {
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
    Ok(ImageArchive::from_layout_tar(path, index, tar))
}
