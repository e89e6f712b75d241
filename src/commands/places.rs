//! Paths of the runner's machine, in the container that it made for an action.

use std::path::Path;

use super::Given;
use crate::actions::{Environment, Mounts, Ownership};
use crate::cli::Arguments;
use crate::image;
use crate::release::Failure;
use crate::report::Log;

/// Puts the container's paths in the place of the machine's, and refuses those that lead to nothing.
pub(super) fn find(
    arguments: &mut Arguments,
    environment: &Environment,
    log: &Log,
) -> Result<(), Failure> {
    let Some(mounts) = Mounts::of(environment) else {
        return Ok(());
    };
    for (host, here) in arguments.rename_paths(|path| mounts.here(path)) {
        log.info(&format!("{host} is {here} in this container"));
    }
    for (name, entry) in arguments.with_paths() {
        let path = entry.path();
        let path = path.split_once([':', '@']).map_or(path, |(path, _)| path);
        let Some(hint) = mounts.unshared(path) else {
            continue;
        };
        if !Path::new(path).exists() {
            let wrong = arguments.wrong(name, entry, "is not in this container");
            return Err(Failure::input(wrong.to_string()).why(WHY).hint(hint));
        }
    }
    Ok(())
}

/// The folders of this container that are going to be written to, as they are before that.
pub(super) fn owners<'a>(
    given: &Given,
    places: impl Iterator<Item = &'a image::Place>,
) -> Vec<Ownership> {
    if Mounts::of(&given.environment).is_none() {
        return Vec::new();
    }
    let folders = places.filter_map(|place| match place {
        image::Place::Layout(folder) => Ownership::of(folder),
        image::Place::Registry(_) => None,
    });
    folders.collect()
}

/// Gives what was written to those whose folders these are.
pub(super) fn hand_over(given: &Given, owners: &[Ownership]) {
    for error in owners.iter().filter_map(|owner| owner.hand_over().err()) {
        given.log.warning(&format!(
            "some of what was written to the workspace stays root's, and may be in the way of a later checkout: {error}"
        ));
    }
}

const WHY: &str = "an action runs in a container of its own, into which the runner mounts the job's \
    workspace; the machine's /tmp, home and other folders are not there";
