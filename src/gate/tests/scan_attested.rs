//! Attested reports: of a series the newest counts, and an old one refuses no image that was scanned again.

use super::scan_support::*;
use super::*;
use crate::gate::FixState::Fixable;
use crate::gate::GateState::{Failed, Passed};
use crate::gate::Severity::Critical;

/// Attested report of a signer that was made at a time, of the platform with a config.
struct Attested {
    config: char,
    by: Option<&'static str>,
    at: &'static str,
    tool: Option<&'static str>,
    is_bad: bool,
}

const OLD: &str = "2026-11-10T12:00:00Z";
const FRESH: &str = "2026-11-20T11:00:00Z";
const AFTER: &str = "2026-11-20T13:00:00Z";

fn attested(config: char, at: &'static str) -> Attested {
    Attested {
        config,
        by: Some("scanner"),
        at,
        tool: Some("trivy"),
        is_bad: false,
    }
}

fn bad(report: Attested) -> Attested {
    Attested {
        is_bad: true,
        ..report
    }
}

impl Attested {
    fn consider(&self, number: usize) -> ConsideredReport {
        let findings = self
            .is_bad
            .then(|| finding("CVE-2099-1001", Critical, Fixable));
        let content = with(report(self.config), |report| {
            report.created_at = Some(time(self.at));
            report.tool = self.tool.map(str::to_owned);
            report.findings = findings.into_iter().collect();
        });
        ConsideredReport {
            name: format!("r{number}"),
            content: Ok(Arc::new(content)),
            attested_by: self.by.map(str::to_owned),
        }
    }
}

/// Judges reports of linux/amd64 next to a fresh one of linux/arm64.
fn judge(max_age: Option<&str>, reports: &[Attested]) -> ScanJudgement {
    let other = attested('d', FRESH);
    let reports = reports.iter().chain([&other]).enumerate();
    let reports: Vec<ConsideredReport> = reports.map(|(at, it)| it.consider(at)).collect();
    let rule = rule_with(|rule| rule.max_age = max_age.map(|age| age.parse().unwrap()));
    let facts = ScanFacts {
        image: &index(),
        place: &place(),
        requires_attested: true,
        reports: &reports,
        vex: &[],
        now: time(NOW),
    };
    judge_scan(&rule, facts)
}

#[test]
fn promise_6_the_newest_attested_report_of_a_scanner_and_signer_counts() {
    let judgement = judge(None, &[bad(attested('c', OLD)), attested('c', FRESH)]);
    assert_verdict(&judgement.verdict, Passed, &[]);
    assert!(judgement.reports[0].is_superseded && !judgement.reports[1].is_superseded);
    let fact = "r0 does not count: r1 of the same scanner and signer is newer";
    let facts = judgement.verdict.facts();
    assert!(facts.iter().any(|it| it == fact), "{facts:?}");
    // The other way round the newer one is the bad one.
    let newer = [attested('c', OLD), bad(attested('c', FRESH))];
    assert_verdict(&judge(None, &newer).verdict, Failed, &["r1 has 1 finding"]);
}

#[test]
fn promise_6_no_other_report_takes_the_place_of_a_bad_one() {
    let fresh = || attested('c', FRESH);
    for other in [
        Attested {
            by: Some("somebody else"),
            ..fresh()
        },
        Attested {
            by: None,
            ..fresh()
        },
        Attested {
            tool: Some("grype"),
            ..fresh()
        },
        Attested {
            tool: None,
            ..fresh()
        },
        // Of a time that has not been yet, and of the same time.
        attested('c', AFTER),
        attested('c', OLD),
        // Of the other platform.
        attested('d', FRESH),
    ] {
        let reports = [bad(attested('c', OLD)), other, fresh_of_another_tool()];
        let verdict = judge(None, &reports).verdict;
        assert_verdict(&verdict, Failed, &["r0 has 1 finding of critical"]);
    }
    // A file is replaced by nothing.
    let file = Attested {
        by: None,
        ..bad(attested('c', OLD))
    };
    assert_eq!(judge(None, &[file, fresh()]).verdict.state(), Failed);
}

