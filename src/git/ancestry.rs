use std::path::PathBuf;

use git2::{Oid, Repository};

use crate::image::Commit;

/// Which commits come after which, as far as a clone knows.
#[derive(Debug, Clone)]
pub struct Ancestry {
    path: PathBuf,
}

/// How one commit stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descent {
    /// It comes after it.
    After,
    /// It does not: it is older, or of another branch.
    NotAfter,
    /// The clone does not say: one of them is not in it, or the history in between is cut off.
    Unknown,
}

impl Ancestry {
    pub(super) fn of(repository: &Repository) -> Self {
        let path = repository.path().to_owned();
        Self { path }
    }

    /// Whether `commit` comes after `other`.
    pub fn descent(&self, commit: &Commit, other: &Commit) -> Descent {
        self.ask(commit, other).unwrap_or(Descent::Unknown)
    }

    fn ask(&self, commit: &Commit, other: &Commit) -> Result<Descent, git2::Error> {
        let repository = Repository::open(&self.path)?;
        let [commit, other] = [commit, other].map(|id| Oid::from_str(id.as_str()));
        let [commit, other] = [commit?, other?];
        for id in [commit, other] {
            repository.find_commit(id)?;
        }
        Ok(if repository.graph_descendant_of(commit, other)? {
            Descent::After
        } else if repository.is_shallow() {
            Descent::Unknown
        } else {
            Descent::NotAfter
        })
    }

    /// Whether the clone may know of a commit after `commit`: not one of that commit alone, as
    /// actions/checkout makes it.
    pub fn may_know_after(&self, commit: &Commit) -> bool {
        self.has_other_tip(commit).unwrap_or(false)
    }

    fn has_other_tip(&self, commit: &Commit) -> Result<bool, git2::Error> {
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
