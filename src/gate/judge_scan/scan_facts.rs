//! What the scan gate judges, and what it decides.

use std::sync::Arc;

use jiff::Timestamp;

use super::severity_counts::SeverityCounts;
use crate::gate::judged_image::JudgedImage;
use crate::gate::scan_report::{ScanReport, ScanReportError};
use crate::gate::verdict::GateVerdict;
use crate::gate::vex_document::{VexDocument, VexError};
use crate::image::ImageSource;

/// Facts that the scan gate decides on.
#[derive(Debug, Clone, Copy)]
pub struct ScanFacts<'a> {
    /// The image.
    pub image: &'a JudgedImage,
    /// Place in which a scanner finds the image, `stage.example.com/team/web`.
    pub place: &'a ImageSource,
    /// Whether attested reports are required, so that no file is enough.
    pub requires_attested: bool,
    /// Reports that were given or found.
    pub reports: &'a [ConsideredReport],
    /// VEX documents that the policy names, or that were found.
    pub vex: &'a [ConsideredVex],
    /// Time of the run.
    pub now: Timestamp,
}

/// Scan report that a gate considers.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsideredReport {
    /// Name for a reader: the path of the file, or the digest of the attestation.
    pub name: String,
    /// Content, or the reason why it is not a report.
    pub content: Result<Arc<ScanReport>, ScanReportError>,
    /// Accepted signer of an attested report; `None` for a file.
    pub attested_by: Option<String>,
}

/// VEX document that a gate considers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsideredVex {
    /// Name for a reader: the path of the file, or the digest of the attestation.
    pub name: String,
    /// Content, or the reason why it is not a document.
    pub content: Result<Arc<VexDocument>, VexError>,
}

/// Verdict of the scan gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanJudgement {
    /// The verdict.
    pub verdict: GateVerdict,
    /// What came of each report, in their order.
    pub reports: Vec<JudgedReport>,
    /// For each VEX document, in their order, how many findings do not count by it.
    pub vex_suppressed: Vec<usize>,
}

/// What came of one scan report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JudgedReport {
    /// Platforms that were scanned, as far as they are of the image.
    pub platforms: Vec<String>,
    /// Findings of the report, whether they count or not; none if it is not usable.
    pub findings: SeverityCounts,
    /// Why the report does not pass; empty if it does.
    pub reasons: Vec<String>,
    /// Whether a newer report of the same scanner and signer counts in its place.
    pub is_superseded: bool,
}

impl JudgedReport {
    /// Returns whether nothing in the report is against the release.
    pub fn has_passed(&self) -> bool {
        self.reasons.is_empty()
    }
}