fn fresh_of_another_tool() -> Attested {
    Attested {
        tool: Some("snyk"),
        ..attested('c', FRESH)
    }
}

#[test]
fn an_attested_report_that_is_too_old_refuses_no_image_that_was_scanned_again() {
    let old = || attested('c', OLD);
    let by_grype = || Attested {
        tool: Some("grype"),
        ..old()
    };
    let limit = Some("24h");
    let fresh = || attested('c', FRESH);
    let judgement = judge(limit, &[by_grype(), fresh()]);
    assert_verdict(&judgement.verdict, Passed, &[]);
    let facts = judgement.verdict.facts();
    let fact = "r0 was made at 2026-11-10T12:00:00Z, 10 d ago, expected at most 24h: it covers no platform";
    assert!(facts.iter().any(|it| it == fact), "{facts:?}");
    assert_verdict(&judge(limit, &[old(), fresh()]).verdict, Passed, &[]);
    // Its findings count: max-age that is stricter lets nothing pass.
    let verdict = judge(limit, &[bad(by_grype()), fresh()]).verdict;
    assert_verdict(&verdict, Failed, &["r0 has 1 finding of critical"]);
    for reports in [
        vec![old()],
        // A file covers no platform of attested reports, and one that is too old refuses as before.
        vec![
            old(),
            Attested {
                by: None,
                ..fresh()
            },
        ],
        vec![Attested { by: None, ..old() }, fresh()],
    ] {
        let verdict = judge(limit, &reports).verdict;
        assert_eq!(verdict.state(), Failed, "{verdict:#?}");
        assert!(verdict.reasons()[0].contains("10 d ago"), "{verdict:#?}");
    }
}

#[test]
fn an_attested_report_of_a_platform_that_is_not_released_decides_nothing() {
    let mut image = index();
    image.platforms[1].is_released = false;
    let judge = |reports: &[Attested]| {
        let reports = reports.iter().enumerate();
        let reports: Vec<ConsideredReport> = reports.map(|(at, it)| it.consider(at)).collect();
        let facts = ScanFacts {
            image: &image,
            place: &place(),
            requires_attested: true,
            reports: &reports,
            vex: &[],
            now: time(NOW),
        };
        judge_scan(&rule(), facts).verdict
    };
    let verdict = judge(&[attested('c', FRESH), bad(attested('d', FRESH))]);
    assert_verdict(&verdict, Passed, &[]);
    let fact = "r1 does not count: it is about linux/arm64, which is not released";
    assert!(verdict.facts().iter().any(|it| it == fact), "{verdict:#?}");
    // It covers nothing either, and a file is judged: nobody has to give it.
    let verdict = judge(&[attested('d', FRESH)]);
    let reason = "no scan report is about linux/amd64";
    assert_verdict(&verdict, GateState::Unknown, &[reason]);
    let file = Attested {
        by: None,
        ..bad(attested('d', FRESH))
    };
    assert_eq!(judge(&[attested('c', FRESH), file]).state(), Failed);
}

#[test]
fn what_does_not_take_a_finding_out_is_named_at_the_finding() {
    let exception = ScanException {
        id: "CVE-2099-1001".to_owned(),
        package: None,
        platform: None,
        until: Some("2026-11-01T00:00:00.000Z".parse().unwrap()),
        reason: "not reachable".to_owned(),
    };
    let rule = rule_with(|rule| rule.ignore = vec![exception]);
    let found = report_with([finding("CVE-2099-1001", Critical, Fixable)]);
    let verdict = judge_reports(&rule, &index(), [found, report('d')]);
    let part = "(critical, a fix is known; its exception ended at 2026-11-01T00:00:00Z)";
    assert_verdict(&verdict, Failed, &[part]);
}

#[test]
fn a_report_of_the_index_alone_is_named_where_a_platform_is_missing() {
    let root_alone = with(report('c'), |report| report.subject.config_digest = None);
    let verdict = judge_reports(&rule(), &index(), [root_alone]);
    let reason = "r0 names the image and not the platform that was scanned";
    assert_verdict(&verdict, GateState::Unknown, &[reason, reason]);
}
