mod damaged_reports;
mod expected_reports;
mod made_reports;
mod made_sarif;
mod odd_reports;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::gate::severity::Severity;

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

fn made(file: &str) -> Value {
    serde_json::from_slice(&load(file)).unwrap()
}

fn read_value(value: &Value) -> Result<ScanReport, ScanReportError> {
    read(value.to_string().as_bytes())
}

/// Reads a report with another value at a pointer.
fn with(mut report: Value, pointer: &str, value: Value) -> Result<ScanReport, ScanReportError> {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match report.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        Value::Array(elements) => elements[name.parse::<usize>().unwrap()] = value,
        other => panic!("{other}"),
    }
    read_value(&report)
}

fn only(report: &ScanReport) -> ScanFinding<'_> {
    assert_eq!(report.findings.len(), 1);
    report.findings.iter().next().unwrap()
}
