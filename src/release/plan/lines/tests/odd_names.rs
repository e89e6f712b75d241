//! Tags that read as pre-releases and may be releases, and versions of equal rank.

use super::*;

#[test]
fn promise_4_a_line_that_names_another_build_part_does_not_go_back() {
    let tags = [("1.28.3-k3s1", "new"), ("1.28.1", "old"), ("latest", "new")];
    let latest = line("latest", "1.28.2");
    let named = stays(LineHold::NamesOddTag(release("1.28.3-k3s1")));
    assert_eq!(decide(&latest, &seen(&tags)), named);
    let alone = [("1.28.3-k3s1", "new"), ("1.28", "new"), ("latest", "new")];
    assert_eq!(decide(&latest, &seen(&alone)), named);
    let at = |digest: &str| {
        let mut there = seen(&tags[..2]);
        if !digest.is_empty() {
            there
                .tag_digests
                .insert(tag("latest"), Some(super::digest(digest)));
        }
        decide(&latest, &there)
    };
    let unknown = stays(LineHold::OddTag(release("1.28.3-k3s1")));
    assert_eq!(at("by hand"), unknown);
    assert_eq!(at(""), unknown);
    assert_eq!(at("old"), own());
    assert_eq!(at("root"), own());
    assert_eq!(decide(&line("latest", "1.28.4"), &seen(&tags)), own());
    let mut excluded = seen(&tags);
    excluded.excluded = ExcludedVersions::parse(["1.28.3-k3s1"]).unwrap();
    assert_eq!(decide(&latest, &excluded), own());
}

#[test]
fn promise_4_a_usual_prerelease_holds_no_line() {
    for prerelease in [
        "2.0.0-rc.1",
        "2.0.0-beta2",
        "2.0.0-SNAPSHOT",
        "2.0.0-20260102",
    ] {
        let tags = [(prerelease, "new"), ("1.4.0", "old"), ("latest", "old")];
        assert_eq!(decide(&line("latest", "1.4.1"), &seen(&tags)), own());
        let tags = [(prerelease, "new"), ("latest", "by hand")];
        assert_eq!(decide(&line("latest", "1.4.1"), &seen(&tags)), own());
    }
    // The line itself tells that a number is a build.
    let tags = [("1.4.1-7", "new"), ("latest", "new")];
    let named = stays(LineHold::NamesOddTag(release("1.4.1-7")));
    assert_eq!(decide(&line("latest", "1.4.0"), &seen(&tags)), named);
}

#[test]
fn promise_4_builds_of_commits_are_releases_of_equal_rank() {
    let tags = [("1.4.1-gabc1234", "new"), ("latest", "new")];
    let decision = decide(&line("latest", "1.4.0+g2b2e927"), &seen(&tags));
    assert!(
        matches!(decision, LineDecision::Stays(LineHold::Decided(_))),
        "{decision:?}"
    );
    assert_eq!(
        decide(&line("latest", "1.4.1+g2b2e927"), &seen(&tags)),
        own()
    );
    assert_eq!(
        decide(&line("latest", "1.4.2+g2b2e927"), &seen(&tags)),
        own()
    );
}

#[test]
fn promise_4_equal_versions_make_no_release_of_two_numbers() {
    for (theirs, ours) in [
        ("v1.4.0", "1.4.0"),
        ("1.4.1", "1.4.1.0"),
        ("v1.4.1", "1.4.1"),
        ("1.4.1-k3s1", "1.4.2"),
    ] {
        let mut there = seen(&[(theirs, "old"), ("1.4", "old"), ("latest", "old")]);
        there.immutable_tags = [tag(ours)].into();
        assert_eq!(decide(&line("1.4", ours), &there), own(), "{theirs} {ours}");
    }
    let mut there = seen(&[("1.4.3", "old"), ("1.4", "old")]);
    there.excluded = ExcludedVersions::parse(["1.4.3"]).unwrap();
    there.immutable_tags = [tag("1.4.2")].into();
    assert_eq!(decide(&line("1.4", "1.4.2"), &there), own());
}
