//! Files that somebody may take for the policy, and that are not it.

use std::path::{Path, PathBuf};

use super::files::Files;
use crate::commands::invocation::Invocation;
use crate::notices::to_printable;
use crate::policy::file::{FILE, FOLDER, PATH, resembles_file, resembles_folder};
use crate::release::Failure;

/// Refuses a file under a name that is nearly the policy's, unless the input `policy` names it.
pub(super) async fn refuse_resembling(
    invocation: &Invocation,
    files: &Files,
    named: Option<&Path>,
) -> Result<(), Failure> {
    let mut folders = Vec::new();
    for entry in files.folder(invocation, Path::new("")).await? {
        let name = entry.name;
        if entry.is_folder && resembles_folder(&name) {
            folders.push(name);
        } else if !entry.is_folder && name.to_lowercase() == FOLDER {
            return Err(no_folder(&name));
        } else if !entry.is_folder && resembles_file(&name) {
            refuse(Path::new(&name), named)?;
        }
    }
    for folder in folders {
        for entry in files.folder(invocation, Path::new(&folder)).await? {
            let is_policy = folder == FOLDER && entry.name == FILE;
            if !is_policy && resembles_file(&entry.name) {
                refuse(&PathBuf::from(&folder).join(entry.name), named)?;
            }
        }
    }
    Ok(())
}

fn refuse(path: &Path, named: Option<&Path>) -> Result<(), Failure> {
    if named == Some(path) {
        return Ok(());
    }
    let path = to_printable(&path.display().to_string(), 200);
    Err(
        Failure::input(format!("{path} is not read: the policy file is {PATH}"))
            .why("a policy under another name would be passed over, and none of its rules would hold")
            .with_hint(format!("rename it to {PATH}, or name it in the input policy")),
    )
}

fn no_folder(name: &str) -> Failure {
    Failure::input(format!(
        "expected a folder at {}, got a symbolic link or a file",
        to_printable(name, 200)
    ))
    .why(format!(
        "{PATH} cannot be read through it, and no rule of it would hold"
    ))
    .with_hint(format!("make {FOLDER} a folder in the repository"))
}
