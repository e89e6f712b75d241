//! Reports in forms that scanners write seldom: each is read for what it says, or refused by name.

use serde_json::{Value, json};

use super::*;

const TRIVY: &str = "made/trivy_critical_fixable.json";
const GRYPE: &str = "made/grype_manifest_digest.json";
const CYCLONEDX: &str = "made/cyclonedx_image_vulnerabilities.json";
const SARIF: &str = "made/trivy_with_digest.sarif";

/// What a report is read as.
#[derive(Debug, PartialEq)]
enum ReadOutcome {
    /// It has this many findings, the worst of this severity.
    Findings(usize, Severity),
    /// It has no findings.
    Clean,
    /// It is refused with this reason.
    Refused(&'static str),
}

use ReadOutcome::{Clean, Findings, Refused};

#[track_caller]
fn assert_reading(file: &str, place: &str, value: &Value, expected: ReadOutcome) {
    let read = match with(made(file), place, value.clone()) {
        Err(error) => Refused(error.reason()),
        Ok(report) if report.findings.is_empty() => Clean,
        Ok(report) => {
            let worst = report.findings.iter().map(|it| it.severity).max();
            Findings(report.findings.len(), worst.unwrap())
        }
    };
    assert_eq!(read, expected, "{file} {place} {value}");
}

#[test]
fn odd_values_of_trivy_are_read_or_refused() {
    let critical = Findings(1, Severity::Critical);
    for (place, value, expected) in [
        ("/Results", json!(null), Refused("empty")),
        ("/Results", json!([]), Refused("empty")),
        ("/Results", json!({}), Refused("empty")),
        ("/Results/0/Vulnerabilities", json!(null), Clean),
        ("/Results/0/Vulnerabilities", json!([]), Clean),
        (
            "/Results/0/Class",
            json!("secret"),
            Findings(1, Severity::Critical),
        ),
        (
            "/Results/0/Vulnerabilities/0/Severity",
            json!("critical"),
            critical,
        ),
        (
            "/Results/0/Vulnerabilities/0/Severity",
            json!("UNKNOWN"),
            Findings(1, Severity::Unknown),
        ),
        (
            "/Results/0/Vulnerabilities/0/Severity",
            json!(""),
            Findings(1, Severity::Unknown),
        ),
        (
            "/Results/0/Vulnerabilities/0/Severity",
            json!(9),
            Refused("unreadable"),
        ),
        ("/SchemaVersion", json!(3), Refused("unsupported-schema")),
        ("/SchemaVersion", json!("2"), Refused("unsupported-schema")),
        (
            "/ArtifactType",
            json!("filesystem"),
            Refused("not-an-image"),
        ),
        ("/ArtifactType", json!("vm"), Refused("not-an-image")),
        ("/Metadata", json!(null), Findings(1, Severity::Critical)),
        (
            "/CreatedAt",
            json!("yesterday"),
            Findings(1, Severity::Critical),
        ),
    ] {
        assert_reading(TRIVY, place, &value, expected);
    }
}

#[test]
fn odd_values_of_grype_are_read_or_refused() {
    for (place, value, expected) in [
        ("/matches", json!(null), Refused("empty")),
        ("/matches", json!([]), Clean),
        ("/matches", json!({}), Refused("empty")),
        ("/source/type", json!("directory"), Refused("not-an-image")),
        ("/source", json!(null), Refused("unsupported-schema")),
        (
            "/descriptor/name",
            json!("gripe"),
            Refused("unsupported-schema"),
        ),
        (
            "/matches/0/vulnerability/severity",
            json!("Unknown"),
            Findings(1, Severity::Unknown),
        ),
        (
            "/matches/0/vulnerability/severity",
            json!("Negligible"),
            Findings(1, Severity::Negligible),
        ),
        (
            "/matches/0/vulnerability/severity",
            json!("Severe"),
            Refused("unreadable"),
        ),
        (
            "/matches/0/vulnerability",
            json!(null),
            Refused("unreadable"),
        ),
    ] {
        assert_reading(GRYPE, place, &value, expected);
    }
    let distro = with(
        made(GRYPE),
        "/descriptor/configuration",
        json!({"distro": "alpine:3.1", "only-fixed": true}),
    );
    assert_eq!(distro.unwrap().filters.len(), 2);
}

#[test]
fn ratings_of_cyclonedx_without_a_word_are_read_by_their_cvss_score() {
    let one = |ratings: Value| json!([{"id": "CVE-2099-1", "source": {"name": "NVD"}, "ratings": ratings}]);
    for (ratings, expected) in [
        (json!(null), Findings(1, Severity::Unknown)),
        (json!([]), Findings(1, Severity::Unknown)),
        (
            json!([{"score": 9.8, "method": "CVSSv31"}]),
            Findings(1, Severity::Critical),
        ),
        (
            json!([{"score": 9.8, "method": "CVSSv4"}]),
            Findings(1, Severity::Critical),
        ),
        (
            json!([{"score": 7.0, "method": "CVSSv2"}]),
            Findings(1, Severity::High),
        ),
        (json!([{"score": 9.8}]), Findings(1, Severity::Critical)),
        (
            json!([{"score": 9.8, "severity": "unknown"}]),
            Findings(1, Severity::Critical),
        ),
        (
            json!([{"severity": "unknown", "source": {"name": "NVD"}}, {"severity": "high"}]),
            Findings(1, Severity::High),
        ),
        (
            json!([{"severity": "low", "source": {"name": "NVD"}}, {"severity": "high"}]),
            Findings(1, Severity::Low),
        ),
        (
            json!([{"score": 0.97, "method": "other"}]),
            Findings(1, Severity::Unknown),
        ),
        (
            json!([{"score": 98, "method": "CVSSv31"}]),
            Refused("unreadable"),
        ),
        (
            json!([{"score": "9.8", "method": "CVSSv31"}]),
            Refused("unreadable"),
        ),
        (
            json!([{"severity": "CRITICAL"}]),
            Findings(1, Severity::Critical),
        ),
        (json!([{"severity": "severe"}]), Refused("unreadable")),
    ] {
        assert_reading(CYCLONEDX, "/vulnerabilities", &one(ratings), expected);
    }
}

#[test]
fn odd_values_of_cyclonedx_are_read_or_refused() {
    for version in ["1.4", "1.5", "1.6", "1.7"] {
        let report = with(made(CYCLONEDX), "/specVersion", json!(version)).unwrap();
        assert_eq!(report.findings.len(), 2, "{version}");
    }
    for (place, value, expected) in [
        ("/specVersion", json!("1.3"), Refused("unsupported-schema")),
        ("/specVersion", json!("1.8"), Refused("unsupported-schema")),
        ("/specVersion", json!(1.5), Refused("unsupported-schema")),
        ("/vulnerabilities", json!(null), Refused("sbom-only")),
        ("/metadata/component", json!(null), Refused("not-an-image")),
        (
            "/metadata/component/type",
            json!("application"),
            Refused("not-an-image"),
        ),
    ] {
        assert_reading(CYCLONEDX, place, &value, expected);
    }
}

#[test]
fn promise_6_an_empty_list_of_cyclonedx_counts_by_a_known_scanner_alone() {
    for (tools, expected) in [
        (json!([{"name": "grype"}]), Clean),
        (
            json!({"components": [{"type": "application", "name": "grype"}]}),
            Clean,
        ),
        (
            json!({"components": [{"name": "syft"}, {"name": "Grype"}]}),
            Clean,
        ),
        (json!([{"name": "syft"}]), Refused("sbom-only")),
        (
            json!({"components": [{"name": "cdxgen"}]}),
            Refused("sbom-only"),
        ),
        (
            json!({"components": [{"name": "trivy"}, {"name": "grype"}]}),
            Refused("sbom-only"),
        ),
        (json!(null), Refused("sbom-only")),
        (json!([]), Refused("sbom-only")),
    ] {
        let mut document = made(CYCLONEDX);
        document["metadata"]["tools"] = tools.clone();
        document["vulnerabilities"] = json!([]);
        let read = match read_value(&document) {
            Ok(report) => {
                assert!(report.findings.is_empty());
                Clean
            }
            Err(error) => Refused(error.reason()),
        };
        assert_eq!(read, expected, "{tools}");
    }
}

#[test]
fn odd_values_of_sarif_are_read_or_refused() {
    let run = "/runs/0";
    for (place, value, expected) in [
        ("/tool/driver/rules", json!(null), Refused("unreadable")),
        ("/results", json!(null), Refused("empty")),
        ("/results", json!([]), Clean),
        (
            "/results/0/level",
            json!("none"),
            Findings(1, Severity::High),
        ),
        ("/results/0/level", json!("fatal"), Refused("unreadable")),
        (
            "/results/0/suppressions",
            json!([{"kind": "external"}]),
            Clean,
        ),
        (
            "/results/0/suppressions",
            json!([{"kind": "external", "status": "underReview"}]),
            Findings(1, Severity::High),
        ),
        (
            "/results/0/suppressions",
            json!([{"status": "accepted"}, {"status": "rejected"}]),
            Findings(1, Severity::High),
        ),
        (
            "/results/0/suppressions",
            json!([]),
            Findings(1, Severity::High),
        ),
        (
            "/invocations",
            json!([{"executionSuccessful": false}]),
            Refused("no-vulnerability-scan"),
        ),
        (
            "/invocations",
            json!([{"executionSuccessful": true}]),
            Findings(1, Severity::High),
        ),
        (
            "/tool/driver/name",
            json!("CodeQL"),
            Refused("not-a-scan-report"),
        ),
        (
            "/tool/driver/name",
            json!("TRIVY"),
            Findings(1, Severity::High),
        ),
    ] {
        assert_reading(SARIF, &format!("{run}{place}"), &value, expected);
    }
    let mut without_rules = made(SARIF);
    without_rules["runs"][0]["tool"]["driver"]["rules"] = json!([]);
    let result = &mut without_rules["runs"][0]["results"][0];
    result["ruleIndex"] = json!(-1);
    result["level"] = json!("error");
    let report = read_value(&without_rules).unwrap();
    assert_eq!(only(&report).severity, Severity::High);
    let result = without_rules["runs"][0]["results"][0]
        .as_object_mut()
        .unwrap();
    result.remove("level");
    // SARIF 2.1.0, 'level property': the default is warning.
    assert_eq!(
        only(&read_value(&without_rules).unwrap()).severity,
        Severity::Medium
    );
}
