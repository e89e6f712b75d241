//! Verifies the signatures and attestations of an image.

pub(super) mod check;
pub(super) mod evidence;
pub(super) mod graph;
