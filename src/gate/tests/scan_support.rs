//! Reports, rules and facts of the scan gate, built for tests.

use std::sync::Arc;

use super::*;

pub const NOW: &str = "2026-11-20T12:00:00Z";
pub const REPOSITORY: &str = "stage.example.com/team/web";

/// Returns the place of the image.
pub fn place() -> ImageSource {
    REPOSITORY.parse().unwrap()
}

/// Returns a Trivy report that names the root of [`index`] and a config, an hour old and without findings.
pub fn report(config: char) -> ScanReport {
    ScanReport {
        format: ReportFormat::TrivyJson,
        tool: Some("trivy".to_owned()),
        tool_version: Some("0.68.1".to_owned()),
        artifact_name: None,
        created_at: Some(time("2026-11-20T11:00:00Z")),
        database_built_at: None,
        subject: ScanSubject {
            repo_digests: [digest('1')].into(),
            config_digest: Some(digest(config)),
            ..ScanSubject::default()
        },
        platform: None,
        findings: FindingTable::default(),
        suppressed: Vec::new(),
        filters: Vec::new(),
    }
}

/// Returns the report with a change.
pub fn with(mut report: ScanReport, change: impl FnOnce(&mut ScanReport)) -> ScanReport {
    change(&mut report);
    report
}

/// Returns a finding in libexample 1.0.0-r0 of Alpine.
pub fn finding(id: &str, severity: Severity, fix: FixState) -> ScanFinding<'_> {
    ScanFinding {
        id,
        package: "libexample",
        version: "1.0.0-r0",
        purl: "pkg:apk/alpine/libexample@1.0.0-r0?arch=x86_64&distro=3.22.1",
        target: "alpine",
        severity,
        fix,
    }
}

/// Returns a report of linux/amd64 with these findings.
pub fn report_with<'a>(findings: impl IntoIterator<Item = ScanFinding<'a>>) -> ScanReport {
    with(report('c'), |report| {
        report.findings = findings.into_iter().collect();
    })
}

/// Returns a rule that fails on criticals.
pub fn rule() -> ScanRule {
    ScanRule {
        fail_on: "critical".parse().unwrap(),
        ignore_unfixed: false,
        max_age: None,
        allows_unbound: false,
        denies_suppressed: false,
        ignore: Vec::new(),
    }
}

/// Returns the rule with a change.
pub fn rule_with(change: impl FnOnce(&mut ScanRule)) -> ScanRule {
    let mut rule = rule();
    change(&mut rule);
    rule
}

/// Judges reports that are named `r0`, `r1` ….
pub fn judge_reports(
    rule: &ScanRule,
    image: &JudgedImage,
    reports: impl IntoIterator<Item = ScanReport>,
) -> GateVerdict {
    judge_with_vex(rule, image, reports, []).verdict
}

/// Judges reports, with VEX documents that are named `v0`, `v1` ….
pub fn judge_with_vex(
    rule: &ScanRule,
    image: &JudgedImage,
    reports: impl IntoIterator<Item = ScanReport>,
    documents: impl IntoIterator<Item = VexDocument>,
) -> ScanJudgement {
    let reports = reports.into_iter().enumerate();
    let reports: Vec<ConsideredReport> = reports
        .map(|(number, report)| ConsideredReport {
            name: format!("r{number}"),
            content: Ok(Arc::new(report)),
            attested_by: None,
        })
        .collect();
    let documents = documents.into_iter().enumerate();
    let vex: Vec<ConsideredVex> = documents
        .map(|(number, document)| ConsideredVex {
            name: format!("v{number}"),
            content: Ok(Arc::new(document)),
        })
        .collect();
    let facts = ScanFacts {
        image,
        place: &place(),
        requires_attested: false,
        reports: &reports,
        vex: &vex,
        now: time(NOW),
    };
    judge_scan(rule, facts)
}
