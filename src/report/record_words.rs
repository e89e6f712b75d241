//! Words of records that reports share: short texts, times and references.

use crate::notices::to_printable;
use crate::record::RecordTime;

/// Most characters of a version, an account or another short text of a record.
const WORD_LIMIT: usize = 40;

/// Returns a reference with the version after it.
pub(super) fn versioned(reference: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{reference} ({})", word(version)),
        None => reference.to_owned(),
    }
}

/// Returns a short text of a record, printable.
pub(super) fn word(text: &str) -> String {
    to_printable(text, WORD_LIMIT)
}

/// Returns a time as `2026-11-20 21:48`, in UTC.
pub(super) fn minutes(time: RecordTime) -> String {
    time.to_string()[..16].replace('T', " ")
}

/// Returns a time as `2026-11-20 21:48:08 UTC`.
pub(super) fn seconds(time: RecordTime) -> String {
    format!("{} UTC", time.to_string()[..19].replace('T', " "))
}
