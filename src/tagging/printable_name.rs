//! Names from outside (branches, tags, rules) as they appear in messages.

use crate::notices::to_printable;

/// Longest part of a name that is shown, in characters.
const SHOWN_LENGTH: usize = 80;

/// Returns a name from outside as printable text of at most 80 characters.
pub(super) fn printable_name(name: &str) -> String {
    to_printable(name, SHOWN_LENGTH)
}
