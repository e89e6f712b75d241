//! Texts of a scan report in messages.

use std::time::Duration;

use jiff::Timestamp;

use super::message_limits::NAME_LIMIT;
use crate::gate::scan_report::ScanReport;
use crate::gate::shown_time::{shown_age, shown_time};
use crate::notices::to_printable;

/// Most findings, filters and digests that a message lists.
const LISTED_LIMIT: usize = 10;

/// Returns the scanner, its version and the format: `trivy 0.68.1, Trivy JSON`.
pub(super) fn tool(report: &ScanReport) -> String {
    let tool = report.tool.as_deref().unwrap_or("unknown scanner");
    let version = report.tool_version.as_deref().unwrap_or_default();
    let tool = to_printable(&format!("{tool} {version}"), NAME_LIMIT);
    format!("{tool}, {}", report.format)
}

/// Returns ` on linux/amd64`; nothing without a platform.
pub(super) fn on(platforms: &[String]) -> String {
    match platforms {
        [] => String::new(),
        platforms => format!(" on {}", platforms.join(", ")),
    }
}

/// Returns when the scan was made, and how long ago.
pub(super) fn scan_time(report: &ScanReport, now: Timestamp) -> String {
    match report.created_at {
        Some(created) => format!("scanned at {}", time_and_age(created, now)),
        None => "time of the scan unknown".to_owned(),
    }
}

/// Returns when the vulnerability database was built, after a comma.
pub(super) fn database_age(report: &ScanReport, now: Timestamp) -> String {
    match report.database_built_at {
        Some(built) => format!(", vulnerability database of {}", time_and_age(built, now)),
        None => ", age of the vulnerability database unknown".to_owned(),
    }
}

fn time_and_age(time: Timestamp, now: Timestamp) -> String {
    let age: Result<Duration, _> = now.duration_since(time).try_into();
    match age {
        Ok(age) => format!("{} ({} ago)", shown_time(time), shown_age(age)),
        Err(_) => shown_time(time),
    }
}

/// Returns `3 findings`.
pub(super) fn number_of_findings(number: usize) -> String {
    match number {
        1 => "1 finding".to_owned(),
        number => format!("{number} findings"),
    }
}

/// Joins the first texts of `count`, and says how many more there are.
pub(super) fn listed(texts: impl Iterator<Item = String>, count: usize) -> String {
    let shown: Vec<String> = texts.take(LISTED_LIMIT).collect();
    match count.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
