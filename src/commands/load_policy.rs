//! The policy that holds for this run.
//!
//! In a runner it is the one of the workflow's own commit, and in a run for a pull request that of the base's:
//! the working tree is what a build, or a pull request's author, made of it. The repository's own file, `.github/shipmark.yml`, holds whatever the
//! input `policy` names: that only adds environments.

mod files;
mod names;

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::invocation::Invocation;
use crate::cli::Input;
use crate::git::{self, FolderEntry};
use crate::image::Digest;
use crate::notices::FileLocation;
use crate::policy::{self, PolicyError, ReleasePolicy};
use crate::record::RecordedPolicy;
use crate::release::Failure;
use files::Files;

/// A policy, and what it is called in messages.
pub(super) struct LoadedPolicy {
    pub(super) policy: ReleasePolicy,
    pub(super) file: String,
    /// File that annotations are about: of two files the repository's own.
    pub(super) location: FileLocation,
    /// File as records name it: of two files the repository's own.
    pub(super) recorded: RecordedPolicy,
    /// Digest of the file that the input names in addition, if any.
    pub(super) added: Option<Digest>,
    files: Rc<Files>,
}

impl LoadedPolicy {
    /// Returns a line for the log that names the file.
    pub(super) fn remark(&self) -> String {
        format!("the policy file is {}", self.file)
    }

    /// Returns the digests of the files: of two the repository's own first.
    pub(super) fn digests(&self) -> Vec<Digest> {
        [self.recorded.digest]
            .into_iter()
            .chain(self.added)
            .collect()
    }

    /// Reads a file that the policy names by its path: in a runner that of the policy's own commit, since a
    /// build can change the working tree. `None`: there is no such file.
    ///
    /// # Errors
    /// A path out of the repository, or a file that cannot be read.
    pub(super) async fn read_named_file(
        &self,
        invocation: &Invocation,
        path: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let path = path_in_repository(invocation, Path::new(path))?;
        self.files.read(invocation, &path).await
    }
}

impl LoadedPolicy {
    /// Returns what is in a folder of the repository, at the commit of the policy in a runner.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub(super) async fn folder(
        &self,
        invocation: &Invocation,
        path: &Path,
    ) -> Result<Vec<FolderEntry>, Failure> {
        self.files.folder(invocation, path).await
    }

    /// Returns whether a file that a step reads is one of the repository at the policy's commit; outside of a runner at
    /// the commit that is checked out, where there is one.
    ///
    /// # Errors
    /// A commit that cannot be read.
    pub(super) async fn is_committed(
        &self,
        invocation: &Invocation,
        path: &Path,
    ) -> Result<bool, Failure> {
        if self.files.commit().is_none() {
            return Ok(is_checked_out(path));
        }
        // Git tracks nothing outside of the checkout.
        let Ok(path) = path_in_repository(invocation, path) else {
            return Ok(false);
        };
        Ok(self.files.read(invocation, &path).await?.is_some())
    }
}

/// Returns whether the commit that is checked out has a file. Without a repository of git it has none.
fn is_checked_out(path: &Path) -> bool {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let known = git::checkout(folder).ok().zip(path.canonicalize().ok());
    known.is_some_and(|(checkout, path)| checkout.has_file(&path))
}

/// The policy; none where there is no file and none is named.
pub(super) async fn load_policy(invocation: &Invocation) -> Result<Option<LoadedPolicy>, Failure> {
    let named = named_path(invocation)?;
    match Files::of(invocation, named.as_deref())? {
        Some(files) => load_from(invocation, files, named.as_deref()).await,
        None => Ok(None),
    }
}

/// Returns the policy that a pull request's merge would have, with its name in messages; `None` outside of a run for a
/// pull request. A policy with errors, or one that cannot be read, is a failure of the pull request alone.
pub(super) async fn load_proposed_policy(
    invocation: &Invocation,
) -> Option<(String, Result<Option<LoadedPolicy>, Failure>)> {
    let files = Files::of_merge(invocation)?;
    let file = files.called(Path::new(policy::file::PATH));
    let loaded = match named_path(invocation) {
        Ok(named) => load_from(invocation, files, named.as_deref()).await,
        Err(failure) => Err(failure),
    };
    Some((file, loaded))
}

/// Returns the file that the input names.
fn named_path(invocation: &Invocation) -> Result<Option<PathBuf>, Failure> {
    let named = invocation.arguments.text(Input::Policy).map(Path::new);
    named
        .map(|path| path_in_repository(invocation, path))
        .transpose()
}

