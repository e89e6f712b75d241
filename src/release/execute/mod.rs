//! Stages that write before any tag: image, referrers and signatures.

pub(super) mod image;
pub(super) mod referrers;
pub(super) mod stages;
