//! The comment on a pull request that was not written: no failure of the run, but a line of its report.

use std::fmt;

/// Comment on a pull request that was not written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OmittedComment {
    /// Reason, made printable.
    pub why: String,
    /// What would help, beginning with a verb, such as `add the permission pull-requests: write`; `None`: nothing would.
    pub hint: Option<String>,
}

impl fmt::Display for OmittedComment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = &self.why;
        write!(
            f,
            "left out on GitHub: the comment on the pull request, because {why}"
        )?;
        match &self.hint {
            Some(hint) => write!(f, ", {hint}"),
            None => Ok(()),
        }
    }
}
