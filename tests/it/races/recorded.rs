//! Recorded promotions at the same time: whatever the order of their requests, both are in the timeline, and the
//! environment's tag and the lines end at the later and the higher one.

use tokio::task::LocalSet;

use super::schedule::Step;
use super::stage::{End, Release, Stage};
use super::{MINORS, all_done, all_orders};
use crate::registry::Profile;
use shipmark::record::RecordId;
use shipmark::release::Failure;

/// The environment's tag alone moves.
pub const ENVIRONMENT: &[&str] = &["type=env"];
/// The environment's tag and a line.
pub const BOTH: &[&str] = &["type=env", "latest"];
/// The higher version is planned later, and earlier.
const TIMES: [&[i64]; 2] = [&[0, 1, 2], &[1, 0, 2]];

async fn stage(times: &'static [i64], names: &'static [&'static str]) -> Stage {
    let plain = || Profile::plain().date("unknown");
    let mut stage = Stage::set(3, plain).await.with_names(names);
    stage.add_before("prod", 3);
    stage.with_records(times).await
}

/// Both are recorded; the environment's tag is at the one of the later entry.
fn assert_recorded(stage: &Stage, when: &dyn Fn() -> String) {
    let records = stage.records();
    assert_eq!(records.len(), 2, "{records:#?}\n{}", when());
    let roots: Vec<String> = records.iter().map(|(_, it)| it.root.to_string()).collect();
    assert_ne!(roots[0], roots[1], "{}", when());
    assert_eq!(stage.tags()["prod"], roots[1], "{}", when());
}

/// The records that no other one names.
pub fn heads(stage: &Stage) -> Vec<RecordId> {
    let records = stage.records();
    let records = records.iter().map(|(_, record)| record);
    let seen: Vec<RecordId> = records
        .clone()
        .flat_map(|record| record.predicate.previous.clone())
        .collect();
    let ids = records.map(|record| RecordId::from_blob(&record.to_statement()));
    ids.filter(|id| !seen.contains(id)).collect()
}

/// The next record names every head. Returns how many there are.
async fn assert_joined(stage: &Stage, when: &dyn Fn() -> String) -> usize {
    let mut heads = heads(stage);
    stage.calm_run(("0.6.0", 2)).await.unwrap();
    let all = stage.records();
    let newest = &all.last().unwrap().1.predicate;
    let mut previous = newest.previous.clone();
    heads.sort();
    previous.sort();
    assert_eq!(previous, heads, "{}", when());
    assert_eq!(stage.tags()["prod"], stage.image(2), "{}", when());
    assert_eq!(newest.past.len(), 2, "{}", when());
    heads.len()
}

#[tokio::test]
async fn promise_4_two_recorded_runs_leave_the_environment_at_the_later_one() {
    for times in TIMES {
        let stage = stage(times, ENVIRONMENT).await;
        let mut forks = 0;
        let orders = all_orders(&stage, &MINORS, None, None, async |stage, ends, when| {
            all_done(ends, when);
            assert_recorded(stage, when);
            forks += usize::from(assert_joined(stage, when).await == 2);
        })
        .await;
        assert!(orders > 50 && forks > 0, "{orders} orders, {forks} forks");
    }
}

#[tokio::test]
async fn promise_4_a_recorded_run_that_died_next_to_another_is_mended_by_its_repetition() {
    let stage = stage(TIMES[0], ENVIRONMENT).await;
    for victim in [0, 1] {
        all_orders(
            &stage,
            &MINORS,
            Some(victim),
            None,
            async |stage, ends, when| {
                if ends[victim].is_some() {
                    return;
                }
                all_done(&ends[1 - victim..2 - victim], when);
                let when = || format!("then again\n{}", when());
                repeat(stage, &MINORS, MINORS[victim], &when).await;
                assert_recorded(stage, &when);
            },
        )
        .await;
    }
}

/// Repeats the run that died. One that has its entry and was followed by another is refused: what its death left is
/// mended by the run that released the newest, repeated.
async fn repeat(stage: &Stage, releases: &[Release], dead: Release, when: &dyn Fn() -> String) {
    let root = stage.image(dead.1);
    let roots: Vec<String> = stage
        .records()
        .iter()
        .map(|(_, it)| it.root.to_string())
        .collect();
    match stage.calm_attempt(dead, 2).await {
        Ok(_) => {}
        Err(Failure::Refused(_)) if roots.iter().any(|it| it == root) => {
            let newest = roots.last().unwrap();
            let current = releases
                .iter()
                .find(|(_, image)| stage.image(*image) == newest);
            stage.calm_attempt(*current.unwrap(), 2).await.unwrap();
        }
        Err(failure) => panic!("{failure:?}\n{}", when()),
    }
}

/// Environment and line, two and three runs, in orders that a seed gives; one may die, and is repeated.
#[tokio::test]
async fn promise_4_recorded_runs_in_any_order_leave_environment_and_lines_right() {
    const RELEASES: [Release; 3] = [("0.4.1", 0), ("0.5.0", 1), ("0.6.0", 2)];
    let (mut died, mut forks) = (0, 0);
    for times in TIMES {
        let stage = stage(times, BOTH).await;
        let all = async {
            for seed in 0..150 {
                let mut random = fastrand::Rng::with_seed(seed);
                let runs = random.usize(2..=3);
                let victim = random.bool().then(|| random.usize(0..runs));
                let mut order = Vec::new();
                let choose = |enabled: Vec<Step>| {
                    let step = random.choice(enabled);
                    order.extend(step.clone());
                    step
                };
                let ends = stage
                    .play(stage.releases(&RELEASES[..runs]), victim, None, choose)
                    .await;
                let when = || format!("{times:?} seed {seed}\n{order:#?}");
                died += usize::from(repeat_dead(&stage, &RELEASES, &ends, &when).await);
                assert_story_right(&stage, runs, &when);
                let records = stage.records();
                let first = records
                    .iter()
                    .filter(|(_, it)| it.predicate.previous.is_empty());
                forks += usize::from(first.count() > 1);
            }
        };
        LocalSet::new().run_until(all).await;
    }
    assert!(died > 20 && forks > 20, "{died} died, {forks} forks");
}

async fn repeat_dead(
    stage: &Stage,
    releases: &[Release],
    ends: &[End],
    when: &dyn Fn() -> String,
) -> bool {
    let mut died = false;
    for (release, end) in releases.iter().zip(ends) {
        match end {
            None => {
                died = true;
                repeat(stage, releases, *release, when).await;
            }
            end => assert!(matches!(end, Some(Ok(_))), "{end:?}\n{}", when()),
        }
    }
    died
}

fn assert_story_right(stage: &Stage, runs: usize, when: &dyn Fn() -> String) {
    let records = stage.records();
    assert_eq!(records.len(), runs, "{records:#?}\n{}", when());
    let newest = records.last().unwrap().1.root.to_string();
    assert_eq!(stage.tags()["prod"], newest, "{}", when());
    let highest = stage.image(runs - 1);
    assert_eq!(stage.tags()["latest"], highest, "{}", when());
    stage.assert_right(when);
}
