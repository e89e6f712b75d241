use super::scan_support::*;
use super::*;
use crate::gate::FixState::Fixable;
use crate::gate::GateState::{Failed, Passed};
use crate::gate::Severity::Critical;
use crate::gate::VexStatus::{Affected, Fixed, NotAffected, UnderInvestigation};

const UNREACHABLE: VexStatus = NotAffected(Some(VexJustification::VulnerableCodeNotInExecutePath));

fn component(identifiers: &[&str], digests: &[char]) -> VexComponent {
    VexComponent {
        identifiers: identifiers.iter().map(|it| (*it).to_owned()).collect(),
        digests: digests.iter().map(|digit| digest(*digit)).collect(),
    }
}

/// Returns a statement on CVE-2099-1001 in the image of these digests, and in this package of it.
fn statement(status: VexStatus, at: &str, digests: &[char], package: Option<&str>) -> VexStatement {
    VexStatement {
        vulnerability: ["CVE-2099-1001".to_owned(), "GHSA-1".to_owned()].into(),
        products: vec![VexProduct {
            component: component(&[], digests),
            subcomponents: package
                .map(|it| component(&[it], &[]))
                .into_iter()
                .collect(),
        }],
        status,
        timestamp: time(at),
    }
}

fn document(statements: Vec<VexStatement>) -> VexDocument {
    VexDocument {
        id: "https://example.com/vex".to_owned(),
        author: "team".to_owned(),
        statements,
    }
}

const EARLY: &str = "2026-11-18T12:00:00Z";
const LATE: &str = "2026-11-19T12:00:00Z";

/// Returns whether a critical on linux/amd64 passes by documents.
#[track_caller]
fn passes_by(documents: Vec<VexDocument>) -> bool {
    let bad = report_with([finding("CVE-2099-1001", Critical, Fixable)]);
    let judgement = judge_with_vex(&rule(), &index(), [bad, report('d')], documents);
    assert!(matches!(judgement.verdict.state(), Passed | Failed));
    let suppressed: usize = judgement.vex_suppressed.iter().sum();
    assert_eq!(judgement.verdict.has_passed(), suppressed == 1);
    judgement.verdict.has_passed()
}

#[test]
fn a_statement_suppresses_by_its_status() {
    for (status, passes) in [
        (UNREACHABLE, true),
        (Fixed, true),
        (NotAffected(None), false),
        (Affected, false),
        (UnderInvestigation, false),
    ] {
        let document = document(vec![statement(status, EARLY, &['1'], None)]);
        assert_eq!(passes_by(vec![document]), passes, "{status:?}");
    }
}

#[test]
fn promise_6_a_statement_suppresses_only_if_it_names_this_image() {
    for (digests, passes) in [
        (&['1'][..], true),
        (&['a'], true),
        (&['c'], true),
        (&['9', 'a'], true),
        // The other platform.
        (&['b'], false),
        (&['d'], false),
        (&['9'], false),
        (&[], false),
    ] {
        let document = document(vec![statement(UNREACHABLE, EARLY, digests, None)]);
        assert_eq!(passes_by(vec![document]), passes, "{digests:?}");
    }
    let mut named = statement(UNREACHABLE, EARLY, &[], None);
    named.products[0].component = component(&["pkg:oci/web", REPOSITORY], &[]);
    assert!(
        !passes_by(vec![document(vec![named])]),
        "a name is no digest"
    );
}

#[test]
fn a_statement_on_packages_is_on_those_only() {
    for (package, passes) in [
        (
            "pkg:apk/alpine/libexample@1.0.0-r0?arch=x86_64&distro=3.22.1",
            true,
        ),
        ("pkg:apk/alpine/libexample", true),
        ("pkg:apk/alpine/libexample@1.0.1-r0", false),
        ("pkg:apk/alpine/libother", false),
        ("libexample", false),
    ] {
        let document = document(vec![statement(UNREACHABLE, EARLY, &['1'], Some(package))]);
        assert_eq!(passes_by(vec![document]), passes, "{package}");
    }
}

#[test]
fn a_statement_is_found_by_any_name_of_the_vulnerability() {
    let document = document(vec![statement(UNREACHABLE, EARLY, &['1'], None)]);
    for (id, passes) in [("ghsa-1", true), ("GHSA-1", true), ("CVE-2099-1002", false)] {
        let bad = report_with([finding(id, Critical, Fixable)]);
        let judgement = judge_with_vex(&rule(), &index(), [bad, report('d')], [document.clone()]);
        assert_eq!(judgement.verdict.has_passed(), passes, "{id}");
    }
}

