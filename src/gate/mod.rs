//! Gates of an environment: what scan reports, VEX documents and rules say of an image, as verdicts. Pure: facts
//! and a time in, verdicts out.

mod scan_report;
mod severity;
mod vex_document;

pub use scan_report::{
    FindingTable, FixState, REPORT_LIMIT, ReportFormat, ScanFinding, ScanReport, ScanReportError,
    ScanSubject, SuppressedFinding,
};
pub use severity::{Severity, SeverityError, SeverityThreshold};
pub use vex_document::{
    VEX_LIMIT, VexComponent, VexDocument, VexError, VexJustification, VexProduct, VexStatement,
    VexStatus,
};
