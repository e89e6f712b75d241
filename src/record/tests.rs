//! Order and state of timelines, as stories and as properties.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::image::Digest;

/// Timeline that is written entry by entry, one minute apart; each sees the one before.
#[derive(Default)]
struct Story {
    entries: Vec<TimelineEntry>,
}

fn root(name: &str) -> Digest {
    Digest::from_bytes(name.as_bytes())
}

fn time(minute: usize) -> RecordTime {
    let minute = jiff::SignedDuration::from_mins(i64::try_from(minute).unwrap());
    RecordTime::from_timestamp(jiff::Timestamp::UNIX_EPOCH + minute).unwrap()
}

impl Story {
    fn add(&mut self, action: RecordAction, name: &str) -> &mut TimelineEntry {
        let number = self.entries.len();
        let previous = self.entries.last().map(|entry| entry.record);
        self.entries.push(TimelineEntry {
            deletions: Vec::new(),
            record: RecordId::from_blob(format!("record {number}").as_bytes()),
            root: root(name),
            action,
            planned_at: time(number),
            restores: None,
            reinstates: Vec::new(),
            hold: None,
            previous: previous.into_iter().collect(),
            version: None,
            commit: None,
            actor: None,
            is_summary: false,
        });
        self.entries.last_mut().unwrap()
    }

    fn promote(&mut self, name: &str) {
        self.add(RecordAction::Promote, name);
    }

    /// Withdraws what is current, for the default target.
    fn roll_back(&mut self) {
        let timeline = self.timeline();
        let (_, withdrawn) = timeline.current().unwrap();
        let target = timeline.rollback_target(withdrawn).map(|entry| entry.root);
        let entry = self.add(RecordAction::Rollback, "");
        entry.root = withdrawn;
        entry.restores = target;
    }

    fn reinstate(&mut self, name: &str) {
        let withdrawals = self.timeline().withdrawals(root(name)).collect();
        self.add(RecordAction::Reinstate, name).reinstates = withdrawals;
    }

    fn timeline(&self) -> Timeline {
        Timeline::new(self.entries.clone())
    }

    fn current(&self) -> Option<Digest> {
        self.timeline().current().map(|(_, root)| root)
    }
}

#[test]
fn an_empty_timeline_has_nothing() {
    let timeline = Timeline::default();
    assert_eq!(timeline.current(), None);
    assert_eq!(timeline.heads(), []);
    assert_eq!(timeline.rollback_target(root("a")), None);
    assert_eq!(timeline.plan_next_time(time(7)), Ok(time(7)));
}

#[test]
fn two_rollbacks_in_a_row_go_back_two_releases() {
    let mut story = Story::default();
    for name in ["a", "b", "c"] {
        story.promote(name);
    }
    assert_eq!(story.current(), Some(root("c")));
    story.roll_back();
    assert_eq!(story.current(), Some(root("b")));
    story.roll_back();
    assert_eq!(story.current(), Some(root("a")));
    story.promote("d");
    assert_eq!(story.current(), Some(root("d")));
    story.roll_back();
    assert_eq!(story.current(), Some(root("a")));
}

#[test]
fn a_withdrawn_root_comes_back_only_by_a_reinstatement() {
    let mut story = Story::default();
    story.promote("a");
    story.promote("b");
    story.roll_back();
    story.promote("b");
    assert_eq!(story.current(), Some(root("a")));
    story.reinstate("b");
    assert_eq!(story.current(), Some(root("b")));
    story.roll_back();
    assert_eq!(story.current(), Some(root("a")));
    // The second withdrawal needs its own reinstatement.
    story.add(RecordAction::Reinstate, "b");
    assert_eq!(story.current(), Some(root("a")));
    story.reinstate("b");
    assert_eq!(story.current(), Some(root("b")));
}

