use thiserror::Error;

use crate::gate::json_stream::JsonStreamError;

/// Reason why a file is not a scan report that a gate can use. A report without a digest is none of them: it is a
/// [`ScanReport`](super::report::ScanReport) that is unbound.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScanReportError {
    /// It is not one JSON document in UTF-8, or nested too deeply.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// An object has a member twice.
    #[error("it has the member {0} twice")]
    DuplicateKeys(String),
    /// Nothing was scanned, or nothing is in the file.
    #[error("it is empty: {0}")]
    Empty(&'static str),
    /// A linter's report, a test result or a VEX document.
    #[error("it is not a scan report but {0}")]
    NotAScanReport(String),
    /// An SBOM without vulnerabilities.
    #[error("it lists packages and no vulnerabilities: {0}")]
    SbomOnly(String),
    /// A scanner's report in a format or version that is not read.
    #[error("its format is not supported: {0}")]
    UnsupportedSchema(String),
    /// The scan was not of a container image, or the report does not say that it was.
    #[error("it is not a report of a container image: {0}")]
    NotAnImage(String),
    /// The image was searched for other things than vulnerabilities.
    #[error("the scanner did not look for vulnerabilities: {0}")]
    NoVulnerabilityScan(String),
    /// A supported format with content that is not understood.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It exceeds a limit.
    #[error("it is too large: {0}")]
    TooLarge(String),
    /// The file was not read to its end.
    #[error("reading it failed: {0}")]
    Io(String),
}

impl ScanReportError {
    /// Returns the reason in one word, `not-json`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not-json",
            Self::DuplicateKeys(_) => "duplicate-keys",
            Self::Empty(_) => "empty",
            Self::NotAScanReport(_) => "not-a-scan-report",
            Self::SbomOnly(_) => "sbom-only",
            Self::UnsupportedSchema(_) => "unsupported-schema",
            Self::NotAnImage(_) => "not-an-image",
            Self::NoVulnerabilityScan(_) => "no-vulnerability-scan",
            Self::Unreadable(_) => "unreadable",
            Self::TooLarge(_) => "too-large",
            Self::Io(_) => "not-read",
        }
    }
}

/// Refuses a report with a value that cannot be understood.
pub(super) fn refuse_problem(problem: Option<&str>) -> Result<(), ScanReportError> {
    let unreadable = |problem: &str| Err(ScanReportError::Unreadable(problem.to_owned()));
    problem.map_or(Ok(()), unreadable)
}

impl From<JsonStreamError> for ScanReportError {
    fn from(error: JsonStreamError) -> Self {
        match error {
            JsonStreamError::Syntax(text) => Self::NotJson(text),
            JsonStreamError::DuplicateMember(name) => Self::DuplicateKeys(name),
            JsonStreamError::Limit(text) => Self::TooLarge(text),
            JsonStreamError::Io(text) => Self::Io(text),
        }
    }
}
