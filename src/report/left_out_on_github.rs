//! What was to be told to GitHub and was not: no failure of the run, but a line of its report.

use std::fmt;

/// Part that was left out on GitHub, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOutOnGithub {
    /// The part, such as `the comment on the pull request`.
    pub what: String,
    /// Reason, made printable.
    pub why: String,
    /// What would help, beginning with a verb, such as `add the permission pull-requests: write`; `None`: nothing would.
    pub hint: Option<String>,
}

impl fmt::Display for LeftOutOnGithub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "left out on GitHub: {}, because {}", self.what, self.why)?;
        match &self.hint {
            Some(hint) => write!(f, ", {hint}"),
            None => Ok(()),
        }
    }
}
