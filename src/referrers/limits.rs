//! Limits on the referrers of an image.

/// The most known referrers that travel with an image. One that is scanned every night for a year
/// has fewer.
pub const REFERRERS_LIMIT: usize = 1_000;

/// The most bytes that known referrers may have together: 1 GiB.
pub const SIZE_LIMIT: u64 = 1 << 30;

/// The most referrers that an image may have at all levels. More is an attack, or a mistake.
pub(super) const GRAPH_LIMIT: usize = 20_000;
