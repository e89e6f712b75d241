//! The copy engine: brings roots and everything below them from a source to stores, the roots last.
//!
//! Look, then move, in steps that the caller takes, since other things are written beside: what is
//! missing at the destinations is found out first, many questions at once; then blobs travel, the
//! largest first, each read once for all destinations that lack it, hashed on its way and committed
//! only if its size and digest are right; then manifests, children before parents, as the bytes they
//! came as. No tag is written here.

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
pub use planned_copy::PlannedCopy;

pub use crate::image::MANIFESTS_LIMIT;
