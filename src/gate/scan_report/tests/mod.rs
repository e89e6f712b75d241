mod damaged_reports;
mod expected_reports;
mod made_reports;

use std::path::{Path, PathBuf};

use super::*;

/// Returns the folder of the reports; its README.md says what they must lead to.
fn reports() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports")
}

fn load(file: &str) -> Vec<u8> {
    std::fs::read(reports().join(file)).unwrap()
}

fn read(bytes: &[u8]) -> Result<ScanReport, ScanReportError> {
    ScanReport::read(bytes)
}
