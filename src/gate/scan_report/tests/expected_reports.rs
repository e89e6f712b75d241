//! Every report of `expected.json`: it is read as it says, or refused for one of its reasons.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

fn expected_entries() -> Vec<Value> {
    serde_json::from_slice(&load("expected.json")).unwrap()
}

/// Counts findings by severity.
fn counts(findings: &FindingTable, counts: impl Fn(&ScanFinding<'_>) -> bool) -> Value {
    let by_severity = Severity::ALL.map(|severity| {
        let same = |finding: &ScanFinding<'_>| finding.severity == severity && counts(finding);
        (
            severity.name().to_owned(),
            findings.iter().filter(same).count().into(),
        )
    });
    Value::Object(by_severity.into_iter().collect())
}

fn check_reason(entry: &Value, error: &ScanReportError) {
    let also = entry["reason_also"].as_array().into_iter().flatten();
    let alternatives = entry["acceptable_alternatives"]
        .as_array()
        .into_iter()
        .flatten();
    let reasons = std::iter::once(&entry["reason"])
        .chain(also)
        .chain(alternatives.map(|alternative| &alternative["reason"]));
    let reasons: Vec<_> = reasons.filter_map(Value::as_str).collect();
    assert!(
        reasons.contains(&error.reason()),
        "{}: {error}, expected {reasons:?}",
        entry["file"]
    );
}

fn check_report(entry: &Value, report: &ScanReport) {
    let file = entry["file"].as_str().unwrap();
    let text = |value: &Option<String>| json!(value);
    assert_eq!(text(&report.tool), entry["tool"], "{file}");
    assert_eq!(text(&report.tool_version), entry["tool_version"], "{file}");
    let name = report.artifact_name.clone().unwrap_or_default();
    assert_eq!(
        name,
        entry["artifact"]["name"].as_str().unwrap_or_default(),
        "{file}"
    );
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(
        report.created_at,
        entry["created_at"].as_str().map(time),
        "{file}"
    );
    let platform = report.platform.as_ref().map(ToString::to_string);
    assert_eq!(json!(platform), entry["platform"], "{file}");
    check_digests(entry, &report.subject);
    check_findings(entry, &report.findings);
}

fn check_digests(entry: &Value, subject: &ScanSubject) {
    let expected = &entry["artifact"]["digests"];
    let repo_digests = expected["repo_digests"].as_array().unwrap();
    let repo_digests = repo_digests.iter().map(|name| {
        let (_, digest) = name.as_str().unwrap().split_once('@').unwrap();
        digest.parse().unwrap()
    });
    let file = &entry["file"];
    assert_eq!(subject.repo_digests, repo_digests.collect(), "{file}");
    let text = |digest: Option<crate::image::Digest>| json!(digest.map(|it| it.to_string()));
    assert_eq!(
        text(subject.manifest_digest),
        expected["manifest_digest"],
        "{file}"
    );
    assert_eq!(
        text(subject.config_digest),
        expected["config_digest"],
        "{file}"
    );
    let layers = expected["diff_ids"].as_u64().unwrap_or_default();
    assert_eq!(subject.layers.len() as u64, layers, "{file}");
    let is_unbound = entry["reason"] == "no-digest";
    assert_eq!(subject.is_unbound(), is_unbound, "{file}");
}

fn check_findings(entry: &Value, findings: &FindingTable) {
    let expected = &entry["findings"];
    let file = &entry["file"];
    assert_eq!(json!(findings.len()), expected["total"], "{file}");
    assert_eq!(
        counts(findings, |_| true),
        expected["by_severity"],
        "{file}"
    );
    let fixable = counts(findings, |finding| finding.fix == FixState::Fixable);
    assert_eq!(fixable, expected["fixable_by_severity"], "{file}");
    let not_stated = counts(findings, |finding| finding.fix == FixState::NotStated);
    let none = counts(&FindingTable::default(), |_| true);
    let expected_not_stated = expected.get("fix_not_stated_by_severity").unwrap_or(&none);
    assert_eq!(&not_stated, expected_not_stated, "{file}");
    let ids: BTreeSet<_> = findings.iter().map(|finding| finding.id).collect();
    assert_eq!(json!(ids.len()), expected["unique_ids"], "{file}");
    assert!(
        findings.iter().all(|finding| !finding.package.is_empty()),
        "{file}"
    );
}

#[test]
fn every_report_is_read_as_expected() {
    let mut usable = 0;
    for entry in expected_entries() {
        let file = entry["file"].as_str().unwrap();
        let is_read = entry["usable_for_gate"] == true || entry["reason"] == "no-digest";
        match read(&load(file)) {
            Ok(report) => {
                assert!(
                    is_read,
                    "{file}: expected {}, got {report:?}",
                    entry["reason"]
                );
                check_report(&entry, &report);
                usable += 1;
            }
            Err(error) => {
                assert!(!is_read, "{file}: {error}");
                check_reason(&entry, &error);
            }
        }
    }
    assert_eq!(usable, 30);
}

#[test]
fn the_predicate_of_an_attestation_has_the_report_and_its_time() {
    for entry in expected_entries() {
        let file = entry["file"].as_str().unwrap();
        let bytes = load(file);
        let Ok(result) = serde_json::from_slice::<Value>(&bytes) else {
            continue;
        };
        if file.contains("duplicate") {
            continue;
        }
        let predicate = json!({"invocation": {}, "scanner": {"uri": "x", "db": {}, "result": result},
            "metadata": {"scanStartedOn": "2026-11-20T10:59:00Z", "scanFinishedOn": "2026-11-20T11:01:00Z"}});
        let predicate = ScanReport::read_predicate(predicate.to_string().as_bytes());
        let started: Timestamp = "2026-11-20T10:59:00Z".parse().unwrap();
        let report = read(&bytes).map(|report| ScanReport {
            created_at: report.created_at.or(Some(started)),
            ..report
        });
        match (predicate, report) {
            (Ok(predicate), Ok(report)) => assert_eq!(predicate, report, "{file}"),
            (predicate, report) => {
                let reason = |error: ScanReportError| error.reason();
                assert_eq!(predicate.map_err(reason), report.map_err(reason), "{file}");
            }
        }
    }
    for other in [
        "{}",
        "[]",
        "null",
        r#"{"scanner": {}}"#,
        r#"{"scanner": []}"#,
    ] {
        let error = ScanReport::read_predicate(other.as_bytes()).unwrap_err();
        assert_eq!(error.reason(), "not-a-scan-report", "{other}");
    }
}
