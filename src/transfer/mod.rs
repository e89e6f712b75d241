//! Copy engine: copies roots and everything below them from a source to stores, the roots last.
//!
//! The caller takes the steps one by one, since it writes other content between them. A plan first
//! finds what the destinations lack, with many requests at once. Then blobs are copied, the largest
//! first: each is read once for all destinations that lack it, hashed as it is read, and committed
//! only if its size and digest are right. Then manifests are written, children before parents, as
//! the bytes that were read. No tag is written here.

mod blob_index;
mod blob_receiver;
mod copy_blob;
mod copy_plan;
mod copy_request;
mod copy_stats;
mod copy_target;
mod error;
mod fan_out;
mod image_reader;
mod image_store;
mod manifest_tree;
mod meter;
mod pending_target;
mod planned_copy;
mod send_blob;
mod verified_stream;

pub use blob_index::BlobIndex;
pub use copy_request::{CopyFailure, CopyRequest, ForeignLayers, Root, RootPresence};
pub use copy_stats::{BlobAmount, CopyStats};
pub use error::{CopyError, Side, StoreError};
pub use image_reader::{ImageReader, SourceStream};
pub use image_store::ImageStore;
pub use manifest_tree::read_manifest_tree;
pub use meter::ProgressMeter;
pub use planned_copy::{PlannedCopy, RejectedManifest};

pub use crate::image::MANIFESTS_LIMIT;
