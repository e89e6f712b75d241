//! The planner against ghcr-cleanup-action, with rules that say the same, on the cases of the table and on random
//! repositories: where they differ, and for which reasons.

mod cases;
mod cleanup_action;
mod difference;
mod random_package;

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::support::*;
use crate::image::{Digest, Tag};
use crate::retention::*;
use cleanup_action::{CleanupOptions, CleanupRun};
use difference::{Difference, find_differences};
use random_package::random_package;

/// Random repositories that are compared.
const SCENARIOS: u64 = 4_000;
/// Documentation that explains the differences.
const DOCUMENT: &str = include_str!("../../../../docs/retention.md");

/// Returns the rules that the options stand for. Grace, which the action has not, is as short as it can be.
fn translate(options: &CleanupOptions) -> RetentionRules {
    let age = options.older_than.clone();
    let mut prune = Vec::new();
    if !options.delete_tags.is_empty() {
        prune.push(PruneRule {
            selector: PruneSelector::Tags(options.delete_tags.clone()),
            older_than: age.clone(),
            keep_last: None,
        });
    }
    if let Some(number) = options.keep_n_tagged {
        prune.push(PruneRule {
            selector: PruneSelector::Tags(patterns("*")),
            older_than: age.clone(),
            keep_last: Some(number),
        });
    }
    if options.delete_untagged {
        prune.push(PruneRule {
            selector: PruneSelector::Untagged { orphans: false },
            older_than: age,
            keep_last: None,
        });
    }
    let mut rules = rules(prune);
    rules.keep.tags = options.exclude_tags.clone();
    rules.grace = "1s".parse().unwrap();
    rules
}

fn random_options(random: &mut Rng) -> CleanupOptions {
    let mut options = CleanupOptions::default();
    match random.u8(..3) {
        0 => options.keep_n_tagged = Some(random.usize(..4)),
        _ => options.delete_tags = patterns(["pr-*", "sha-* pr-1", "1.*", "*"][random.usize(..4)]),
    }
    if random.bool() {
        options.exclude_tags = patterns(["lts-*", "latest", "1.*"][random.usize(..3)]);
    }
    options.older_than = random.bool().then(|| "15d".parse().unwrap());
    options.delete_untagged = random.bool();
    options
}

/// Returns what goes by a plan: manifests, and tags of what stays.
fn planned(web: &RepositorySnapshot, plan: &RepositoryPlan) -> (BTreeSet<Digest>, BTreeSet<Tag>) {
    let gone = plan.manifests.iter().filter(|(_, fate)| fate.goes());
    let gone: BTreeSet<Digest> = gone.map(|(digest, _)| *digest).collect();
    let tags = plan.gone_tags().into_iter().map(tag);
    let untied = tags.filter(|tag| !gone.contains(&web.tags[tag].digest));
    let untied = untied.collect();
    (gone, untied)
}

#[test]
fn the_action_deletes_the_same_but_where_a_documented_difference_is_there() {
    let (mut equal, mut alone) = (0, BTreeMap::new());
    for seed in 0..SCENARIOS {
        let mut random = Rng::with_seed(seed);
        let snapshot = random_package(&mut random);
        let options = random_options(&mut random);
        let web = &snapshot.repositories[0];
        let run = CleanupRun::new(web, &options);
        let plan = plan(&snapshot, &translate(&options));
        let (gone, untied) = planned(web, &plan.repositories[0]);
        let is_same = gone == run.gone && untied == run.untied;
        let differences = find_differences(&snapshot, &options);
        assert!(
            is_same || !differences.is_empty(),
            "seed {seed}: {options:?} {differences:?} {web:#?} {:?} {gone:?}",
            run.gone
        );
        equal += u64::from(is_same && differences.is_empty() && !gone.is_empty());
        if let ([difference], false) = (&differences[..], is_same) {
            *alone.entry(*difference).or_insert(0) += 1;
        }
    }
    // Each kind makes a difference by itself, and without any of them many runs delete the same.
    assert!(
        alone.len() == Difference::ALL.len() && alone.values().all(|count| *count > 2),
        "{alone:?}"
    );
    assert!(equal > 200, "{equal}");
}

#[test]
fn each_difference_is_explained() {
    for difference in Difference::ALL {
        let title = difference.title();
        assert!(
            DOCUMENT.contains(title),
            "docs/retention.md does not explain: {title}"
        );
    }
}
