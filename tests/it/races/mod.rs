//! Runs at the same time against one registry: whatever the order of their requests, version lines end
//! at the highest release, and an immutable tag is lost by nobody who is not told.

mod recorded;
mod rollbacks;
mod running;
mod schedule;
mod stage;

use running::Run;
use schedule::{Search, Step};
use shipmark::release::Failure;
use stage::{End, Release, Stage, Stale};

use tokio::task::LocalSet;

use crate::registry::{Auth, Profile};

/// Two versions with one line in common: lines are moved apart from each other.
const MINORS: [Release; 2] = [("0.4.1", 0), ("0.5.0", 1)];

/// Plays all orders; returns how many there are.
async fn all_orders(
    stage: &Stage,
    releases: &[Release],
    victim: Option<usize>,
    stale: Option<Stale>,
    check: impl AsyncFnMut(&Stage, &[End], &dyn Fn() -> String),
) -> usize {
    let runs = |stage: &Stage| stage.releases(releases);
    all_orders_of(stage, &runs, victim, stale, check).await
}

/// The same, of runs of any verb.
async fn all_orders_of(
    stage: &Stage,
    runs: &dyn Fn(&Stage) -> Vec<Run>,
    victim: Option<usize>,
    stale: Option<Stale>,
    mut check: impl AsyncFnMut(&Stage, &[End], &dyn Fn() -> String),
) -> usize {
    let mut search = Search::default();
    let all = async {
        loop {
            let before = search.schedules;
            let choose = |enabled| search.choose(enabled);
            let ends = stage.play(runs(stage), victim, stale, choose).await;
            if search.schedules > before {
                let when = || format!("{stale:?}\n{}", search.order());
                check(stage, &ends, &when).await;
            }
            if !search.next() {
                return search.schedules;
            }
        }
    };
    LocalSet::new().run_until(all).await
}

/// As many orders of runs of any verb as there are seeds: where all of them are too many.
async fn some_orders_of(
    stage: &Stage,
    runs: &dyn Fn(&Stage) -> Vec<Run>,
    seeds: u64,
    mut check: impl AsyncFnMut(&Stage, &[End], &dyn Fn() -> String),
) {
    let all = async {
        for seed in 0..seeds {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut order = Vec::new();
            let choose = |enabled: Vec<Step>| {
                let step = random.choice(enabled);
                order.extend(step.clone());
                step
            };
            let ends = stage.play(runs(stage), None, None, choose).await;
            let when = || format!("seed {seed}\n{order:#?}");
            check(stage, &ends, &when).await;
        }
    };
    LocalSet::new().run_until(all).await
}

fn all_done(ends: &[End], when: &dyn Fn() -> String) {
    for end in ends {
        assert!(matches!(end, Some(Ok(_))), "{end:?}\n{}", when());
    }
}

#[tokio::test]
async fn promise_4_two_runs_leave_the_lines_at_the_higher_release() {
    let stage = Stage::set(2, Profile::plain).await;
    let orders = all_orders(&stage, &MINORS, None, None, async |stage, ends, when| {
        all_done(ends, when);
        stage.assert_right(when);
    })
    .await;
    assert!(orders > 100, "only {orders} orders");
}

/// A run that died, and is repeated: whatever it left, and whatever it had overwritten.
#[tokio::test]
async fn promise_4_a_run_that_died_next_to_another_is_mended_by_its_repetition() {
    let stage = Stage::set(2, Profile::plain).await;
    let mut overwrote = 0;
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
                overwrote += usize::from(stage.tags()["latest"] == stage.image(MINORS[0].1));
                stage.calm_run(MINORS[victim]).await.unwrap();
                stage.assert_right(&|| format!("then again\n{}", when()));
            },
        )
        .await;
    }
    assert!(
        overwrote > 0,
        "no run died after it had overwritten the line"
    );
}

