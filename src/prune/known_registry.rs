//! What is known of a registry's deletions before the first one is sent.

use super::open_api::{OpenedApi, find_vendor, needs_api};
use crate::image::{Destination, Repository};
use crate::registry_api::{RegistryAbilities, RegistryApiError};
use crate::retention::{RegistryDeletion, RepositoryPlan, RetentionRules};

/// Returns how a registry deletes. One that is not known is planned for as the specification says.
pub(super) fn known_deletion(rules: &RetentionRules, repository: &Repository) -> RegistryDeletion {
    let vendor = find_vendor(rules, repository);
    vendor.map_or_else(RegistryDeletion::default, |vendor| {
        RegistryAbilities::from_vendor(vendor).deletion
    })
}

/// Returns the line about a plan that cannot be applied.
pub(super) fn note_refused(
    place: &Destination,
    refusal: Option<&str>,
    plan: &RepositoryPlan,
) -> Option<String> {
    let refusal = refusal.filter(|_| !plan.steps().is_empty())?;
    Some(format!("{place}: apply refuses this plan: {refusal}"))
}

/// Returns the line about an API that this run does not use.
pub(super) fn note_unused(place: &Destination, error: &RegistryApiError) -> String {
    format!(
        "{place}: manifests without a tag and times of pushes are not seen. {error}; the API needs {}",
        error.needs
    )
}

/// Returns why nothing can be deleted in a repository: its registry deletes by an API that this run cannot use.
pub(super) fn find_refusal(
    rules: &RetentionRules,
    place: &Destination,
    api: Option<&OpenedApi>,
) -> Option<String> {
    let Destination::Registry(repository) = place else {
        return None;
    };
    let vendor = find_vendor(rules, repository).filter(|vendor| needs_api(*vendor))?;
    let name = RegistryAbilities::from_vendor(vendor).name;
    match api {
        Some(Err(error)) => Some(format!("{name} deletes by its own API alone. {error}")),
        _ => None,
    }
}
