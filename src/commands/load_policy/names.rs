//! Files that somebody may take for the policy, and that are not it.

use std::path::{Path, PathBuf};

use super::files::Files;
use crate::commands::github_inputs;
use crate::commands::invocation::Invocation;
use crate::notices::to_printable;
use crate::policy::file::{FILE, FOLDER, PATH, resembles_file, resembles_folder};
use crate::release::Failure;

/// Refuses a file under a name that is nearly the policy's, unless the input `policy` names it; and the
/// policy's own where it was not read: a clone may leave out what is in a file, and GitHub's API answers
/// alike where a file is not there and where the token may not see it.
pub(super) async fn refuse_resembling(
    invocation: &Invocation,
    files: &Files,
    named: Option<&Path>,
    is_read: bool,
) -> Result<(), Failure> {
    let mut folders = Vec::new();
    for entry in files.folder(invocation, Path::new("")).await? {
        let name = entry.name;
        if entry.is_folder && resembles_folder(&name) {
            folders.push(name);
        } else if !entry.is_folder && name.to_lowercase() == FOLDER {
            return Err(no_folder(&name));
        } else if !entry.is_folder && resembles_file(&name) {
            refuse(invocation, files, Path::new(&name), named)?;
        }
    }
    for folder in folders {
        for entry in files.folder(invocation, Path::new(&folder)).await? {
            let is_policy = folder == FOLDER && entry.name == FILE;
            if is_policy && !is_read {
                return Err(github_inputs::unknown_policy(&format!(
                    "the workflow's commit has {PATH}, and neither the checkout nor GitHub's API shows what is in it"
                )));
            }
            if !is_policy && resembles_file(&entry.name) {
                let path = PathBuf::from(&folder).join(entry.name);
                refuse(invocation, files, &path, named)?;
            }
        }
    }
    Ok(())
}

fn refuse(
    invocation: &Invocation,
    files: &Files,
    path: &Path,
    named: Option<&Path>,
) -> Result<(), Failure> {
    if named == Some(path) {
        return Ok(());
    }
    let location = files.location(invocation, path);
    let path = to_printable(&path.display().to_string(), 200);
    Err(
        Failure::input(format!("{path} is not read: the policy file is {PATH}"))
            .with_reason("a policy under another name would be passed over, and none of its rules would hold")
            .with_hint(format!("rename it to {PATH}, or name it in the input policy"))
            .at_file(location),
    )
}

fn no_folder(name: &str) -> Failure {
    Failure::input(format!(
        "expected a folder at {}, got a symbolic link or a file",
        to_printable(name, 200)
    ))
    .with_reason(format!(
        "{PATH} cannot be read through it, and no rule of it would hold"
    ))
    .with_hint(format!("make {FOLDER} a folder in the repository"))
}
