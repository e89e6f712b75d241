//! The planner against a plain restatement, on random repositories and rules.

mod restated_order;
mod restatement;
mod scenario;

use std::collections::BTreeSet;

use fastrand::Rng;

use super::support::*;
use crate::image::Digest;
use crate::retention::*;
use restatement::Restatement;
use scenario::{Scenario, tighten};

/// Random repositories that are compared.
const SCENARIOS: u64 = 2_000;

fn gone(plan: &RepositoryPlan) -> BTreeSet<Digest> {
    let gone = plan.manifests.iter().filter(|(_, fate)| fate.goes());
    gone.map(|(digest, _)| *digest).collect()
}

#[test]
fn plans_are_those_of_the_restatement() {
    let (mut some, mut untied) = (0, 0);
    for seed in 0..SCENARIOS {
        let scenario = Scenario::random(&mut Rng::with_seed(seed));
        let plan = scenario.plan();
        for (repository, plan) in scenario
            .snapshot
            .repositories
            .iter()
            .zip(&plan.repositories)
        {
            let expected = Restatement::new(&scenario.snapshot, repository, &scenario.rules);
            let gone = gone(plan);
            assert_eq!(gone, expected.gone(), "seed {seed}: {scenario:#?}");
            let tags: BTreeSet<String> = plan.gone_tags().into_iter().map(str::to_owned).collect();
            assert_eq!(tags, expected.gone_tags(), "seed {seed}: {scenario:#?}");
            some += u64::from(!gone.is_empty());
            let is_untied = |tag: &String| {
                let target = repository.tags[&super::support::tag(tag)].digest;
                !gone.contains(&target)
            };
            untied += u64::from(tags.iter().any(is_untied));
        }
    }
    // The comparison means something: many plans delete, and some untie tags alone.
    assert!(some > SCENARIOS / 5, "{some}");
    assert!(untied > SCENARIOS / 30, "{untied}");
}

#[test]
fn nothing_kept_loses_and_nothing_condemned_stays_reachable() {
    for seed in 0..SCENARIOS {
        let scenario = Scenario::random(&mut Rng::with_seed(seed));
        let plan = scenario.plan();
        for (repository, plan) in scenario
            .snapshot
            .repositories
            .iter()
            .zip(&plan.repositories)
        {
            let gone = gone(plan);
            for (digest, fate) in &plan.manifests {
                assert_eq!(fate.goes(), fate.keep_reasons.is_empty(), "seed {seed}");
                let links = repository.manifests.get(digest).and_then(|it| it.links());
                let children = links.iter().flat_map(|links| &links.children);
                let lost: Vec<_> = children.filter(|child| gone.contains(child)).collect();
                assert!(
                    fate.goes() || lost.is_empty(),
                    "seed {seed}: {digest} {lost:?}"
                );
                let subject = links.and_then(|links| links.subject);
                let is_kept = subject.is_some_and(|it| {
                    repository.manifests.contains_key(&it) && !gone.contains(&it)
                });
                assert!(!fate.goes() || !is_kept, "seed {seed}: {digest}");
            }
            for (tag, target) in &repository.tags {
                let is_gone = matches!(plan.tags[tag], TagFate::Goes(_));
                assert!(
                    is_gone || !gone.contains(&target.digest),
                    "seed {seed}: {tag}"
                );
            }
        }
    }
}

#[test]
fn tightening_a_keep_never_deletes_more() {
    let mut fewer = 0;
    for seed in 0..SCENARIOS {
        let mut random = Rng::with_seed(seed);
        let loose = Scenario::random(&mut random);
        let tight = tighten(&loose, &mut random);
        let (before, after) = (loose.plan(), tight.plan());
        for (before, after) in before.repositories.iter().zip(&after.repositories) {
            let (more, less) = (gone(before), gone(after));
            let added: Vec<_> = less.difference(&more).collect();
            assert!(
                added.is_empty(),
                "seed {seed}: {added:?} {:?} {:?}",
                loose.rules,
                tight.rules
            );
            let tags = |plan: &RepositoryPlan| -> BTreeSet<String> {
                plan.gone_tags().into_iter().map(str::to_owned).collect()
            };
            assert!(tags(after).is_subset(&tags(before)), "seed {seed}");
            fewer += u64::from(less.len() < more.len());
        }
    }
    assert!(fewer > SCENARIOS / 20, "{fewer}");
}

#[test]
fn an_undisturbed_run_deletes_what_its_plan_names_in_an_order_without_holes() {
    let mut checked = 0;
    for seed in 0..SCENARIOS {
        let mut random = Rng::with_seed(seed);
        let scenario = Scenario::random(&mut random);
        let plan = scenario.plan();
        let deletions = plan.deletions();
        let again = plan_retention(
            &scenario.snapshot,
            &scenario.rules,
            days_ago(0),
            Some(&deletions),
        );
        for (at, repository) in scenario.snapshot.repositories.iter().enumerate() {
            let (first, second) = (&plan.repositories[at], &again.repositories[at]);
            let stops = (&second.stops, &again.stops);
            assert_eq!(first.steps(), second.steps(), "seed {seed}: {stops:?}");
            let steps = first.steps();
            let gone = gone(first);
            let mut left = repository.clone();
            for step in steps {
                left.delete(step);
                let dangling = left.tags.values().find(|target| {
                    gone.contains(&target.digest) && !left.manifests.contains_key(&target.digest)
                });
                assert_eq!(dangling, None, "seed {seed}");
            }
            if !steps.is_empty() {
                checked += 1;
                let kept: BTreeSet<Digest> = left.manifests.keys().copied().collect();
                let before: BTreeSet<Digest> = repository.manifests.keys().copied().collect();
                let expected: BTreeSet<_> = before.difference(&gone).copied().collect();
                assert_eq!(kept, expected, "seed {seed}");
                for tag in first.gone_tags() {
                    assert!(
                        !left.tags.contains_key(&super::support::tag(tag)),
                        "seed {seed}"
                    );
                }
            }
        }
    }
    assert!(checked > SCENARIOS / 8, "{checked}");
}

#[test]
fn indexes_go_before_children_and_referrers_before_subjects() {
    let mut checked = 0;
    for seed in 0..SCENARIOS {
        let mut scenario = Scenario::random(&mut Rng::with_seed(seed));
        // Tags of evidence and lists of the API can contradict what content says.
        for repository in &mut scenario.snapshot.repositories {
            let tags = &mut repository.tags;
            tags.retain(|tag, _| !tag.as_str().starts_with("sha256-"));
            repository.referrers.clear();
        }
        let plan = scenario.plan();
        for (repository, plan) in scenario
            .snapshot
            .repositories
            .iter()
            .zip(&plan.repositories)
        {
            let place = |digest: &Digest| {
                let mut steps = plan.steps().iter();
                steps.position(|step| matches!(step, DeletionStep::Manifest { digest: it, .. } if it == digest))
            };
            let is_roots_first = repository.registry.order == DeletionOrder::RootsFirst;
            for (digest, manifest) in &repository.manifests {
                let (Some(own), Some(links)) = (place(digest), manifest.links()) else {
                    continue;
                };
                let later: Vec<usize> = links.children.iter().filter_map(place).collect();
                assert!(
                    later.iter().all(|child| own < *child),
                    "seed {seed}: {digest}"
                );
                let subject = links.subject.as_ref().and_then(place);
                let is_early = is_roots_first || subject.is_none_or(|subject| own < subject);
                assert!(is_early, "seed {seed}: {digest}");
                checked += later.len() + usize::from(subject.is_some());
            }
        }
    }
    assert!(checked > 60, "{checked}");
}
