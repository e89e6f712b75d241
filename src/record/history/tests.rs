//! Histories of stories, against the walk through their steps.

use proptest::prelude::*;

use super::*;
use crate::record::record_time::RecordTime;
use crate::record::{RecordedTag, RecordedTagKind, ReleasePredicate, ReleaseRecord};

/// Records of an environment, written one after the other, a minute apart.
#[derive(Default)]
struct Records {
    written: Vec<(EntryName, RecordId, ReleaseRecord)>,
}

fn root(name: &str) -> Digest {
    Digest::from_bytes(name.as_bytes())
}

fn time(minute: usize) -> RecordTime {
    let minutes = jiff::SignedDuration::from_mins(i64::try_from(minute).unwrap());
    RecordTime::from_timestamp(jiff::Timestamp::UNIX_EPOCH + minutes).unwrap()
}

impl Records {
    fn entries(&self) -> Vec<TimelineEntry> {
        let written = self.written.iter();
        written
            .map(|(_, id, record)| TimelineEntry::from_record(*id, record))
            .collect()
    }

    /// Writes a record that saw those before it, after `change`.
    fn write(&mut self, action: &str, name: &str, change: impl FnOnce(&mut ReleasePredicate)) {
        let minute = self.written.len();
        self.write_at(minute, action, name, change);
    }

    fn write_at(
        &mut self,
        minute: usize,
        action: &str,
        name: &str,
        change: impl FnOnce(&mut ReleasePredicate),
    ) {
        let timeline = Timeline::new(self.entries());
        let json = serde_json::json!({
            "environment": "prod", "destination": "r.example/web", "action": action,
            "tool": "shipmark", "plannedAt": time(minute).to_string(), "version": name,
        });
        let mut predicate: ReleasePredicate = serde_json::from_value(json).unwrap();
        predicate.previous = timeline.heads();
        predicate.past = timeline.past();
        change(&mut predicate);
        let record = ReleaseRecord {
            root: root(name),
            predicate,
        };
        let id = RecordId::from_blob(&record.to_statement());
        self.written.push((record.entry_name(id), id, record));
    }

    fn promote(&mut self, name: &str) {
        self.write("promote", name, |_| {});
    }

    fn roll_back(&mut self, name: &str, to: &str) {
        self.write("rollback", name, |record| {
            record.restores = Some(root(to));
            record.version = None;
        });
    }

    fn names(&self) -> Vec<EntryName> {
        let mut names: Vec<_> = self.written.iter().map(|(name, ..)| name.clone()).collect();
        names.sort_by_key(|name| (name.planned_at, name.record));
        names
    }

    /// Reads those that `reads` accepts by their place.
    fn readings(&self, reads: impl Fn(usize) -> bool) -> HistoryReadings {
        let mut readings = HistoryReadings::default();
        for (_, (name, id, record)) in self.written.iter().enumerate().filter(|(at, _)| reads(*at))
        {
            readings.add_record(name.clone(), *id, record, RecordProof::default(), |_| true);
        }
        readings
    }

    fn history(&self, reads: impl Fn(usize) -> bool) -> TimelineHistory {
        history(&self.names(), &self.readings(reads))
    }
}

fn history(names: &[EntryName], readings: &HistoryReadings) -> TimelineHistory {
    let listed = ListedEntries {
        names,
        is_complete: true,
        clock: time(1_000),
    };
    TimelineHistory::new(listed, readings)
}

fn states(history: &TimelineHistory) -> Vec<String> {
    history.lines.iter().map(HistoryLine::state_words).collect()
}

fn remarks(history: &TimelineHistory) -> Vec<&[EntryRemark]> {
    let lines = history.lines.iter();
    lines.map(|line| line.remarks.as_slice()).collect()
}

