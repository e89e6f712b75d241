use std::io::Read;

use super::report::ScanReport;
use super::report_document::ReportDocument;
use super::report_error::ScanReportError;
use super::vulnerability_predicate::VulnerabilityPredicate;
use crate::gate::json_stream::JsonStream;

/// Most bytes of a scan report.
pub const REPORT_LIMIT: u64 = 64 << 20;

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
}
