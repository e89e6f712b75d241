//! The OCI image layout on disk: a directory of blobs with an `index.json` that names images.
//!
//! What is written is a plain layout that crane, skopeo and oras read. Two processes may write one
//! at the same time: blobs and `index.json` come into place by a rename, and `index.json` changes
//! only under a lock. A run that dies at any moment leaves `index.json` whole and no tag that names
//! something missing; its temporary files, in `.shipmark/`, are removed by the next run that tags.
//!
//! Who checks what: [`Layout::manifest`] returns only bytes that have the digest asked for;
//! [`Layout::write_blob`] keeps only bytes that have the digest and size they should have, and hashes
//! what is there already; [`Layout::write_tag`] does so with all below what it names;
//! [`Layout::check`] hashes everything below a root, and is what a push calls before it sends
//! anything. [`Layout::open_blob`] checks the size alone: who streams a blob hashes it on its way.

pub(crate) mod blobs;
mod check;
pub(crate) mod directory;
mod error;
mod folder;
mod index;
mod real_path;
mod referrer;
mod scratch;
mod select;
mod tag;
mod write;

#[cfg(test)]
pub(crate) mod tests;

pub use blobs::BlobStream;
pub use check::Checked;
pub use directory::Layout;
pub use error::{BlobFault, LayoutError, LayoutFault};
pub use real_path::{canonical_place, real_paths};
pub use referrer::Evidence;
pub use tag::{Expectation, TagWrite};
pub use write::WriteError;

pub(crate) use blobs::{BLOB_DIRECTORY, Blobs, CHUNK, Extent, blocking};
pub(crate) use check::check;
pub(crate) use error::list;
pub(crate) use index::{Index, tag_part};
pub(crate) use referrer::evidence;
pub(crate) use select::{same_name, select};

/// The file that says that a directory is an image layout, and of which version.
pub(crate) const MARKER: &str = "oci-layout";
/// The file that names the images of a layout.
pub(crate) const INDEX: &str = "index.json";
