//! Resolves the source: its store, its root manifest, its platforms and its labels.

pub(super) mod image;
pub(super) mod image_names;
pub(super) mod image_origin;
pub(super) mod image_store;
mod platforms;
pub(super) mod source;
