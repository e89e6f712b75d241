//! Lines that are read again where records are kept: what they name once the release is withdrawn.

use RecordedRelease::{Intended, Released, Unrecorded, Withdrawn};

use super::model::{ModelRelease, digest, tag};
use super::*;
use crate::release::plan::record_facts::{
    NamedRollback, RecordFacts, RecordedRelease, RecordedRoot,
};

/// A destination with these tags, each with the image of a text, and what the records say of these.
fn seen(tags: &[(&str, &str)], releases: &[(&str, RecordedRelease)]) -> DestinationState {
    let withdrawn = releases.iter().filter(|(_, release)| *release == Withdrawn);
    let known = releases.iter().map(|(of, release)| {
        let named = tags.iter().filter(|(_, named)| named == of);
        let versions = named.map(|(tag, _)| tag);
        (digest(of), RecordedRoot::of_release(*release, versions))
    });
    DestinationState {
        tag_digests: tags
            .iter()
            .map(|(text, of)| (tag(text), Some(digest(of))))
            .collect(),
        tags: tags.iter().map(|(text, _)| tag(text)).collect(),
        records: Some(RecordFacts {
            rollbacks: withdrawn
                .map(|(of, _)| NamedRollback::of_root(digest(of)))
                .collect(),
            roots: known.collect(),
            ..RecordFacts::default()
        }),
        ..DestinationState::default()
    }
}

/// What becomes of `latest`, written with 1.5.0, in the state `now`; it named `before` before.
fn act(before: &DestinationState, now: &DestinationState) -> Result<LineAction, LineQuestion> {
    let place = "oci:model".parse().unwrap();
    let planned = ModelRelease::new("1.5.0", None).planned;
    let plan = plan_tags(&place, &planned, before, digest("1.5.0")).unwrap();
    let lines = TrackedLine::of_plan(&plan);
    let is_latest = |line: &&TrackedLine| line.planned.tag == tag("latest");
    let line = lines.iter().find(is_latest).unwrap();
    LineCorrection::new(&plan, before, plan.root).choose_action(line, now)
}

fn written(action: Result<LineAction, LineQuestion>) -> Option<Digest> {
    match action {
        Ok(LineAction::Write(goal, _)) => Some(goal.digest),
        Ok(LineAction::Keep | LineAction::KeepWithdrawn) => None,
        other => panic!("{other:?}"),
    }
}

const BEFORE: [(&str, &str); 3] = [("1.4.0", "1.4.0"), ("1.3.0", "1.3.0"), ("latest", "1.4.0")];

/// The tags after the run wrote its own, with another image under `latest`.
fn after(
    latest: &'static str,
    others: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    let own = [("1.5.0", "1.5.0"), ("latest", latest)];
    [&BEFORE[..2], &own[..], others].concat()
}

#[test]
fn promise_4_a_line_leaves_a_withdrawn_root_for_the_highest_counted_release() {
    let before = seen(&BEFORE, &[]);
    let bad = ("1.5.0", Withdrawn);
    for (releases, expected) in [
        (&[bad, ("1.4.0", Released)][..], "1.4.0"),
        (&[bad, ("1.4.0", Withdrawn), ("1.3.0", Released)], "1.3.0"),
        (&[bad, ("1.4.0", Intended), ("1.3.0", Released)], "1.3.0"),
        (&[bad, ("1.4.0", Unrecorded), ("1.3.0", Released)], "1.3.0"),
    ] {
        let now = seen(&after("1.5.0", &[]), releases);
        let to = written(act(&before, &now));
        assert_eq!(to, Some(digest(expected)), "{releases:?}");
    }
    // A higher release that came meanwhile.
    let tags = after("1.5.0", &[("1.6.0", "1.6.0")]);
    let now = seen(&tags, &[bad, ("1.6.0", Released)]);
    assert_eq!(written(act(&before, &now)), Some(digest("1.6.0")));
}

#[test]
fn promise_4_without_a_counted_release_a_line_goes_back_to_what_it_named() {
    let none = [
        ("1.5.0", Withdrawn),
        ("1.4.0", Unrecorded),
        ("1.3.0", Unrecorded),
    ];
    let mut now = seen(&after("1.5.0", &[]), &none);
    let before = seen(&BEFORE, &[]);
    let question = act(&before, &now).unwrap_err();
    assert_eq!(question, LineQuestion::Image(digest("1.4.0")));
    let mut with_image = |of: &str, is_there| {
        let records = now.records.as_mut().unwrap();
        records.images.insert(digest(of), is_there);
        now.clone()
    };
    let there = with_image("1.4.0", true);
    assert_eq!(written(act(&before, &there)), Some(digest("1.4.0")));
    let gone = with_image("1.4.0", false);
    let keeps = act(&before, &gone).unwrap();
    assert!(matches!(keeps, LineAction::KeepWithdrawn), "{keeps:?}");
    // A repetition knows it from its intent.
    let mut repeated = seen(&after("1.5.0", &[]), &[]);
    let previous = [(tag("latest"), digest("1.3.0"))];
    repeated.records.as_mut().unwrap().previous = previous.into();
    let there = with_image("1.3.0", true);
    assert_eq!(written(act(&repeated, &there)), Some(digest("1.3.0")));
}

#[test]
fn promise_4_what_the_rollback_wrote_is_not_written_again() {
    let before = seen(&BEFORE, &[]);
    let none = [
        ("1.5.0", Withdrawn),
        ("1.4.0", Unrecorded),
        ("1.3.0", Unrecorded),
    ];
    let mut now = seen(&after("by the rollback", &[]), &none);
    let images = [(digest("1.4.0"), true)];
    now.records.as_mut().unwrap().images = images.into();
    assert_eq!(written(act(&before, &now)), None);
    let counted = [("1.5.0", Withdrawn), ("1.4.0", Released)];
    let now = seen(&after("1.4.0", &[]), &counted);
    assert_eq!(written(act(&before, &now)), None);
}

#[test]
fn promise_4_a_line_goes_on_to_a_release_and_to_no_other_version() {
    let before = seen(&BEFORE, &[]);
    let tags = after("1.5.0", &[("1.6.0", "1.6.0"), ("1.5.1", "1.5.1")]);
    for (releases, expected) in [
        (&[("1.6.0", Released)][..], Some("1.6.0")),
        (&[("1.6.0", Intended)], Some("1.6.0")),
        (&[("1.6.0", Unrecorded), ("1.5.1", Released)], Some("1.5.1")),
        (&[("1.6.0", Withdrawn), ("1.5.1", Released)], Some("1.5.1")),
        (&[("1.6.0", Unrecorded), ("1.5.1", Unrecorded)], None),
        (&[("1.6.0", Withdrawn), ("1.5.1", Withdrawn)], None),
    ] {
        let to = written(act(&before, &seen(&tags, releases)));
        assert_eq!(to, expected.map(digest), "{releases:?}");
    }
    // Another run has moved it there, or further.
    let tags = after("1.6.0", &[("1.6.0", "1.6.0"), ("1.5.1", "1.5.1")]);
    for releases in [
        &[("1.6.0", Released)][..],
        &[("1.6.0", Unrecorded), ("1.5.1", Released)],
    ] {
        let kept = act(&before, &seen(&tags, releases)).unwrap();
        assert!(matches!(kept, LineAction::KeepHigher(..)), "{kept:?}");
    }
}
