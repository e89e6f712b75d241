//! Lines where records are kept.

use RecordedRelease::{Intended, Released, Unrecorded, Withdrawn};

use super::*;
use crate::release::plan::line_warnings::LineWarnings;
use crate::release::plan::record_facts::{
    NamedRollback, RecordFacts, RecordedRelease, RecordedRoot,
};

/// The records say this of the images of texts. No time of creation is known: nothing may depend on one.
fn recorded(mut seen: DestinationState, releases: &[(&str, RecordedRelease)]) -> DestinationState {
    let withdrawn = releases.iter().filter(|(_, release)| *release == Withdrawn);
    seen.records = Some(RecordFacts {
        rollbacks: withdrawn
            .map(|(of, _)| NamedRollback::of_root(digest(of)))
            .collect(),
        roots: releases
            .iter()
            .map(|(of, release)| (digest(of), recorded_root(&seen, of, *release)))
            .collect(),
        ..RecordFacts::default()
    });
    seen
}

/// The records name the versions that the root has.
fn recorded_root(seen: &DestinationState, of: &str, release: RecordedRelease) -> RecordedRoot {
    let tags = seen.tag_digests.iter();
    let named = tags.filter(|(_, at)| **at == Some(digest(of)));
    RecordedRoot::of_release(release, named.map(|(tag, _)| tag))
}

fn needs_records(of: &[&str]) -> LineDecision {
    let roots = of.iter().map(|of| digest(of)).collect();
    LineDecision::Needs(LineQuestion::Records(roots))
}

fn backport(text: &str) -> LineDecision {
    stays(LineHold::Decided(text.to_owned()))
}

#[test]
fn promise_4_with_records_a_version_is_in_progress_by_its_record_alone() {
    let tags = [("2.0.0", "new"), ("1.4.0", "old"), ("latest", "old")];
    for (release, expected) in [
        (Released, stays(LineHold::InProgress(release("2.0.0")))),
        (Intended, stays(LineHold::InProgress(release("2.0.0")))),
        (Unrecorded, passes("2.0.0")),
        (Withdrawn, own()),
    ] {
        for hours in [-17_000, 0, 17_000] {
            let times = [("root", Some(0)), ("new", Some(hours))];
            let there = recorded(with_times(seen(&tags), &times), &[("new", release)]);
            let decision = decide(&line("latest", "1.4.1"), &there);
            assert_eq!(decision, expected, "{release:?} {hours}");
        }
    }
}

#[test]
fn promise_4_with_records_what_a_line_names_decides_as_ever() {
    let there = |latest: &str, release| {
        let tags = [("2.0.0", "new"), ("1.4.0", "old"), ("latest", latest)];
        recorded(seen(&tags), &[("new", release)])
    };
    let latest = line("latest", "1.4.1");
    let unknown = stays(LineHold::UnknownImage(release("2.0.0")));
    let stays_there = backport("latest stays at 2.0.0: 1.4.1 is a backport");
    let in_progress = stays(LineHold::InProgress(release("2.0.0")));
    let own_image = stays(LineHold::AtOwnImage(release("2.0.0")));
    for (at, release, expected) in [
        ("root", Unrecorded, &passes("2.0.0")),
        ("root", Released, &own_image),
        ("by hand", Unrecorded, &unknown),
        ("by hand", Released, &in_progress),
        ("by hand", Withdrawn, &own()),
        // What somebody moved a line to stays there, with a record or without.
        ("new", Unrecorded, &stays_there),
        ("new", Released, &stays_there),
        ("new", Withdrawn, &own()),
    ] {
        let decision = decide(&latest, &there(at, release));
        assert_eq!(&decision, expected, "{at} {release:?}");
    }
}

#[test]
fn promise_4_a_line_that_names_a_withdrawn_root_moves_to_the_highest_release() {
    let tags = [
        ("2.0.1", "bad"),
        ("2.0.0", "new"),
        ("1.4.0", "old"),
        ("latest", "bad"),
    ];
    let mut there = recorded(seen(&tags), &[("bad", Withdrawn), ("new", Released)]);
    assert_eq!(decide(&line("latest", "2.0.2"), &there), own());
    // Its own run moves the line, or that of the rollback.
    let latest = line("latest", "1.4.1");
    let in_progress = stays(LineHold::InProgress(release("2.0.0")));
    assert_eq!(decide(&latest, &there), in_progress);
    // An earlier attempt of this run may have written it.
    there.immutable_tags = [tag("1.4.1")].into();
    there.tags.insert(tag("1.4.1"));
    there.tag_digests.insert(tag("1.4.1"), Some(digest("root")));
    let moved = LineDecision::HigherRelease(release("2.0.0"), digest("new"));
    assert_eq!(decide(&latest, &there), moved);
    let releases = [("bad", Withdrawn), ("new", Unrecorded)];
    assert_eq!(
        decide(&latest, &recorded(there, &releases)),
        passes("2.0.0")
    );
}

