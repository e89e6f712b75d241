use std::collections::HashMap;

use super::*;
use crate::gate::GateState::{Failed, Passed, Unknown};
use crate::record::RecordAction::{Deployed, Failed as MarkedFailed, Promote, Reinstate, Rollback};
use crate::record::{RecordAction, RecordId, RecordTime, Timeline, TimelineEntry};

/// Timeline of stage, whose entries are planned at hours of 2026-11-20.
#[derive(Default)]
struct StageStory {
    entries: Vec<TimelineEntry>,
    signed_at: HashMap<RecordId, RecordTime>,
}

fn hour(hour: usize) -> RecordTime {
    let day = 20 + hour / 24;
    format!("2026-11-{day}T{:02}:00:00.000Z", hour % 24)
        .parse()
        .unwrap()
}

fn root(name: char) -> Digest {
    digest(name)
}

impl StageStory {
    /// Adds an entry at an hour.
    fn add(&mut self, at: usize, action: RecordAction, name: char) -> &mut TimelineEntry {
        let number = self.entries.len();
        self.entries.push(TimelineEntry {
            deletions: Vec::new(),
            record: RecordId::from_blob(format!("record {number}").as_bytes()),
            root: root(name),
            action,
            planned_at: hour(at),
            restores: None,
            reinstates: Vec::new(),
            hold: None,
            previous: Vec::new(),
            version: None,
            commit: None,
            actor: None,
            is_summary: false,
        });
        self.entries.last_mut().unwrap()
    }

    /// Adds promotions of these roots, at these hours.
    fn of(promotions: &[(usize, char)]) -> Self {
        let mut story = Self::default();
        for (at, name) in promotions {
            story.add(*at, Promote, *name);
        }
        story
    }

    /// Judges root `a` at an hour by `{for: 24h}`.
    fn judge(&self, now: usize) -> GateVerdict {
        self.judge_by("24h", false, now)
    }

    fn judge_by(&self, duration: &str, is_still_current: bool, now: usize) -> GateVerdict {
        let rule = SoakRule {
            duration: duration.parse().unwrap(),
            is_still_current,
        };
        let timeline = Timeline::new(self.entries.clone());
        judge_soak(
            &rule,
            SoakFacts {
                environment: "stage",
                root: root('a'),
                timeline: &timeline,
                signed_at: &self.signed_at,
                now: hour(now).to_timestamp(),
            },
        )
    }
}

#[test]
fn a_root_soaks_from_its_promotion_on() {
    let story = StageStory::of(&[(0, 'b'), (1, 'a')]);
    let verdict = story.judge(25);
    assert_verdict(&verdict, Passed, &[]);
    let fact = "current in stage for 24 h, from 2026-11-20T01:00:00Z until now, at least 24h";
    assert_eq!(verdict.facts(), [fact]);
    let verdict = story.judge(24);
    let reason = "current in stage for 23 h, from 2026-11-20T01:00:00Z until now, expected at least 24h without interruption";
    assert_verdict(&verdict, Failed, &[reason]);
    let hint =
        "release it at or after 2026-11-21T01:00:00Z, if it stays current in stage until then";
    assert_eq!(verdict.hints(), [hint]);
    assert_verdict(&story.judge(0), Failed, &["for 0 s"]);
}

#[test]
fn a_period_that_ended_counts_unless_the_root_must_still_be_current() {
    let story = StageStory::of(&[(0, 'a'), (24, 'b')]);
    assert_verdict(&story.judge(30), Passed, &[]);
    let verdict = story.judge_by("24h", true, 30);
    let reason = format!(
        "{} is not current in stage, and still-current is set",
        root('a').short()
    );
    assert_verdict(&verdict, Failed, &[&reason]);
    let hint = "release what is current in stage, or release this image there again and wait 24h";
    assert_eq!(verdict.hints(), [hint]);
    let story = StageStory::of(&[(0, 'a'), (23, 'b')]);
    let reason =
        "current in stage for 23 h, from 2026-11-20T00:00:00Z until 2026-11-20T23:00:00Z, expected";
    assert_verdict(&story.judge(90), Failed, &[reason]);
}

#[test]
fn periods_are_not_added_up() {
    let story = StageStory::of(&[(0, 'a'), (20, 'b'), (21, 'a')]);
    let verdict = story.judge(44);
    assert_verdict(
        &verdict,
        Failed,
        &["for 23 h, from 2026-11-20T21:00:00Z until now"],
    );
    let hint = "release it at or after 2026-11-21T21:00:00Z";
    assert!(verdict.hints()[0].starts_with(hint));
    assert_verdict(&story.judge(45), Passed, &[]);
    // A long one before, and the strict form.
    let story = StageStory::of(&[(0, 'a'), (25, 'b'), (26, 'a')]);
    assert_verdict(&story.judge(27), Passed, &[]);
    assert_verdict(&story.judge_by("24h", true, 27), Failed, &["for 1 h"]);
    assert_verdict(&story.judge_by("24h", true, 50), Passed, &[]);
}

