//! What GitHub says of the source commit and of the run, as the gates `checks` and `approvals` judge it.

use std::collections::BTreeMap;

use super::verdict::GateVerdict;
use crate::notices::to_printable;

/// Limit on a reason in a verdict, in characters.
const REASON_LIMIT: usize = 300;

/// A fact, or why it is not known.
pub type GithubFact<T> = Result<T, UnknownFact>;

/// Why a fact is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFact {
    /// Reason.
    pub reason: String,
    /// Permission that the job seems to lack, such as `checks: read`.
    pub permission: Option<&'static str>,
}

impl UnknownFact {
    /// Leaves a verdict unknown for this reason, and names the line to add.
    pub fn leave_unknown(&self, what: &str, verdict: &mut GateVerdict) {
        let reason = to_printable(&self.reason, REASON_LIMIT);
        verdict.leave_unknown(format!("{what}: {reason}"));
        if let Some(permission) = self.permission {
            verdict.add_hint(format!(
                "add the line {permission} to the permissions of the job, and give it github-token"
            ));
        }
    }
}

/// Checks and statuses of the source commit. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFacts {
    /// Full SHA of the source commit.
    pub commit: String,
    /// Check runs of the commit.
    pub check_runs: GithubFact<Vec<FoundCheckRun>>,
    /// Runs for the commit, by the file of their workflow.
    pub workflow_runs: BTreeMap<String, GithubFact<Vec<FoundWorkflowRun>>>,
    /// Commit statuses, newest first.
    pub statuses: GithubFact<Vec<FoundStatus>>,
}

/// Check run of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCheckRun {
    /// Id, which is also that of its job.
    pub id: u64,
    /// Name.
    pub name: String,
    /// App that created it.
    pub app: Option<String>,
    /// Status, such as `completed`.
    pub status: String,
    /// Conclusion, such as `success`.
    pub conclusion: Option<String>,
    /// Time of its start, RFC 3339.
    pub started_at: Option<String>,
}

/// Run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundWorkflowRun {
    /// File of the workflow, such as `.github/workflows/ci.yml`.
    pub path: String,
    /// Event that started it.
    pub event: String,
    /// Branch.
    pub branch: Option<String>,
    /// Full SHA of its commit.
    pub commit: String,
    /// Whether its commit is one of this repository, and not of a fork.
    pub is_own_repository: bool,
    /// Its jobs, of all attempts.
    pub jobs: Vec<FoundJob>,
}

/// Job of a workflow run. Whoever may write checks can change name, time and conclusion of its check run, and not the
/// job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundJob {
    /// Id, which is also that of its check run; newer jobs have higher ids.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Status, such as `completed`.
    pub status: String,
    /// Conclusion, such as `success`.
    pub conclusion: Option<String>,
}

/// Commit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundStatus {
    /// Id; newer ones have higher ids.
    pub id: u64,
    /// Name.
    pub context: String,
    /// State, such as `success`.
    pub state: String,
    /// Login of its creator.
    pub creator: Option<String>,
}

/// Reviews of the run's deployments. Texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalFacts {
    /// Reviews.
    pub reviews: GithubFact<Vec<FoundReview>>,
    /// Logins of author and committer of the source commit and of the authors of its pull requests; `None` for one that
    /// GitHub does not know.
    pub authors: GithubFact<Vec<Option<String>>>,
    /// Logins of the users who started the run and this attempt; `None` for one that is not known.
    pub actors: Vec<Option<String>>,
}

/// Review of the run's deployments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundReview {
    /// State: `approved`, `rejected` or `pending`.
    pub state: String,
    /// Login of the reviewer.
    pub user: Option<String>,
    /// Environments that it is about.
    pub environments: Vec<String>,
}
