//! The files in which the policy is looked for.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::commands::invocation::Invocation;
use crate::commands::{event_inputs, github_inputs};
use crate::event::is_of_pull_request;
use crate::git::{CommittedFile, FolderAt, FolderEntry, GitCheckout, GitError};
use crate::image::CommitId;
use crate::notices::{FileLocation, to_printable};
use crate::policy;
use crate::release::Failure;

/// The files of a repository.
pub(super) enum Files {
    /// Those of the working directory.
    Disk,
    /// Those of a commit: from the checkout's objects where they are there, else from GitHub's API.
    Commit {
        commit: CommitId,
        checkout: Option<Box<GitCheckout>>,
    },
}

/// The commit of the file of the workflow that runs.
const WORKFLOW_COMMIT: &str = "GITHUB_WORKFLOW_SHA";

/// The name of the event.
const EVENT_NAME: &str = "GITHUB_EVENT_NAME";

/// The commit that the event is about.
const EVENT_COMMIT: &str = "GITHUB_SHA";

impl Files {
    /// Returns the files that count in this run; none where a runner has neither a commit nor a
    /// checkout, and nothing of a policy.
    pub(super) fn of(
        invocation: &Invocation,
        named: Option<&Path>,
    ) -> Result<Option<Self>, Failure> {
        if !invocation.environment.is_in_runner() {
            return Ok(Some(Self::Disk));
        }
        let checkout = event_inputs::open_checkout();
        let event = invocation.environment.get(EVENT_NAME);
        if event.is_some_and(is_of_pull_request) {
            return Self::of_base(invocation, named, checkout);
        }
        let Some(sha) = invocation.environment.get(WORKFLOW_COMMIT) else {
            return match checkout {
                Ok(checkout) => Self::of_head(invocation, checkout).map(Some),
                Err(error) => without_commit(invocation, named, &error).map(|()| None),
            };
        };
        let commit = sha.parse().map_err(|_| {
            Failure::input(format!(
                "{WORKFLOW_COMMIT} is {sha:?}, which is not a commit"
            ))
        })?;
        Ok(Some(Self::Commit {
            commit,
            checkout: checkout.ok().map(Box::new),
        }))
    }

    /// A run for a pull request is of its merge, where its author may have written another policy.
    fn of_base(
        invocation: &Invocation,
        named: Option<&Path>,
        checkout: Result<GitCheckout, GitError>,
    ) -> Result<Option<Self>, Failure> {
        let environment = &invocation.environment;
        if let Some(commit) = event_inputs::base_of_pull_request(environment)? {
            invocation.log.info(&format!(
                "the policy is looked for in commit {}, the base of the pull request",
                commit.short()
            ));
            return Ok(Some(Self::Commit {
                commit,
                checkout: checkout.ok().map(Box::new),
            }));
        }
        match (environment.get(WORKFLOW_COMMIT), checkout) {
            (None, Err(error)) => without_commit(invocation, named, &error).map(|()| None),
            _ => Err(Failure::input(
                "the policy cannot be told: the event of the pull request names no commit of its base",
            )
            .with_reason("in a run for a pull request the policy is that of the base's commit, pull_request.base.sha of the event")
            .with_hint("set GITHUB_EVENT_PATH to the event file as GitHub writes it")),
        }
    }

    /// Returns the files of a pull request as its merge would have them: those of the commit that a run for it is of.
    /// `None` outside of such a run.
    pub(super) fn of_merge(invocation: &Invocation) -> Option<Self> {
        let environment = &invocation.environment;
        let is_of_pull_request = environment.get(EVENT_NAME).is_some_and(is_of_pull_request);
        let commit = environment.get(EVENT_COMMIT)?.parse().ok();
        let commit = commit.filter(|_| environment.is_in_runner() && is_of_pull_request)?;
        Some(Self::Commit {
            commit,
            checkout: event_inputs::open_checkout().ok().map(Box::new),
        })
    }

    /// Runners other than GitHub's may not say the workflow's commit. What is checked out is it, unless
    /// an earlier step has checked out, or committed, something else than what the event is about.
    fn of_head(invocation: &Invocation, checkout: GitCheckout) -> Result<Self, Failure> {
        let commit = checkout.commit.clone();
        let event = invocation.environment.get(EVENT_COMMIT);
        if let Some(event) = event.filter(|event| *event != commit.as_str()) {
            return Err(Failure::input(format!(
                "the policy cannot be told: {WORKFLOW_COMMIT} is not set, and commit {} is checked out, not {EVENT_COMMIT}, {}",
                commit.short(),
                to_printable(event, 40)
            ))
            .with_reason("in a runner the policy is that of the workflow's own commit")
            .with_hint(format!(
                "update the runner, set {WORKFLOW_COMMIT}, or check out the event's commit before this step"
            )));
        }
        invocation.log.info(&format!(
            "{WORKFLOW_COMMIT} is not set: the policy is looked for in commit {}, which is checked out",
            commit.short()
        ));
        Ok(Self::Commit {
            commit,
            checkout: Some(Box::new(checkout)),
        })
    }

