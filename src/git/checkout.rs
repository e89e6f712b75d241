use std::path::{Path, PathBuf};

use git2::Repository;

use super::remote_url;
use super::{CommitAncestry, GitError};
use crate::event::{GitRef, LocalCheckout};
use crate::image::CommitId;

/// A checkout as it is now.
pub struct GitCheckout {
    pub(super) repository: Repository,
    pub(super) path: PathBuf,
    /// The commit that HEAD is at.
    pub commit: CommitId,
    /// The branch that is checked out; none where HEAD is detached.
    pub branch: Option<String>,
    /// The names of the tags that point at the commit, sorted.
    pub tags: Vec<String>,
    /// The ref that a detached HEAD was checked out from, as its log says.
    pub detached_at: Option<GitRef>,
    /// The refs that point at the commit of a detached HEAD, tags apart.
    pub refs: Vec<GitRef>,
    /// `owner/name`, where the URL of the remote `origin` says so.
    pub origin: Option<String>,
    /// Whether the clone is shallow: then tags and older commits may be missing.
    pub shallow: bool,
}

/// Reads the checkout that `path` lies in.
///
/// # Errors
/// No repository there, none that is ours to trust, one without a commit, or a broken one.
pub fn checkout(path: &Path) -> Result<GitCheckout, GitError> {
    let failed = GitError::wrap_at(path);
    let repository = Repository::discover(path).map_err(failed)?;
    let (commit, branch) = read_head(&repository, path)?;
    Ok(GitCheckout {
        tags: tags_at(&repository, &commit).map_err(failed)?,
        origin: origin_repository(&repository),
        shallow: repository.is_shallow(),
        detached_at: detached_ref(&repository, &commit).filter(|_| branch.is_none()),
        refs: match branch {
            Some(_) => Vec::new(),
            None => refs_at(&repository, &commit).map_err(failed)?,
        },
        path: path.to_owned(),
        commit,
        branch,
        repository,
    })
}

fn read_head(repository: &Repository, path: &Path) -> Result<(CommitId, Option<String>), GitError> {
    let failed = GitError::wrap_at(path);
    let head = repository.head().map_err(|error| match error.code() {
        // HEAD names a branch that is not there yet.
        git2::ErrorCode::NotFound => GitError::Unborn(path.to_owned()),
        _ => failed(error),
    })?;
    let id = head.peel_to_commit().map_err(failed)?.id();
    let branch = head
        .is_branch()
        .then(|| String::from_utf8_lossy(head.shorthand_bytes()).into_owned());
    Ok((to_commit_id(id).map_err(failed)?, branch))
}

fn to_commit_id(id: git2::Oid) -> Result<CommitId, git2::Error> {
    let malformed = |_| git2::Error::from_str("an object id that names no commit");
    id.to_string().parse().map_err(malformed)
}

/// The ref that HEAD was checked out from last, if it still leads to `commit`.
fn detached_ref(repository: &Repository, commit: &CommitId) -> Option<GitRef> {
    let log = repository.reflog("HEAD").ok()?;
    let entry = log.get(0)?;
    let message = String::from_utf8_lossy(entry.message_bytes()?).into_owned();
    let (_, target) = message
        .strip_prefix("checkout: moving from ")?
        .rsplit_once(" to ")?;
    let names = [
        target.to_owned(),
        format!("refs/tags/{target}"),
        format!("refs/remotes/{target}"),
    ];
    let is_here = |name: &&String| {
        let found = repository.find_reference(name);
        let found = found.and_then(|reference| reference.peel_to_commit());
        found.is_ok_and(|found| found.id().to_string() == commit.as_str())
    };
    let name = names
        .iter()
        .filter(|name| name.starts_with("refs/"))
        .find(is_here)?;
    to_git_ref(name)
}

/// The branches of `origin` and the pull requests at `commit`.
fn refs_at(repository: &Repository, commit: &CommitId) -> Result<Vec<GitRef>, git2::Error> {
    let mut refs = Vec::new();
    for reference in repository.references()? {
        let reference = reference?;
        let at_commit = reference
            .peel_to_commit()
            .is_ok_and(|target| target.id().to_string() == commit.as_str());
        let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
        let found = to_git_ref(&name).filter(|found| !matches!(found, GitRef::Tag(_)));
        if at_commit && let Some(found) = found {
            refs.push(found);
        }
    }
    refs.dedup();
    Ok(refs)
}

/// The ref at GitHub that a ref of a clone stands for.
fn to_git_ref(name: &str) -> Option<GitRef> {
    let name = match name.strip_prefix("refs/remotes/") {
        Some(pull) if pull.starts_with("pull/") => format!("refs/{pull}"),
        Some(remote) => {
            let (_, branch) = remote.split_once('/')?;
            format!("refs/heads/{branch}")
        }
        None => name.to_owned(),
    };
    match GitRef::from(name.as_str()) {
        GitRef::Branch(branch) if branch == "HEAD" => None,
        found @ (GitRef::Branch(_) | GitRef::Tag(_) | GitRef::Pull { .. }) => Some(found),
        _ => None,
    }
}

