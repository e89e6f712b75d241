//! Plan files with deletions that this run cannot make, whatever they are.

use super::known_registry::find_refusal;
use super::open_api::open_api;
use super::plan_file::PlanFile;
use super::prune_request::PruneRequest;
use crate::image::Destination;
use crate::release::{Failure, ReleaseContext};

/// Refuses a plan file with deletions in registries whose API cannot be used, before any request.
///
/// # Errors
/// Repositories of the request where the file has deletions that cannot be made.
pub(super) async fn refuse_undeletable(
    request: &PruneRequest,
    file: &PlanFile,
    context: &ReleaseContext,
) -> Result<(), Failure> {
    let mut names = Vec::new();
    let mut reasons = Vec::new();
    let mut needs = "";
    for group in &request.groups {
        let rules = &group.rules;
        for place in group.places.iter().filter(|it| has_deletions(file, it)) {
            let api = open_api(request, rules, place, context).await?;
            if let Some(reason) = find_refusal(rules, place, api.as_ref()) {
                names.push(place.to_string());
                reasons.push(reason);
            }
            if let Some(Err(error)) = api {
                needs = error.needs;
            }
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join(" and ");
    reasons.dedup();
    Err(
        Failure::input(format!("apply: this run can delete nothing in {names}"))
            .with_reason(reasons.join("; "))
            .with_hint(format!(
                "give {needs}. To apply the rest of the plan, name the other repositories in images"
            )),
    )
}

fn has_deletions(file: &PlanFile, place: &Destination) -> bool {
    let planned = file.deletions.0.get(&place.to_string());
    planned.is_some_and(|it| !it.tags.is_empty() || !it.manifests.is_empty())
}
