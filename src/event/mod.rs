//! Facts about the event that triggered the workflow: its name, ref, commit, release and pull request.
//!
//! The payload of an event is text from outside. Only the fields that GitHub documents for the event
//! are read, and names (branches, tags) stay as they are.

mod event_name;
mod facts;
mod git_ref;
mod known_events;
mod local_checkout;
mod payload;
mod pull_request_base;
mod ref_check;
mod ref_filter;
mod ref_pattern;
mod release_branch;
mod version_name;
mod workflow_event;

pub use event_name::EventName;
pub use facts::{
    EventFacts, EventInputs, GithubRelease, MergedPullRequest, PullRequestFacts, WorkflowRunFacts,
};
pub use git_ref::GitRef;
pub use known_events::check_event_name;
pub use local_checkout::LocalCheckout;
pub use payload::EventError;
pub use pull_request_base::{is_of_pull_request, pull_request_base};
pub use ref_check::RefRefusal;
pub use ref_filter::{RefFilter, RefFilterError};
pub use ref_pattern::{RefPattern, RefPatternError};
pub use release_branch::{ReleaseBranch, ReleaseBranchError};
pub use version_name::parse_version;
pub use workflow_event::{RepositoryDetails, WorkflowEvent};

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
