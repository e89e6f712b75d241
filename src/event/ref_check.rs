//! Whether the ref that a workflow runs on is one of those that may release.

use super::{EventFacts, EventName, GitRef, RefFilter};

/// Reason why a run is not on a ref of a filter. The names in it are text from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefRefusal {
    /// The runner names no ref.
    NoRef,
    /// The run's own ref does not match.
    OwnRef(GitRef),
    /// The run is for a pull request that is not merged, or of a fork.
    PullRequest {
        /// Its number, if the event has it.
        number: Option<u64>,
    },
    /// The other run, of a `workflow_run`, was on a commit of another repository.
    ForkedRun {
        /// That repository, `owner/name`.
        repository: Option<String>,
    },
    /// The other run was for a pull request.
    RunForPullRequest,
    /// The branch of the other run does not match; `None` if the event does not name it.
    HeadBranch(Option<String>),
}

impl RefFilter {
    /// Checks the ref of a run, as `GITHUB_REF` has it. The own ref of a `workflow_run` is always the default
    /// branch: the branch of the run before it must match, too.
    ///
    /// # Errors
    /// A run that may not release.
    pub fn check_run(
        &self,
        own_ref: Option<&GitRef>,
        facts: &EventFacts,
    ) -> Result<(), RefRefusal> {
        let own_ref = own_ref.ok_or(RefRefusal::NoRef)?;
        if let GitRef::Pull { number } = own_ref {
            let number = Some(*number);
            return Err(RefRefusal::PullRequest { number });
        }
        if !self.admits(own_ref) {
            return Err(RefRefusal::OwnRef(own_ref.clone()));
        }
        match facts.event {
            EventName::PullRequest | EventName::PullRequestTarget => check_pull_request(facts),
            EventName::WorkflowRun => self.check_other_run(facts),
            _ => Ok(()),
        }
    }

    fn check_other_run(&self, facts: &EventFacts) -> Result<(), RefRefusal> {
        let run = facts.workflow_run.as_ref();
        let run = run.ok_or(RefRefusal::HeadBranch(None))?;
        if !run.same_repository {
            let repository = run.head_repository.clone();
            return Err(RefRefusal::ForkedRun { repository });
        }
        let event = run.event.as_deref().unwrap_or_default();
        if event.starts_with("pull_request") {
            return Err(RefRefusal::RunForPullRequest);
        }
        match &run.head_branch {
            Some(branch) if self.admits(&GitRef::Branch(branch.clone())) => Ok(()),
            branch => Err(RefRefusal::HeadBranch(branch.clone())),
        }
    }
}

/// Refuses the event of a pull request whose commits nobody has merged. After the merge GitHub names the
/// base branch as the run's ref.
fn check_pull_request(facts: &EventFacts) -> Result<(), RefRefusal> {
    match &facts.pull_request {
        Some(pull_request) if pull_request.merged && pull_request.same_repository => Ok(()),
        pull_request => Err(RefRefusal::PullRequest {
            number: pull_request.as_ref().map(|it| it.number),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventInputs, RefPattern};

    fn check(
        patterns: &[&str],
        event: &str,
        git_ref: &str,
        payload: &str,
    ) -> Result<(), RefRefusal> {
        let patterns = patterns.iter().map(|text| RefPattern::parse(text).unwrap());
        let filter = RefFilter::new(patterns.collect()).unwrap();
        let facts = EventFacts::parse(&EventInputs {
            name: event,
            git_ref: Some(git_ref),
            payload: Some(payload.as_bytes()),
            ..EventInputs::default()
        });
        let own_ref = Some(git_ref).filter(|text| !text.is_empty());
        filter.check_run(own_ref.map(GitRef::from).as_ref(), &facts.unwrap())
    }

    #[test]
    fn a_run_goes_by_its_own_ref() {
        let develop = GitRef::Branch("develop".to_owned());
        for (event, git_ref, expected) in [
            ("push", "refs/heads/main", Ok(())),
            ("workflow_dispatch", "refs/heads/main", Ok(())),
            ("schedule", "refs/heads/main", Ok(())),
            (
                "push",
                "refs/heads/develop",
                Err(RefRefusal::OwnRef(develop)),
            ),
            (
                "push",
                "refs/tags/main",
                Err(RefRefusal::OwnRef(GitRef::Tag("main".to_owned()))),
            ),
            ("push", "", Err(RefRefusal::NoRef)),
            (
                "pull_request",
                "refs/pull/7/merge",
                Err(RefRefusal::PullRequest { number: Some(7) }),
            ),
            (
                "push",
                "refs/pull/7/merge",
                Err(RefRefusal::PullRequest { number: Some(7) }),
            ),
            // The event deletes another ref than the workflow runs on.
            ("delete", "refs/heads/main", Ok(())),
        ] {
            let payload = r#"{"number": 7, "ref": "gone", "ref_type": "branch"}"#;
            assert_eq!(
                check(&["main"], event, git_ref, payload),
                expected,
                "{event} {git_ref}"
            );
        }
    }

    #[test]
    fn a_merged_pull_request_counts_by_its_base_branch() {
        let pull_request = |merged: bool, head: u64| {
            format!(
                r#"{{"number": 7, "pull_request": {{"merged": {merged},
                "head": {{"repo": {{"id": {head}}}}}, "base": {{"repo": {{"id": 1}}}}}}}}"#
            )
        };
        let refused = Err(RefRefusal::PullRequest { number: Some(7) });
        for event in ["pull_request", "pull_request_target"] {
            let check = |payload: &str| check(&["main"], event, "refs/heads/main", payload);
            assert_eq!(check(&pull_request(true, 1)), Ok(()), "{event}");
            assert_eq!(check(&pull_request(false, 1)), refused, "{event}");
            assert_eq!(check(&pull_request(true, 2)), refused, "{event}");
            assert_eq!(
                check("{}"),
                Err(RefRefusal::PullRequest { number: None }),
                "{event}"
            );
        }
    }

    #[test]
    fn the_head_branch_of_a_workflow_run_must_match_too() {
        let run = |branch: &str, head: u64, event: &str| {
            format!(
                r#"{{"repository": {{"id": 1}}, "workflow_run": {{"event": "{event}", "head_branch": {branch},
                "head_repository": {{"id": {head}, "full_name": "mallory/web"}}}}}}"#
            )
        };
        let check = |payload: &str| {
            check(
                &["main", "release/**"],
                "workflow_run",
                "refs/heads/main",
                payload,
            )
        };
        let branch = |name: &str| Err(RefRefusal::HeadBranch(Some(name.to_owned())));
        assert_eq!(check(&run(r#""release/1""#, 1, "push")), Ok(()));
        assert_eq!(check(&run(r#""develop""#, 1, "push")), branch("develop"));
        assert_eq!(
            check(&run("null", 1, "push")),
            Err(RefRefusal::HeadBranch(None))
        );
        let repository = Some("mallory/web".to_owned());
        let forked = Err(RefRefusal::ForkedRun { repository });
        assert_eq!(check(&run(r#""main""#, 2, "push")), forked);
        let for_pull_request = check(&run(r#""release/1""#, 1, "pull_request"));
        assert_eq!(for_pull_request, Err(RefRefusal::RunForPullRequest));
        let unknown =
            check(r#"{"repository": {"id": 1}, "workflow_run": {"head_branch": "main"}}"#);
        assert_eq!(unknown, Err(RefRefusal::ForkedRun { repository: None }));
    }
}