#[test]
fn a_story_has_one_state_for_each_release() {
    let mut records = Records::default();
    for name in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        records.promote(name);
    }
    records.write("deployed", "1.0.0", |_| {});
    records.write("failed", "1.3.0", |_| {});
    records.roll_back("1.3.0", "1.1.0");
    records.write("pruned", "1.0.0", |_| {});
    let expected = [
        "deployed",
        "current",
        "superseded",
        "withdrawn, failed",
        "",
        "",
        "",
        "",
    ];
    for history in [records.history(|_| true), records.history(|at| at == 7)] {
        assert_eq!(states(&history), expected);
        assert!(!history.has_remarks(), "{:?}", history.lines);
    }
    let all = records.history(|_| true);
    assert!(
        all.lines
            .iter()
            .all(|line| line.known == EntryKnowledge::Unverified)
    );
    let newest = records.history(|at| at == 7);
    let by = records.written[7].1;
    assert!(
        newest.lines[..7]
            .iter()
            .all(|line| line.known == EntryKnowledge::Vouched(by))
    );
}

#[test]
fn a_deleted_entry_is_a_gap() {
    let mut records = Records::default();
    for name in ["a", "b", "c"] {
        records.promote(name);
    }
    let mut names = records.names();
    names.remove(1);
    let readings = records.readings(|at| at != 1);
    let with_gap = history(&names, &readings);
    assert_eq!(with_gap.lines.len(), 3);
    assert_eq!(remarks(&with_gap), [&[][..], &[EntryRemark::Gone], &[]]);
    let near_end = ListedEntries {
        names: &names[1..],
        is_complete: false,
        clock: time(1_000),
    };
    let short = TimelineHistory::new(near_end, &readings);
    assert_eq!(short.lines.len(), 1, "the list may begin after the others");
    // Nothing summarizes it.
    let mut records = Records::default();
    records.promote("a");
    records.write("promote", "b", |record| record.past.clear());
    let missing = EntryRemark::MissesPrevious(records.written[0].1);
    let names = records.names();
    let without = history(&names[1..], &records.readings(|at| at == 1));
    assert_eq!(remarks(&without), [&[missing][..]]);
}

#[test]
fn runs_at_the_same_time_are_a_fork_and_a_late_entry_is_a_stray() {
    let mut records = Records::default();
    records.promote("a");
    records.promote("b");
    let head = records.written[0].1;
    records.write("promote", "c", |record| {
        record.previous = vec![head];
        record.past.retain(|past| past.record == head);
    });
    let [b, c] = [1, 2].map(|at| records.written[at].1);
    let fork = records.history(|_| true);
    assert_eq!(
        remarks(&fork),
        [&[][..], &[EntryRemark::Fork(c)], &[EntryRemark::Fork(b)]]
    );
    records.promote("d");
    assert_eq!(
        remarks(&records.history(|_| true)),
        remarks(&fork)
            .iter()
            .copied()
            .chain([&[][..]])
            .collect::<Vec<_>>()
    );
    assert!(!records.history(|at| at == 3).has_remarks());
    // An entry that was planned between others, and that none of them saw.
    let mut records = Records::default();
    (0..5).for_each(|number| records.promote(&number.to_string()));
    let newest = records.written[4].1;
    records.write_at(2, "promote", "late", |record| {
        record.previous = vec![newest]
    });
    let stray = records.history(|_| true);
    let odd: Vec<_> = stray
        .lines
        .iter()
        .filter(|line| !line.remarks.is_empty())
        .collect();
    assert_eq!(odd.len(), 1);
    assert_eq!(odd[0].remarks, [EntryRemark::Stray]);
    assert_eq!(
        odd[0].entry.as_ref().unwrap().version.as_deref(),
        Some("late")
    );
}

#[test]
fn replays_and_times_to_come_are_marked() {
    let mut records = Records::default();
    records.promote("a");
    records.write_at(2_000, "promote", "b", |_| {});
    let original = records.names()[0].clone();
    let replay = EntryName {
        planned_at: time(5),
        ..original.clone()
    };
    let mut names = records.names();
    names.insert(1, replay.clone());
    let mut readings = records.readings(|_| true);
    readings.add_passed_over(replay, "its tag says another time".to_owned());
    let odd = history(&names, &readings);
    assert_eq!(
        remarks(&odd),
        [
            &[][..],
            &[EntryRemark::Replay(original)],
            &[EntryRemark::Future]
        ]
    );
    let line = &odd.lines[1];
    assert_eq!((line.state_words(), &line.entry), (String::new(), &None));
    assert!(matches!(line.known, EntryKnowledge::NotCounted(_)));
}

