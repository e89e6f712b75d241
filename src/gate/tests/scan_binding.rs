use super::scan_support::*;
use super::*;
use crate::gate::GateState::{Failed, Passed, Unknown};

/// Returns the digests of these hex digits.
fn digests(digits: &str) -> Vec<Digest> {
    digits.chars().map(digest).collect()
}

/// Returns a report with these digests: repository digests, the child that was read, the config.
fn bound(repo: &str, manifest: &str, config: &str) -> ScanReport {
    with(report('c'), |report| {
        report.subject = ScanSubject {
            repo_digests: digests(repo).into_iter().collect(),
            manifest_digest: digests(manifest).pop(),
            config_digest: digests(config).pop(),
            layers: Vec::new(),
        };
    })
}

#[track_caller]
fn assert_image(report: &ScanReport, platforms: &[usize]) {
    let binding = ReportBinding::find(report, &index());
    let expected = ReportBinding::Image(platforms.iter().copied().collect());
    assert_eq!(binding, expected);
}

#[test]
fn a_report_is_bound_by_root_child_or_config() {
    for (repo, manifest, config, platforms) in [
        ("1", "", "c", &[0][..]),
        ("1", "", "d", &[1]),
        ("a", "", "", &[0]),
        ("a", "", "c", &[0]),
        ("", "", "d", &[1]),
        ("", "b", "", &[1]),
        ("1b", "b", "d", &[1]),
        // An engine with containerd's store gives the manifest, or the root, as the id of the image.
        ("1", "", "b", &[1]),
        ("1", "", "1", &[]),
        // Only the root: which platform was scanned is not known.
        ("1", "", "", &[]),
        ("", "1", "", &[]),
        // The child that Grype computes may be foreign where others bind.
        ("1", "9", "c", &[0]),
        ("", "9", "d", &[1]),
    ] {
        assert_image(&bound(repo, manifest, config), platforms);
    }
}

#[test]
fn promise_6_a_report_of_another_image_is_refused() {
    for (repo, manifest, config) in [
        ("9", "", ""),
        ("", "9", ""),
        ("", "", "9"),
        ("98", "7", "6"),
    ] {
        let foreign = bound(repo, manifest, config);
        let binding = ReportBinding::find(&foreign, &index());
        assert!(matches!(binding, ReportBinding::Foreign(_)), "{binding:?}");
        for rule in [rule(), rule_with(|rule| rule.allows_unbound = true)] {
            let reports = [report('c'), report('d'), foreign.clone()];
            let verdict = judge_reports(&rule, &index(), reports);
            assert_verdict(&verdict, Failed, &["r2 is about another image: sha256:"]);
        }
    }
}

#[test]
fn promise_6_digests_that_contradict_each_other_bind_to_nothing() {
    for (repo, manifest, config) in [
        ("1", "", "9"),
        ("9", "", "c"),
        ("19", "", "c"),
        ("a", "", "d"),
        ("ab", "", ""),
        ("1", "b", "c"),
        ("9", "a", ""),
    ] {
        let contradicting = bound(repo, manifest, config);
        let binding = ReportBinding::find(&contradicting, &index());
        assert!(
            matches!(binding, ReportBinding::Contradicting(_)),
            "{repo} {manifest} {config}"
        );
        let reports = [report('c'), report('d'), contradicting];
        let verdict = judge_reports(&rule(), &index(), reports);
        assert_verdict(
            &verdict,
            Failed,
            &["r2 has digests that contradict each other: sha256:"],
        );
    }
}

#[test]
fn where_only_the_root_is_named_the_platform_says_what_was_scanned() {
    let of = |name: Option<&str>| {
        with(bound("1", "", ""), |report| {
            report.platform = name.map(platform)
        })
    };
    assert_image(&of(Some("linux/arm64")), &[1]);
    assert_image(&of(Some("linux/arm64/v8")), &[1]);
    assert_image(&of(Some("linux/s390x")), &[]);
    assert_image(&of(None), &[]);
    // The config decides, whatever the platform.
    let report = with(bound("1", "", "c"), |report| {
        report.platform = Some(platform("linux/arm64"))
    });
    assert_image(&report, &[0]);
    let mut single = index();
    single.platforms.truncate(1);
    let binding = ReportBinding::find(&of(None), &single);
    assert_eq!(binding, ReportBinding::Image([0].into()));
    let mut arms = index();
    arms.platforms[0].platform = Some(platform("linux/arm/v6"));
    arms.platforms[1].platform = Some(platform("linux/arm/v7"));
    for (name, platforms) in [
        ("linux/arm/v6", [0]),
        ("linux/arm/v7", [1]),
        ("linux/arm", [1]),
    ] {
        let binding = ReportBinding::find(&of(Some(name)), &arms);
        assert_eq!(binding, ReportBinding::Image(platforms.into()), "{name}");
    }
    // A report that covers nothing is judged, and leaves the platforms without a report.
    let verdict = judge_reports(&rule(), &index(), [of(None)]);
    let reasons = [
        "no scan report is about linux/amd64",
        "no scan report is about linux/arm64",
    ];
    assert_verdict(&verdict, Unknown, &reasons);
    assert!(
        verdict
            .facts()
            .iter()
            .any(|it| it == "r0 does not say which platform was scanned")
    );
}

#[test]
fn a_report_without_digests_needs_the_consent_of_the_rule() {
    let unbound = |name: Option<&str>| {
        with(bound("", "", ""), |report| {
            report.platform = name.map(platform)
        })
    };
    let allow = rule_with(|rule| rule.allows_unbound = true);
    let mut one = index();
    one.platforms[1].is_released = false;
    let verdict = judge_reports(&rule(), &one, [unbound(None)]);
    let reasons = [
        "r0 names no digest of an image",
        "no scan report is about linux/amd64",
    ];
    assert_verdict(&verdict, Failed, &reasons);
    assert_verdict(&judge_reports(&allow, &one, [unbound(None)]), Passed, &[]);
    assert_verdict(
        &judge_reports(&allow, &one, [unbound(Some("linux/amd64"))]),
        Passed,
        &[],
    );
    // The only one that is released is not the one that was scanned.
    let verdict = judge_reports(&allow, &one, [unbound(Some("linux/arm64"))]);
    assert_verdict(&verdict, Unknown, &["no scan report is about linux/amd64"]);
    let both = [unbound(Some("linux/arm64")), unbound(Some("linux/amd64"))];
    assert_verdict(&judge_reports(&allow, &index(), both), Passed, &[]);
    let verdict = judge_reports(&allow, &index(), [unbound(None), unbound(None)]);
    assert_eq!(verdict.state(), Unknown);
}
