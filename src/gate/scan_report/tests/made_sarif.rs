//! SARIF that is made to be misread.

use serde_json::json;

use super::*;

#[test]
fn severities_of_sarif_are_the_highest_of_score_word_and_level() {
    let base = made("made/trivy_with_digest.sarif");
    for (score, tag, level, expected) in [
        (json!("7.5"), "HIGH", json!("error"), Severity::High),
        (json!("9.8"), "LOW", json!("note"), Severity::Critical),
        (json!("0.0"), "CRITICAL", json!("note"), Severity::Critical),
        (json!(null), "x", json!("error"), Severity::High),
        (json!(null), "x", json!("warning"), Severity::Medium),
        (json!(null), "x", json!("note"), Severity::Low),
        (json!(null), "x", json!("none"), Severity::Unknown),
        (json!(null), "high", json!(null), Severity::High),
        (json!(5.0), "x", json!("none"), Severity::Medium),
    ] {
        let mut sarif = base.clone();
        let properties = &mut sarif["runs"][0]["tool"]["driver"]["rules"][0]["properties"];
        properties["security-severity"] = score.clone();
        properties["tags"] = json!(["vulnerability", "security", tag]);
        sarif["runs"][0]["results"][0]["level"] = level.clone();
        let report = read_value(&sarif).unwrap();
        assert_eq!(only(&report).severity, expected, "{score} {tag} {level}");
    }
    let mut own = base.clone();
    own["runs"][0]["results"][0]["properties"] = json!({"security-severity": "9.1"});
    assert_eq!(
        only(&read_value(&own).unwrap()).severity,
        Severity::Critical
    );
    let mut other = base.clone();
    other["runs"][0]["results"][0]["ruleIndex"] = json!(7);
    assert_eq!(read_value(&other).unwrap_err().reason(), "unreadable");
    let mut secret = base.clone();
    secret["runs"][0]["tool"]["driver"]["rules"][0]["properties"]["tags"] =
        json!(["secret", "CRITICAL"]);
    assert_eq!(
        read_value(&secret).unwrap_err().reason(),
        "no-vulnerability-scan"
    );
    for kind in ["pass", "notApplicable"] {
        let report = with(base.clone(), "/runs/0/results/0/kind", json!(kind)).unwrap();
        assert!(report.findings.is_empty());
    }
    let mut twice = base.clone();
    let run = base["runs"][0].clone();
    twice["runs"] = json!([run, run]);
    assert_eq!(
        read_value(&twice).unwrap_err().reason(),
        "unsupported-schema"
    );
}

#[test]
fn the_id_of_grypes_sarif_is_without_the_package() {
    let mut sarif = made("made/trivy_without_digest.sarif");
    let driver = &mut sarif["runs"][0]["tool"]["driver"];
    driver["name"] = json!("Grype");
    driver["rules"][0]["id"] = json!("CVE-2099-1002-libother");
    let help = |fix: &str| json!({"text": format!("Vulnerability CVE-2099-1002\nSeverity: high\nPackage: libother\nVersion: 2.0.0-r0\nFix Version: {fix}\nType: apk")});
    driver["rules"][0]["help"] = help("2.0.1-r0");
    sarif["runs"][0]["results"][0]["ruleId"] = json!("CVE-2099-1002-libother");
    sarif["runs"][0]["results"][0]["message"]["text"] = json!(
        "A high vulnerability in apk package: libother, version 2.0.0-r0 was found at: /lib/apk/db/installed"
    );
    let report = read_value(&sarif).unwrap();
    let finding = only(&report);
    assert_eq!(
        (finding.id, finding.package, finding.version),
        ("CVE-2099-1002", "libother", "2.0.0-r0")
    );
    assert_eq!(finding.fix, FixState::Fixable);
    assert!(report.is_unbound());
    sarif["runs"][0]["tool"]["driver"]["rules"][0]["help"] = help("");
    assert_eq!(only(&read_value(&sarif).unwrap()).fix, FixState::Unfixed);
}
