use std::sync::Arc;

use super::scan_support::*;
use super::*;
use crate::gate::FixState::{Fixable, NotStated, Unfixed};
use crate::gate::GateState::{Failed, Passed, Unknown};
use crate::gate::Severity::{Critical, High, Low, Medium, Negligible, Unknown as NoSeverity};

/// Returns reports of both platforms of [`index`], the first with a finding.
fn reports_with(finding: ScanFinding<'_>) -> [ScanReport; 2] {
    [report_with([finding]), report('d')]
}

#[test]
fn promise_6_every_platform_that_is_released_needs_a_report() {
    let verdict = judge_reports(&rule(), &index(), [report('c'), report('d')]);
    assert_verdict(&verdict, Passed, &[]);
    let verdict = judge_reports(&rule(), &index(), [report('c')]);
    assert_verdict(&verdict, Unknown, &["no scan report is about linux/arm64"]);
    let root = digest('1');
    let command = format!(
        "scan linux/arm64: trivy image --format json --output scan-linux-arm64.json --platform linux/arm64 {REPOSITORY}@{root}, and give scan-linux-arm64.json as scan-report"
    );
    assert_eq!(verdict.hints(), [command]);
    let verdict = judge_reports(&rule(), &index(), []);
    let reason =
        "no scan report was given or found: expected reports about linux/amd64, linux/arm64";
    assert_verdict(&verdict, Unknown, &[reason]);
    let mut partial = index();
    partial.platforms[1].is_released = false;
    assert_verdict(
        &judge_reports(&rule(), &partial, [report('c')]),
        Passed,
        &[],
    );
    partial.platforms[0].is_released = false;
    let verdict = judge_reports(&rule(), &partial, [report('c')]);
    assert_verdict(&verdict, Unknown, &["no image of any platform"]);
    let mut unnamed = index();
    unnamed.platforms[1].platform = None;
    let verdict = judge_reports(&rule(), &unnamed, [report('c')]);
    let short = digest('b').short();
    assert_verdict(
        &verdict,
        Unknown,
        &[&format!("about {short} (no platform)")],
    );
    let command = format!(
        "trivy image --format json --output scan-bbbbbbbbbbbb.json {REPOSITORY}@{},",
        digest('b')
    );
    assert!(
        verdict.hints()[0].contains(&command),
        "{:?}",
        verdict.hints()
    );
}

#[test]
fn the_command_works_for_the_place_of_the_image() {
    let arm = digest('b');
    for (place, tool, expected) in [
        (
            "oci:out/web:1.4.0",
            "trivy",
            format!(
                "shipmark push --source oci:out/web@{arm} --images oci:scan-linux-arm64 --tags type=raw,value=scan && trivy image --format json --output scan-linux-arm64.json --input scan-linux-arm64"
            ),
        ),
        (
            "oci-archive:web.tar",
            "grype",
            format!(
                "shipmark push --source oci-archive:web.tar@{arm} --images oci:scan-linux-arm64 --tags type=raw,value=scan && grype --output json --file scan-linux-arm64.json oci-dir:scan-linux-arm64"
            ),
        ),
        (
            "docker-archive:web.tar",
            "trivy",
            "trivy image --format json --output scan-linux-arm64.json --input web.tar".to_owned(),
        ),
        (
            "docker-daemon:web:1.4",
            "grype",
            "grype --output json --file scan-linux-arm64.json docker:docker.io/library/web:1.4"
                .to_owned(),
        ),
    ] {
        let image = index();
        let report = with(report('c'), |report| report.tool = Some(tool.to_owned()));
        let report = ConsideredReport {
            name: "a.json".to_owned(),
            content: Ok(Arc::new(report)),
            attested_by: None,
        };
        let facts = ScanFacts {
            image: &image,
            place: &place.parse().unwrap(),
            requires_attested: false,
            reports: &[report],
            vex: &[],
            now: time(NOW),
        };
        let scan = format!("scan linux/arm64: {expected}");
        let verdict = judge_scan(&rule(), facts).verdict;
        let hint = format!("{scan}, and give scan-linux-arm64.json as scan-report");
        assert_eq!(verdict.hints(), [hint]);
        let facts = ScanFacts {
            requires_attested: true,
            ..facts
        };
        assert_eq!(judge_scan(&rule(), facts).verdict.hints(), [scan]);
    }
}

#[test]
fn the_command_is_that_of_the_scanner_of_the_other_reports() {
    let grype = with(report('c'), |report| report.tool = Some("grype".to_owned()));
    let verdict = judge_reports(&rule(), &index(), [grype]);
    let root = digest('1');
    let command = format!(
        "scan linux/arm64: grype --output json --file scan-linux-arm64.json --platform linux/arm64 {REPOSITORY}@{root}, and give scan-linux-arm64.json as scan-report"
    );
    assert_eq!(verdict.hints(), [command]);
    let mut single = index();
    single.platforms.truncate(1);
    single.root = single.platforms[0].manifest;
    let verdict = judge_reports(&rule(), &single, []);
    let command = format!(
        "scan linux/amd64: trivy image --format json --output scan-linux-amd64.json {REPOSITORY}@{}, and give scan-linux-amd64.json as scan-report",
        digest('a')
    );
    assert_eq!(verdict.hints(), [command]);
}

