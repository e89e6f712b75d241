//! Why a plan deletes nothing: limits, keep rules without effect, and content that is not known.

use std::collections::HashMap;

use super::keep_reason::KeepReason;
use super::manifest_graph::ManifestGraph;
use super::plan_context::PlanContext;
use super::reachability::Reachability;
use super::repository_facts::RepositoryFacts;
use super::retention_plan::ImageTally;
use super::retention_stop::RetentionStop;
use crate::record::{DigestPrefix, RecordTime};

/// Returns the keep rules that keep nothing in any repository of the snapshot.
pub(super) fn find_unmatched_rules(context: &PlanContext<'_>) -> Vec<RetentionStop> {
    let keep = &context.rules.keep;
    let snapshot = context.snapshot;
    let is_present = |digest| {
        let mut repositories = snapshot.repositories.iter();
        repositories.any(|it| it.manifests.contains_key(&digest))
    };
    let protects = |is_wanted: &dyn Fn(&KeepReason) -> bool| {
        let mut all = context.protected.all();
        all.any(|(digest, reason)| is_wanted(reason) && is_present(digest))
    };
    let mut unmatched = Vec::new();
    if let Some(floor) = &keep.released
        && !protects(&|reason| matches!(reason, KeepReason::Released { .. }))
    {
        unmatched.push(format!("released: {floor}"));
    }
    if let Some(number) = keep.rollback
        && !protects(&|reason| matches!(reason, KeepReason::Rollback(_)))
    {
        unmatched.push(format!("rollback: {number}"));
    }
    let tags = || snapshot.repositories.iter().flat_map(|it| it.tags.keys());
    for pattern in &keep.tags {
        if !tags().any(|tag| pattern.matches(tag)) {
            unmatched.push(format!("tags: {}", pattern.as_str()));
        }
    }
    for pattern in &keep.pinned {
        let mut pins = snapshot.pins.iter();
        if !pins.any(|pin| pin.pattern == *pattern && is_present(pin.digest)) {
            unmatched.push(format!("pinned: {pattern}"));
        }
    }
    let stops = unmatched.into_iter();
    stops.map(RetentionStop::KeepRuleUnmatched).collect()
}

/// Returns why nothing goes in a repository.
pub(super) fn find_stops(
    facts: &RepositoryFacts<'_>,
    reachability: &Reachability,
    images: ImageTally,
) -> Vec<RetentionStop> {
    let lists = facts.repository.incomplete_lists.iter().cloned();
    let mut stops: Vec<_> = lists.map(RetentionStop::IncompleteList).collect();
    stops.extend(find_unreadable(&facts.graph, reachability));
    stops.extend(find_missing_roots(facts));
    stops.extend(find_young(facts, reachability));
    stops.extend(check_limits(facts, images));
    stops
}

fn find_unreadable(
    graph: &ManifestGraph<'_>,
    reachability: &Reachability,
) -> Option<RetentionStop> {
    let unreadable = reachability.unreadable();
    let first = *unreadable.first()?;
    Some(RetentionStop::UnreadableManifest {
        count: unreadable.len(),
        example: graph.digest(first),
        reason: graph.unreadable_reason(first)?.to_owned(),
    })
}

fn find_missing_roots(facts: &RepositoryFacts<'_>) -> Vec<RetentionStop> {
    let repository = facts.repository;
    let environments = facts.context.snapshot.environments.iter();
    let own = environments.filter(|it| it.repository == repository.name);
    let missing = own.filter_map(|releases| {
        let (_, root) = releases.timeline.current()?;
        let is_missing = !repository.manifests.contains_key(&root);
        is_missing.then(|| RetentionStop::CurrentRootMissing {
            environment: releases.environment.clone(),
            root,
            manifests: repository.manifests.len(),
        })
    });
    missing.collect()
}

/// Returns whether images would go that records name which do not count: a signature that cannot be checked today
/// must not cost what it vouches for.
fn find_young(facts: &RepositoryFacts<'_>, reachability: &Reachability) -> Option<RetentionStop> {
    let floor = facts.context.rules.keep.released.as_ref()?;
    let environments = facts.context.snapshot.environments.iter();
    let mut named: HashMap<DigestPrefix, RecordTime> = HashMap::new();
    for entry in environments.flat_map(|it| &it.uncounted) {
        if entry.action.is_release() {
            let latest = named.entry(entry.root).or_insert(entry.planned_at);
            *latest = entry.planned_at.max(*latest);
        }
    }
    let is_young = |node: &usize| {
        let prefix = DigestPrefix::from_digest(facts.graph.digest(*node));
        let time = named.get(&prefix);
        !reachability.is_kept(*node)
            && time.is_some_and(|time| facts.context.now.since(*time) <= floor.to_duration())
    };
    let mut young = facts.graph.nodes().filter(is_young);
    let example = facts.graph.digest(young.next()?);
    Some(RetentionStop::YoungerThanFloor {
        count: 1 + young.count(),
        example,
        floor: floor.clone(),
    })
}

fn check_limits(facts: &RepositoryFacts<'_>, images: ImageTally) -> Vec<RetentionStop> {
    let limits = facts.context.rules.limits;
    let ImageTally { total, condemned } = images;
    let mut stops = Vec::new();
    if condemned.saturating_mul(100) > total.saturating_mul(limits.share.into()) {
        stops.push(RetentionStop::ShareExceeded {
            condemned,
            total,
            share: limits.share,
        });
    }
    if condemned > limits.images {
        stops.push(RetentionStop::ImagesExceeded {
            condemned,
            limit: limits.images,
        });
    }
    if condemned > 0 && condemned == total {
        stops.push(RetentionStop::NoImageLeft(total));
    }
    stops
}