const DAY: Option<&str> = Some("2026-11-01T12:00:00Z");
const SAME_DAY: Option<&str> = Some("2026-11-01T23:00:00Z");
const DAY_BEFORE_YESTERDAY: Option<&str> = Some("2026-10-30T12:00:00Z");
const LONG_AGO: Option<&str> = Some("2024-11-20T00:00:00Z");

/// Promotions of images that are days old, and of one day, next to a mistyped version of long ago.
#[tokio::test]
async fn promise_4_promotions_of_images_of_one_day_end_at_the_higher_release() {
    for created in [[DAY, SAME_DAY, LONG_AGO], [SAME_DAY, DAY, LONG_AGO]] {
        let mut stage = Stage::set_created(&created, Profile::plain)
            .await
            .with_names(&["latest"]);
        for typo in [None, Some("9.9.9")] {
            if let Some(typo) = typo {
                let old = stage.add_image(LONG_AGO);
                stage.add_before(typo, old);
                stage.ignored = typo;
            }
            let orders = all_orders(&stage, &MINORS, None, None, async |stage, ends, when| {
                all_done(ends, when);
                stage.assert_right(when);
            })
            .await;
            assert!(orders > 50, "only {orders} orders");
        }
    }
}

/// The order that no run can see: the image of the higher release is older than 24 hours, and its run
/// completes between the other's last reading and its write. The run that passed it has warned.
#[tokio::test]
async fn promise_4_the_order_that_is_left_is_warned_about() {
    let created = [DAY, DAY_BEFORE_YESTERDAY, LONG_AGO];
    let stage = Stage::set_created(&created, Profile::plain)
        .await
        .with_names(&["latest"]);
    let mut lower = 0;
    all_orders(&stage, &MINORS, None, None, async |stage, ends, when| {
        all_done(ends, when);
        let warnings = stage.take_said(0);
        if stage.tags()["latest"] != stage.image(MINORS[1].1) {
            lower += 1;
            let warning = "latest passes the higher version 0.5.0";
            assert!(warnings.contains(warning), "{warnings}\n{}", when());
        }
    })
    .await;
    assert!(lower > 0, "no order is left");
}

/// Somebody has pushed a higher tag by hand: the line stays, and the run says how to go on.
#[tokio::test]
async fn promise_4_a_higher_tag_that_was_pushed_by_hand_holds_the_line_for_a_day() {
    let created = [DAY, SAME_DAY];
    let mut stage = Stage::set_created(&created, Profile::plain).await;
    let by_hand = stage.add_image(SAME_DAY);
    stage.add_before("9.9.9", by_hand);
    stage.set_tags(stage.before());
    stage.calm_run(MINORS[0]).await.unwrap();
    assert_eq!(stage.tags()["latest"], stage.image(1));
    assert_eq!(stage.tags()["0.4"], stage.image(0));
    let text = stage.said_calm();
    assert!(text.contains("exclude-versions: 9.9.9"), "{text}");
}

/// Each of the lists, of each run, once without the other's version, once without both. The bound: the
/// runs write the one line that they share, and one list is behind.
#[tokio::test]
async fn promise_4_a_list_that_is_behind_leads_no_line_astray() {
    let stage = Stage::set(2, Profile::plain).await.with_names(&["latest"]);
    for (run, other) in [(0, &["0.5.0"][..]), (1, &["0.4.1"])] {
        for nth in 1..=3 {
            let both = &["0.4.1", "0.5.0"][..];
            // The first list comes before a run's own version is there.
            for lacks in [other, both].into_iter().take(nth) {
                let stale = Stale { run, nth, lacks };
                let orders = all_orders(
                    &stage,
                    &MINORS,
                    None,
                    Some(stale),
                    async |stage, ends, when| {
                        all_done(ends, when);
                        stage.assert_right(when);
                    },
                )
                .await;
                let hid = stage.take_stale_lists();
                assert!(hid > 0 && orders > 50, "{stale:?}: {hid}, {orders} orders");
            }
        }
    }
}

/// One version, two images.
const SAME: [Release; 2] = [("0.4.1", 0), ("0.4.1", 1)];

