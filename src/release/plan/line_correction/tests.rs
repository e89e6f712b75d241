//! Random plays of releases on a model of a registry: each request of each run comes when a seed says,
//! in one half of the plays runs die and are repeated, in the other lists are behind.

mod model;
mod model_timeline;
mod recorded_lines;
mod recorded_plays;
mod recorded_run;

use std::collections::{BTreeMap, BTreeSet};

use model::{ModelRegistry, ModelRelease, digest, tag};

use super::*;
use crate::release::plan::line_question::LineQuestion;
use crate::release::plan::lines::{LineDecision, decide_line};
use crate::release::plan::tags::{TagStep, plan_line, plan_tags};

/// The tags and lines of a destination, as a run of the release reads and writes them.
struct ModelRun<'a> {
    registry: &'a ModelRegistry,
    release: &'a ModelRelease,
}

impl ModelRun<'_> {
    async fn play(&self) {
        let seen = self.observe().await;
        let place = "oci:model".parse().unwrap();
        let mut plan = plan_tags(&place, &self.release.planned, &seen, self.release.image).unwrap();
        self.write(&plan, true).await;
        self.recheck(&mut plan, &seen).await;
        self.write(&plan, false).await;
        if plan.steps.iter().any(|step| step.change.writes_tag()) {
            self.reconcile(&plan, &seen).await;
        }
    }

    async fn observe(&self) -> DestinationState {
        let mut seen = DestinationState::default();
        let immutable = self
            .release
            .planned
            .iter()
            .filter(|it| it.kind.is_immutable());
        seen.immutable_tags = immutable.map(|it| it.tag.clone()).collect();
        let own = self
            .release
            .planned
            .iter()
            .map(|it| it.tag.clone())
            .collect();
        if self.registry.flip(0.5) {
            seen.tags = self.registry.list(true).await;
            seen.tag_digests = self.registry.heads(own).await;
        } else {
            seen.tag_digests = self.registry.heads(own).await;
            seen.tags = self.registry.list(true).await;
        }
        self.read_facts(&self.release.planned, &mut seen).await;
        seen
    }

    /// Reads what the decisions on lines need, as `line_facts.rs` does.
    async fn read_facts(&self, lines: &[PlannedTag], seen: &mut DestinationState) {
        seen.creation_times = self.registry.creation_times();
        let mut is_list_new = false;
        loop {
            let (mut unknown, mut is_explained) = (BTreeSet::new(), true);
            for planned in lines {
                let Some(decision) = decide_line(planned, seen, self.release.image) else {
                    continue;
                };
                is_explained &= !decision.is_unexplained();
                if let LineDecision::Needs(LineQuestion::Digests(tags)) = decision {
                    unknown.extend(tags);
                }
            }
            if !unknown.is_empty() {
                seen.record_digests(self.registry.heads(unknown).await);
            } else if is_explained || is_list_new {
                return;
            } else {
                seen.tags = self.registry.list(false).await;
                is_list_new = true;
            }
        }
    }

    async fn write(&self, plan: &TagPlan, immutable: bool) {
        let is_due =
            |step: &&TagStep| step.writes() && step.planned.kind.is_immutable() == immutable;
        let mut due: Vec<_> = plan.steps.iter().filter(is_due).collect();
        self.registry.shuffle(&mut due);
        for step in due {
            let tag = step.planned.tag.clone();
            self.registry.put(tag, self.release.image).await;
        }
    }

    /// Looks again before a line passes a higher version, as `tags/line_recheck.rs` does.
    async fn recheck(&self, plan: &mut TagPlan, seen: &DestinationState) {
        for step in &mut plan.steps {
            let passes = step
                .line_goal
                .as_ref()
                .is_some_and(|goal| goal.passes_version);
            if !(passes && step.writes()) {
                continue;
            }
            let mut now = seen.with_tags(self.registry.list(false).await);
            let own = [step.planned.tag.clone()].into();
            now.tag_digests.extend(self.registry.heads(own).await);
            let planned = step.planned.clone();
            self.read_facts(std::slice::from_ref(&planned), &mut now)
                .await;
            let image = self.release.image;
            let decision = decide_line(&planned, &now, image).unwrap();
            let warnings = &mut plan.line_warnings;
            *step = plan_line(&planned, &now, image, decision, warnings);
        }
    }

    /// Reads the lines until they are right, as `tags/reconcile.rs` does.
    async fn reconcile(&self, plan: &TagPlan, seen: &DestinationState) {
        let mut lines = TrackedLine::of_plan(plan);
        let correction = LineCorrection::new(plan, seen, self.release.image);
        loop {
            let now = self.read_again(&correction, &lines).await;
            let mut are_right = true;
            for line in &mut lines {
                match correction.choose_action(line, &now).unwrap() {
                    LineAction::Keep | LineAction::KeepHigher(..) | LineAction::KeepWithdrawn => {}
                    LineAction::ReadAgain(at) => {
                        line.record_unexplained(at);
                        are_right = false;
                    }
                    LineAction::Write(goal, _) => {
                        let tag = line.planned.tag.clone();
                        self.registry.put(tag, goal.digest).await;
                        line.record_write(goal);
                        are_right = false;
                    }
                }
            }
            if are_right {
                return;
            }
        }
    }

    async fn read_again(
        &self,
        correction: &LineCorrection<'_>,
        lines: &[TrackedLine],
    ) -> DestinationState {
        // Of two lists in a row one may be behind.
        let mut tags = self.registry.list(true).await;
        tags.extend(self.registry.list(false).await);
        let mut now = correction.seen.with_tags(tags);
        now.tag_digests.retain(|_, digest| digest.is_some());
        let newer = correction.newer_tags(lines, &now);
        let read = correction.tags_to_read(lines);
        let read = self.registry.heads(read).await;
        now.tag_digests.extend(read);
        now.record_digests(self.registry.heads(newer).await);
        let unknown = correction.explaining_tags(lines, &now);
        now.record_digests(self.registry.heads(unknown).await);
        now
    }
}