async fn load_from(
    invocation: &Invocation,
    files: Files,
    named: Option<&Path>,
) -> Result<Option<LoadedPolicy>, Failure> {
    let files = Rc::new(files);
    let usual = Path::new(policy::file::PATH);
    let own = read_policy_file(invocation, &files, usual).await?;
    if own.is_none() || !files.are_remote() {
        names::refuse_resembling(invocation, &files, named, own.is_some()).await?;
    }
    let loaded = match named {
        None => own,
        Some(path) if path == usual => Some(named_one(own, path)?),
        Some(path) => {
            let added = named_one(read_policy_file(invocation, &files, path).await?, path)?;
            Some(match own {
                Some(own) => join(own, added)?,
                None => added,
            })
        }
    };
    Ok(loaded)
}

async fn read_policy_file(
    invocation: &Invocation,
    files: &Rc<Files>,
    path: &Path,
) -> Result<Option<LoadedPolicy>, Failure> {
    let Some(bytes) = files.read(invocation, path).await? else {
        return Ok(None);
    };
    let file = files.called(path);
    let location = files.location(invocation, path);
    match ReleasePolicy::parse(&bytes) {
        Ok(policy) => Ok(Some(LoadedPolicy {
            policy,
            file,
            location,
            recorded: RecordedPolicy {
                uri: path.display().to_string(),
                digest: Digest::from_bytes(&bytes),
                commit: files.commit().map(ToString::to_string),
            },
            added: None,
            files: files.clone(),
        })),
        Err(errors) => {
            let failures = errors.iter();
            let mut failures = failures.map(|error| malformed_policy(&file, error, &location));
            let first = failures.next();
            let first = first.unwrap_or_else(|| Failure::input(errors.to_string()));
            Err(first.with_further(failures))
        }
    }
}

/// Returns the failure of a problem in a policy file.
fn malformed_policy(file: &str, error: &PolicyError, location: &FileLocation) -> Failure {
    let failure = Failure::input(format!("the policy file {file}: {error}"));
    let failure = failure.at_file(FileLocation {
        position: Some((error.at.line, error.at.column)),
        ..location.clone()
    });
    match error.hint() {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// The file that the input names, which has to be there and to say something.
fn named_one(found: Option<LoadedPolicy>, path: &Path) -> Result<LoadedPolicy, Failure> {
    let Some(loaded) = found else {
        return Err(Failure::input(format!("the policy file {} is not there", path.display()))
            .with_hint("policy names a file of the repository; without it .github/shipmark.yml is taken, where it exists"));
    };
    match loaded.policy.environments().is_empty() {
        true => Err(Failure::input(format!(
            "the policy file {} names no environment",
            loaded.file
        ))
        .with_reason("a file that says nothing has nothing to add, and turns no rule off")
        .with_hint("leave policy out, or name a file with environments")
        .at_file(loaded.location)),
        false => Ok(loaded),
    }
}

/// The repository's own policy with what another file adds to it.
fn join(own: LoadedPolicy, added: LoadedPolicy) -> Result<LoadedPolicy, Failure> {
    let joined = own.policy.with(added.policy);
    let policy = joined.map_err(|stage| {
        Failure::input(format!(
            "the environment {stage} is in {} and differs in {}",
            own.file, added.file
        ))
        .with_reason(
            "the input policy adds environments; it changes none of the repository's own policy",
        )
        .with_hint("give it another name, or say the same in both files")
        .at_file(added.location.clone())
    })?;
    Ok(LoadedPolicy {
        policy,
        file: format!("{} with {}", own.file, added.file),
        location: own.location,
        recorded: own.recorded,
        added: Some(added.recorded.digest),
        files: own.files,
    })
}

/// The path from the root of the repository: the workspace is where it is checked out. Outside of a
/// runner any file will do.
fn path_in_repository(invocation: &Invocation, path: &Path) -> Result<PathBuf, Failure> {
    let in_runner = invocation.environment.is_in_runner();
    let workspace = invocation.environment.path("GITHUB_WORKSPACE");
    let path = workspace
        .filter(|_| in_runner)
        .and_then(|workspace| path.strip_prefix(workspace).ok())
        .unwrap_or(path);
    let names = path.components().filter(|name| *name != Component::CurDir);
    let plain: PathBuf = names.clone().collect();
    let is_below = |name| matches!(name, Component::Normal(_));
    if !in_runner || (names.clone().all(is_below) && plain.file_name().is_some()) {
        return Ok(plain);
    }
    Err(Failure::input(format!(
        "policy: {} is not a path in the repository",
        path.display()
    ))
    .with_reason(
        "in a runner the policy and the keys that it names are those of the workflow's own commit, not files of the machine",
    )
    .with_hint("write it from the root of the repository, such as .github/shipmark.yml"))
}