/// Who did not get an immutable tag is refused, unless it was taken from him after he had looked for
/// the last time: no registry without a rule of its own can prevent that.
fn losers_know(stage: &Stage, ends: &[End], may_be_late: bool, when: &dyn Fn() -> String) -> bool {
    let winner = &stage.tags()["0.4.1"];
    let mut late = false;
    for (end, (_, image)) in ends.iter().zip(SAME) {
        match end {
            Some(Ok(_)) if stage.image(image) == winner => {}
            Some(Ok(_)) if may_be_late => late = true,
            Some(Err(Failure::Refused(diagnostic))) if stage.image(image) != winner => {
                let text = diagnostic.to_string();
                assert!(
                    text.contains("is an immutable tag") || text.contains("immutable"),
                    "{text}"
                );
            }
            _ => panic!("{end:?}\n{winner}\n{}", when()),
        }
    }
    late
}

#[tokio::test]
async fn promise_3_of_two_images_for_one_version_one_is_refused() {
    let stage = Stage::set(2, Profile::plain).await.with_names(&["latest"]);
    let mut late = 0;
    let orders = all_orders(&stage, &SAME, None, None, async |stage, ends, when| {
        let last_look = "HEAD /v2/web/manifests/0.4.1";
        let order = when();
        let steps: Vec<&str> = order.lines().collect();
        let write = |step: &&str| step.ends_with("PUT /v2/web/manifests/0.4.1");
        let overwritten = steps.iter().rposition(write).map(|at| {
            let loser = if steps[at].starts_with("0") {
                "1: "
            } else {
                "0: "
            };
            let is_look = |step: &&str| step.starts_with(loser) && step.ends_with(last_look);
            steps.iter().filter(|step| write(step)).count() == 2 && !steps[at..].iter().any(is_look)
        });
        let is_late = losers_know(stage, ends, overwritten == Some(true), when);
        late += usize::from(is_late);
        stage.assert_right(when);
    })
    .await;
    assert!(late > 0 && late * 10 < orders, "{late} of {orders} orders");
}

#[tokio::test]
async fn promise_3_a_registry_that_keeps_tags_leaves_no_loser_in_doubt() {
    for profile in [Profile::plain as fn() -> Profile, Profile::harbor] {
        let immutable = || profile().auth(Auth::None).immutable_tags("*.*.*");
        let stage = Stage::set(2, immutable).await.with_names(&["latest"]);
        all_orders(&stage, &SAME, None, None, async |stage, ends, when| {
            losers_know(stage, ends, false, when);
            stage.assert_right(when);
        })
        .await;
    }
}

/// Three to five runs in orders that a seed gives: new versions, and one version twice. One may die, and
/// is repeated.
#[tokio::test]
async fn promise_4_any_number_of_runs_end_at_the_highest() {
    const RELEASES: [Release; 5] = [
        ("0.4.2", 0),
        ("0.4.1", 1),
        ("0.5.0", 2),
        ("0.4.3", 3),
        ("0.5.0", 2),
    ];
    let stage = Stage::set(5, Profile::plain).await;
    let mut died = 0;
    let all = async {
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let runs = random.usize(3..=5);
            let victim = random.usize(0..runs);
            let mut order = Vec::new();
            let choose = |enabled: Vec<Step>| {
                let step = random.choice(enabled);
                order.extend(step.clone());
                step
            };
            let ends = stage
                .play(
                    stage.releases(&RELEASES[..runs]),
                    Some(victim),
                    None,
                    choose,
                )
                .await;
            let when = || format!("seed {seed}\n{order:#?}");
            if ends[victim].is_none() {
                died += 1;
                stage.calm_run(RELEASES[victim]).await.unwrap();
            }
            let (before, after) = ends.split_at(victim);
            all_done(before, &when);
            all_done(&after[1..], &when);
            stage.assert_right(&when);
        }
    };
    LocalSet::new().run_until(all).await;
    assert!(died > 20, "only {died} died");
}
