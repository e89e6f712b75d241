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
mod docker_image_list;
mod engine_fault;
mod error;
mod image_archive;
mod layer_compression;
mod layout_archive;
mod open_archive;
mod scratch;
mod sparse_entry;
mod tar_entries;
mod tar_reader;
mod zstd_frames;

#[cfg(test)]
mod compressed_tests;
#[cfg(test)]
mod tests;

pub use engine_fault::EngineFault;
pub use error::{ArchiveError, ArchiveFault};
pub use image_archive::ImageArchive;
pub use scratch::{ScratchLimit, Unpacking};
