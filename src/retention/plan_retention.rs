//! The planner: a snapshot, rules and a time in, a plan with reasons out.

use super::find_stops::find_unmatched_rules;
use super::plan_context::PlanContext;
use super::plan_repository::plan_repository;
use super::planned_deletions::{PlannedDeletions, RepositoryDeletions};
use super::repository_facts::RepositoryFacts;
use super::reserved_tag::names_reserved_tags;
use super::retention_plan::RetentionPlan;
use super::retention_rules::RetentionRules;
use super::retention_warning::RetentionWarning;
use super::snapshot::RetentionSnapshot;
use crate::record::RecordTime;

/// Plans what goes and what stays in the repositories of a snapshot.
///
/// With the deletions of an `earlier` plan, nothing goes that both do not condemn. What an earlier run of that plan
/// left without a name goes too.
pub fn plan_retention(
    snapshot: &RetentionSnapshot,
    rules: &RetentionRules,
    now: RecordTime,
    earlier: Option<&PlannedDeletions>,
) -> RetentionPlan {
    let context = PlanContext::new(snapshot, rules, now);
    let nothing = RepositoryDeletions::default();
    let stops = find_unmatched_rules(&context);
    let repositories = snapshot.repositories.iter().map(|repository| {
        let earlier = earlier.map(|plan| plan.0.get(&repository.name).unwrap_or(&nothing));
        let mut plan = plan_repository(&RepositoryFacts::new(&context, repository, earlier));
        if !stops.is_empty() {
            plan.steps.clear();
        }
        plan
    });
    let repositories = repositories.collect();
    RetentionPlan {
        warnings: find_warnings(&context),
        repositories,
        stops,
    }
}

fn find_warnings(context: &PlanContext<'_>) -> Vec<RetentionWarning> {
    let rules = context.rules.prune.iter();
    let patterns = rules.flat_map(|rule| rule.selector.patterns());
    let reserved = patterns.filter(|pattern| names_reserved_tags(pattern));
    let reserved =
        reserved.map(|pattern| RetentionWarning::ReservedPattern(pattern.as_str().to_owned()));
    let missing = context.snapshot.pins.iter().filter(|pin| {
        let mut repositories = context.snapshot.repositories.iter();
        let named = repositories.find(|it| it.name == pin.repository);
        named.is_some_and(|named| !named.manifests.contains_key(&pin.digest))
    });
    let missing = missing.map(|pin| RetentionWarning::PinnedDigestMissing {
        file: pin.file.clone(),
        repository: pin.repository.clone(),
        digest: pin.digest,
    });
    reserved.chain(missing).collect()
}