#[test]
fn a_reinstatement_that_did_not_see_a_rollback_does_not_end_it() {
    let mut story = Story::default();
    story.promote("a");
    story.promote("b");
    story.roll_back();
    let saw = story.entries[2].record;
    story.add(RecordAction::Rollback, "b").restores = Some(root("a"));
    story.add(RecordAction::Reinstate, "b").reinstates = vec![saw];
    assert_eq!(story.current(), Some(root("a")));
    let second = story.entries[3].record;
    let left: Vec<_> = story.timeline().withdrawals(root("b")).collect();
    assert_eq!(left, [second]);
}

#[test]
fn a_rollback_prefers_deployed_releases_and_avoids_failed_ones() {
    let mut story = Story::default();
    for name in ["a", "b", "c", "d"] {
        story.promote(name);
    }
    story.add(RecordAction::Failed, "c");
    let target = |story: &Story| story.timeline().rollback_target(root("d")).map(|e| e.root);
    assert_eq!(target(&story), Some(root("b")));
    story.add(RecordAction::Deployed, "a");
    assert_eq!(target(&story), Some(root("a")));
    let timeline = story.timeline();
    let to = timeline.rollback_target(root("d")).unwrap();
    let between = timeline.releases_between(to, root("d"));
    let between: Vec<_> = between.map(|entry| entry.root).collect();
    assert_eq!(between, [root("b"), root("c")]);
    // The newest mark counts.
    story.add(RecordAction::Deployed, "c");
    assert_eq!(target(&story), Some(root("c")));
    for name in ["a", "b", "c"] {
        story.add(RecordAction::Failed, name);
    }
    assert_eq!(target(&story), None);
}

#[test]
fn a_rollback_prefers_releases_to_adopted_ones() {
    let mut story = Story::default();
    story.promote("a");
    story.promote("d");
    for name in ["b", "c", "d"] {
        story.add(RecordAction::Adopt, name);
    }
    let target = |story: &Story| story.timeline().rollback_target(root("d")).map(|e| e.root);
    assert_eq!(target(&story), Some(root("a")));
    story.add(RecordAction::Deployed, "b");
    assert_eq!(target(&story), Some(root("b")), "a mark says more");
    story.add(RecordAction::Deployed, "a");
    assert_eq!(target(&story), Some(root("a")));
    story.add(RecordAction::Failed, "a");
    story.add(RecordAction::Failed, "b");
    assert_eq!(target(&story), Some(root("c")));
}

#[test]
fn promise_6_a_rollback_that_is_stored_again_withdraws_nothing_again() {
    let mut story = Story::default();
    story.promote("a");
    story.promote("b");
    story.roll_back();
    let rollback = story.entries[2].clone();
    for number in 0..8 {
        let replayed = TimelineEntry {
            deletions: Vec::new(),
            record: RecordId::from_blob(&[number]),
            ..rollback.clone()
        };
        let mut story = Story {
            entries: story.entries.clone(),
        };
        story.reinstate("b");
        story.entries.push(replayed);
        assert_eq!(story.current(), Some(root("b")));
        assert!(!story.timeline().is_withdrawn(root("b")));
        // Another rollback is none that was seen.
        story.entries[4].planned_at = time(9);
        assert!(story.timeline().is_withdrawn(root("b")));
    }
}

#[test]
fn a_summary_of_a_reinstatement_ends_the_withdrawals_before_it() {
    let mut story = Story::default();
    story.promote("a");
    story.promote("b");
    story.roll_back();
    story.reinstate("b");
    story.promote("c");
    let summarized =
        |entry: &TimelineEntry| TimelineEntry::from_past_release(&entry.to_past_release());
    let summaries = Timeline::new(story.entries.iter().map(summarized).collect());
    assert!(!summaries.is_withdrawn(root("b")));
    assert_eq!(
        summaries.current(),
        Some((&summaries.entries()[4], root("c")))
    );
    // The same rollback, stored again and read, is no other one.
    let mut entries: Vec<_> = story.entries.iter().map(summarized).collect();
    let record = RecordId::from_blob(b"stored again");
    entries.push(TimelineEntry {
        deletions: Vec::new(),
        record,
        ..story.entries[2].clone()
    });
    assert!(!Timeline::new(entries).is_withdrawn(root("b")));
}

