//! Which digests releases keep: what an environment is on, what a rollback may need, and what was released.

use std::collections::{HashMap, HashSet};

use super::snapshot::EnvironmentReleases;
use crate::image::Digest;
use crate::record::{RecordTime, Timeline};
use crate::rule_duration::RuleDuration;

/// Returns when each root was last in use: until the release after it, and no earlier than the newest entry that
/// names it. What the environment is on is in use now.
pub(super) fn find_last_use(timeline: &Timeline, now: RecordTime) -> HashMap<Digest, RecordTime> {
    let mut last_use = HashMap::new();
    let mut mark = |root: Digest, time: RecordTime| {
        let latest: &mut RecordTime = last_use.entry(root).or_insert(time);
        *latest = time.max(*latest);
    };
    let mut running: Option<Digest> = None;
    for entry in timeline.entries() {
        mark(entry.root, entry.planned_at);
        if let Some(restored) = entry.restores {
            mark(restored, entry.planned_at);
        }
        if let Some(root) = entry.root_it_sets()
            && let Some(before) = running.replace(root)
        {
            mark(before, entry.planned_at);
        }
    }
    let current = timeline.current().map(|(_, root)| root);
    for root in running.into_iter().chain(current) {
        mark(root, now);
    }
    last_use
}

/// Returns the newest `number` roots that are not withdrawn, those between them, and the root to which a rollback
/// goes by default.
pub(super) fn find_rollback_roots(timeline: &Timeline, number: usize) -> HashSet<Digest> {
    let withdrawn = timeline.withdrawn_roots();
    let mut roots = HashSet::new();
    let mut counted = HashSet::new();
    for entry in timeline.entries().iter().rev() {
        if counted.len() >= number {
            break;
        }
        let Some(root) = entry.root_it_sets() else {
            continue;
        };
        roots.insert(root);
        if !withdrawn.contains(&root) {
            counted.insert(root);
        }
    }
    let current = timeline.current().map(|(_, root)| root);
    let target = current.and_then(|current| timeline.rollback_target(current));
    roots.extend(target.map(|entry| entry.root));
    roots
}

/// Returns the roots that were in use during the time before now, with their last use.
pub(super) fn find_released_roots(
    releases: &EnvironmentReleases,
    floor: &RuleDuration,
    now: RecordTime,
) -> Vec<(Digest, RecordTime)> {
    let last_use = find_last_use(&releases.timeline, now);
    let is_recent = |(_, time): &(Digest, RecordTime)| now.since(*time) <= floor.to_duration();
    last_use.into_iter().filter(is_recent).collect()
}

/// Returns the newest entry that names each root.
pub(super) fn find_recorded_times(
    environments: &[EnvironmentReleases],
) -> HashMap<Digest, RecordTime> {
    let mut times: HashMap<Digest, RecordTime> = HashMap::new();
    let entries = environments.iter().flat_map(|it| it.timeline.entries());
    for entry in entries {
        for root in [Some(entry.root), entry.restores].into_iter().flatten() {
            let latest = times.entry(root).or_insert(entry.planned_at);
            *latest = entry.planned_at.max(*latest);
        }
    }
    times
}
