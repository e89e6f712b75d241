//! The policy file that holds for this run.
//!
//! In a runner it is the one of the workflow's own commit: the working tree is what a build, or a pull
//! request's author, made of it. It comes from the checkout's objects where they are there, else from
//! GitHub's API.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::{Given, api, facts};
use crate::git::FileAt;
use crate::image::Commit;
use crate::policy::Policy;
use crate::release::Failure;

/// A policy, and what it is called in messages.
pub(super) struct Held {
    pub(super) policy: Policy,
    pub(super) file: String,
}

/// Where a policy is looked for where none is named.
const USUAL: &str = ".github/shipmark.yml";
/// The commit of the file of the workflow that runs.
const WORKFLOW_COMMIT: &str = "GITHUB_WORKFLOW_SHA";

/// The policy; none where there is no file and none is named.
pub(super) async fn find(given: &Given) -> Result<Option<Held>, Failure> {
    let named = given.arguments.text("policy");
    let path = named.unwrap_or(USUAL);
    let found = match given.environment.in_runner() {
        true => of_workflow(given, path, named.is_some()).await?,
        false => read(path)?.map(|bytes| (bytes, path.to_owned())),
    };
    let Some((bytes, file)) = found else {
        return match named {
            Some(_) => Err(Failure::input(format!("the policy file {path} is not there"))
                .hint("policy names a file of the repository; without it .github/shipmark.yml is taken, where it exists")),
            None => Ok(None),
        };
    };
    let policy = Policy::read(&bytes)
        .map_err(|error| Failure::input(format!("the policy file {file}: {error}")))?;
    given.log.info(&format!("the policy file is {file}"));
    Ok(Some(Held { policy, file }))
}

fn read(path: &str) -> Result<Option<Vec<u8>>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::input(format!(
            "the policy file {path} cannot be read: {error}"
        ))),
    }
}

/// The file as the workflow's commit has it, and what to call it.
async fn of_workflow(
    given: &Given,
    path: &str,
    named: bool,
) -> Result<Option<(Vec<u8>, String)>, Failure> {
    let path = in_repository(given, path)?;
    let Some(sha) = given.environment.get(WORKFLOW_COMMIT) else {
        // GitHub's runners say it. Elsewhere a policy that is there must not be passed over.
        return match named || Path::new(".").join(&path).exists() {
            true => Err(Failure::input(format!(
                "the policy file {} cannot be told: {WORKFLOW_COMMIT} is not set",
                path.display()
            ))
            .why("in a runner the policy is that of the workflow's own commit")
            .hint("update the runner, or set it to the commit that the workflow is of")),
            false => Ok(None),
        };
    };
    let commit: Commit = sha
        .parse()
        .map_err(|_| Failure::input(format!("{WORKFLOW_COMMIT} is {sha:?}, which is no commit")))?;
    let bytes = match at_checkout(&commit, &path)? {
        FileAt::Bytes(bytes) => Some(bytes),
        FileAt::Absent => None,
        FileAt::NotHere => api::policy(given, &commit, &path).await?,
    };
    Ok(bytes.map(|bytes| {
        (
            bytes,
            format!("{} of commit {}", path.display(), commit.short()),
        )
    }))
}

fn at_checkout(commit: &Commit, path: &Path) -> Result<FileAt, Failure> {
    match facts::checkout() {
        Ok(checkout) => Ok(checkout.file_at(commit, path)?),
        Err(_) => Ok(FileAt::NotHere),
    }
}

/// The path from the root of the repository: the workspace is where it is checked out.
fn in_repository(given: &Given, path: &str) -> Result<PathBuf, Failure> {
    let workspace = given.environment.path("GITHUB_WORKSPACE");
    let path = Path::new(path);
    let path = workspace
        .and_then(|workspace| path.strip_prefix(workspace).ok())
        .unwrap_or(path);
    let names = path.components().filter(|name| *name != Component::CurDir);
    let plain: PathBuf = names.clone().collect();
    if names
        .clone()
        .all(|name| matches!(name, Component::Normal(_)))
        && plain.file_name().is_some()
    {
        return Ok(plain);
    }
    Err(Failure::input(format!(
        "policy: {} is no path in the repository",
        path.display()
    ))
    .why("in a runner the policy is that of the workflow's own commit, not a file of the machine")
    .hint("write it from the root of the repository: .github/shipmark.yml"))
}
