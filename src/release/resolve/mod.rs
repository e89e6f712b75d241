//! Resolves the source: the search by its commit, its store, its root manifest, its platforms and its labels.

pub(super) mod build_facts;
pub(super) mod find_source;
pub(super) mod image;
pub(super) mod image_names;
pub(super) mod image_origin;
pub(super) mod image_store;
pub(super) mod missing_image;
mod platforms;
mod several_images;
mod sought_origin;
pub(super) mod source;
