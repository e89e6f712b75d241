//! The git checkout outside a runner: its commit, branch and tags, by libgit2.
//!
//! It reads; it never writes to the repository, fetches or runs a hook.

mod ancestry;
mod checkout;
mod error;
mod file;
mod origin;

pub use ancestry::{Ancestry, Descent};
pub use checkout::{Checkout, checkout};
pub use error::GitError;
pub use file::{Entry, FileAt, FolderAt};
