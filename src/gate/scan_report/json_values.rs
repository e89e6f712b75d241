use jiff::Timestamp;

use super::report_error::ScanReportError;
use crate::gate::json_stream::JsonStream;
use crate::gate::severity::Severity;
use crate::image::Digest;

/// Reads a digest; `None` for a text that is not one.
pub(super) fn read_digest(json: &mut JsonStream<'_>) -> Result<Option<Digest>, ScanReportError> {
    Ok(json.text()?.and_then(|text| text.parse().ok()))
}

/// Reads a time; `None` for a text that is not one.
pub(super) fn read_time(json: &mut JsonStream<'_>) -> Result<Option<Timestamp>, ScanReportError> {
    Ok(json.text()?.and_then(|text| text.parse().ok()))
}

/// Notes a problem with a finding that has no id, or a severity in no table, and returns the severity. Without
/// a word it is unknown.
pub(super) fn check_finding(json: &mut JsonStream<'_>, id: &str, word: &str) -> Severity {
    if id.is_empty() {
        json.note_problem("a finding has no id");
    }
    if word.is_empty() {
        return Severity::Unknown;
    }
    Severity::from_word(word).unwrap_or_else(|| {
        json.note_problem(&format!("the severity {word:?} of {id:?} is not known"));
        Severity::Unknown
    })
}
