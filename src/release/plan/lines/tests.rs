mod corrections;
mod odd_names;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::release::plan::creation_time::CreationTime;
use crate::tagging::{
    ExcludedVersions, ImmutableTagSource, MovingTagSource, ReleaseSeries, ReleaseVersion, TagKind,
};

fn digest(text: &str) -> Digest {
    Digest::from_bytes(text.as_bytes())
}

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// A line's tag, in the series of what it has around the name of its line.
fn planned(text: &str, version: &str, series: [&str; 2], release_series: [&str; 2]) -> PlannedTag {
    let version = ReleaseVersion::parse(version).unwrap();
    let [series, release_series] = [series, release_series].map(|[prefix, suffix]| {
        ReleaseSeries::from_affixes(prefix, suffix).with_builds_of(&version)
    });
    let name = text.strip_prefix(series.prefix.as_str()).unwrap();
    let name = name.strip_suffix(series.suffix.as_str()).unwrap();
    PlannedTag {
        tag: tag(text),
        kind: TagKind::Moving(MovingTagSource::Line(Box::new(LineTag {
            line: VersionLine::named(name, &version).unwrap(),
            series,
            release_series,
            version,
        }))),
        rule: "a rule".to_owned(),
    }
}

fn line(text: &str, version: &str) -> PlannedTag {
    planned(text, version, ["", ""], ["", ""])
}

/// A destination with these tags, each with the digest of a text; `-` is a tag whose digest is not
/// known yet.
fn seen(tags: &[(&str, &str)]) -> DestinationState {
    let known = tags.iter().filter(|(_, of)| *of != "-");
    let digests: BTreeMap<Tag, Option<Digest>> = known
        .map(|(text, of)| (tag(text), Some(digest(of))))
        .collect();
    DestinationState {
        tag_digests: digests,
        tags: tags.iter().map(|(text, _)| tag(text)).collect(),
        ..DestinationState::default()
    }
}

/// Creation times in hours; of the image `root` too.
fn with_times(mut seen: DestinationState, times: &[(&str, Option<i64>)]) -> DestinationState {
    let time = |hours: i64| CreationTime(1_790_000_000 + hours * 3600);
    let times = times
        .iter()
        .map(|(of, hours)| (digest(of), hours.map(time)));
    seen.creation_times.extend(times);
    seen
}

fn decide(planned: &PlannedTag, seen: &DestinationState) -> LineDecision {
    decide_line(planned, seen, digest("root")).unwrap()
}

fn release(text: &str) -> TaggedRelease {
    TaggedRelease {
        version: ReleaseVersion::parse(text).unwrap(),
        tag: tag(text),
    }
}

fn own() -> LineDecision {
    LineDecision::OwnImage { passed: None }
}

fn passes(text: &str) -> LineDecision {
    let passed = Some(release(text));
    LineDecision::OwnImage { passed }
}

fn stays(hold: LineHold) -> LineDecision {
    LineDecision::Stays(hold)
}

#[test]
fn promise_4_a_mistyped_version_is_passed_with_a_warning() {
    let there = |latest| {
        let tags = [("1.10.6", "typo"), ("1.5.2", "old"), ("latest", latest)];
        with_times(seen(&tags), &[("root", Some(0)), ("typo", Some(-17_000))])
    };
    let latest = line("latest", "1.5.3");
    assert_eq!(decide(&latest, &there("old")), passes("1.10.6"));
    assert_eq!(decide(&latest, &there("root")), passes("1.10.6"));
    assert_eq!(
        decide(&latest, &there("typo")),
        stays(LineHold::Decided(
            "latest stays at 1.10.6: 1.5.3 is a backport".to_owned()
        ))
    );
    assert_eq!(
        decide(&latest, &there("by hand")),
        stays(LineHold::UnknownImage(release("1.10.6")))
    );
}

