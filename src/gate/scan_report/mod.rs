//! Scan reports: what a careful reader gets out of the file of a vulnerability scanner. Trivy JSON, Grype JSON,
//! CycloneDX with vulnerabilities and SARIF are read, as a stream; every other file is refused by name.

mod cyclonedx;
mod cyclonedx_components;
mod cyclonedx_vulnerability;
mod finding_table;
mod grype_filters;
mod grype_json;
mod grype_match;
mod json_values;
mod other_formats;
mod read_report;
mod report;
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

pub use finding_table::{FindingTable, FixState, ScanFinding};
pub use read_report::REPORT_LIMIT;
pub use report::{ReportFormat, ScanReport, SuppressedFinding};
pub use report_error::ScanReportError;
pub use scan_subject::ScanSubject;

pub(super) use scan_subject::digest_in_name;

#[cfg(test)]
mod tests;
