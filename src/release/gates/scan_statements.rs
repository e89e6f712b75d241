//! Scan reports and OpenVEX documents that are attested.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::found_statement::FoundStatement;
use crate::gate::{ConsideredReport, ConsideredVex, ScanReport, ScanReportError, VexDocument};
use crate::image::Digest;
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
    let text = attested.predicate.to_string();
    let [vulnerabilities, cyclonedx] = SCAN_STATEMENTS;
    let content = match attested.predicate_type.as_str() {
        kind if kind == vulnerabilities => ScanReport::read_predicate(text.as_bytes()),
        kind if kind == cyclonedx => ScanReport::read(text.as_bytes()),
        _ => return None,
    };
    if matches!(content, Err(ScanReportError::SbomOnly(_))) {
        return None;
    }
    Some(ConsideredReport {
        name: format!("attestation {}", found.digest.short()),
        content: content.map(Arc::new),
        attested_by: found.result.as_ref().ok().map(|signed| signed.by.clone()),
    })
}

/// Returns the attestations that verify, each statement of a signer once: it can be there in both formats of signatures.
pub(super) fn different_statements(
    all: &[FoundStatement<VerifiedAttestation>],
) -> Vec<&FoundStatement<VerifiedAttestation>> {
    let mut known = BTreeSet::new();
    let mut different = Vec::new();
    for found in all {
        let Ok(signed) = &found.result else {
            continue;
        };
        let predicate = signed.content.predicate.to_string();
        let kind = signed.content.predicate_type.as_str();
        let predicate = Digest::from_bytes(predicate.as_bytes());
        if known.insert((found.of, kind, signed.by.as_str(), predicate)) {
            different.push(found);
        }
    }
    different
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