#[test]
fn promise_4_a_higher_version_is_in_progress_for_24_hours() {
    for (ours, theirs, is_in_progress) in [
        (Some(0), Some(-24), true),
        (Some(0), Some(-25), false),
        (Some(0), Some(100), true),
        (None, Some(-25), true),
        (Some(0), None, true),
    ] {
        let tags = [("2.0.0", "new"), ("1.4.0", "old"), ("latest", "old")];
        let there = with_times(seen(&tags), &[("root", ours), ("new", theirs)]);
        let expected = match is_in_progress {
            true => stays(LineHold::InProgress(release("2.0.0"))),
            false => passes("2.0.0"),
        };
        assert_eq!(
            decide(&line("latest", "1.4.1"), &there),
            expected,
            "{ours:?} {theirs:?}"
        );
    }
}

/// The run moved the line to 2.0.0, which had come meanwhile, over 2.0.1, and died.
#[test]
fn promise_4_a_repetition_undoes_what_its_earlier_attempt_overwrote() {
    let tags = [
        ("9.9.9", "typo"),
        ("2.0.1", "newer"),
        ("2.0.0", "new"),
        ("1.4.1", "root"),
        ("latest", "new"),
    ];
    let latest = line("latest", "1.4.1");
    let undone = LineDecision::HigherRelease(release("2.0.1"), digest("newer"));
    let stays_there = stays(LineHold::Decided(
        "latest stays at 9.9.9: 1.4.1 is a backport".to_owned(),
    ));
    let old = ("typo", Some(-9_000));
    for (is_repeated, times, expected) in [
        (true, [("root", Some(0)), ("newer", Some(24)), old], &undone),
        (
            true,
            [("root", Some(0)), ("newer", Some(-24)), old],
            &undone,
        ),
        (true, [("root", Some(0)), ("newer", None), old], &undone),
        (
            true,
            [("root", Some(0)), ("newer", Some(25)), old],
            &stays_there,
        ),
        (
            true,
            [("root", Some(0)), ("newer", Some(-25)), old],
            &stays_there,
        ),
        (
            false,
            [("root", Some(0)), ("newer", Some(1)), old],
            &stays_there,
        ),
    ] {
        let mut there = with_times(seen(&tags), &times);
        if is_repeated {
            there.immutable_tags = [tag("1.4.1")].into();
        }
        assert_eq!(&decide(&latest, &there), expected, "{times:?}");
        there
            .tag_digests
            .insert(tag("latest"), Some(digest("typo")));
        assert_eq!(decide(&latest, &there), stays_there, "{times:?}");
    }
}

#[test]
fn promise_4_an_absent_line_is_made_by_the_highest_release_alone() {
    let there = seen(&[("0.23.0", "new"), ("0.22.3", "old")]);
    let decision = decide(&line("latest", "0.22.4"), &there);
    assert!(
        matches!(decision, LineDecision::Stays(LineHold::Decided(_))),
        "{decision:?}"
    );
    assert_eq!(decide(&line("latest", "0.23.1"), &there), own());
    assert_eq!(decide(&line("0.22", "0.22.4"), &there), own());
}

#[test]
fn promise_4_what_a_line_names_is_looked_up_from_the_highest() {
    let there = seen(&[
        ("3.0.0", "-"),
        ("2.0.0", "-"),
        ("1.4.0", "-"),
        ("latest", "x"),
    ]);
    let latest = line("latest", "1.4.1");
    let digests = |tags: &[&str]| {
        let tags = tags.iter().map(|text| tag(text)).collect();
        LineDecision::Needs(LineQuestion::Digests(tags))
    };
    assert_eq!(decide(&latest, &there), digests(&["3.0.0"]));
    let there = seen(&[
        ("3.0.0", "c"),
        ("2.0.0", "-"),
        ("1.4.0", "-"),
        ("latest", "x"),
    ]);
    assert_eq!(decide(&latest, &there), digests(&["2.0.0"]));
    let there = seen(&[
        ("3.0.0", "c"),
        ("2.0.0", "b"),
        ("1.4.0", "-"),
        ("latest", "x"),
    ]);
    let tags = vec![tag("3.0.0"), tag("2.0.0")];
    let times = LineDecision::Needs(LineQuestion::CreationTimes(tags));
    assert_eq!(decide(&latest, &there), times);
    let old = [("root", Some(0)), ("b", Some(-99)), ("c", Some(-99))];
    assert_eq!(
        decide(&latest, &with_times(there, &old)),
        digests(&["1.4.0"])
    );
    // Nothing is looked up where no higher version is there.
    let there = seen(&[
        ("1.3.0", "-"),
        ("1.4.0", "-"),
        ("1.4", "y"),
        ("latest", "x"),
    ]);
    assert_eq!(decide(&latest, &there), own());
    assert_eq!(decide(&line("1.4", "1.4.1"), &there), own());
}