#[test]
fn a_filter_shows_what_meets_all_of_it() {
    let mut records = Records::default();
    let commit = "860c1904a1ce19322e91ac35af1ab07466440c37";
    records.promote("1.0.0");
    records.write("promote", "1.1.0", |record| {
        let commit = serde_json::json!({ "sha": commit });
        record.commit = serde_json::from_value(commit).unwrap();
    });
    records.roll_back("1.1.0", "1.0.0");
    let history = records.history(|_| true);
    let shown = |filter: HistoryFilter| -> Vec<usize> {
        let lines = history.lines.iter().enumerate();
        let accepted = lines.filter(|(_, line)| filter.accepts(line));
        accepted.map(|(at, _)| at).collect()
    };
    let hex = root("1.0.0").to_hex();
    for (filter, expected) in [
        (HistoryFilter::default(), vec![0, 1, 2]),
        (
            HistoryFilter {
                since: Some(time(1)),
                ..Default::default()
            },
            vec![1, 2],
        ),
        (
            HistoryFilter {
                version: Some("1.1.0".to_owned()),
                ..Default::default()
            },
            vec![1],
        ),
        (
            HistoryFilter {
                commit: "860C190".parse().ok(),
                ..Default::default()
            },
            vec![1],
        ),
        (
            HistoryFilter {
                digest: hex[..12].parse().ok(),
                ..Default::default()
            },
            vec![0, 2],
        ),
        (
            HistoryFilter {
                digest: format!("sha256:{hex}").parse().ok(),
                since: Some(time(1)),
                ..Default::default()
            },
            vec![2],
        ),
    ] {
        assert_eq!(shown(filter.clone()), expected, "{filter:?}");
    }
    for text in ["", "860c19", "860c190g", "sha256:860c190"] {
        assert_eq!(
            text.parse::<CommitPrefix>(),
            Err(HistoryFilterError::Commit)
        );
    }
    for text in ["", "sha256:0123", "sha256:0123456789aZ", &"0".repeat(65)] {
        assert_eq!(
            text.parse::<DigestPattern>(),
            Err(HistoryFilterError::Digest)
        );
    }
}

fn line_tag(previous: Option<&str>) -> RecordedTag {
    RecordedTag {
        name: "1".to_owned(),
        kind: RecordedTagKind::Line,
        previous: previous.map(root),
    }
}

fn release_line(records: &mut Records, name: &str, previous: Option<&str>) {
    records.write("promote", name, |record| {
        record.tags = vec![line_tag(previous)]
    });
}

fn periods(
    records: &Records,
    now: Option<&str>,
) -> Vec<(String, Option<usize>, Option<usize>, bool)> {
    let readings = records.readings(|_| true);
    let written: Vec<_> = readings
        .read_entries()
        .into_iter()
        .filter_map(|read| {
            Some(TagRecord {
                entry: read.entry.clone(),
                previous: read.tags.first()?.previous,
            })
        })
        .collect();
    let minute = |at: RecordTime| (at.since(time(0)).as_secs() / 60) as usize;
    tag_periods(&written, now.map(root))
        .into_iter()
        .map(|period| {
            let name = period.version.unwrap_or_else(|| period.root.short());
            (
                name,
                period.from.map(minute),
                period.until.map(minute),
                period.is_now,
            )
        })
        .collect()
}

