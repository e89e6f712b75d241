//! Rule of the approvals gate: who must have approved the run's deployment.

/// Approvals that a run must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalsRule {
    /// Environment on GitHub that the job deploys to.
    pub environment: String,
    /// Number of users who must have approved, at least 1.
    pub min: usize,
    /// Whether the author of the source commit and of its pull request does not count.
    pub excludes_author: bool,
    /// Whether the user who started the run does not count.
    pub excludes_actor: bool,
}

impl ApprovalsRule {
    /// Returns whether whatever meets this rule meets `base` too.
    pub fn is_at_least_as_strict_as(&self, base: &Self) -> bool {
        self.environment.eq_ignore_ascii_case(&base.environment)
            && self.min >= base.min
            && self.excludes_author >= base.excludes_author
            && self.excludes_actor >= base.excludes_actor
    }
}