#[test]
fn of_contradicting_statements_the_newest_counts_and_else_the_strictest() {
    for (first, second, passes) in [
        ((UNREACHABLE, EARLY), (Affected, LATE), false),
        ((UNREACHABLE, LATE), (Affected, EARLY), true),
        ((UNREACHABLE, EARLY), (Affected, EARLY), false),
        ((UNREACHABLE, EARLY), (UnderInvestigation, EARLY), false),
        ((Fixed, LATE), (UnderInvestigation, EARLY), true),
        ((Fixed, EARLY), (NotAffected(None), LATE), false),
        ((Fixed, EARLY), (UNREACHABLE, LATE), true),
    ] {
        let [first, second] =
            [first, second].map(|(status, at)| statement(status, at, &['1'], None));
        for (one, two) in [(&first, &second), (&second, &first)] {
            let both = [one, two].map(Clone::clone);
            let apart = both.clone().map(|one| document(vec![one]));
            assert_eq!(
                passes_by(vec![document(both.into())]),
                passes,
                "{one:?} {two:?}"
            );
            assert_eq!(passes_by(apart.into()), passes);
        }
    }
    // A newer statement on another image or package contradicts nothing.
    let good = statement(UNREACHABLE, EARLY, &['1'], None);
    for other in [
        statement(Affected, LATE, &['9'], None),
        statement(Affected, LATE, &['b'], None),
        statement(Affected, LATE, &['1'], Some("pkg:apk/alpine/libother")),
    ] {
        assert!(passes_by(vec![document(vec![good.clone(), other])]));
    }
}

#[test]
fn where_the_package_is_not_known_only_what_is_against_the_release_counts() {
    let package = Some("pkg:apk/alpine/libexample");
    let bare = ScanFinding {
        purl: "",
        ..finding("CVE-2099-1001", Critical, Fixable)
    };
    let judge = |statements: Vec<VexStatement>| {
        let reports = [report_with([bare]), report('d')];
        judge_with_vex(&rule(), &index(), reports, [document(statements)]).verdict
    };
    let of_package = statement(UNREACHABLE, EARLY, &['1'], package);
    let of_all = statement(UNREACHABLE, EARLY, &['1'], None);
    let against = statement(Affected, LATE, &['1'], package);
    assert_verdict(&judge(vec![of_all.clone()]), Passed, &[]);
    assert_verdict(&judge(vec![of_package]), Failed, &["CVE-2099-1001"]);
    assert_verdict(&judge(vec![of_all, against]), Failed, &["CVE-2099-1001"]);
}

#[test]
fn a_statement_from_after_the_run_suppresses_nothing() {
    let late = "2026-11-20T12:00:01Z";
    let bad = report_with([finding("CVE-2099-1001", Critical, Fixable)]);
    let document = document(vec![statement(UNREACHABLE, late, &['1'], None)]);
    let judgement = judge_with_vex(&rule(), &index(), [bad, report('d')], [document]);
    assert_verdict(&judgement.verdict, Failed, &["CVE-2099-1001"]);
    let warning = "v0 has statements from after the time of this run: they take no findings out";
    assert_eq!(judgement.verdict.warnings(), [warning]);
}

#[test]
fn what_a_document_takes_out_is_shown() {
    let document = document(vec![statement(UNREACHABLE, EARLY, &['1'], None)]);
    let bad = report_with([finding("CVE-2099-1001", Critical, Fixable)]);
    let documents = [document.clone(), document];
    let judgement = judge_with_vex(&rule(), &index(), [bad, report('d')], documents);
    assert_verdict(&judgement.verdict, Passed, &[]);
    assert_eq!(judgement.vex_suppressed.iter().sum::<usize>(), 1);
    let mut facts = judgement.verdict.facts().iter();
    assert!(facts.any(|it| it.ends_with("takes out 1 finding: CVE-2099-1001")));
}

#[test]
fn a_statement_that_does_not_count_is_named_with_the_cause() {
    let package = Some("pkg:apk/alpine/other");
    for (status, at, digests, package, cause) in [
        (
            Fixed,
            EARLY,
            '9',
            None,
            "its products do not name this image by a digest",
        ),
        (Fixed, EARLY, '1', package, "it names other packages"),
        (
            NotAffected(None),
            EARLY,
            '1',
            None,
            "it has no justification",
        ),
        (
            Fixed,
            "2026-11-21T12:00:00Z",
            '1',
            None,
            "it is from after the time of this run",
        ),
    ] {
        let document = document(vec![statement(status, at, &[digests], package)]);
        let bad = report_with([finding("CVE-2099-1001", Critical, Fixable)]);
        let judgement = judge_with_vex(&rule(), &index(), [bad, report('d')], [document]);
        let part = format!("; of its VEX statement: {cause})");
        assert_verdict(&judgement.verdict, Failed, &[&part]);
        let fact = format!("v0 does not take out CVE-2099-1001: {cause}");
        let facts = judgement.verdict.facts();
        assert!(facts.contains(&fact), "{facts:?}");
    }
    let newer = document(vec![
        statement(UNREACHABLE, EARLY, &['1'], None),
        statement(Affected, LATE, &['1'], None),
    ]);
    let bad = report_with([finding("CVE-2099-1001", Critical, Fixable)]);
    let verdict = judge_with_vex(&rule(), &index(), [bad, report('d')], [newer]).verdict;
    assert_verdict(&verdict, Failed, &["a newer or stricter statement counts"]);
}

#[test]
fn findings_of_one_id_are_named_once() {
    let packages = ["liba", "libb", "libc"];
    let found = packages.map(|package| ScanFinding {
        package,
        ..finding("CVE-2099-1001", Critical, Fixable)
    });
    let document = document(vec![statement(Fixed, EARLY, &['1'], None)]);
    let judgement = judge_with_vex(
        &rule(),
        &index(),
        [report_with(found), report('d')],
        [document],
    );
    let fact = "v0 takes out 3 findings: CVE-2099-1001";
    let facts = judgement.verdict.facts();
    assert!(facts.iter().any(|it| it == fact), "{facts:?}");
}
