use std::fmt;

use jiff::Timestamp;

use super::finding_table::FindingTable;
use super::scan_subject::ScanSubject;
use crate::gate::severity::Severity;
use crate::image::Platform;

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
