//! What the host of a registry tells of its deletions before the first one is sent.

use super::plan_file::PlanFile;
use super::prune_request::PruneRequest;
use crate::image::{Destination, RegistryName};
use crate::registry::{DeletionQuirk, find_deletion_quirk};
use crate::release::Failure;
use crate::retention::{DeletionOrder, RegistryDeletion, RepositoryPlan};

/// Why nothing is deleted in GitHub's registry.
const NO_DELETION: &str = "GHCR deletes by its packages API, which this version does not call; its registry answers 405 to every deletion";

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

/// Refuses a plan file with deletions in registries that refuse every one, before any request.
///
/// # Errors
/// Repositories of the request where the file has deletions that cannot be made.
pub(super) fn refuse_undeletable(request: &PruneRequest, file: &PlanFile) -> Result<(), Failure> {
    let places = request.groups.iter().flat_map(|group| &group.places);
    let places = places.filter(|place| refuses_all(place) && has_deletions(file, place));
    let names: Vec<String> = places.map(Destination::to_string).collect();
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join(" and ");
    Err(
        Failure::input(format!("apply: the registry refuses every deletion in {names}"))
            .with_reason(NO_DELETION)
            .with_hint("delete the images of the plan as versions of the package, in its settings at GitHub or with gh api --method DELETE; a version goes with all of its tags. To apply the rest of the plan, name the other repositories in images"),
    )
}

fn has_deletions(file: &PlanFile, place: &Destination) -> bool {
    let planned = file.deletions.0.get(&place.to_string());
    planned.is_some_and(|it| !it.tags.is_empty() || !it.manifests.is_empty())
}

fn refuses_all(place: &Destination) -> bool {
    match place {
        Destination::Registry(repository) => {
            find_deletion_quirk(repository.registry()) == Some(DeletionQuirk::RefusesAll)
        }
        Destination::Layout(_) => false,
    }
}
