//! Writes tags, after everything that they name.

pub(super) mod line_recheck;
pub(super) mod reconcile;
pub(super) mod write;
