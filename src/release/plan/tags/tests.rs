use super::*;
use crate::release::plan::record_facts::{
    NamedRollback, RecordFacts, RecordedRelease, RecordedRoot,
};
use crate::tagging::{ImmutableTagSource, LineTag, ReleaseSeries, ReleaseVersion, VersionLine};
use std::collections::BTreeMap;

fn digest(text: &str) -> Digest {
    Digest::from_bytes(text.as_bytes())
}

fn planned(tag: &str, kind: TagKind) -> PlannedTag {
    PlannedTag {
        tag: tag.parse().unwrap(),
        kind,
        rule: "a rule".to_owned(),
    }
}

fn line(name: &str, version: &str) -> TagKind {
    let version = ReleaseVersion::parse(version).unwrap();
    TagKind::Moving(MovingTagSource::Line(Box::new(LineTag {
        line: VersionLine::named(name, &version).unwrap(),
        series: ReleaseSeries::default(),
        release_series: ReleaseSeries::default(),
        version,
    })))
}

/// A destination with these tags, each with the digest of a text.
fn seen(tags: &[(&str, &str)]) -> DestinationState {
    let named: BTreeMap<Tag, Option<Digest>> = tags
        .iter()
        .map(|(tag, of)| (tag.parse().unwrap(), Some(digest(of))))
        .collect();
    let tags = named.keys().cloned().collect();
    DestinationState {
        tag_digests: named,
        tags,
        ..DestinationState::default()
    }
}

fn changed(tag: &PlannedTag, seen: &DestinationState) -> Result<TagChange, String> {
    let place = "registry.example/team/web".parse().unwrap();
    let plan = plan_tags(&place, std::slice::from_ref(tag), seen, digest("root"));
    plan.map(|plan| plan.into_results().remove(0).change)
        .map_err(|failure| failure.diagnostic().unwrap().to_string())
}

#[test]
fn promise_3_an_immutable_tag_is_not_moved() {
    let tag = planned("1.4.0", TagKind::Immutable(ImmutableTagSource::Version));
    assert_eq!(changed(&tag, &seen(&[])), Ok(TagChange::Created));
    assert_eq!(
        changed(&tag, &seen(&[("1.4.0", "root")])),
        Ok(TagChange::Unchanged)
    );
    let refused = changed(&tag, &seen(&[("1.4.0", "other")])).unwrap_err();
    let lines: Vec<&str> = refused.lines().collect();
    assert_eq!(
        lines,
        [
            format!(
                "tag 1.4.0 of registry.example/team/web points to {}, expected {}",
                digest("other"),
                digest("root")
            )
            .as_str(),
            " why:  1.4.0 is an immutable tag (a rule)",
            " hint: release under the next free version, 1.4.1, or release the existing image, with source registry.example/team/web:1.4.0",
        ]
    );
}

#[test]
fn promise_4_a_line_goes_only_forward() {
    let there = seen(&[
        ("1.4.0", "a"),
        ("1.4", "a"),
        ("2.0.0", "b"),
        ("latest", "b"),
    ]);
    let moved = TagChange::Moved { from: digest("a") };
    let minor = planned("1.4", line("1.4", "1.4.1"));
    assert_eq!(changed(&minor, &there), Ok(moved));
    let stays = TagChange::Stays {
        at: Some(digest("b")),
        why: "latest stays at 2.0.0: 1.4.1 is a backport".to_owned(),
    };
    let latest = planned("latest", line("latest", "1.4.1"));
    assert_eq!(changed(&latest, &there), Ok(stays));
}

fn withdrawn() -> RecordedRoot {
    RecordedRoot::of_release(RecordedRelease::Withdrawn, ["2.0.0"])
}

#[test]
fn promise_4_withdrawn_releases_do_not_hold_a_line() {
    let mut there = seen(&[("1.4.0", "a"), ("2.0.0", "b"), ("latest", "b")]);
    there.records = Some(RecordFacts {
        rollbacks: [NamedRollback::of_root(digest("b"))].into(),
        roots: [(digest("b"), withdrawn())].into(),
        ..RecordFacts::default()
    });
    let latest = planned("latest", line("latest", "1.4.1"));
    let moved = TagChange::Moved { from: digest("b") };
    assert_eq!(changed(&latest, &there), Ok(moved));
    let root = [(digest("root"), withdrawn())];
    there.records.as_mut().unwrap().roots.extend(root);
    let stays = TagChange::Stays {
        at: Some(digest("b")),
        why: "latest stays at 1.4.0: 1.4.1 is withdrawn".to_owned(),
    };
    assert_eq!(changed(&latest, &there), Ok(stays));
}

#[test]
fn a_branch_stays_where_git_says_that_it_is_newer() {
    let main = planned("main", TagKind::Moving(MovingTagSource::Branch));
    let mut there = seen(&[("main", "a")]);
    let why = "main stays: it is newer".to_owned();
    there.newer_branches.insert(main.tag.clone(), why.clone());
    let at = Some(digest("a"));
    assert_eq!(changed(&main, &there), Ok(TagChange::Stays { at, why }));
}

#[test]
fn other_moving_tags_follow() {
    let tag = planned("main", TagKind::Moving(MovingTagSource::Branch));
    assert_eq!(
        changed(&tag, &seen(&[("main", "a")])),
        Ok(TagChange::Moved { from: digest("a") })
    );
    assert_eq!(
        changed(&tag, &seen(&[("main", "root")])),
        Ok(TagChange::Unchanged)
    );
}
