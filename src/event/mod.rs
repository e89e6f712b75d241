//! From what the runner or the command line gives to facts: which event, which ref, which commit.
//!
//! An event's payload is text from outside. It is read field by field, only the fields that the
//! event at hand is known to have, and names in it (branches, tags) stay the text they are.

mod facts;
mod git_ref;
mod local;
mod name;
mod payload;
mod release_branch;
mod version;
mod workflow;

pub use facts::{Facts, Given, PullRequest, Release};
pub use git_ref::GitRef;
pub use local::Local;
pub use name::EventName;
pub use payload::EventError;
pub use release_branch::{ReleaseBranch, ReleaseBranchError};
pub use version::version;
pub use workflow::{Repository, Workflow};

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
