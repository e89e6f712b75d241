//! Rollbacks at the same time as promotions, marks and each other: whatever the order of their requests, there is
//! one state, and the environment's tag and the lines are on nothing that is withdrawn.

use std::collections::BTreeSet;

use shipmark::record::{RecordAction, ReleaseMark, ReleaseRecord};
use shipmark::release::Failure;

use super::recorded::{BOTH, ENVIRONMENT, heads};
use super::running::Run;
use super::stage::{End, Release, Stage};
use super::{all_done, all_orders_of, some_orders_of};
use crate::registry::Profile;

/// Two releases of the past, and one that is promoted.
const PAST: [Release; 3] = [("0.4.0", 2), ("0.4.1", 3), ("0.4.2", 4)];
const NEW: Release = ("0.4.3", 0);
/// Minutes at which the releases are planned, by image: the promotion at one before and one after the rollbacks.
const EARLY: &[i64] = &[8, 8, 0, 1, 2];
const LATE: &[i64] = &[12, 12, 0, 1, 2];
/// Minute and number of the runs that release nothing.
const FIRST: (i64, u64) = (9, 101);
const SECOND: (i64, u64) = (10, 102);

async fn stage(times: &'static [i64], names: &'static [&'static str]) -> Stage {
    let plain = || Profile::plain().date("unknown");
    let mut stage = Stage::set(2, plain).await.with_names(names);
    stage.add_image(None);
    stage.add_image(None);
    stage.with_records(times).await.with_past(&PAST).await
}

/// What the records say.
struct State {
    withdrawn: BTreeSet<String>,
    current: String,
    highest: String,
}

impl State {
    fn of(records: &[ReleaseRecord]) -> Self {
        let withdrawn: BTreeSet<String> = records
            .iter()
            .filter(|record| record.predicate.action == RecordAction::Rollback)
            .map(|record| record.root.to_string())
            .collect();
        let stays = |root: &String| !withdrawn.contains(root);
        let sets = records
            .iter()
            .filter_map(|record| match record.predicate.action {
                RecordAction::Promote => Some(record.root),
                _ => record.predicate.restores,
            });
        let current = sets.map(|root| root.to_string()).rfind(stays);
        let promoted = records
            .iter()
            .filter(|record| record.predicate.action == RecordAction::Promote);
        // One digit each, so that the text's order is theirs.
        let versions = promoted.map(|it| (it.predicate.version.clone(), it.root.to_string()));
        let highest = versions.filter(|(_, root)| stays(root)).max();
        Self {
            current: current.unwrap(),
            highest: highest.unwrap().1,
            withdrawn,
        }
    }
}

/// Tags are where the records say, and a reader finds nothing odd but the fork. Returns the records of the runs.
async fn assert_one_state(stage: &Stage, when: &dyn Fn() -> String) -> Vec<ReleaseRecord> {
    let records: Vec<ReleaseRecord> = stage.records().into_iter().map(|(_, it)| it).collect();
    let state = State::of(&records);
    let tags = stage.tags();
    let said = format!("{records:#?}\n{tags:#?}");
    assert_eq!(tags["prod"], state.current, "{said}\n{}", when());
    for line in ["0.4", "latest"] {
        if let Some(root) = tags.get(line) {
            assert_eq!(*root, state.highest, "{line}\n{said}\n{}", when());
        }
    }
    let history = stage.history().await;
    assert_eq!(history.drift, [], "{said}\n{}", when());
    let current = history.current.unwrap().root.to_string();
    assert_eq!(current, state.current, "{said}\n{}", when());
    assert!(history.unfinished.is_empty(), "{}", when());
    assert!(!state.withdrawn.contains(&tags["prod"]), "{}", when());
    records[PAST.len()..].to_vec()
}

fn actions(records: &[ReleaseRecord]) -> Vec<RecordAction> {
    records
        .iter()
        .map(|record| record.predicate.action.clone())
        .collect()
}

/// Orders that are tried where a line as well as the environment's tag has too many of them.
const SEEDS: u64 = 80;

/// Plays the orders of two runs; asserts that they are many, and that some end with two heads.
async fn play(
    stage: &Stage,
    runs: &dyn Fn(&Stage) -> Vec<Run>,
    (seeds, at_least): (Option<u64>, usize),
    mut check: impl FnMut(&[End], &[ReleaseRecord], &dyn Fn() -> String),
) {
    let (mut orders, mut forks) = (0, 0);
    let each = async |stage: &Stage, ends: &[End], when: &dyn Fn() -> String| {
        let records = assert_one_state(stage, when).await;
        orders += 1;
        forks += usize::from(heads(stage).len() > 1);
        check(ends, &records, when);
    };
    match seeds {
        Some(seeds) => some_orders_of(stage, runs, seeds, each).await,
        None => drop(all_orders_of(stage, runs, None, None, each).await),
    }
    assert!(
        orders >= at_least && forks > 1,
        "{orders} orders, {forks} forks"
    );
}

/// The rollback of the current release, which is named or not, and a promotion that is planned before or after it.
async fn promotion_and_rollback(
    names: &'static [&'static str],
    withdraw: Option<&'static str>,
    seeds: Option<u64>,
) {
    for times in [EARLY, LATE] {
        let stage = stage(times, names).await;
        let runs = |stage: &Stage| {
            let mut runs = stage.releases(&[NEW]);
            runs.push(stage.rollback(withdraw, SECOND.0, SECOND.1));
            runs
        };
        play(&stage, &runs, (seeds, 50), |ends, records, when| {
            all_done(ends, when);
            let mut actions = actions(records);
            actions.sort_by_key(ToString::to_string);
            let expected = [RecordAction::Promote, RecordAction::Rollback];
            assert_eq!(actions, expected, "{}", when());
        })
        .await;
    }
}

