//! Writes tags, after everything that they name.

pub(super) mod line_recheck;
pub(super) mod reconcile;
mod tag_reader;
pub(super) mod write;
