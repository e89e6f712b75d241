//! What the host of a registry tells of its deletions before the first one is sent.

use crate::image::{Destination, RegistryName};
use crate::registry::{DeletionQuirk, find_deletion_quirk};
use crate::retention::{DeletionOrder, RegistryDeletion, RepositoryPlan};

/// Why nothing is deleted in GitHub's registry.
pub(super) const NO_DELETION: &str = "GHCR deletes by its packages API, which this version does not call; its registry answers 405 to every deletion";

/// Returns how a registry deletes. One that is not known is planned for as the specification says.
pub(super) fn known_deletion(registry: &RegistryName) -> RegistryDeletion {
    match find_deletion_quirk(registry) {
        None => RegistryDeletion::default(),
        Some(quirk) => RegistryDeletion {
            deletes_tags_with_manifest: true,
            refuses_last_tagged: quirk == DeletionQuirk::RefusesAll,
            order: DeletionOrder::RootsFirst,
        },
    }
}

/// Returns the line about a plan that cannot be applied.
pub(super) fn note_refused(place: &Destination, plan: &RepositoryPlan) -> Option<String> {
    let is_noted = refuses_all(place) && !plan.steps().is_empty();
    is_noted.then(|| format!("{place}: apply refuses this plan: {NO_DELETION}"))
}

/// Returns whether the registry of a repository refuses every deletion.
pub(super) fn refuses_all(place: &Destination) -> bool {
    match place {
        Destination::Registry(repository) => {
            find_deletion_quirk(repository.registry()) == Some(DeletionQuirk::RefusesAll)
        }
        Destination::Layout(_) => false,
    }
}