#[test]
fn promise_4_at_most_sixteen_versions_are_looked_up() {
    let versions: Vec<String> = (0..30).map(|minor| format!("2.{minor}.0")).collect();
    let mut tags: Vec<(&str, &str)> = versions.iter().map(|text| (text.as_str(), "-")).collect();
    tags.extend([("latest", "x"), ("1.4.0", "-")]);
    let mut there = seen(&tags);
    let mut looked_up = BTreeSet::new();
    let decision = loop {
        match decide(&line("latest", "1.4.1"), &there) {
            LineDecision::Needs(LineQuestion::Digests(tags)) => {
                for tag in tags {
                    there
                        .tag_digests
                        .insert(tag.clone(), Some(digest(tag.as_str())));
                    looked_up.insert(tag);
                }
            }
            LineDecision::Needs(LineQuestion::CreationTimes(tags)) => {
                let old = tags.iter().map(|tag| (tag.as_str(), Some(-99)));
                let times: Vec<_> = old.chain([("root", Some(0))]).collect();
                there = with_times(there, &times);
            }
            decision => break decision,
        }
    };
    assert_eq!(decision, stays(LineHold::LookupLimit(release("2.29.0"))));
    assert_eq!(looked_up.len(), VERSION_LOOKUP_LIMIT);
    assert!(looked_up.contains(&tag("2.14.0")) && !looked_up.contains(&tag("2.13.0")));
}

#[test]
fn promise_4_an_excluded_version_never_counts() {
    let mut there = seen(&[("2024.5.1", "cal"), ("1.4.0", "old"), ("latest", "cal")]);
    there.excluded = ExcludedVersions::parse(["2024.*"]).unwrap();
    assert_eq!(decide(&line("latest", "1.4.1"), &there), own());
    let decision = decide(&line("latest", "1.3.9"), &there);
    assert!(
        matches!(decision, LineDecision::Needs(_) | LineDecision::Stays(_)),
        "{decision:?}"
    );
}

#[test]
fn promise_4_a_variant_leaves_latest_to_a_higher_version_of_another_variant() {
    let latest = planned("latest", "1.4.1", ["", ""], ["", "-alpine"]);
    let there = |debian: &str, at: &str| seen(&[(debian, "deb"), ("latest", at)]);
    let higher = LineHold::OtherSeries(TaggedRelease {
        version: ReleaseVersion::parse("2.4.0").unwrap(),
        tag: tag("2.4.0-debian"),
    });
    assert_eq!(
        decide(&latest, &there("2.4.0-debian", "deb")),
        stays(higher)
    );
    for (other, at) in [
        ("1.4.0-debian", "deb"),
        ("2.4.0-rc.1", "deb"),
        ("2.4.0-debian", "root"),
    ] {
        assert_eq!(decide(&latest, &there(other, at)), own(), "{other} {at}");
    }
    let unknown = seen(&[("2.4.0-debian", "-"), ("latest", "deb")]);
    let question = LineQuestion::Digests(vec![tag("2.4.0-debian")]);
    assert_eq!(decide(&latest, &unknown), LineDecision::Needs(question));
    let mut excluded = there("2.4.0-debian", "deb");
    excluded.excluded = ExcludedVersions::parse(["2.4.0"]).unwrap();
    assert_eq!(decide(&latest, &excluded), own());
}

