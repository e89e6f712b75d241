//! Where the repositories of the policy's environments are on this machine, and which one a place is.

use std::path::Path;

use crate::commands::invocation::Invocation;
use crate::commands::load_policy::LoadedPolicy;
use crate::image::Destination;
use crate::layout::{self, LayoutError};
use crate::policy::{EnvironmentRules, MatchError, Repositories, Service};
use crate::release::Failure;

/// The repositories of the policy's environments, as what they are on disk.
pub(super) fn find<'a>(
    invocation: &Invocation,
    loaded: &'a LoadedPolicy,
) -> Result<Repositories<'a>, Failure> {
    refuse_elsewhere(invocation, loaded)?;
    let real_paths = layout::real_paths(loaded.policy.places()).map_err(|error| {
        Failure::input(format!(
            "the policy file {}: the repository {error}",
            loaded.file
        ))
        .at_file(loaded.location.clone())
    })?;
    let repositories = loaded.policy.repositories(&real_paths);
    repositories.map_err(|error| unmatched(loaded, error))
}

/// In a runner the policy's relative directories are in the workspace. A step that runs in another
/// folder would find none of them, and no rule would hold.
fn refuse_elsewhere(invocation: &Invocation, loaded: &LoadedPolicy) -> Result<(), Failure> {
    let workspace = invocation.environment.path("GITHUB_WORKSPACE");
    let Some(workspace) = workspace.filter(|_| invocation.environment.is_in_runner()) else {
        return Ok(());
    };
    let is_relative =
        |place: &Destination| matches!(place, Destination::Layout(path) if path.is_relative());
    let is_here = || {
        let real = |path: &Path| path.canonicalize().ok();
        real(workspace).is_none_or(|workspace| real(Path::new(".")) == Some(workspace))
    };
    if !loaded.policy.places().any(is_relative) || is_here() {
        return Ok(());
    }
    Err(Failure::input(format!(
        "the directories in {} are relative to the workspace, and this step runs in another folder",
        loaded.file
    ))
    .with_reason("whether a destination is one of them cannot be told")
    .with_hint("leave working-directory out of the step"))
}

/// Returns the environment, and the service, that a place is a repository of.
///
/// # Errors
/// That cannot be told, or `services` names no such service.
pub(super) fn matching<'a>(
    loaded: &LoadedPolicy,
    repositories: &Repositories<'a>,
    place: &Destination,
) -> Result<Option<(&'a EnvironmentRules, Option<&'a Service>)>, Failure> {
    let canonical = layout::canonical_place(place).map_err(|error| untold(place, error))?;
    let found = repositories.matching(place, &canonical);
    found.map_err(|error| unmatched(loaded, error))
}

/// What cannot be told of a place.
fn untold(place: &Destination, error: LayoutError) -> Failure {
    Failure::refused(format!("{place} {}", error.fault))
        .with_reason("whether it is a repository of an environment cannot be told")
}

fn unmatched(loaded: &LoadedPolicy, error: MatchError) -> Failure {
    let failure = Failure::refused(error.to_string());
    match error {
        MatchError::Ambiguous { .. } => failure
            .with_reason("each environment has rules of its own")
            .with_hint(format!(
                "give them repositories of their own in {}",
                loaded.file
            )),
        MatchError::TwoServices { .. } => failure
            .with_reason("each service has an image of its own")
            .with_hint(format!(
                "give them repositories of their own in {}",
                loaded.file
            )),
        MatchError::SharedRecords { .. } => failure
            .with_reason("each service has a timeline of its own")
            .with_hint(format!(
                "give their records repositories of their own in {}",
                loaded.file
            )),
        MatchError::UnknownService { .. } => failure.with_hint(format!(
            "add it to services in {}, or release to a repository outside of its environments",
            loaded.file
        )),
    }
}
