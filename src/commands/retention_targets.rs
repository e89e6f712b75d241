//! Repositories that a run prunes, with the rules of all environments that have them.

use std::cmp::{max, min};

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::policy_environment::find_environment;
use super::release_targets;
use crate::cli::{Input, InputError};
use crate::image::Destination;
use crate::policy::{EnvironmentRules, Service};
use crate::release::Failure;
use crate::retention::{DeletionLimits, KeepRules, RetentionRules};
use crate::tagging::{EnvironmentName, TagPattern};

/// Repository that a run prunes.
pub(super) struct RetentionTarget {
    /// Service, if the policy has several.
    pub(super) service: Option<Service>,
    /// Repository.
    pub(super) place: Destination,
    /// Rules of all environments that have the repository.
    pub(super) rules: RetentionRules,
}

/// Returns the repositories of the policy that the inputs name, else all, each once.
///
/// # Errors
/// Inputs that name nothing of the policy, environments whose rules for one repository differ, and a policy without
/// retention.
pub(super) fn retention_targets(
    invocation: &Invocation,
    loaded: &LoadedPolicy,
) -> Result<Vec<RetentionTarget>, Failure> {
    let arguments = &invocation.arguments;
    release_targets::check_repositories(invocation, loaded)?;
    let environment: Option<EnvironmentName> = arguments.value(Input::Environment)?;
    if let Some(name) = &environment {
        find_environment(loaded, name)?;
    }
    let images: Vec<Destination> = arguments.values(Input::Images)?;
    let services: Vec<Service> = arguments.values(Input::Services)?;
    let mut targets: Vec<RetentionTarget> = Vec::new();
    for rules in loaded.policy.environments() {
        for (service, place) in rules.destinations() {
            let is_named = environment.as_ref().is_none_or(|name| name == rules.name())
                && (images.is_empty() || images.contains(place))
                && (services.is_empty()
                    || service.as_ref().is_some_and(|it| services.contains(it)));
            if is_named && !targets.iter().any(|target| target.place == *place) {
                targets.push(RetentionTarget {
                    service: service.clone(),
                    place: place.clone(),
                    rules: join_rules(loaded, place)?,
                });
            }
        }
    }
    refuse_unknown(&targets, &images, &services)?;
    let kept = arguments.entries(Input::KeepTags).iter().map(|entry| {
        let pattern = TagPattern::parse(&entry.text);
        pattern.map_err(|error| arguments.entry_error(Input::KeepTags, entry, error))
    });
    let kept = kept.collect::<Result<Vec<TagPattern>, InputError>>()?;
    for target in &mut targets {
        let known = &target.rules.keep.tags;
        let new = kept.iter().filter(|pattern| !known.contains(pattern));
        let new: Vec<TagPattern> = new.cloned().collect();
        target.rules.keep.tags.extend(new);
    }
    require_rules(&targets)?;
    Ok(targets)
}

/// Returns the rules of all environments that have a repository: what each of them keeps stays.
fn join_rules(loaded: &LoadedPolicy, place: &Destination) -> Result<RetentionRules, Failure> {
    let mut joined: Option<(&EnvironmentRules, RetentionRules)> = None;
    for environment in loaded.policy.environments() {
        let mut places = environment.destinations().iter();
        if !places.any(|(_, other)| other == place) {
            continue;
        }
        let own = environment.retention();
        joined = Some(match joined {
            None => (environment, own),
            Some((first, rules)) if rules.prune == own.prune => (first, join(rules, own)),
            Some((first, _)) => return Err(contradiction(place, first, environment)),
        });
    }
    Ok(joined.map(|(_, rules)| rules).unwrap_or_default())
}

fn contradiction(
    place: &Destination,
    first: &EnvironmentRules,
    second: &EnvironmentRules,
) -> Failure {
    Failure::input(format!(
        "retention: {} and {} have the repository {place} and other prune rules for it",
        first.name(),
        second.name()
    ))
    .with_reason("which of them count for an image in it cannot be told")
    .with_hint("write the prune rules once, in retention at the top of the policy, or give the environments repositories of their own")
}

fn join(one: RetentionRules, other: RetentionRules) -> RetentionRules {
    let mut keep: KeepRules = one.keep;
    keep.released = max(keep.released, other.keep.released);
    keep.rollback = max(keep.rollback, other.keep.rollback);
    for tag in other.keep.tags {
        if !keep.tags.contains(&tag) {
            keep.tags.push(tag);
        }
    }
    for file in other.keep.pinned {
        if !keep.pinned.contains(&file) {
            keep.pinned.push(file);
        }
    }
    RetentionRules {
        keep,
        prune: one.prune,
        grace: max(one.grace, other.grace),
        limits: DeletionLimits {
            share: min(one.limits.share, other.limits.share),
            images: min(one.limits.images, other.limits.images),
        },
    }
}

fn refuse_unknown(
    targets: &[RetentionTarget],
    images: &[Destination],
    services: &[Service],
) -> Result<(), Failure> {
    let has_place = |place: &&Destination| targets.iter().any(|it| it.place == **place);
    let has_service = |name: &&Service| targets.iter().any(|it| it.service.as_ref() == Some(name));
    if let Some(place) = images.iter().find(|place| !has_place(place)) {
        return Err(Failure::input(format!(
            "images: {place} is in no environment of the policy"
        ))
        .with_reason("retention is a rule of the policy, and an image that it does not know stays")
        .with_hint("name repositories as the policy does; shipmark policy shows them"));
    }
    if let Some(name) = services.iter().find(|name| !has_service(name)) {
        return Err(
            Failure::input(format!("services: {name} is no service of the policy"))
                .with_hint("name services as the policy does; shipmark policy shows them"),
        );
    }
    Ok(())
}

fn require_rules(targets: &[RetentionTarget]) -> Result<(), Failure> {
    match targets.iter().any(|target| !target.rules.prune.is_empty()) {
        true => Ok(()),
        false => Err(Failure::input("the policy has no prune rules for these repositories")
            .with_reason("what no rule names stays")
            .with_hint("add the key retention with prune to the policy, such as prune: [{tags: 'pr-*', older-than: 14d}]")),
    }
}
