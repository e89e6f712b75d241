//! The OCI image layout on disk: a directory of blobs with an `index.json` that names images.
//!
//! What is written is a plain layout that crane, skopeo and oras read. Two processes may write one
//! at the same time: blobs and `index.json` come into place by a rename, and `index.json` changes
//! only under a lock. A run that dies at any moment leaves `index.json` whole and no tag that names
//! something missing; its temporary files, in `.shipmark/`, are removed by the next run that tags.
//!
//! Who checks what: [`LayoutDirectory::get_manifest`] returns only bytes that have the digest asked for;
//! [`LayoutDirectory::write_blob`] keeps only bytes that have the digest and size they should have, and hashes
//! what is there already; [`LayoutDirectory::write_tag`] does so with all below what it names;
//! [`LayoutDirectory::check`] hashes everything below a root, and is what a push calls before it sends
//! anything. [`LayoutDirectory::open_blob`] checks the size alone: who streams a blob hashes it on its way.

pub(crate) mod blobs;
mod delete_content;
mod error;
mod folder;
mod integrity_check;
mod layout_content;
pub(crate) mod layout_directory;
mod layout_files;
mod layout_index;
mod layout_referrers;
mod locked_files;
mod real_path;
mod select_image;
mod write_blobs;
mod write_tag;

#[cfg(test)]
pub(crate) mod tests;

pub use blobs::BlobStream;
pub use delete_content::LayoutDeletion;
pub use error::{BlobFault, LayoutError, LayoutFault};
pub use integrity_check::CheckedCounts;
pub use layout_content::{LayoutContent, StoredBlob, StoredManifest};
pub use layout_directory::LayoutDirectory;
pub use layout_referrers::LayoutReferrers;
pub use real_path::{canonical_place, real_paths};
pub use write_blobs::BlobWriteError;
pub use write_tag::{TagPrecondition, TagWriteResult};

pub(crate) use blobs::{BLOB_DIRECTORY, CHUNK_SIZE, FileExtent, LayoutBlobs, run_blocking};
pub(crate) use error::{ABSENT_PATH_HINT, list};
pub(crate) use integrity_check::check;
pub(crate) use layout_files::{INDEX_FILE, LAYOUT_FILE};
pub(crate) use layout_index::{LayoutIndex, tag_of_name};
pub(crate) use layout_referrers::read_referrers;
pub(crate) use select_image::{is_same_name, select_image};
