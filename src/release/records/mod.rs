//! Release records in repositories.

pub(super) mod trust;
