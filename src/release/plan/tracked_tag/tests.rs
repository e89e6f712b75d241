use super::*;
use crate::record::{RecordId, RecordTime};
use crate::release::plan::record_facts::{
    CurrentRelease, NamedRollback, RecordFacts, RecordedRelease, RecordedRoot,
};
use crate::release::plan::tags::plan_tags;
use crate::tagging::ImmutableTagSource;

fn digest(text: &str) -> Digest {
    Digest::from_bytes(text.as_bytes())
}

fn order(minute: u8) -> (RecordTime, RecordId) {
    let time = RecordTime::parse_tag_part(&format!("20261130t12{minute:02}00000z")).unwrap();
    (time, RecordId::from_blob(&[minute]))
}

fn moving(tag: &str, source: MovingTagSource) -> PlannedTag {
    PlannedTag {
        tag: tag.parse().unwrap(),
        kind: TagKind::Moving(source),
        rule: "a rule".to_owned(),
    }
}

/// A destination with these tags, whose environment is on the root of a text since a minute.
fn seen(tags: &[(&str, &str)], current: Option<(&str, u8)>) -> DestinationState {
    let named = tags.iter();
    let named = named.map(|(tag, of)| (tag.parse().unwrap(), Some(digest(of))));
    DestinationState {
        tag_digests: named.collect(),
        records: Some(RecordFacts {
            current: current.map(|(of, minute)| CurrentRelease {
                root: digest(of),
                order: order(minute),
            }),
            ..RecordFacts::default()
        }),
        ..DestinationState::default()
    }
}

fn withdraw_root(seen: &mut DestinationState, of: &str) {
    let records = seen.records.as_mut().unwrap();
    records.rollbacks.insert(NamedRollback::of_root(digest(of)));
    let withdrawn = RecordedRoot::of_release(RecordedRelease::Withdrawn, [of]);
    records.roots.insert(digest(of), withdrawn);
}

fn tracked(planned: PlannedTag, first: &DestinationState) -> TrackedTag {
    let place = "oci:web".parse().unwrap();
    let plan = plan_tags(&place, &[planned], first, digest("root")).unwrap();
    TrackedTag::of_plan(&plan, first).remove(0)
}

#[test]
fn promise_4_the_environment_tag_goes_on_to_a_later_release_and_to_no_older_one() {
    let prod = moving("prod", MovingTagSource::Environment);
    let mut tag = tracked(prod, &seen(&[("prod", "old")], Some(("old", 1))));
    let act = |tag: &TrackedTag, at: &str, current: Option<(&str, u8)>| {
        let mut now = seen(&[("prod", at)], current);
        now.records.as_mut().unwrap().own_order = Some(order(5));
        tag.choose_action(&now, digest("root"))
    };
    let own = Ok(TagAction::Write(digest("root"), LATEST_RELEASE));
    assert_eq!(act(&tag, "root", Some(("root", 5))), Ok(TagAction::Keep));
    assert_eq!(act(&tag, "old", Some(("root", 5))), own);
    assert_eq!(act(&tag, "old", Some(("old", 4))), own);
    let later = Ok(TagAction::Write(digest("new"), LATER_RELEASE));
    assert_eq!(act(&tag, "root", Some(("new", 6))), later);
    assert_eq!(act(&tag, "new", Some(("new", 6))), Ok(TagAction::Keep));
    assert_eq!(act(&tag, "other", Some(("new", 6))), Ok(TagAction::Keep));
    tag.record_write(digest("new"));
    let newest = Ok(TagAction::Write(digest("newest"), LATER_RELEASE));
    assert_eq!(act(&tag, "new", Some(("newest", 7))), newest);
}

#[test]
fn promise_4_the_environment_tag_leaves_a_root_that_is_withdrawn_meanwhile() {
    let prod = moving("prod", MovingTagSource::Environment);
    let tag = tracked(prod, &seen(&[("prod", "old")], Some(("old", 1))));
    let mut now = seen(&[("prod", "root")], Some(("old", 6)));
    let records = now.records.as_mut().unwrap();
    records.own_order = Some(order(5));
    records
        .rollbacks
        .insert(NamedRollback::of_root(digest("root")));
    let question = LineQuestion::Records(vec![digest("root")]);
    assert_eq!(tag.choose_action(&now, digest("root")), Err(question));
    withdraw_root(&mut now, "root");
    let back = Ok(TagAction::Write(digest("old"), WITHDRAWN_MEANWHILE));
    assert_eq!(tag.choose_action(&now, digest("root")), back);
    now.records.as_mut().unwrap().current = None;
    let keeps = Ok(TagAction::KeepWithdrawn);
    assert_eq!(tag.choose_action(&now, digest("root")), keeps);
}

#[test]
fn promise_4_other_moving_tags_go_back_to_what_they_named() {
    let first = seen(&[("main", "old")], None);
    let tag = tracked(moving("main", MovingTagSource::Branch), &first);
    let mut now = seen(&[("main", "root")], None);
    let act = |now: &DestinationState| tag.choose_action(now, digest("root"));
    assert_eq!(act(&now), Ok(TagAction::Keep));
    withdraw_root(&mut now, "root");
    assert_eq!(act(&now), Err(LineQuestion::Image(digest("old"))));
    let mut known = |is_there| {
        let records = now.records.as_mut().unwrap();
        records.images.insert(digest("old"), is_there);
        now.clone()
    };
    let back = Ok(TagAction::Write(digest("old"), WITHDRAWN_MEANWHILE));
    assert_eq!(act(&known(true)), back);
    assert_eq!(act(&known(false)), Ok(TagAction::KeepWithdrawn));
    let mut other = known(true);
    withdraw_root(&mut other, "old");
    assert_eq!(act(&other), Ok(TagAction::KeepWithdrawn));
    // Another run has moved it.
    let mut moved = known(true);
    let main = "main".parse().unwrap();
    moved.tag_digests.insert(main, Some(digest("new")));
    assert_eq!(act(&moved), Ok(TagAction::Keep));
}

#[test]
fn promise_4_a_repetition_goes_back_to_what_its_first_attempt_found() {
    let mut first = seen(&[("main", "root")], None);
    let previous = [("main".parse().unwrap(), digest("old"))];
    first.records.as_mut().unwrap().previous = previous.into();
    let tag = tracked(moving("main", MovingTagSource::Branch), &first);
    let mut now = seen(&[("main", "root")], None);
    withdraw_root(&mut now, "root");
    now.records
        .as_mut()
        .unwrap()
        .images
        .insert(digest("old"), true);
    let back = Ok(TagAction::Write(digest("old"), WITHDRAWN_MEANWHILE));
    assert_eq!(tag.choose_action(&now, digest("root")), back);
}

#[test]
fn immutable_tags_and_destinations_without_records_are_not_tracked() {
    let place = "oci:web".parse().unwrap();
    let tags = [
        moving("prod", MovingTagSource::Environment),
        PlannedTag {
            kind: TagKind::Immutable(ImmutableTagSource::Version),
            ..moving("1.4.0", MovingTagSource::Other)
        },
    ];
    let mut first = seen(&[], None);
    let plan = plan_tags(&place, &tags, &first, digest("root")).unwrap();
    let tracked = TrackedTag::of_plan(&plan, &first);
    assert_eq!(tracked.len(), 1);
    assert!(tracked[0].is_environment());
    first.records = None;
    assert!(TrackedTag::of_plan(&plan, &first).is_empty());
}
