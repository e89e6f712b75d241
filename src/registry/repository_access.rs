//! Access to a repository that a client needs.

/// Access to a repository that a client needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepositoryAccess {
    /// Read only, for a source.
    Pull,
    /// Read and write, for a destination.
    PullPush,
    /// Read and delete.
    PullDelete,
    /// Read, write and delete.
    PullPushDelete,
}

impl RepositoryAccess {
    /// Returns whether it allows everything that `other` allows.
    pub fn covers(self, other: Self) -> bool {
        (self.writes() || !other.writes()) && (self.deletes() || !other.deletes())
    }

    /// Returns the least access that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let writes = self.writes() || other.writes();
        match (writes, self.deletes() || other.deletes()) {
            (false, false) => Self::Pull,
            (true, false) => Self::PullPush,
            (false, true) => Self::PullDelete,
            (true, true) => Self::PullPushDelete,
        }
    }

    /// Returns whether it allows writes.
    pub fn writes(self) -> bool {
        matches!(self, Self::PullPush | Self::PullPushDelete)
    }

    /// Returns whether it allows deletions.
    pub fn deletes(self) -> bool {
        matches!(self, Self::PullDelete | Self::PullPushDelete)
    }

    /// Returns the actions of a scope in docker's grammar: `pull,push`.
    pub(super) fn scope_actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::PullPush => "pull,push",
            Self::PullDelete => "pull,delete",
            Self::PullPushDelete => "pull,push,delete",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_union_is_the_least_access_that_covers_both() {
        use RepositoryAccess::{Pull, PullDelete, PullPush, PullPushDelete};
        let all = [Pull, PullPush, PullDelete, PullPushDelete];
        for a in all {
            for b in all {
                let union = a.union(b);
                assert!(union.covers(a) && union.covers(b), "{a:?} {b:?}");
                let less = all.into_iter().filter(|it| it.covers(a) && it.covers(b));
                assert!(less.into_iter().all(|it| it.covers(union)), "{a:?} {b:?}");
            }
        }
        assert!(!PullPush.covers(PullDelete) && !PullDelete.covers(PullPush));
    }
}
