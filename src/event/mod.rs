//! From what the runner or the command line gives to facts: which event, which ref, which commit.
//!
//! An event's payload is text from outside. It is read field by field, only the fields that the
//! event at hand is known to have, and names in it (branches, tags) stay the text they are.

mod event_name;
mod facts;
mod git_ref;
mod local_checkout;
mod payload;
mod release_branch;
mod version_name;
mod workflow_event;

pub use event_name::EventName;
pub use facts::{EventFacts, EventInputs, GithubRelease, PullRequestFacts};
pub use git_ref::GitRef;
pub use local_checkout::LocalCheckout;
pub use payload::EventError;
pub use release_branch::{ReleaseBranch, ReleaseBranchError};
pub use version_name::parse_version;
pub use workflow_event::{RepositoryDetails, WorkflowEvent};

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
