//! Resolves the source: the search by its commit, its store, its root manifest, its platforms and its labels.

pub(super) mod build_facts;
mod commit_candidates;
pub(super) mod find_source;
pub(super) mod image;
pub(super) mod image_names;
pub(super) mod image_origin;
pub(super) mod image_store;
pub(super) mod missing_image;
mod open_origin;
mod platforms;
mod several_images;
pub(super) mod sought_label;
mod sought_origin;
pub(super) mod source;
mod unbuilt_commit;
