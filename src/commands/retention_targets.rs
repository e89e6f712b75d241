//! Repositories that a run prunes, each with the rules of its environment.

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::policy_environment::find_environment;
use super::release_targets;
use crate::cli::{Input, InputError};
use crate::image::Destination;
use crate::policy::Service;
use crate::release::Failure;
use crate::retention::RetentionRules;
use crate::tagging::{EnvironmentName, TagPattern};

/// Repository that a run prunes.
pub(super) struct RetentionTarget {
    /// Service, if the policy has several.
    pub(super) service: Option<Service>,
    /// Repository.
    pub(super) place: Destination,
    /// Rules of its environment: no repository is of two.
    pub(super) rules: RetentionRules,
}

/// Returns the repositories of the policy that the inputs name, else all, each once.
///
/// # Errors
/// Inputs that name nothing of the policy, a repository of two environments, and a policy without retention.
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
                    rules: rules.retention(),
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