/// The tags at `commit`: those that name it, and annotated ones whose tag object does.
fn tags_at(repository: &Repository, commit: &CommitId) -> Result<Vec<String>, git2::Error> {
    let mut tags = Vec::new();
    for reference in repository.references_glob("refs/tags/*")? {
        let reference = reference?;
        // A tag may name a tree or a blob too, or an object that a shallow clone lacks.
        let at_commit = reference
            .peel_to_commit()
            .is_ok_and(|target| target.id().to_string() == commit.as_str());
        if at_commit && let Some(name) = reference.name_bytes().strip_prefix(b"refs/tags/") {
            tags.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    tags.sort();
    Ok(tags)
}

fn origin_repository(repository: &Repository) -> Option<String> {
    let remote = repository.find_remote("origin").ok()?;
    remote_url::repository_of_url(remote.url().ok()?)
}

impl GitCheckout {
    /// The commit that `git_ref` leads to, annotated tags peeled. A branch that is not here is
    /// looked for among those of `origin`, which is where a clone has it.
    ///
    /// # Errors
    /// There is no such ref, or it leads to no commit.
    pub fn resolve_ref(&self, git_ref: &GitRef) -> Result<CommitId, GitError> {
        let mut names = vec![git_ref.to_string()];
        if let GitRef::Branch(branch) = git_ref {
            names.push(format!("refs/remotes/origin/{branch}"));
        }
        for name in names {
            let found = self.repository.find_reference(&name);
            if let Ok(target) = found.and_then(|reference| reference.peel_to_commit()) {
                return to_commit_id(target.id()).map_err(GitError::wrap_at(&self.path));
            }
        }
        Err(GitError::NoSuchRef {
            name: format!("{:?}", git_ref.to_string()),
            shallow: self.shallow,
        })
    }

    /// The commit that an object is, or leads to if it is an annotated tag; `None` if it is not here.
    pub fn peel_to_commit(&self, object: &CommitId) -> Option<CommitId> {
        let id = git2::Oid::from_str(object.as_str()).ok()?;
        let found = self.repository.find_object(id, None).ok()?;
        to_commit_id(found.peel_to_commit().ok()?.id()).ok()
    }

    /// Returns the commits that begin with these digits, as far as they are here.
    pub fn find_commits(&self, digits: &str) -> Vec<CommitId> {
        let found = match self.repository.find_commit_by_prefix(digits) {
            Ok(found) => vec![found.id()],
            // Other objects than commits may begin with them, too.
            Err(error) if error.code() == git2::ErrorCode::Ambiguous => {
                self.find_all_commits(digits).unwrap_or_default()
            }
            Err(_) => Vec::new(),
        };
        let found = found.into_iter().filter_map(|id| to_commit_id(id).ok());
        found.collect()
    }

    fn find_all_commits(&self, digits: &str) -> Result<Vec<git2::Oid>, git2::Error> {
        let mut found = Vec::new();
        let odb = self.repository.odb()?;
        odb.foreach(|id| {
            if id.to_string().starts_with(digits) {
                found.push(*id);
            }
            true
        })?;
        found.retain(|id| self.repository.find_commit(*id).is_ok());
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// When the commit was made, in seconds since 1970, if it is here.
    pub fn committed_at(&self, commit: &CommitId) -> Option<i64> {
        let id = git2::Oid::from_str(commit.as_str()).ok()?;
        let found = self.repository.find_commit(id).ok()?;
        Some(found.time().seconds())
    }

    /// Whether files that git tracks differ from the commit, in the index or beside it.
    ///
    /// # Errors
    /// An index or a folder that cannot be read.
    pub fn has_changes(&self) -> Result<bool, GitError> {
        if self.repository.is_bare() {
            return Ok(false);
        }
        let mut options = git2::StatusOptions::new();
        options
            .include_untracked(false)
            .include_ignored(false)
            .exclude_submodules(true);
        let changed = self.repository.statuses(Some(&mut options));
        let changed = changed.map_err(GitError::wrap_at(&self.path))?;
        Ok(!changed.is_empty())
    }

    /// Which commits come after which.
    pub fn ancestry(&self) -> CommitAncestry {
        CommitAncestry::from_repository(&self.repository)
    }

    /// What the checkout says in place of an event.
    pub fn to_local(&self) -> LocalCheckout {
        LocalCheckout {
            git_ref: self.branch.clone().map(GitRef::Branch),
            commit: Some(self.commit.clone()),
            tags: self.tags.clone(),
            detached_at: self.detached_at.clone(),
            repository: self.origin.clone(),
        }
    }

    /// The ref that a detached HEAD is at, as well as the checkout tells: the one that it was checked
    /// out from, else a tag, a pull request or a branch that points at its commit.
    pub fn likely_ref(&self) -> Option<GitRef> {
        if let Some(branch) = &self.branch {
            return Some(GitRef::Branch(branch.clone()));
        }
        let pull = |git_ref: &&GitRef| matches!(git_ref, GitRef::Pull { .. });
        let branches = || {
            self.refs
                .iter()
                .filter(|it| matches!(it, GitRef::Branch(_)))
        };
        let branch = match branches().count() {
            1 => branches().next(),
            _ => None,
        };
        let tag = || match self.tags.as_slice() {
            [tag] => Some(GitRef::Tag(tag.clone())),
            _ => None,
        };
        self.detached_at
            .clone()
            .or_else(tag)
            .or_else(|| self.refs.iter().find(pull).or(branch).cloned())
    }

    /// What the checkout says of `git_ref`, which need not be what is checked out, nor be here.
    pub fn to_local_at(&self, git_ref: GitRef) -> LocalCheckout {
        LocalCheckout {
            commit: self.resolve_ref(&git_ref).ok(),
            git_ref: Some(git_ref),
            tags: Vec::new(),
            detached_at: None,
            repository: self.origin.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
