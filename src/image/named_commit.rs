//! Commit as somebody names it: whole, or abbreviated.

use std::fmt;

use super::CommitId;

/// Commit that a user, an event or a branch names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedCommit {
    /// Full id.
    Whole(CommitId),
    /// First digits: seven or more, in lower case.
    Abbreviated(String),
}

impl NamedCommit {
    /// Returns the digits that are known.
    pub fn digits(&self) -> &str {
        match self {
            Self::Whole(commit) => commit.as_str(),
            Self::Abbreviated(digits) => digits,
        }
    }

    /// Returns whether `commit` is the named one: the digits that are known are its first.
    pub fn may_be(&self, commit: &CommitId) -> bool {
        match self {
            Self::Whole(whole) => whole == commit,
            Self::Abbreviated(digits) => commit.begins_with(digits),
        }
    }
}

impl fmt::Display for NamedCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.digits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff";

    #[test]
    fn only_the_same_digits_name_a_commit() {
        let commit: CommitId = COMMIT.parse().unwrap();
        let other: CommitId = COMMIT.replace("ee2b", "ee2c").parse().unwrap();
        let whole = NamedCommit::Whole(commit.clone());
        assert!(whole.may_be(&commit) && !whole.may_be(&other));
        let short = NamedCommit::Abbreviated("2b2e927".to_owned());
        assert!(short.may_be(&commit) && short.may_be(&other));
        assert!(!NamedCommit::Abbreviated("2b2e928".to_owned()).may_be(&commit));
        assert_eq!(format!("{whole} {short}"), format!("{COMMIT} 2b2e927"));
    }
}
