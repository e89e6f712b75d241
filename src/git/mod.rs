//! The git checkout outside a runner: its commit, branch and tags, by libgit2.
//!
//! It reads; it never writes to the repository, fetches or runs a hook.

mod ancestry;
mod branch_changes;
mod checkout;
mod committed_file;
mod error;
mod merge_parents;
mod remote_url;

pub use ancestry::{CommitAncestry, CommitOrder};
pub use branch_changes::BranchChanges;
pub use checkout::{GitCheckout, checkout};
pub use committed_file::{CommittedFile, FolderAt, FolderEntry};
pub use error::GitError;
pub use merge_parents::CommitParents;
