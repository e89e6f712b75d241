//! What is tried with bytes that may be a scan report or a VEX document, by cargo-fuzz and by
//! tests/it/mutants/reports.rs alike.

use std::io::Read;

use serde_json::Value;
use shipmark::gate::{ScanReport, VexDocument};

/// Reads `bytes` as the report of a scanner, and as the predicate of an attestation. Returns whether they are a report.
pub fn scan_report(bytes: &[u8]) -> bool {
    let _ = ScanReport::read_predicate(bytes);
    let Ok(report) = ScanReport::read(bytes) else {
        return false;
    };
    assert!(report.findings.iter().all(|finding| !finding.id.is_empty()));
    assert!(
        report
            .suppressed
            .iter()
            .all(|finding| !finding.id.is_empty())
    );
    // However the bytes arrive, they say the same; and no part of them says it.
    let half = bytes.len() / 2;
    let pieces = bytes[..half].chain(&bytes[half..]);
    assert_eq!(ScanReport::read(pieces).as_ref(), Ok(&report));
    assert!(ScanReport::read(&bytes[..bytes.trim_ascii_end().len() - 1]).is_err());
    check_json(bytes);
    true
}

/// Reads `bytes` as an OpenVEX document. Returns whether they are one.
pub fn vex(bytes: &[u8]) -> bool {
    let Ok(document) = VexDocument::parse(bytes) else {
        return false;
    };
    assert!(!document.statements.is_empty());
    for statement in &document.statements {
        assert!(!statement.products.is_empty() && !statement.vulnerability.is_empty());
    }
    assert!(VexDocument::parse(&bytes[..bytes.trim_ascii_end().len() - 1]).is_err());
    check_json(bytes);
    true
}

/// Requires that what is read is JSON for others too, but for numbers that are too large for them.
fn check_json(bytes: &[u8]) {
    if let Err(error) = serde_json::from_slice::<Value>(bytes) {
        assert!(error.to_string().contains("out of range"), "{error}");
    }
}