#[test]
fn findings_from_the_threshold_on_fail() {
    for (severity, critical, high, negligible) in [
        (Critical, false, false, false),
        (High, true, false, false),
        (Medium, true, true, false),
        (Low, true, true, false),
        (Negligible, true, true, false),
        (NoSeverity, true, true, true),
    ] {
        for (fail_on, passes) in [
            ("critical", critical),
            ("high", high),
            ("negligible", negligible),
        ] {
            let rule = rule_with(|rule| rule.fail_on = fail_on.parse().unwrap());
            let finding = finding("CVE-1", severity, Fixable);
            let verdict = judge_reports(&rule, &index(), reports_with(finding));
            assert_eq!(verdict.has_passed(), passes, "{severity} at {fail_on}");
            let fact = format!("r0 (trivy 0.68.1, Trivy JSON) has 1 {severity} on linux/amd64");
            assert!(
                verdict.facts().iter().any(|it| it.starts_with(&fact)),
                "{verdict:#?}"
            );
        }
    }
}

#[test]
fn promise_6_a_clean_report_does_not_undo_another() {
    let bad = report_with([finding("CVE-1", Critical, Fixable)]);
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0]] {
        let reports = [report('c'), bad.clone(), report('d')];
        let verdict = judge_reports(&rule(), &index(), order.map(|at| reports[at].clone()));
        let reason = "has 1 finding of critical or above on linux/amd64: CVE-1 in libexample 1.0.0-r0 (critical, a fix is known)";
        assert_verdict(&verdict, Failed, &[reason]);
    }
    // It is judged where its platform is not released, too.
    let mut partial = index();
    partial.platforms[0].is_released = false;
    let verdict = judge_reports(&rule(), &partial, [bad, report('d')]);
    assert_verdict(&verdict, Failed, &["CVE-1"]);
}

#[test]
fn only_findings_that_are_stated_to_be_unfixed_are_ignored_as_unfixed() {
    let rule = rule_with(|rule| rule.ignore_unfixed = true);
    for (fix, passes) in [(Fixable, false), (NotStated, false), (Unfixed, true)] {
        let finding = finding("CVE-1", Critical, fix);
        let verdict = judge_reports(&rule, &index(), reports_with(finding));
        assert_eq!(verdict.has_passed(), passes, "{fix:?}");
        let fact = "r0 has 1 without a fix, which ignore-unfixed takes out";
        assert_eq!(verdict.facts().iter().any(|it| it == fact), passes);
    }
}

#[test]
fn a_refusal_lists_the_worst_findings() {
    let ids: Vec<String> = (0..14).map(|number| format!("CVE-{number:02}")).collect();
    let findings = ids.iter().enumerate().map(|(number, id)| {
        let severity = if number == 13 { Critical } else { High };
        let fix = if number == 12 { Fixable } else { Unfixed };
        finding(id, severity, fix)
    });
    let rule = rule_with(|rule| rule.fail_on = "high".parse().unwrap());
    let verdict = judge_reports(&rule, &index(), [report_with(findings), report('d')]);
    let part = "r0 has 14 findings of high or above on linux/amd64: CVE-13 in libexample 1.0.0-r0 (critical, no fix is known), CVE-12 in libexample 1.0.0-r0 (high, a fix is known), CVE-00";
    assert_verdict(&verdict, Failed, &[part]);
    assert!(verdict.reasons()[0].ends_with("and 4 more"));
}

#[test]
fn the_age_of_a_report_is_that_of_its_scan() {
    let aged =
        |created: Option<&str>| with(report('c'), |report| report.created_at = created.map(time));
    for (created, max_age, state, part) in [
        (
            Some("2026-11-18T12:00:00Z"),
            Some("24h"),
            Failed,
            "r0 was made at 2026-11-18T12:00:00Z, 2 d ago, expected at most 24h",
        ),
        (Some("2026-11-18T12:00:00Z"), Some("48h"), Passed, ""),
        (
            Some("2026-11-18T11:59:59Z"),
            Some("48h"),
            Failed,
            "expected at most 48h",
        ),
        (Some("2026-11-18T12:00:00Z"), None, Passed, ""),
        (
            Some("2026-11-20T12:00:01Z"),
            Some("24h"),
            Failed,
            "r0 says that it was made at 2026-11-20T12:00:01Z, after the time of this run",
        ),
        (
            None,
            Some("24h"),
            Unknown,
            "r0 does not say when the scan was made, and max-age is set",
        ),
        (None, None, Passed, ""),
    ] {
        let rule = rule_with(|rule| rule.max_age = max_age.map(|text| text.parse().unwrap()));
        let verdict = judge_reports(&rule, &index(), [aged(created), report('d')]);
        let parts: Vec<&str> = Some(part).filter(|it| !it.is_empty()).into_iter().collect();
        assert_verdict(&verdict, state, &parts);
    }
    let verdict = judge_reports(
        &rule(),
        &index(),
        [aged(Some("2027-01-01T00:00:00Z")), report('d')],
    );
    assert_verdict(&verdict, Passed, &[]);
    assert!(verdict.warnings()[0].contains("r0 says that it was made at 2027-01-01T00:00:00Z"));
}