#[test]
fn promise_4_a_variant_leaves_latest_to_the_bare_series() {
    let latest = planned("latest", "10.7.0", ["", ""], ["", "-alpine"]);
    let bare = seen(&[
        ("10.7.0", "bare"),
        ("latest", "bare"),
        ("10.6.0-alpine", "old"),
    ]);
    assert_eq!(
        decide(&latest, &bare),
        stays(LineHold::OtherSeries(release("10.7.0")))
    );
    let alone = seen(&[("10.6.0-alpine", "old"), ("latest", "old")]);
    assert_eq!(decide(&latest, &alone), own());
    let higher = seen(&[("10.8.0-alpine", "new"), ("latest", "new")]);
    assert!(matches!(
        decide(&latest, &higher),
        LineDecision::Stays(LineHold::Decided(_))
    ));
}

#[test]
fn promise_4_a_release_of_two_numbers_is_never_moved_by_a_line() {
    let minor = line("1.19", "1.19.1");
    let own_tag = |mut there: DestinationState| {
        there.immutable_tags = [tag("1.19.1")].into();
        there
    };
    let two_numbers = stays(LineHold::TwoNumberRelease);
    for tags in [
        &[("1.19", "release"), ("1.18", "old")][..],
        &[("1.19", "release"), ("1.19.1", "root")],
        &[("1.19", "release"), ("1.19.2-rc.1", "other")],
    ] {
        assert_eq!(
            decide(&minor, &own_tag(seen(tags))),
            two_numbers,
            "{tags:?}"
        );
    }
    for tags in [
        &[("1.19", "line"), ("1.19.0", "-")][..],
        &[("1.19", "root"), ("1.19.1", "root")],
        &[("1.18", "old")],
    ] {
        assert_eq!(decide(&minor, &own_tag(seen(tags))), own(), "{tags:?}");
    }
    let third = line("1.19", "1.19.3");
    let mut there = seen(&[("1.19", "release"), ("1.19.1", "-")]);
    there.immutable_tags = [tag("1.19.3")].into();
    let question = LineQuestion::Digests(vec![tag("1.19.1")]);
    assert_eq!(decide(&third, &there), LineDecision::Needs(question));
    there
        .tag_digests
        .insert(tag("1.19.1"), Some(digest("patch")));
    assert_eq!(decide(&third, &there), two_numbers);
    there
        .tag_digests
        .insert(tag("1.19.1"), Some(digest("release")));
    assert_eq!(decide(&third, &there), own());
}

#[test]
fn promise_4_series_of_every_form_go_forward() {
    for (old, new) in [
        ("1.18", "1.19"),
        ("2025.2", "2025.3"),
        ("0.9.1.9", "0.9.2.5"),
        ("2026.02.0", "2026.10.0"),
        ("1.27.8+k3s1", "1.28.3+k3s1"),
        ("1.28.3+k3s9", "1.28.3+k3s10"),
    ] {
        let text = |version: &str| ReleaseVersion::parse(version).unwrap().to_tag_text();
        let (old_tag, new_tag) = (text(old), text(new));
        let there = seen(&[(&old_tag, "old"), ("latest", "old")]);
        assert_eq!(decide(&line("latest", new), &there), own(), "{new}");
        let there = seen(&[(&new_tag, "new"), ("latest", "new")]);
        let decision = decide(&line("latest", old), &there);
        assert!(
            matches!(decision, LineDecision::Stays(_)),
            "{old}: {decision:?}"
        );
    }
}

#[test]
fn other_tags_are_no_lines() {
    let kind = TagKind::Immutable(ImmutableTagSource::Version);
    let planned = PlannedTag {
        kind,
        ..line("latest", "1.4.0")
    };
    assert_eq!(decide_line(&planned, &seen(&[]), digest("root")), None);
}