#[test]
fn marks_and_actions_of_later_versions_change_no_current_root() {
    let mut story = Story::default();
    story.promote("a");
    for action in ["deployed", "failed", "pruned", "hold", "unhold", "archived"] {
        story.add(action.parse().unwrap(), "b");
        assert_eq!(story.current(), Some(root("a")), "{action}");
    }
    assert_eq!(story.timeline().mark(root("b")), Some(ReleaseMark::Failed));
}

#[test]
fn a_hold_is_in_effect_until_its_own_end() {
    let mut story = Story::default();
    let hold = |story: &mut Story, action: &str, image: &str, name: Option<&str>| {
        story.add(action.parse().unwrap(), image).hold = name.map(str::to_owned);
        let holds = story.timeline().holds();
        let shown = holds.iter().map(|hold| {
            assert!(["a", "b"].iter().any(|it| root(it) == hold.root));
            let image = if hold.root == root("a") { "a" } else { "b" };
            format!("{} {image}", hold.name)
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(hold(&mut story, "hold", "a", Some("x")), "x a");
    assert_eq!(hold(&mut story, "hold", "a", Some("x")), "x a");
    assert_eq!(hold(&mut story, "hold", "b", Some("y")), "x a, y b");
    assert_eq!(hold(&mut story, "unhold", "b", Some("x")), "x a, y b");
    assert_eq!(hold(&mut story, "unhold", "a", Some("y")), "x a, y b");
    assert_eq!(hold(&mut story, "unhold", "a", None), "x a, y b");
    assert_eq!(hold(&mut story, "hold", "a", None), "x a, y b");
    assert_eq!(hold(&mut story, "rollback", "a", Some("x")), "x a, y b");
    assert_eq!(hold(&mut story, "pruned", "a", Some("x")), "x a, y b");
    assert_eq!(hold(&mut story, "unhold", "a", Some("x")), "y b");
    assert_eq!(hold(&mut story, "hold", "a", Some("x")), "y b, x a");
    assert_eq!(story.timeline().end_of_hold("x", root("a")), None);
    assert_eq!(story.timeline().end_of_hold("z", root("a")), None);
    let ended = story.timeline().end_of_hold("x", root("b"));
    assert_eq!(ended, Some(story.entries[3].record));
    // Summaries in later records say the same.
    let past = story.entries.iter().map(TimelineEntry::to_past_release);
    let summaries = past.map(|past| TimelineEntry::from_past_release(&past));
    assert_eq!(
        Timeline::new(summaries.collect()).holds(),
        story.timeline().holds()
    );
    assert_eq!(story.timeline().holds()[0].record, story.entries[2].record);
}

#[test]
fn heads_gaps_and_the_past_are_known() {
    let mut story = Story::default();
    for name in ["a", "b", "c"] {
        story.promote(name);
    }
    let ids: Vec<_> = story.entries.iter().map(|entry| entry.record).collect();
    story.entries[2].previous = vec![ids[0]];
    assert_eq!(story.timeline().heads(), ids[1..]);
    story.promote("d");
    story.entries[3].previous = ids[1..].to_vec();
    let head = story.entries[3].record;
    assert_eq!(story.timeline().heads(), [head]);
    let past = story.timeline().past();
    assert_eq!(past.len(), 4);
    assert_eq!(past[0].record, head);
    story.entries.remove(1);
    let missing: Vec<_> = story.timeline().missing_records().into_iter().collect();
    assert_eq!(missing, [ids[1]]);
    let mut long = Story::default();
    for number in 0..40 {
        long.promote(&number.to_string());
    }
    assert_eq!(long.timeline().past().len(), PAST_LIMIT);
}

#[test]
fn the_next_time_is_after_every_entry_and_not_far_from_the_clock() {
    let mut story = Story::default();
    (0..11).for_each(|number: usize| story.promote(&number.to_string()));
    let timeline = story.timeline();
    assert_eq!(timeline.plan_next_time(time(20)), Ok(time(20)));
    let next = timeline.plan_next_time(time(5)).unwrap();
    assert_eq!(next.since(time(10)), Duration::from_millis(1));
    let error = timeline.plan_next_time(time(4)).unwrap_err();
    assert_eq!(error.planned_at, time(10));
    assert_eq!(
        error.to_string(),
        format!(
            "record {} is planned at 1970-01-01T00:10:00.000Z, ahead of the clock, 1970-01-01T00:04:00.000Z",
            story.entries[10].record
        )
    );
}

#[derive(Debug, Clone)]
enum Step {
    Promote(u8),
    RollBack(u8, Option<u8>),
    Reinstate(u8),
    Mark(u8, bool),
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let image = 0_u8..4;
    let step = prop_oneof![
        3 => image.clone().prop_map(Step::Promote),
        2 => (image.clone(), proptest::option::of(image.clone())).prop_map(|(a, b)| Step::RollBack(a, b)),
        1 => image.clone().prop_map(Step::Reinstate),
        1 => (image, any::<bool>()).prop_map(|(a, b)| Step::Mark(a, b)),
    ];
    proptest::collection::vec(step, 0..14)
}

fn play(steps: &[Step]) -> Story {
    let mut story = Story::default();
    for step in steps {
        match step {
            Step::Promote(image) => story.promote(&image.to_string()),
            Step::RollBack(image, to) => {
                let restores = to.map(|to| root(&to.to_string()));
                story
                    .add(RecordAction::Rollback, &image.to_string())
                    .restores = restores;
            }
            Step::Reinstate(image) => story.reinstate(&image.to_string()),
            Step::Mark(image, good) => {
                let action = match good {
                    true => RecordAction::Deployed,
                    false => RecordAction::Failed,
                };
                story.add(action, &image.to_string());
            }
        }
    }
    story
}

/// The same answers from one walk through the steps, for timelines without concurrent runs.
fn model(steps: &[Step]) -> (Option<u8>, Vec<u8>) {
    let mut setting = Vec::new();
    let mut withdrawn = Vec::new();
    for step in steps {
        match step {
            Step::Promote(image) => setting.push(*image),
            Step::RollBack(image, to) => {
                withdrawn.push(*image);
                setting.extend(*to);
            }
            Step::Reinstate(image) => {
                withdrawn.retain(|other| other != image);
                setting.push(*image);
            }
            Step::Mark(..) => {}
        }
    }
    let current = setting
        .iter()
        .rev()
        .find(|image| !withdrawn.contains(image));
    (current.copied(), withdrawn)
}

proptest! {
    #[test]
    fn a_timeline_is_what_a_walk_through_its_steps_says(steps in any_steps(), seed: u64) {
        let story = play(&steps);
        let (current, withdrawn) = model(&steps);
        let current = current.map(|image| root(&image.to_string()));
        prop_assert_eq!(story.current(), current);
        // The order in which a registry lists the entries does not matter.
        let mut shuffled = story.entries.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        let timeline = Timeline::new(shuffled);
        prop_assert_eq!(&timeline, &story.timeline());
        // Nor does whether entries are stored again.
        let mut replayed = story.entries.clone();
        for (number, entry) in story.entries.iter().enumerate() {
            let record = RecordId::from_blob(format!("{seed} {number}").as_bytes());
            replayed.push(TimelineEntry { record, ..entry.clone() });
        }
        let replayed = Timeline::new(replayed);
        prop_assert_eq!(replayed.current().map(|(_, root)| root), current);
        for image in 0..4_u8 {
            let of_image = root(&image.to_string());
            prop_assert_eq!(timeline.is_withdrawn(of_image), withdrawn.contains(&image));
            prop_assert_eq!(replayed.is_withdrawn(of_image), withdrawn.contains(&image));
            if let Some(target) = timeline.rollback_target(of_image) {
                prop_assert!(target.root != of_image && !timeline.is_withdrawn(target.root));
                prop_assert!(timeline.mark(target.root) != Some(ReleaseMark::Failed));
            }
        }
    }
}
