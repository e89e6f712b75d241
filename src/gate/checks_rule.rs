//! Rule of the checks gate: what must have succeeded on the source commit.

use std::fmt;

use crate::event::RefFilter;

/// App of GitHub Actions, by the name that checks have.
pub const GITHUB_ACTIONS_APP: &str = "github-actions";

/// What must have succeeded on the source commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequiredCheck {
    /// Job of a workflow of GitHub Actions.
    Job(RequiredJob),
    /// Check run of another app.
    CheckRun {
        /// Name.
        name: String,
        /// App, by its name in addresses.
        app: String,
    },
    /// Commit status.
    Status {
        /// Name (`context`).
        context: String,
        /// Login of the account that must have created it.
        creator: String,
    },
}

/// Job of a workflow that must have succeeded.
///
/// Whoever may write checks can post a check run of any name as GitHub Actions. A check run counts only if it is a job
/// of a run of this workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredJob {
    /// Name of the job, as its check run has it.
    pub name: String,
    /// Name of the workflow's file in `.github/workflows/`.
    pub workflow: String,
    /// Branches whose runs count; `None`: every branch.
    pub branches: Option<RefFilter>,
}

impl RequiredCheck {
    /// Returns the workflow that the check must be a job of.
    pub fn workflow(&self) -> Option<&str> {
        match self {
            Self::Job(job) => Some(&job.workflow),
            Self::CheckRun { .. } | Self::Status { .. } => None,
        }
    }

    /// Returns whether whatever meets this one meets `base` too.
    pub fn is_at_least_as_strict_as(&self, base: &Self) -> bool {
        match (self, base) {
            (Self::Job(own), Self::Job(base)) => {
                let has_branches = base.branches.is_none() || own.branches == base.branches;
                own.name == base.name && own.workflow == base.workflow && has_branches
            }
            _ => self == base,
        }
    }
}

impl fmt::Display for RequiredCheck {
    /// Writes `test of ci.yml`, `scan by sonarcloud` or `status deploy/preview by octocat`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(job) => write!(f, "{} of {}", job.name, job.workflow),
            Self::CheckRun { name, app } => write!(f, "{name} by {app}"),
            Self::Status { context, creator } => write!(f, "status {context} by {creator}"),
        }
    }
}
