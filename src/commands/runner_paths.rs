//! Paths of the runner's machine, in the container that it made for an action.

use std::path::Path;

use super::invocation::Invocation;
use crate::actions::{FolderOwnership, ProcessEnvironment, RunnerMounts};
use crate::cli::InputValues;
use crate::image;
use crate::release::Failure;
use crate::report::RunLog;

/// Puts the container's paths in the place of the machine's, and refuses those that lead to nothing.
pub(super) fn map_paths(
    arguments: &mut InputValues,
    environment: &ProcessEnvironment,
    log: &RunLog,
) -> Result<(), Failure> {
    let Some(mounts) = RunnerMounts::from_environment(environment) else {
        return Ok(());
    };
    for (host, here) in arguments.rename_paths(|path| mounts.to_container_path(path)) {
        log.info(&format!("{host} is {here} in this container"));
    }
    for (name, entry) in arguments.path_entries() {
        let path = entry.path();
        let path = path.split_once([':', '@']).map_or(path, |(path, _)| path);
        let Some(hint) = mounts.reason_not_shared(path) else {
            continue;
        };
        if !Path::new(path).exists() {
            let wrong = arguments.entry_error(name, entry, "is not in this container");
            return Err(Failure::input(wrong.to_string())
                .with_reason(NOT_MOUNTED_REASON)
                .with_hint(hint));
        }
    }
    Ok(())
}

/// The folders of this container that are going to be written to, as they are before that.
pub(super) fn destination_owners<'a>(
    invocation: &Invocation,
    places: impl Iterator<Item = &'a image::Destination>,
) -> Vec<FolderOwnership> {
    if RunnerMounts::from_environment(&invocation.environment).is_none() {
        return Vec::new();
    }
    let folders = places.filter_map(|place| match place {
        image::Destination::Layout(folder) => FolderOwnership::of_folder(folder),
        image::Destination::Registry(_) => None,
    });
    folders.collect()
}

/// Gives what was written to those whose folders these are.
pub(super) fn restore_owners(invocation: &Invocation, owners: &[FolderOwnership]) {
    for error in owners.iter().filter_map(|owner| owner.hand_over().err()) {
        invocation.log.warning(&format!(
            "some of what was written to the workspace stays root's, and may be in the way of a later checkout: {error}"
        ));
    }
}

const NOT_MOUNTED_REASON: &str = "an action runs in a container of its own, into which the runner mounts the job's \
    workspace; the machine's /tmp, home and other folders are not there";
