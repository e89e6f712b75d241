//! Random plays of releases, rollbacks and reinstatements where records are kept: each request of each run
//! comes when a seed says, lists are behind in one half of the plays, and runs die in the other and are
//! repeated.

use std::cell::{Cell, RefCell};

use super::model::{ModelRegistry, ModelRelease, digest, poll_once, tag};
use super::model_timeline::ModelTimeline;
use super::recorded_run::{RecordedRun, RunKind};
use super::*;
use crate::record::Timeline;
use crate::tagging::{MovingTagSource, TagKind};

const ENVIRONMENT: &str = "prod";

/// How many plays had what.
#[derive(Debug, Default)]
struct PlayCounts {
    died: usize,
    withdrawn: usize,
    drifted: usize,
    behind: usize,
}

/// Returns the release with the tag of the environment.
fn release(version: &str, hour: Option<i64>) -> ModelRelease {
    let mut release = ModelRelease::new(version, hour);
    release.planned.push(PlannedTag {
        tag: tag(ENVIRONMENT),
        kind: TagKind::Moving(MovingTagSource::Environment),
        rule: "type=env".to_owned(),
    });
    release
}

/// Plays the runs, each once, and again where it dies; returns how many died.
fn play(registry: &ModelRegistry, runs: &[RecordedRun<'_>]) -> usize {
    // The run is part of its own future.
    let begin = |index: usize| Box::pin(async move { runs[index].play().await });
    let mut futures: Vec<_> = (0..runs.len()).map(|index| (index, begin(index))).collect();
    let mut died = 0;
    while !futures.is_empty() {
        let at = registry.choose(futures.len());
        let (index, run) = &mut futures[at];
        registry.note(&format!("{index} {:?}", runs[*index].kind));
        if died < registry.deaths.get() && registry.flip(0.02) {
            died += 1;
            registry.note("  dies");
            *run = begin(*index);
        } else if poll_once(run) {
            drop(futures.swap_remove(at));
        }
    }
    died
}

fn run<'a>(
    registry: &'a ModelRegistry,
    timeline: &'a ModelTimeline,
    releases: &'a [ModelRelease],
    kind: RunKind,
) -> RecordedRun<'a> {
    RecordedRun {
        registry,
        timeline,
        releases,
        kind,
        intent: RefCell::default(),
        leaves_drift: Cell::default(),
    }
}

/// Each line names the highest release that it counts and that is not withdrawn, and the environment's tag
/// the current root.
fn check(
    registry: &ModelRegistry,
    timeline: &Timeline,
    releases: &[ModelRelease],
    is_checked: impl Fn(&Tag) -> bool,
    play: &str,
) {
    let there = registry.tags();
    let is_there = |it: &&ModelRelease| {
        let mut released = timeline.releases_in_effect();
        released.any(|entry| entry.root == it.image)
    };
    let mut highest: BTreeMap<&Tag, &ModelRelease> = BTreeMap::new();
    for release in releases.iter().filter(is_there) {
        for line in release.line_tags().filter(|line| is_checked(line)) {
            let at = highest.entry(line).or_insert(release);
            if release.version.is_higher_than(&at.version) {
                *at = release;
            }
        }
    }
    let lines = highest
        .into_iter()
        .map(|(line, it)| (line.clone(), it.image));
    let current = timeline.current().map(|(_, root)| (tag(ENVIRONMENT), root));
    for (tag, image) in lines.chain(current) {
        assert_eq!(
            there.get(&tag),
            Some(&image),
            "{tag}: {play}\n{there:#?}\n{timeline:#?}\n{}",
            registry.log()
        );
    }
}

const VERSIONS: [&str; 6] = ["1.0.1", "1.1.0", "1.1.1", "2.0.0", "2.0.1", "2.0.2"];
/// Released where a run was refused that had died.
const NEXT_VERSION: &str = "3.0.0";

fn play_seed(seed: u64, counts: &mut PlayCounts) {
    let registry = ModelRegistry::with_seed(seed);
    let timeline = ModelTimeline::default();
    let mut releases = vec![release("1.0.0", Some(0))];
    let versions = VERSIONS.iter().chain([&NEXT_VERSION]);
    releases.extend(versions.map(|version| release(version, Some(registry.choose(9_000) as i64))));
    registry.begin_at(&releases[0], &releases[1..]);
    let mut there = vec![&releases[0]];
    there.extend(
        registry
            .flip(0.5)
            .then(|| &releases[1 + registry.choose(VERSIONS.len())]),
    );
    for release in there {
        timeline.set_up(&registry, release);
    }
    if registry.flip(0.5) {
        registry.set_up(tag("9.9.9"), digest("typo"), Some(9_001));
    }
    let runs: Vec<_> = (0..2 + registry.choose(4))
        .map(|_| match registry.choose(6) {
            0 => RunKind::Rollback,
            1 if registry.flip(0.5) => RunKind::Reinstatement,
            _ => RunKind::Release(1 + registry.choose(VERSIONS.len())),
        })
        .map(|kind| run(&registry, &timeline, &releases, kind))
        .collect();
    counts.died += play(&registry, &runs);
    counts.behind += registry.lists_behind();
    let now = timeline.now();
    let is_withdrawn = |it: &ModelRelease| now.is_withdrawn(it.image);
    counts.withdrawn += usize::from(releases.iter().any(is_withdrawn));
    let text = format!("seed {seed}");
    if !runs.iter().any(|run| run.leaves_drift.get()) {
        return check(&registry, &now, &releases, |_| true, &text);
    }
    // The next run mends the tags that it writes.
    counts.drifted += 1;
    let next = releases.len() - 1;
    let kind = RunKind::Release(next);
    registry.deaths.set(0);
    play(&registry, &[run(&registry, &timeline, &releases, kind)]);
    let own: Vec<&Tag> = releases[next].line_tags().collect();
    let is_own = |line: &Tag| own.contains(&line);
    check(&registry, &timeline.now(), &releases, is_own, &text);
}

#[test]
fn promise_4_with_records_random_plays_end_at_the_highest_release_that_is_not_withdrawn() {
    let mut counts = PlayCounts::default();
    for seed in 0..600 {
        play_seed(seed, &mut counts);
    }
    let PlayCounts {
        died,
        withdrawn,
        drifted,
        behind,
    } = counts;
    assert!(
        died > 300 && behind > 200 && withdrawn > 100 && drifted > 30,
        "{counts:?}"
    );
}
