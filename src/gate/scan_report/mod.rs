//! Scan reports: what a careful reader gets out of the file of a vulnerability scanner. Trivy JSON, Grype JSON,
//! CycloneDX with vulnerabilities and SARIF are read, as a stream; every other file is refused by name.

mod cyclonedx;
mod cyclonedx_components;
mod cyclonedx_vulnerability;
mod finding_table;
mod grype_filters;
mod grype_json;
mod grype_match;
mod other_formats;
mod report_document;
mod report_error;
mod sarif;
mod sarif_result;
mod sarif_rules;
mod scan_subject;
mod suppressed_list;
mod text_table;
mod trivy_json;
mod trivy_result;
mod vulnerability_predicate;

use std::fmt;
use std::io::Read;

use jiff::Timestamp;

use super::json_stream::JsonStream;
use super::severity::Severity;
use crate::image::Platform;

use report_document::ReportDocument;
use vulnerability_predicate::VulnerabilityPredicate;

pub use finding_table::{FindingTable, FixState, ScanFinding};
pub use report_error::ScanReportError;
pub use scan_subject::ScanSubject;
pub(super) use scan_subject::digest_in_name;

/// Most bytes of a scan report.
pub const REPORT_LIMIT: u64 = 64 << 20;

/// Scan report of one image. [`ScanReport::is_unbound`] tells whether it names a digest.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanReport {
    /// Format of the file.
    pub format: ReportFormat,
    /// Scanner, in lower case: `trivy`. `None` if the file does not name it.
    pub tool: Option<String>,
    /// Version of the scanner, as the file gives it.
    pub tool_version: Option<String>,
    /// Name of what was scanned, as the file gives it. It binds nothing.
    pub artifact_name: Option<String>,
    /// Time of the scan; `None` if the file does not state one that can be read. Never the date of the database or
    /// of the image.
    pub created_at: Option<Timestamp>,
    /// Time at which the vulnerability database was built; `None` if the file does not state it.
    pub database_built_at: Option<Timestamp>,
    /// Digests of the image that was scanned.
    pub subject: ScanSubject,
    /// Platform of the image that was scanned; `None` if the file does not state it.
    pub platform: Option<Platform>,
    /// Findings: one for each package and vulnerability in a target.
    pub findings: FindingTable,
    /// Findings that the report itself took out.
    pub suppressed: Vec<SuppressedFinding>,
    /// Filters that the scanner recorded, in its own words: `only-fixed`, `ignore: CVE-2099-1001`.
    pub filters: Vec<String>,
}

/// Format of a scan report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// Trivy's JSON, schema version 2.
    TrivyJson,
    /// Grype's JSON.
    GrypeJson,
    /// CycloneDX 1.4 to 1.7 in JSON, with vulnerabilities.
    CycloneDx,
    /// SARIF 2.1.0 of a vulnerability scanner.
    Sarif,
}

/// Finding that a report lists and does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressedFinding {
    /// Id of the vulnerability.
    pub id: String,
    /// Package; empty if the file does not name it.
    pub package: String,
    /// Severity.
    pub severity: Severity,
    /// What took it out: `ignored by a rule of Grype`, `analysis: not_affected`.
    pub cause: String,
}

impl ScanReport {
    /// Reads the file of a scanner as a stream: at most [`REPORT_LIMIT`] bytes, in less memory than that.
    ///
    /// # Errors
    /// Returns why the file is not a scan report of an image that can be understood.
    pub fn read(mut source: impl Read) -> Result<Self, ScanReportError> {
        let mut json = JsonStream::open(&mut source, REPORT_LIMIT)?;
        let document = ReportDocument::read(&mut json)?;
        let problem = json.end()?;
        document.into_report(problem.as_deref())
    }

    /// Reads the predicate of a scan attestation: the report in `scanner.result` of cosign's vulnerability
    /// predicate, with the time of the predicate if the report has none.
    ///
    /// # Errors
    /// Returns why the predicate has no scan report of an image that can be understood.
    pub fn read_predicate(mut source: impl Read) -> Result<Self, ScanReportError> {
        let mut json = JsonStream::open(&mut source, REPORT_LIMIT)?;
        let mut predicate = VulnerabilityPredicate::default();
        json.object(|json, name| predicate.read_member(json, name))?;
        let problem = json.end()?;
        predicate.into_report(problem.as_deref())
    }

    /// Returns whether the report names no digest of an image.
    pub fn is_unbound(&self) -> bool {
        self.subject.is_unbound()
    }
}

impl ReportFormat {
    /// Returns the name, `Trivy JSON`.
    pub fn name(self) -> &'static str {
        match self {
            Self::TrivyJson => "Trivy JSON",
            Self::GrypeJson => "Grype JSON",
            Self::CycloneDx => "CycloneDX",
            Self::Sarif => "SARIF",
        }
    }
}

impl fmt::Display for ReportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads a time; `None` for a text that is not one.
fn read_time(json: &mut JsonStream<'_>) -> Result<Option<Timestamp>, ScanReportError> {
    Ok(json.text()?.and_then(|text| text.parse().ok()))
}

/// Refuses a report with a value that cannot be understood.
fn refuse_problem(problem: Option<&str>) -> Result<(), ScanReportError> {
    let unreadable = |problem: &str| Err(ScanReportError::Unreadable(problem.to_owned()));
    problem.map_or(Ok(()), unreadable)
}

#[cfg(test)]
mod tests;
