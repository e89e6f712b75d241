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
            repository: self.origin.clone(),
        }
    }

    /// What the checkout says of `git_ref`, which need not be what is checked out, nor be here.
    pub fn to_local_at(&self, git_ref: GitRef) -> LocalCheckout {
        LocalCheckout {
            commit: self.resolve_ref(&git_ref).ok(),
            git_ref: Some(git_ref),
            tags: Vec::new(),
            repository: self.origin.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
