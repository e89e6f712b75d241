use semver::Version;
use thiserror::Error;

use super::{EventFacts, EventName, GitRef, parse_version};

/// What the name of a `release/…` branch proposes: `release/v1.2.0-sha-2b2e927`, `release/1.2.0`,
/// `release/sprint-42`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseBranch {
    /// What follows `release/`.
    pub label: String,
    /// The version it names, if any.
    pub version: Option<Version>,
    /// The commit it names, if any: seven or more lower-case hex digits, perhaps not all of them.
    pub commit: Option<String>,
}

/// A `release/…` branch that seems to name a commit, but does not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "what follows sha- in the branch {branch:?} is not a commit id of seven or more hex digits"
)]
pub struct ReleaseBranchError {
    /// The branch's name.
    pub branch: String,
}

const BRANCH_PREFIX: &str = "release/";

impl ReleaseBranch {
    /// Reads a branch's name; `None` where it does not begin with `release/`.
    ///
    /// # Errors
    /// A `sha-` with something else than an abbreviated commit id after it: to pass over it would
    /// mean releasing without the check that the branch asks for.
    pub fn parse(branch: &str) -> Result<Option<Self>, ReleaseBranchError> {
        let Some(label) = branch
            .strip_prefix(BRANCH_PREFIX)
            .filter(|label| !label.is_empty())
        else {
            return Ok(None);
        };
        let (rest, commit) = match split_commit(label) {
            Some((rest, commit)) if is_abbreviated_commit(commit) => (rest, Some(commit)),
            Some(_) => {
                let branch = branch.to_owned();
                return Err(ReleaseBranchError { branch });
            }
            None => (label, None),
        };
        Ok(Some(Self {
            label: label.to_owned(),
            version: parse_version(rest),
            commit: commit.map(str::to_ascii_lowercase),
        }))
    }
}

impl ReleaseBranch {
    /// What it names beside the commit: `sprint-42`, or a version; empty where that is all.
    pub fn name(&self) -> &str {
        match &self.commit {
            Some(_) => split_commit(&self.label).map_or("", |(name, _)| name),
            None => &self.label,
        }
    }
}

/// Splits off the commit: what follows `sha-`, or the digits of a commit after `-git-` or after a version.
fn split_commit(label: &str) -> Option<(&str, &str)> {
    let after_sha = label.rsplit_once("-sha-");
    let after_sha = after_sha.or_else(|| Some(("", label.strip_prefix("sha-")?)));
    after_sha.or_else(|| {
        let (before, commit) = label.rsplit_once('-')?;
        if !is_abbreviated_commit(commit) {
            return None;
        }
        match before.strip_suffix("git") {
            Some(name) if name.ends_with('-') => Some((&name[..name.len() - 1], commit)),
            _ => (is_clear_commit(commit) && is_version(before)).then_some((before, commit)),
        }
    })
}

/// Returns whether the digits are a commit's and no number or word: `20250310` is a date.
fn is_clear_commit(digits: &str) -> bool {
    let has = |is: fn(&u8) -> bool| digits.bytes().any(|b| is(&b));
    has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

fn is_version(text: &str) -> bool {
    text.contains('.') && parse_version(text).is_some()
}

fn is_abbreviated_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

impl EventFacts {
    /// The release branch that the event is about: pushed to, the head of a pull request within
    /// one repository, or what a workflow was started on. A fork's branch never counts.
    ///
    /// # Errors
    /// Those of [`ReleaseBranch::parse`].
    pub fn release_branch(&self) -> Result<Option<ReleaseBranch>, ReleaseBranchError> {
        let branch = match (&self.event, &self.git_ref, &self.pull_request) {
            _ if self.deleted => None,
            (EventName::Push, Some(GitRef::Branch(_)), _) if self.merged_pull_request.is_some() => {
                self.merged_pull_request.as_ref().map(|it| &it.head_ref)
            }
            (
                EventName::Push | EventName::WorkflowDispatch | EventName::Create,
                Some(GitRef::Branch(branch)),
                _,
            ) => Some(branch),
            (_, _, Some(pull_request)) if pull_request.same_repository => {
                pull_request.head_ref.as_ref()
            }
            _ => None,
        };
        branch.map_or(Ok(None), |branch| ReleaseBranch::parse(branch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_branches_propose_versions_and_commits() {
        for (branch, version, commit) in [
            ("release/v1.2.0-sha-2b2e927", Some("1.2.0"), Some("2b2e927")),
            ("release/1.2.0", Some("1.2.0"), None),
            (
                "release/1.2.0-rc.1-sha-2B2E9270",
                Some("1.2.0-rc.1"),
                Some("2b2e9270"),
            ),
            ("release/sha-2b2e927", None, Some("2b2e927")),
            ("release/sprint-42-sha-2b2e927", None, Some("2b2e927")),
            ("release/v1.2.0-git-2b2e927", Some("1.2.0"), Some("2b2e927")),
            ("release/v1.2.0-2b2e927", Some("1.2.0"), Some("2b2e927")),
            ("release/git-2b2e927", None, None),
            ("release/sprint-42-git-2b2e927", None, Some("2b2e927")),
            ("release/sprint-git-flow", None, None),
            ("release/sprint-2b2e927", None, None),
            ("release/sprint-42", None, None),
            ("release/2025-03-10", None, None),
            ("release/1.2", None, None),
            ("release/web/1.2.0", None, None),
        ] {
            let read = ReleaseBranch::parse(branch).unwrap().unwrap();
            assert_eq!(
                read.version.map(|v| v.to_string()).as_deref(),
                version,
                "{branch}"
            );
            assert_eq!(read.commit.as_deref(), commit, "{branch}");
        }
    }

    #[test]
    fn only_release_branches_propose_anything() {
        for branch in [
            "main",
            "release",
            "release/",
            "hotfix/1.2.0",
            "x/release/1.2.0",
        ] {
            assert_eq!(ReleaseBranch::parse(branch), Ok(None), "{branch}");
        }
    }

    #[test]
    fn a_commit_that_is_none_is_an_error() {
        for label in [
            "v1.2.0-sha-2b2e92",
            "v1.2.0-sha-",
            "sha-main",
            "1.2.0-sha-2b2e927x",
        ] {
            assert!(
                ReleaseBranch::parse(&format!("release/{label}")).is_err(),
                "{label}"
            );
        }
    }
}
