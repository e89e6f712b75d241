use super::report::SuppressedFinding;
use super::report_error::ScanReportError;

/// Most findings that a report may have taken out, and most bytes of their texts.
const SUPPRESSED_LIMIT: usize = 1 << 15;
const TEXT_LIMIT: usize = 8 << 20;

/// Findings that a report took out, up to a limit.
#[derive(Default)]
pub(super) struct SuppressedList {
    findings: Vec<SuppressedFinding>,
    bytes: usize,
}

impl SuppressedList {
    pub fn push(&mut self, finding: SuppressedFinding) -> Result<(), ScanReportError> {
        self.bytes += finding.id.len() + finding.package.len() + finding.cause.len();
        if self.findings.len() == SUPPRESSED_LIMIT || self.bytes > TEXT_LIMIT {
            let text = format!("it took out more than {SUPPRESSED_LIMIT} findings");
            return Err(ScanReportError::TooLarge(text));
        }
        self.findings.push(finding);
        Ok(())
    }

    pub fn into_findings(self) -> Vec<SuppressedFinding> {
        self.findings
    }
}