#[test]
fn a_second_promotion_of_what_is_current_interrupts_nothing() {
    let mut story = StageStory::of(&[(0, 'a'), (20, 'a')]);
    story.add(21, Deployed, 'a');
    assert_verdict(&story.judge(24), Passed, &[]);
}

#[test]
fn a_rollback_of_a_later_root_begins_a_new_period() {
    let mut story = StageStory::of(&[(0, 'a'), (10, 'b')]);
    story.add(12, Rollback, 'b').restores = Some(root('a'));
    assert_verdict(
        &story.judge(24),
        Failed,
        &["for 12 h, from 2026-11-20T12:00:00Z until now"],
    );
    assert_verdict(&story.judge(36), Passed, &[]);
    let mut story = StageStory::of(&[(0, 'a'), (10, 'b')]);
    story.add(12, Rollback, 'b');
    assert_verdict(
        &story.judge(35),
        Failed,
        &["for 23 h, from 2026-11-20T12:00:00Z until now"],
    );
}

#[test]
fn a_root_that_is_withdrawn_or_failed_is_refused_however_long_it_was_current() {
    let mut story = StageStory::of(&[(0, 'b'), (1, 'a')]);
    let rollback = story.add(30, Rollback, 'a');
    rollback.restores = Some(root('b'));
    let rollback = rollback.record;
    let short = root('a').short();
    let verdict = story.judge(40);
    assert_verdict(
        &verdict,
        Failed,
        &[&format!("{short} is withdrawn in stage")],
    );
    assert!(
        verdict
            .hints()
            .iter()
            .all(|hint| !hint.contains("at or after"))
    );
    // After a reinstatement the time before still counts.
    story.add(41, Reinstate, 'a').reinstates = vec![rollback];
    assert_verdict(&story.judge(42), Passed, &[]);
    assert_verdict(&story.judge_by("24h", true, 42), Failed, &["for 1 h"]);
    story.add(43, MarkedFailed, 'a');
    let verdict = story.judge(44);
    assert_verdict(
        &verdict,
        Failed,
        &[&format!("{short} is marked as failed in stage")],
    );
    story.add(45, Deployed, 'a');
    assert_verdict(&story.judge(46), Passed, &[]);
}

#[test]
fn promise_6_a_backdated_record_counts_from_its_signature_on() {
    let mut story = StageStory::of(&[(0, 'a')]);
    let record = story.entries[0].record;
    story.signed_at.insert(record, hour(20));
    assert_verdict(
        &story.judge(43),
        Failed,
        &["for 23 h, from 2026-11-20T20:00:00Z until now"],
    );
    assert_verdict(&story.judge(44), Passed, &[]);
    story.signed_at.insert(record, hour(50));
    assert_verdict(&story.judge(44), Failed, &["for 0 s"]);
    // A time that is planned after the signature counts as planned.
    let mut story = StageStory::of(&[(20, 'a')]);
    story.signed_at.insert(story.entries[0].record, hour(10));
    assert_verdict(&story.judge(43), Failed, &["from 2026-11-20T20:00:00Z"]);
}

#[test]
fn promise_6_without_a_record_that_was_read_the_time_is_unknown() {
    let short = root('a').short();
    let nothing = StageStory::of(&[(0, 'b')]);
    let reason = format!("no record says that {short} was current in stage");
    assert_verdict(&nothing.judge(40), Unknown, &[&reason]);
    let mut story = StageStory::of(&[(0, 'a')]);
    story.entries[0].is_summary = true;
    let reason = format!("the time for which {short} was current in stage is not proven");
    for is_still_current in [false, true] {
        let verdict = story.judge_by("24h", is_still_current, 40);
        assert_verdict(&verdict, Unknown, &[&reason]);
    }
    // A record that was read proves the time from itself on.
    story.add(20, Promote, 'a');
    assert_verdict(
        &story.judge(43),
        Failed,
        &["for 23 h, from 2026-11-20T20:00:00Z"],
    );
    assert_verdict(&story.judge(44), Passed, &[]);
    // A summary ends a period.
    let mut story = StageStory::of(&[(0, 'a'), (10, 'b')]);
    story.entries[1].is_summary = true;
    assert_verdict(&story.judge(40), Failed, &["for 10 h"]);
}

#[test]
fn an_override_may_only_tighten_the_soak_rule() {
    let rule = |duration: &str, is_still_current| SoakRule {
        duration: duration.parse().unwrap(),
        is_still_current,
    };
    let base = rule("24h", true);
    assert!(rule("1d", true).keys_weaker_than(&base).is_empty());
    assert!(
        rule("2d", true)
            .keys_weaker_than(&rule("24h", false))
            .is_empty()
    );
    assert_eq!(
        rule("23h", false).keys_weaker_than(&base),
        ["for", "still-current"]
    );
}