#[test]
fn a_tag_has_periods() {
    let mut records = Records::default();
    let old = root("old").short();
    release_line(&mut records, "1.0.0", Some("old"));
    release_line(&mut records, "1.1.0", Some("1.0.0"));
    let expected = [
        (old.clone(), None, Some(0), false),
        ("1.0.0".to_owned(), Some(0), Some(1), false),
        ("1.1.0".to_owned(), Some(1), None, true),
    ];
    assert_eq!(periods(&records, Some("1.1.0")), expected);
    // A rollback puts the line back, and somebody else moves it.
    records.write("rollback", "1.1.0", |record| {
        record.restores = Some(root("1.0.0"));
        record.tags = vec![line_tag(Some("1.1.0"))];
    });
    let moved = periods(&records, Some("foreign"));
    assert_eq!(moved.len(), 4);
    assert_eq!(moved[3], (root("foreign").short(), Some(2), None, true));
    let back = periods(&records, Some("1.0.0"));
    assert_eq!(back[2], ("1.1.0".to_owned(), Some(1), Some(2), false));
    assert_eq!(back[3], ("1.0.0".to_owned(), Some(2), None, true));
    // A record finds another root than the one before it wrote.
    let mut records = Records::default();
    release_line(&mut records, "1.0.0", None);
    release_line(&mut records, "1.1.0", Some("foreign"));
    let expected = [
        ("1.0.0".to_owned(), Some(0), None, false),
        (root("foreign").short(), None, Some(1), false),
        ("1.1.0".to_owned(), Some(1), None, false),
    ];
    assert_eq!(periods(&records, None), expected);
}

#[test]
fn a_line_is_expected_on_the_highest_version_in_effect() {
    let mut records = Records::default();
    release_line(&mut records, "1.0.0", None);
    release_line(&mut records, "1.2.0", Some("1.0.0"));
    records.promote("1.1.1");
    let expected = |records: &Records, is_complete| {
        let readings = records.readings(|_| true);
        let history = records.history(|_| true);
        let lines = expected_tags(&readings.read_entries(), &history.timeline, is_complete);
        lines.get("1").map(|expected| expected.root)
    };
    assert_eq!(expected(&records, false), Some(root("1.2.0")));
    records.roll_back("1.2.0", "1.1.1");
    assert_eq!(expected(&records, true), Some(root("1.1.1")));
    assert_eq!(
        expected(&records, false),
        None,
        "an older one may be higher"
    );
}

proptest! {
    #[test]
    fn a_history_is_what_a_walk_through_its_steps_says(
        steps in proptest::collection::vec((0_u8..4, 0_u8..4, 0_u8..4), 1..40),
        stride in 1_usize..34,
    ) {
        let mut records = Records::default();
        let mut withdrawn: HashSet<String> = HashSet::new();
        let mut setting: Vec<String> = Vec::new();
        for (kind, image, other) in steps {
            let [image, other] = [image, other].map(|number| number.to_string());
            match kind {
                0 => {
                    records.roll_back(&image, &other);
                    withdrawn.insert(image);
                    setting.push(other);
                }
                1 => {
                    let ended = Timeline::new(records.entries());
                    let ended = ended.withdrawals(root(&image)).collect();
                    records.write("reinstate", &image, |record| record.reinstates = ended);
                    withdrawn.remove(&image);
                    setting.push(image);
                }
                _ => {
                    records.promote(&image);
                    setting.push(image);
                }
            }
        }
        let current = setting.iter().rev().find(|image| !withdrawn.contains(*image));
        // The newest, every so many before it, and what ends withdrawals is read.
        let newest = records.written.len() - 1;
        let is_read = |at: usize| {
            (newest - at).is_multiple_of(stride) || records.written[at].0.action == RecordAction::Reinstate
        };
        let full = records.history(|_| true);
        for history in [records.history(is_read), full.clone()] {
            prop_assert!(!history.has_remarks());
            prop_assert_eq!(history.lines.len(), newest + 1);
            let found = history.timeline.current().map(|(_, root)| root);
            prop_assert_eq!(found, current.map(|image| root(image)));
            prop_assert_eq!(states(&history), states(&full));
            for line in history.lines.iter().filter(|line| line.state.is_some()) {
                let entry = line.entry.as_ref().unwrap();
                let is_withdrawn = withdrawn.iter().any(|image| root(image) == entry.root);
                prop_assert_eq!(line.state == Some(EntryState::Withdrawn), is_withdrawn);
            }
        }
    }
}
