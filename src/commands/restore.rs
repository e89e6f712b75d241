use super::invocation::Invocation;
use super::prune::archive_folder;
use super::record_options::record_time;
use super::registry_logins::registry_logins;
use super::{announcement, context_inputs};
use crate::cli::Input;
use crate::image::{Destination, Digest};
use crate::prune::{RestoreRequest, restore};
use crate::release::Failure;
use crate::report::VerbResult;

/// Brings an image back that a run of `prune` deleted, from its archive or by the registry's own API.
pub(super) async fn run(invocation: &Invocation) -> Result<VerbResult, Failure> {
    let arguments = &invocation.arguments;
    let archive = archive_folder(invocation)?;
    let digest: Digest = arguments.required(Input::Digest)?;
    let places: Vec<Destination> = arguments.values(Input::Images)?;
    let [place] = places.as_slice() else {
        return Err(Failure::input(format!(
            "images names {} places, expected the one repository that the image was deleted from",
            places.len()
        ))
        .with_hint("name the repository, such as ghcr.io/acme/web"));
    };
    let request = RestoreRequest {
        place: place.clone(),
        archive,
        digest,
        api: None,
        logins: registry_logins(invocation)?,
        clock: record_time(invocation)?,
    };
    announcement::announce(invocation, "restoring", &format!("{digest} in {place}"));
    let context = context_inputs::build_context(invocation)?;
    let outcome = Box::pin(restore(&request, &context)).await?;
    Ok(VerbResult::Restored(Box::new(outcome)))
}