#[tokio::test]
async fn promise_4_a_promotion_does_not_undo_the_rollback_of_another_release() {
    promotion_and_rollback(ENVIRONMENT, Some("0.4.2"), None).await;
}

#[tokio::test]
async fn promise_4_a_promotion_and_a_rollback_of_what_is_current_end_in_one_state() {
    promotion_and_rollback(ENVIRONMENT, None, None).await;
}

#[tokio::test]
async fn promise_4_a_promotion_and_a_rollback_leave_a_line_on_nothing_withdrawn() {
    promotion_and_rollback(BOTH, Some("0.4.2"), Some(SEEDS)).await;
    promotion_and_rollback(BOTH, None, Some(SEEDS)).await;
}

/// Two rollbacks at once: of one release, of the current one whichever that is, and of the other's target.
async fn two_rollbacks(
    names: &'static [&'static str],
    withdraw: [Option<&'static str>; 2],
    seeds: Option<u64>,
    withdrawn: &[usize],
) {
    let stage = stage(LATE, names).await;
    let runs = |stage: &Stage| {
        let [first, second] = withdraw;
        vec![
            stage.rollback(first, FIRST.0, FIRST.1),
            stage.rollback(second, SECOND.0, SECOND.1),
        ]
    };
    play(&stage, &runs, (seeds, 15), |ends, records, when| {
        all_done(ends, when);
        let all = actions(records);
        let are_rollbacks = all.iter().all(|it| *it == RecordAction::Rollback);
        assert!(are_rollbacks, "{}", when());
        let roots: BTreeSet<String> = records.iter().map(|it| it.root.to_string()).collect();
        assert!(withdrawn.contains(&roots.len()), "{roots:?}\n{}", when());
    })
    .await;
}

#[tokio::test]
async fn promise_4_two_rollbacks_of_one_release_withdraw_it() {
    let withdraw = [Some("0.4.2"), Some("0.4.2")];
    two_rollbacks(ENVIRONMENT, withdraw, None, &[1]).await;
    two_rollbacks(BOTH, withdraw, Some(SEEDS), &[1]).await;
}

#[tokio::test]
async fn promise_4_two_rollbacks_of_what_is_current_end_in_one_state() {
    // The second of two that follow each other withdraws what the first put back.
    two_rollbacks(ENVIRONMENT, [None, None], None, &[1, 2]).await;
    two_rollbacks(BOTH, [None, None], Some(SEEDS), &[1, 2]).await;
}

#[tokio::test]
async fn promise_4_a_rollback_of_the_target_of_another_leaves_no_tag_on_it() {
    let withdraw = [Some("0.4.2"), Some("0.4.1")];
    two_rollbacks(ENVIRONMENT, withdraw, None, &[2]).await;
    two_rollbacks(BOTH, withdraw, Some(SEEDS), &[2]).await;
}

/// A mark moves no tag, and says something of one release: a mark of the current one is refused while the
/// environment's tag and the records differ.
#[tokio::test]
async fn promise_4_a_mark_next_to_a_rollback_is_of_one_release() {
    let mut refused = 0;
    for (state, release) in [
        (ReleaseMark::Deployed, None),
        (ReleaseMark::Failed, None),
        // The target of the rollback.
        (ReleaseMark::Failed, Some("0.4.1")),
    ] {
        let stage = stage(LATE, ENVIRONMENT).await;
        let runs = |stage: &Stage| {
            vec![
                stage.mark(state, release, FIRST.0, FIRST.1),
                stage.rollback(Some("0.4.2"), SECOND.0, SECOND.1),
            ]
        };
        let mut marked = BTreeSet::new();
        play(&stage, &runs, (None, 5), |ends, records, when| {
            all_done(&ends[1..], when);
            let marks = records
                .iter()
                .filter(|it| it.predicate.action != RecordAction::Rollback);
            let marks: Vec<_> = marks.map(|it| it.predicate.version.clone()).collect();
            match &ends[0] {
                Some(Ok(())) => assert_eq!(marks.len(), 1, "{}", when()),
                Some(Err(Failure::Refused(_))) if release.is_none() => {
                    refused += 1;
                    assert_eq!(marks, [], "{}", when());
                }
                end => panic!("{end:?}\n{}", when()),
            }
            marked.extend(marks);
        })
        .await;
        let expected = match release {
            Some(_) => 1,
            None => 2,
        };
        assert_eq!(marked.len(), expected, "{marked:?}");
    }
    assert!(refused > 0);
}
