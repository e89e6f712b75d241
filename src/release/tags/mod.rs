//! Writes tags, after everything that they name.

pub(super) mod passing_lines;
pub(super) mod reconcile;
pub(super) mod write;
