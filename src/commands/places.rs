//! Paths of the runner's machine, in the container that it made for an action.

use std::path::Path;

use crate::actions::{Environment, Mounts};
use crate::cli::Arguments;
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

const WHY: &str = "an action runs in a container of its own, into which the runner mounts the job's \
    workspace; the machine's /tmp, home and other folders are not there";
