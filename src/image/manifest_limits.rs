//! Limits on the size of manifests and on the memory for all manifests of a run.

/// The largest manifest that is taken, in bytes. The distribution specification asks registries to
/// take 4 MiB at least; no real manifest comes near, so more is an error or an attack.
pub const MANIFEST_LIMIT: usize = 8 << 20;

/// The most members that the objects of a manifest may have together. An image of a hundred platforms
/// or of a thousand signatures has some ten thousand; more are made to exhaust a reader.
pub const MEMBERS_LIMIT: usize = 150_000;

/// The most bytes that may be held at once.
pub const HOLD_LIMIT: usize = 64 << 20;

/// How an error names a list with a limit.
pub(super) const LIMITED_LIST: &str = "a list of at most";