    /// Returns whether some of them have to be asked for.
    pub(super) fn are_remote(&self) -> bool {
        match self {
            Self::Disk => false,
            Self::Commit { commit, checkout } => {
                let root = checkout
                    .as_ref()
                    .map(|it| it.folder_at(commit, Path::new("")));
                !matches!(root, Some(Ok(FolderAt::Entries(_))))
            }
        }
    }

    /// Returns the commit that the files are of; `None` for those of the working directory.
    pub(super) fn commit(&self) -> Option<&CommitId> {
        match self {
            Self::Disk => None,
            Self::Commit { commit, .. } => Some(commit),
        }
    }

    /// Returns what a file is called in messages.
    pub(super) fn called(&self, path: &Path) -> String {
        match self {
            Self::Disk => path.display().to_string(),
            Self::Commit { commit, .. } => {
                format!("{} of commit {}", path.display(), commit.short())
            }
        }
    }

    /// Returns where annotations find a file. In a runner its path is from the root of the checkout,
    /// wherever the step runs.
    pub(super) fn location(&self, invocation: &Invocation, path: &Path) -> FileLocation {
        let workspace = match self {
            Self::Disk => None,
            Self::Commit { .. } => invocation.environment.path("GITHUB_WORKSPACE"),
        };
        let path = workspace.map_or_else(|| path.to_owned(), |root| root.join(path));
        FileLocation::new(path.display().to_string())
    }

    /// Returns a file; none where it is not there, or where nobody says so.
    pub(super) async fn read(
        &self,
        invocation: &Invocation,
        path: &Path,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let (commit, checkout) = match self {
            Self::Disk => return on_disk(path),
            Self::Commit { commit, checkout } => (commit, checkout),
        };
        let at = match checkout {
            Some(checkout) => checkout.file_at(commit, path, policy::POLICY_LIMIT)?,
            None => CommittedFile::NotInClone,
        };
        match at {
            CommittedFile::Bytes(bytes) => Ok(Some(bytes)),
            CommittedFile::Absent => Ok(None),
            CommittedFile::NotInClone => github_inputs::file(invocation, commit, path).await,
        }
    }

    /// Returns what is in a folder; nothing where it is known that there is none.
    pub(super) async fn folder(
        &self,
        invocation: &Invocation,
        path: &Path,
    ) -> Result<Vec<FolderEntry>, Failure> {
        let (commit, checkout) = match self {
            Self::Disk => return folder_on_disk(path),
            Self::Commit { commit, checkout } => (commit, checkout),
        };
        let at = match checkout {
            Some(checkout) => checkout.folder_at(commit, path)?,
            None => FolderAt::NotHere,
        };
        match at {
            FolderAt::Entries(entries) => Ok(entries),
            FolderAt::Absent => Ok(Vec::new()),
            FolderAt::NotHere => {
                let entries = github_inputs::folder(invocation, commit, path).await?;
                let entry = |(name, is_folder)| FolderEntry { name, is_folder };
                Ok(entries.into_iter().map(entry).collect())
            }
        }
    }
}

/// A policy that is there must not be passed over where its commit cannot be told.
fn without_commit(
    invocation: &Invocation,
    named: Option<&Path>,
    error: &GitError,
) -> Result<(), Failure> {
    let usual = Path::new(policy::file::PATH);
    let path = named.unwrap_or(usual);
    let nothing = matches!(error, GitError::NoRepository(_) | GitError::Unborn(_));
    if named.is_none() && nothing && usual.symlink_metadata().is_err() {
        invocation.log.info(&format!(
            "no policy: {WORKFLOW_COMMIT} is not set, and {error}"
        ));
        return Ok(());
    }
    Err(Failure::input(format!(
        "the policy file {} cannot be told: {WORKFLOW_COMMIT} is not set, and {error}",
        path.display()
    ))
    .with_reason("in a runner the policy is that of the workflow's own commit")
    .with_hint("update the runner, set it to the commit that the workflow is of, or check the repository out before this step"))
}

/// Reads a byte more than a policy may have, for its reader to refuse.
fn on_disk(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        file.take(policy::POLICY_LIMIT as u64 + 1)
            .read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable("the file", path, &error)),
    }
}

fn folder_on_disk(path: &Path) -> Result<Vec<FolderEntry>, Failure> {
    let failed = |error| unreadable("the folder", path, &error);
    let entries = match fs::read_dir(Path::new(".").join(path)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let entry = |entry: fs::DirEntry| FolderEntry {
        name: entry.file_name().to_string_lossy().into_owned(),
        // On disk a link to a folder is followed as one.
        is_folder: entry.path().is_dir(),
    };
    let entries = entries.map(|one| one.map(entry));
    entries.collect::<Result<_, _>>().map_err(failed)
}

fn unreadable(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format!("{what} {} cannot be read: {error}", path.display()))
}
