use super::scan_support::*;
use super::*;
use crate::gate::FixState::Fixable;
use crate::gate::GateState::{Failed, Passed};
use crate::gate::Severity::{Critical, Low};

fn exception(id: &str) -> ScanException {
    ScanException {
        id: id.to_owned(),
        package: None,
        platform: None,
        until: None,
        reason: "not reachable".to_owned(),
    }
}

/// Judges a critical on linux/amd64 and its exceptions.
fn judge_critical(ignore: Vec<ScanException>) -> GateVerdict {
    let rule = rule_with(|rule| rule.ignore = ignore);
    let bad = report_with([finding("CVE-2026-1234", Critical, Fixable)]);
    judge_reports(&rule, &index(), [bad, report('d')])
}

#[test]
fn an_exception_takes_out_what_it_names() {
    for (id, package, platform, passes) in [
        ("CVE-2026-1234", None, None, true),
        ("cve-2026-1234", None, None, true),
        ("CVE-2026-123", None, None, false),
        ("CVE-2026-1234", Some("pkg:apk/*"), None, true),
        ("CVE-2026-1234", Some("libexample"), None, true),
        ("CVE-2026-1234", Some("lib*"), None, true),
        ("CVE-2026-1234", Some("pkg:deb/*"), None, false),
        ("CVE-2026-1234", Some("example"), None, false),
        ("CVE-2026-1234", None, Some("linux/amd64"), true),
        ("CVE-2026-1234", None, Some("linux/arm64"), false),
        (
            "CVE-2026-1234",
            Some("pkg:apk/*"),
            Some("linux/arm64"),
            false,
        ),
    ] {
        let verdict = judge_critical(vec![ScanException {
            package: package.map(WildcardPattern::new),
            platform: platform.map(|name| name.parse().unwrap()),
            ..exception(id)
        }]);
        let state = if passes { Passed } else { Failed };
        assert_eq!(verdict.state(), state, "{id} {package:?} {platform:?}");
        let unmatched = verdict
            .warnings()
            .iter()
            .filter(|it| it.contains("matches no finding"));
        assert_eq!(unmatched.count() == 0, passes);
    }
    let verdict = judge_critical(vec![exception("CVE-2026-1234")]);
    let fact = "1 finding of CVE-2026-1234 does not count by an exception: not reachable";
    assert!(verdict.facts().iter().any(|it| it == fact), "{verdict:#?}");
}

#[test]
fn an_exception_for_a_platform_needs_a_report_that_says_its_platform() {
    let ignore = vec![ScanException {
        platform: Some("linux/amd64".parse().unwrap()),
        ..exception("CVE-2026-1234")
    }];
    let rule = rule_with(|rule| rule.ignore = ignore);
    let unnamed = with(
        report_with([finding("CVE-2026-1234", Critical, Fixable)]),
        |report| {
            report.subject.config_digest = None;
        },
    );
    let verdict = judge_reports(&rule, &index(), [unnamed, report('c'), report('d')]);
    assert_verdict(&verdict, Failed, &["r0 has 1 finding of critical"]);
}

#[test]
fn an_exception_without_a_package_url_is_matched_by_name_only() {
    let ignore = vec![ScanException {
        package: Some(WildcardPattern::new("*")),
        ..exception("CVE-2026-1234")
    }];
    let rule = rule_with(|rule| rule.ignore = ignore);
    for (package, passes) in [("libexample", true), ("", false)] {
        let bare = ScanFinding {
            purl: "",
            package,
            ..finding("CVE-2026-1234", Critical, Fixable)
        };
        let verdict = judge_reports(&rule, &index(), [report_with([bare]), report('d')]);
        assert_eq!(verdict.has_passed(), passes, "{package}");
    }
}

#[test]
fn past_its_end_an_exception_counts_no_more_and_before_it_the_verdict_warns() {
    for (until, passes, warning) in [
        (
            "2026-11-20T12:00:00.000Z",
            false,
            "the exception for CVE-2026-1234 ended at 2026-11-20T12:00:00Z: its findings count",
        ),
        (
            "2026-11-20T12:00:00.001Z",
            true,
            "the exception for CVE-2026-1234 ends at 2026-11-20T12:00:00Z: its findings count from then on",
        ),
        (
            "2026-12-04T12:00:00.000Z",
            true,
            "the exception for CVE-2026-1234 ends at 2026-12-04T12:00:00Z: its findings count from then on",
        ),
        ("2026-12-04T12:00:00.001Z", true, ""),
    ] {
        let verdict = judge_critical(vec![ScanException {
            until: Some(until.parse().unwrap()),
            ..exception("CVE-2026-1234")
        }]);
        assert_eq!(verdict.has_passed(), passes, "{until}");
        let warnings: Vec<&str> = Some(warning)
            .filter(|it| !it.is_empty())
            .into_iter()
            .collect();
        assert_eq!(verdict.warnings(), warnings);
    }
}

#[test]
fn another_exception_is_in_effect_after_the_end_of_one() {
    let ended = ScanException {
        until: Some("2026-11-01T00:00:00.000Z".parse().unwrap()),
        ..exception("CVE-2026-1234")
    };
    for order in [[0, 1], [1, 0]] {
        let both = [ended.clone(), exception("CVE-2026-1234")];
        let verdict = judge_critical(order.map(|at| both[at].clone()).into());
        assert_verdict(&verdict, Passed, &[]);
    }
}

#[test]
fn an_exception_that_matches_nothing_is_reported() {
    let rule = rule_with(|rule| {
        rule.ignore = vec![
            exception("CVE-2026-1"),
            ScanException {
                package: Some(WildcardPattern::new("pkg:deb/*")),
                platform: Some("linux/amd64".parse().unwrap()),
                ..exception("CVE-2026-2")
            },
        ];
    });
    let minor = report_with([finding("CVE-2026-1", Low, Fixable)]);
    let verdict = judge_reports(&rule, &index(), [minor, report('d')]);
    assert_verdict(&verdict, Passed, &[]);
    let warning = "the exception for CVE-2026-2 (pkg:deb/*, linux/amd64) matches no finding";
    assert_eq!(verdict.warnings(), [warning]);
    assert!(judge_reports(&rule, &index(), []).warnings().is_empty());
}