#[test]
fn promise_4_with_records_a_repetition_undoes_what_its_earlier_attempt_overwrote() {
    let there = |latest: &str, is_repeated| {
        let tags = [
            ("9.9.9", "typo"),
            ("2.0.1", "newer"),
            ("2.0.0", "new"),
            ("1.4.1", "root"),
            ("latest", latest),
        ];
        let mut there = recorded(
            seen(&tags),
            &[("typo", Unrecorded), ("newer", Released), ("new", Released)],
        );
        if is_repeated {
            there.immutable_tags = [tag("1.4.1")].into();
        }
        there
    };
    let latest = line("latest", "1.4.1");
    let undone = LineDecision::HigherRelease(release("2.0.1"), digest("newer"));
    assert_eq!(decide(&latest, &there("new", true)), undone);
    assert_eq!(decide(&latest, &there("root", true)), undone);
    let stays_there = backport("latest stays at 9.9.9: 1.4.1 is a backport");
    assert_eq!(decide(&latest, &there("new", false)), stays_there);
    assert_eq!(decide(&latest, &there("newer", true)), stays_there);
}

#[test]
fn promise_4_with_records_an_absent_line_waits_for_the_highest_version_that_is_there() {
    let tags = [("2.0.0", "new"), ("1.4.0", "old")];
    let latest = line("latest", "1.4.1");
    for release in [Released, Unrecorded] {
        let decision = decide(&latest, &recorded(seen(&tags), &[("new", release)]));
        assert!(
            matches!(decision, LineDecision::Stays(LineHold::Decided(_))),
            "{release:?} {decision:?}"
        );
    }
    let there = recorded(seen(&tags), &[("new", Withdrawn)]);
    assert_eq!(decide(&latest, &there), own());
    let unknown = [("2.0.0", "-"), ("1.4.0", "old")];
    let there = recorded(seen(&unknown), &[("new", Withdrawn)]);
    let question = LineQuestion::Digests(vec![tag("2.0.0")]);
    assert_eq!(decide(&latest, &there), LineDecision::Needs(question));
}

#[test]
fn promise_4_a_version_that_only_a_tag_gives_to_a_recorded_image_holds_no_line() {
    for (latest, at) in [("old", "old"), ("old", "older"), ("older", "old")] {
        let tags = [
            ("9.9.9", at),
            ("1.4.0", "old"),
            ("1.3.0", "older"),
            ("latest", latest),
        ];
        let mut there = recorded(seen(&tags), &[]);
        let mut add = |of: &str, recorded| {
            let records = there.records.as_mut().unwrap();
            records.roots.insert(digest(of), recorded);
        };
        add("old", RecordedRoot::of_release(Released, ["1.4.0"]));
        add("older", RecordedRoot::of_release(Released, ["1.3.0"]));
        let decision = decide(&line("latest", "1.4.1"), &there);
        assert_eq!(decision, passes("9.9.9"), "{latest} {at}");
        // A run that releases the image as that version is in progress, or has died.
        let mut both = RecordedRoot::of_release(Released, ["1.4.0"]);
        both.intended = Some(["9.9.9".to_owned()].into());
        let records = there.records.as_mut().unwrap();
        records.roots.insert(digest(at), both);
        let decision = decide(&line("latest", "1.4.1"), &there);
        assert!(matches!(decision, LineDecision::Stays(_)), "{decision:?}");
    }
}

#[test]
fn promise_4_a_version_given_by_hand_hides_no_release_of_the_same_image() {
    let tags = [
        ("3.0.0", "c"),
        ("2.5.0", "b"),
        ("2.0.0", "b"),
        ("latest", "b"),
    ];
    let mut there = recorded(seen(&tags), &[]);
    let records = there.records.as_mut().unwrap();
    let released = RecordedRoot::of_release(Released, ["2.0.0"]);
    records.roots.insert(digest("b"), released);
    let latest = line("latest", "1.4.1");
    let unread = there.tag_digests.remove(&tag("2.0.0"));
    let question = LineQuestion::Digests(vec![tag("2.0.0")]);
    assert_eq!(decide(&latest, &there), LineDecision::Needs(question));
    there.tag_digests.insert(tag("2.0.0"), unread.unwrap());
    let decision = decide(&latest, &there);
    assert!(matches!(decision, LineDecision::Stays(_)), "{decision:?}");
}

