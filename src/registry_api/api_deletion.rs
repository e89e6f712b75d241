//! Results of deletions by a registry's own API, and of their undoing.

use crate::image::Tag;

/// Result of a deletion that the API understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiDeletion {
    /// It is deleted.
    Deleted,
    /// It is not there, perhaps since an earlier attempt whose answer was lost.
    Absent,
    /// It has these tags too, which the caller did not know: nothing is deleted.
    Changed(Vec<Tag>),
    /// The registry refuses, in these words.
    Refused(String),
}

/// Result of undoing a deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiRestore {
    /// It is there again, with the tags that it had.
    Restored,
    /// It is not among what can be restored.
    Unknown,
}
