use std::fmt;

/// The name of an event, as `GITHUB_EVENT_NAME` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventName {
    /// A branch or tag was pushed, or deleted.
    Push,
    /// Something happened to a pull request; the workflow is that of the merge commit.
    PullRequest,
    /// The same, with the workflow and the rights of the base repository.
    PullRequestTarget,
    /// Something happened to a release.
    Release,
    /// The workflow was started by hand or by the API.
    WorkflowDispatch,
    /// A pull request entered a merge queue.
    MergeGroup,
    /// The workflow's schedule.
    Schedule,
    /// Another workflow began or ended.
    WorkflowRun,
    /// A branch or tag was created.
    Create,
    /// A branch or tag was deleted.
    Delete,
    /// An event that means nothing special here.
    Other(String),
}

impl EventName {
    /// The name as GitHub writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Push => "push",
            Self::PullRequest => "pull_request",
            Self::PullRequestTarget => "pull_request_target",
            Self::Release => "release",
            Self::WorkflowDispatch => "workflow_dispatch",
            Self::MergeGroup => "merge_group",
            Self::Schedule => "schedule",
            Self::WorkflowRun => "workflow_run",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for EventName {
    fn from(name: &str) -> Self {
        match name {
            "push" => Self::Push,
            "pull_request" => Self::PullRequest,
            "pull_request_target" => Self::PullRequestTarget,
            "release" => Self::Release,
            "workflow_dispatch" => Self::WorkflowDispatch,
            "merge_group" => Self::MergeGroup,
            "schedule" => Self::Schedule,
            "workflow_run" => Self::WorkflowRun,
            "create" => Self::Create,
            "delete" => Self::Delete,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
