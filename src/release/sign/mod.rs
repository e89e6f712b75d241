//! Signs a release: before anything is written, existing signatures are read, so that none is made
//! twice; then signatures are attached before any tag names the image.

mod attach;
mod create;
mod discover;
pub(super) mod own_signature;
pub(super) mod plan;
pub(super) mod plan_summaries;
pub(super) mod report_binding;
mod shared_tags;
pub(super) mod stage;
pub(super) mod statement;
pub(super) mod summary;