#[test]
fn what_a_report_took_out_is_shown_and_may_be_denied() {
    let taken = SuppressedFinding {
        id: "CVE-1".to_owned(),
        package: "libexample".to_owned(),
        severity: Critical,
        cause: "ignored by a rule of Grype".to_owned(),
    };
    let suppressing = with(report('c'), |report| report.suppressed = vec![taken]);
    let filtered = with(report('c'), |report| {
        report.filters = vec!["only-fixed".to_owned()]
    });
    for (report_of_amd, text) in [
        (
            suppressing,
            "r0 took out 1 finding: CVE-1 (critical, ignored by a rule of Grype)",
        ),
        (filtered, "r0 was filtered: only-fixed"),
    ] {
        let reports = [report_of_amd, report('d')];
        let verdict = judge_reports(&rule(), &index(), reports.clone());
        assert_verdict(&verdict, Passed, &[]);
        assert!(
            verdict.facts().iter().any(|fact| fact == text),
            "{verdict:#?}"
        );
        let deny = rule_with(|rule| rule.denies_suppressed = true);
        let verdict = judge_reports(&deny, &index(), reports);
        assert_verdict(
            &verdict,
            Failed,
            &[&format!("{text}, and gates.scan.suppressed denies it")],
        );
    }
}

#[test]
fn the_age_of_the_vulnerability_database_is_shown() {
    let built = with(report('c'), |report| {
        report.database_built_at = Some(time("2026-11-19T06:00:00Z"));
    });
    let verdict = judge_reports(&rule(), &index(), [built, report('d')]);
    let facts = [
        "r0 (trivy 0.68.1, Trivy JSON) has no findings on linux/amd64: scanned at 2026-11-20T11:00:00Z (1 h ago), vulnerability database of 2026-11-19T06:00:00Z (30 h ago)",
        "r1 (trivy 0.68.1, Trivy JSON) has no findings on linux/arm64: scanned at 2026-11-20T11:00:00Z (1 h ago), age of the vulnerability database unknown",
    ];
    assert_eq!(verdict.facts(), facts);
}

#[test]
fn promise_6_what_cannot_be_read_refuses() {
    let image = index();
    let good = |name: &str, config| ConsideredReport {
        name: name.to_owned(),
        content: Ok(Arc::new(report(config))),
        attested_by: None,
    };
    let error = ScanReportError::UnsupportedSchema("Trivy JSON\n3".to_owned());
    let bad = ConsideredReport {
        name: "bad\u{1b}.json".to_owned(),
        content: Err(error),
        attested_by: None,
    };
    let reports = [good("a", 'c'), good("b", 'd'), bad];
    let broken = ConsideredVex {
        name: "web.json".to_owned(),
        content: Err(VexError::Malformed("it ends early".to_owned())),
    };
    let facts = ScanFacts {
        image: &image,
        place: &place(),
        requires_attested: false,
        reports: &reports[..2],
        vex: &[],
        now: time(NOW),
    };
    assert_verdict(&judge_scan(&rule(), facts).verdict, Passed, &[]);
    let judgement = judge_scan(
        &rule(),
        ScanFacts {
            reports: &reports,
            ..facts
        },
    );
    let reason =
        "bad\u{fffd}.json cannot be used: its format is not supported: Trivy JSON\u{fffd}3";
    assert_verdict(&judgement.verdict, Failed, &[reason]);
    let passed: Vec<bool> = judgement
        .reports
        .iter()
        .map(JudgedReport::has_passed)
        .collect();
    assert_eq!(passed, [true, true, false]);
    assert_eq!(judgement.reports[2].reasons, [reason]);
    assert_eq!(judgement.reports[0].platforms, ["linux/amd64"]);
    let vex = [broken];
    let judgement = judge_scan(&rule(), ScanFacts { vex: &vex, ..facts });
    let reason =
        "the VEX document web.json cannot be used: it is not an OpenVEX document: it ends early";
    assert_verdict(&judgement.verdict, Unknown, &[reason]);
}

#[test]
fn an_override_may_only_tighten_the_scan_rule() {
    let base = rule_with(|rule| {
        rule.fail_on = "high".parse().unwrap();
        rule.max_age = Some("24h".parse().unwrap());
        rule.denies_suppressed = true;
    });
    let strict = ScanRule {
        fail_on: "medium".parse().unwrap(),
        max_age: Some("1h".parse().unwrap()),
        ..base.clone()
    };
    assert!(strict.keys_weaker_than(&base).is_empty());
    assert!(base.keys_weaker_than(&base).is_empty());
    let weak = ScanRule {
        fail_on: "critical".parse().unwrap(),
        ignore_unfixed: true,
        max_age: None,
        allows_unbound: true,
        denies_suppressed: false,
        ignore: Vec::new(),
    };
    let all = [
        "fail-on",
        "ignore-unfixed",
        "max-age",
        "unbound",
        "suppressed",
    ];
    assert_eq!(weak.keys_weaker_than(&base), all);
}
