//! Plan files with deletions that a registry refuses whatever they are.

use super::known_registry::{NO_DELETION, refuses_all};
use super::plan_file::PlanFile;
use super::prune_request::PruneRequest;
use crate::image::Destination;
use crate::release::Failure;

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
