use std::path::{Path, PathBuf};

use git2::Repository;

use super::origin;
use super::{Ancestry, GitError};
use crate::event::{GitRef, Local};
use crate::image::Commit;

/// A checkout as it is now.
pub struct Checkout {
    pub(super) repository: Repository,
    pub(super) path: PathBuf,
    /// The commit that HEAD is at.
    pub commit: Commit,
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
pub fn checkout(path: &Path) -> Result<Checkout, GitError> {
    let failed = GitError::at(path);
    let repository = Repository::discover(path).map_err(failed)?;
    let (commit, branch) = head(&repository, path)?;
    Ok(Checkout {
        tags: tags_at(&repository, &commit).map_err(failed)?,
        origin: origin_of(&repository),
        shallow: repository.is_shallow(),
        path: path.to_owned(),
        commit,
        branch,
        repository,
    })
}

fn head(repository: &Repository, path: &Path) -> Result<(Commit, Option<String>), GitError> {
    let failed = GitError::at(path);
    let head = repository.head().map_err(|error| match error.code() {
        // HEAD names a branch that is not there yet.
        git2::ErrorCode::NotFound => GitError::Unborn(path.to_owned()),
        _ => failed(error),
    })?;
    let id = head.peel_to_commit().map_err(failed)?.id();
    let branch = head
        .is_branch()
        .then(|| String::from_utf8_lossy(head.shorthand_bytes()).into_owned());
    Ok((commit(id).map_err(failed)?, branch))
}

fn commit(id: git2::Oid) -> Result<Commit, git2::Error> {
    let malformed = |_| git2::Error::from_str("an object id that names no commit");
    id.to_string().parse().map_err(malformed)
}

/// The tags at `commit`: those that name it, and annotated ones whose tag object does.
fn tags_at(repository: &Repository, commit: &Commit) -> Result<Vec<String>, git2::Error> {
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

fn origin_of(repository: &Repository) -> Option<String> {
    let remote = repository.find_remote("origin").ok()?;
    origin::repository(remote.url().ok()?)
}

impl Checkout {
    /// The commit that `git_ref` leads to, annotated tags peeled. A branch that is not here is
    /// looked for among those of `origin`, which is where a clone has it.
    ///
    /// # Errors
    /// There is no such ref, or it leads to no commit.
    pub fn resolve(&self, git_ref: &GitRef) -> Result<Commit, GitError> {
        let mut names = vec![git_ref.to_string()];
        if let GitRef::Branch(branch) = git_ref {
            names.push(format!("refs/remotes/origin/{branch}"));
        }
        for name in names {
            let found = self.repository.find_reference(&name);
            if let Ok(target) = found.and_then(|reference| reference.peel_to_commit()) {
                return commit(target.id()).map_err(GitError::at(&self.path));
            }
        }
        Err(GitError::NoSuchRef {
            name: format!("{:?}", git_ref.to_string()),
            shallow: self.shallow,
        })
    }

    /// When the commit was made, in seconds since 1970, if it is here.
    pub fn committed_at(&self, commit: &Commit) -> Option<i64> {
        let id = git2::Oid::from_str(commit.as_str()).ok()?;
        let found = self.repository.find_commit(id).ok()?;
        Some(found.time().seconds())
    }

    /// Which commits come after which.
    pub fn ancestry(&self) -> Ancestry {
        Ancestry::of(&self.repository)
    }

    /// What the checkout says in place of an event.
    pub fn local(&self) -> Local {
        Local {
            git_ref: self.branch.clone().map(GitRef::Branch),
            commit: Some(self.commit.clone()),
            tags: self.tags.clone(),
            repository: self.origin.clone(),
        }
    }

    /// What the checkout says of `git_ref`, which need not be what is checked out, nor be here.
    pub fn local_at(&self, git_ref: GitRef) -> Local {
        Local {
            commit: self.resolve(&git_ref).ok(),
            git_ref: Some(git_ref),
            tags: Vec::new(),
            repository: self.origin.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