/// Plays the releases, each once, and again where it dies; returns how many died.
fn play(registry: &ModelRegistry, releases: &[ModelRelease]) -> usize {
    // The run is part of its own future.
    let begin = |release| Box::pin(async move { ModelRun { registry, release }.play().await });
    let mut runs: Vec<_> = releases.iter().map(|it| (it, begin(it))).collect();
    let mut died = 0;
    while !runs.is_empty() {
        let at = registry.choose(runs.len());
        let (release, run) = &mut runs[at];
        registry.note(&release.version.to_string());
        if died < registry.deaths.get() && registry.flip(0.03) {
            died += 1;
            registry.note("  dies");
            *run = begin(release);
        } else if model::poll_once(run) {
            drop(runs.swap_remove(at));
        }
    }
    died
}

/// Each line names the highest release that it counts, a mistyped version apart.
fn check(registry: &ModelRegistry, releases: &[ModelRelease], play: &str) {
    let there = registry.tags();
    let mut highest: BTreeMap<&Tag, &ModelRelease> = BTreeMap::new();
    for release in releases {
        for line in release.line_tags() {
            let at = highest.entry(line).or_insert(release);
            if release.version.is_higher_than(&at.version) {
                *at = release;
            }
        }
    }
    for (line, release) in highest {
        assert_eq!(
            there.get(line),
            Some(&release.image),
            "{line}: {play}\n{there:#?}\n{}",
            registry.log()
        );
    }
}

const VERSIONS: [&str; 6] = ["1.0.1", "1.1.0", "1.1.1", "2.0.0", "2.0.1", "2.0.2"];

#[test]
fn promise_4_random_plays_end_at_the_highest_release() {
    let (mut died, mut behind) = (0, 0);
    for seed in 0..1500 {
        let registry = ModelRegistry::with_seed(seed);
        let is_reproducible = registry.flip(0.3);
        let mut releases = vec![ModelRelease::new("1.0.0", None)];
        for _ in 0..2 + registry.choose(4) {
            let version = VERSIONS[registry.choose(VERSIONS.len())];
            let hour = (!is_reproducible).then(|| registry.choose(24) as i64);
            releases.push(ModelRelease::new(version, hour));
        }
        let (first, rest) = releases.split_first().unwrap();
        registry.begin_at(first, rest);
        if !is_reproducible && registry.flip(0.5) {
            registry.set_up(tag("9.9.9"), digest("typo"), Some(-9000));
        }
        // A version is one image; who comes twice is repeated.
        died += play(&registry, rest);
        behind += registry.lists_behind();
        let versions: Vec<_> = rest.iter().map(|it| it.version.to_string()).collect();
        check(&registry, &releases, &format!("seed {seed}: {versions:?}"));
    }
    assert!(died > 500 && behind > 500, "{died} died, {behind} behind");
}
