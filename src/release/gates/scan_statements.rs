//! Scan reports and OpenVEX documents that are attested.

use std::sync::Arc;

use serde_json::Value;

use super::found_statement::FoundStatement;
use crate::gate::{ConsideredReport, ConsideredVex, ScanReport, ScanReportError, VexDocument};
use crate::signing::VerifiedAttestation;

/// Types of attestations that can be scan reports: cosign's vulnerability predicate, and CycloneDX.
pub(super) const SCAN_STATEMENTS: [&str; 2] = [
    "https://cosign.sigstore.dev/attestation/vuln/v1",
    "https://cyclonedx.org/bom",
];
/// Types of attestations that are OpenVEX documents.
pub(super) const VEX_STATEMENTS: [&str; 1] = ["https://openvex.dev/ns*"];

/// Returns the scan report of an attestation; `None` if it is none, such as an SBOM.
pub(super) fn attested_report(
    found: &FoundStatement<VerifiedAttestation>,
) -> Option<ConsideredReport> {
    let attested = &found.result.as_ref().ok()?.content;
    if !SCAN_STATEMENTS.contains(&attested.predicate_type.as_str()) {
        return None;
    }
    let report = report_of(&attested.predicate)?;
    let text = report.to_string();
    let content = ScanReport::read(text.as_bytes());
    if matches!(content, Err(ScanReportError::SbomOnly(_))) {
        return None;
    }
    Some(ConsideredReport {
        name: format!("attestation {}", found.digest.short()),
        content: content.map(Arc::new),
    })
}

/// Returns the OpenVEX document of an attestation; `None` if it is none.
pub(super) fn attested_vex(found: &FoundStatement<VerifiedAttestation>) -> Option<ConsideredVex> {
    let attested = &found.result.as_ref().ok()?.content;
    if !attested
        .predicate_type
        .starts_with("https://openvex.dev/ns")
    {
        return None;
    }
    let text = attested.predicate.to_string();
    Some(ConsideredVex {
        name: format!("attestation {}", found.digest.short()),
        content: VexDocument::parse(text.as_bytes()).map(Arc::new),
    })
}

/// Returns the scanner's own report within a predicate: cosign's predicate wraps it.
fn report_of(predicate: &Value) -> Option<&Value> {
    match &predicate["scanner"]["result"] {
        Value::Null => predicate.get("bomFormat").map(|_| predicate),
        report => Some(report),
    }
}
