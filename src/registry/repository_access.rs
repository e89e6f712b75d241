//! Access to a repository that a client needs.

/// Access to a repository that a client needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RepositoryAccess {
    /// Read only, for a source.
    Pull,
    /// Read and write, for a destination.
    PullPush,
}
