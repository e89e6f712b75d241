use std::path::PathBuf;

use git2::{Oid, Repository};

use crate::image::CommitId;

/// Which commits come after which, as far as a clone knows.
#[derive(Debug, Clone)]
pub struct CommitAncestry {
    path: PathBuf,
}

/// How one commit stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitOrder {
    /// It comes after it.
    After,
    /// It does not: it is older, or of another branch.
    NotAfter,
    /// The clone does not say: one of them is not in it, or the history in between is cut off.
    Unknown,
}

impl CommitAncestry {
    pub(super) fn from_repository(repository: &Repository) -> Self {
        let path = repository.path().to_owned();
        Self { path }
    }

    /// Whether `commit` comes after `other`.
    pub fn compare(&self, commit: &CommitId, other: &CommitId) -> CommitOrder {
        self.try_compare(commit, other)
            .unwrap_or(CommitOrder::Unknown)
    }

    /// Returns the time of a commit, in seconds since 1970; `None` if the clone does not have it.
    pub fn committed_at(&self, commit: &CommitId) -> Option<i64> {
        let repository = Repository::open(&self.path).ok()?;
        let id = Oid::from_str(commit.as_str()).ok()?;
        let found = repository.find_commit(id).ok()?;
        Some(found.time().seconds())
    }

    fn try_compare(&self, commit: &CommitId, other: &CommitId) -> Result<CommitOrder, git2::Error> {
        let repository = Repository::open(&self.path)?;
        let [commit, other] = [commit, other].map(|id| Oid::from_str(id.as_str()));
        let [commit, other] = [commit?, other?];
        for id in [commit, other] {
            repository.find_commit(id)?;
        }
        Ok(if repository.graph_descendant_of(commit, other)? {
            CommitOrder::After
        } else if repository.is_shallow() {
            CommitOrder::Unknown
        } else {
            CommitOrder::NotAfter
        })
    }

    /// Whether the clone may know of a commit after `commit`: not one of that commit alone, as
    /// actions/checkout makes it.
    pub fn may_know_descendant(&self, commit: &CommitId) -> bool {
        self.has_other_tip(commit).unwrap_or(false)
    }

    fn has_other_tip(&self, commit: &CommitId) -> Result<bool, git2::Error> {
        let repository = Repository::open(&self.path)?;
        let commit = Oid::from_str(commit.as_str())?;
        repository.find_commit(commit)?;
        let head = repository.head()?.peel_to_commit()?.id();
        let mut tips = repository
            .references()?
            .filter_map(|reference| Some(reference.ok()?.peel_to_commit().ok()?.id()));
        Ok(head != commit || tips.any(|tip| tip != commit))
    }
}