#[test]
fn promise_4_no_line_goes_to_a_withdrawn_root() {
    let tags = [("1.4.0", "old"), ("latest", "old")];
    let there = recorded(seen(&tags), &[("root", Withdrawn)]);
    let withdrawn = backport("latest stays at 1.4.0: 1.4.1 is withdrawn");
    assert_eq!(decide(&line("latest", "1.4.1"), &there), withdrawn);
}

#[test]
fn promise_4_a_withdrawn_variant_holds_no_line() {
    let latest = planned("latest", "2.3.0", ["", ""], ["", "-alpine"]);
    let tags = [("2.4.0-debian", "deb"), ("latest", "deb")];
    let there = |release| recorded(seen(&tags), &[("deb", release)]);
    let named = decide(&latest, &there(Released));
    assert!(
        matches!(named, LineDecision::Stays(LineHold::OtherSeries(_))),
        "{named:?}"
    );
    assert_eq!(decide(&latest, &there(Withdrawn)), own());
    // So does a withdrawn tag that reads as a pre-release.
    let tags = [("1.28.3-k3s1", "new"), ("1.28.1", "old"), ("latest", "new")];
    let there = recorded(seen(&tags), &[("new", Withdrawn)]);
    assert_eq!(decide(&line("latest", "1.28.2"), &there), own());
}

#[test]
fn promise_4_records_are_read_only_where_a_decision_depends_on_them() {
    let tags = [("3.0.0", "c"), ("2.0.0", "b"), ("1.4.0", "old")];
    let at = |latest: &'static str| {
        let tags = [&tags[..], &[("latest", latest)]].concat();
        recorded(seen(&tags), &[])
    };
    let latest = line("latest", "1.4.1");
    // The highest is read alone, and then the others.
    assert_eq!(decide(&latest, &at("old")), needs_records(&["c"]));
    let mut there = at("old");
    let records = there.records.as_mut().unwrap();
    records.roots.insert(digest("c"), RecordedRoot::default());
    let intents = LineQuestion::Intents(digest("c"));
    assert_eq!(decide(&latest, &there), LineDecision::Needs(intents));
    let records = there.records.as_mut().unwrap();
    let unrecorded = RecordedRoot::of_release(Unrecorded, [""]);
    records.roots.insert(digest("c"), unrecorded);
    assert_eq!(decide(&latest, &there), needs_records(&["b"]));
    // A backport needs those of the image that the line names, and the highest version none.
    assert_eq!(decide(&latest, &at("c")), needs_records(&["c"]));
    for versions in [&["3.0.0"][..], &[]] {
        let mut there = at("c");
        let records = there.records.as_mut().unwrap();
        let recorded = RecordedRoot::of_release(Released, versions);
        records.roots.insert(digest("c"), recorded);
        let decision = decide(&latest, &there);
        assert!(matches!(decision, LineDecision::Stays(_)), "{decision:?}");
    }
    assert_eq!(decide(&line("latest", "3.0.1"), &at("c")), own());
    // Those of a rollback are read where its name names the root.
    let mut there = at("c");
    let rollbacks = [digest("c"), digest("root")].map(NamedRollback::of_root);
    there.records.as_mut().unwrap().rollbacks = rollbacks.into();
    assert_eq!(decide(&latest, &there), needs_records(&["root"]));
    let records = there.records.as_mut().unwrap();
    let released = RecordedRoot::of_release(Released, ["1.4.1"]);
    records.roots.insert(digest("root"), released);
    assert_eq!(decide(&latest, &there), needs_records(&["c"]));
}

#[test]
fn promise_4_warnings_name_the_record_as_the_reason() {
    let latest = line("latest", "1.4.1");
    let tags = [("2.0.0", "new"), ("1.4.0", "old"), ("latest", "old")];
    let text = |release| {
        let there = recorded(seen(&tags), &[("new", release)]);
        let mut warnings = LineWarnings::new(true);
        warnings.record_decision(&latest, &decide(&latest, &there));
        let texts: Vec<_> = warnings.to_texts(&"oci:x".parse().unwrap()).collect();
        texts.join("\n")
    };
    let passed = text(Unrecorded);
    let expected = "oci:x: latest passes the higher version 2.0.0, which it does not name and of which no record";
    assert!(passed.starts_with(expected), "{passed}");
    let in_progress = text(Intended);
    let expected = "is released or in progress, by its record";
    assert!(in_progress.contains(expected), "{in_progress}");
    for text in [passed, in_progress] {
        assert!(text.contains("exclude-versions: 2.0.0"), "{text}");
        assert!(!text.contains("24 hours"), "{text}");
    }
}
