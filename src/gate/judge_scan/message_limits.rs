//! Limits on texts from outside in messages of the scan gate, in characters.

/// Limit on names: of files, findings, packages and scanners.
pub(super) const NAME_LIMIT: usize = 120;
/// Limit on the reason why a file cannot be used.
pub(super) const READ_ERROR_LIMIT: usize = 300;
