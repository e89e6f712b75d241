//! Events whose commit a promotion without `source` does not take: anybody may choose it, or nobody has
//! accepted it. Events in which nothing is released or decided at all.

use crate::actions::ProcessEnvironment;
use crate::cli::Verb;
use crate::event::{EventFacts, EventName, PullRequestFacts, WorkflowRunFacts};
use crate::notices::to_printable;
use crate::release::Failure;

/// Longest part of a name that is shown, in characters.
const SHOWN_LENGTH: usize = 80;

/// Refuses the event of a pull request that is not merged or comes from a fork, and of a workflow run that
/// failed, was for a pull request or is of a fork. A check may be about a pull request that is not merged yet.
///
/// # Errors
/// Such an event.
pub(super) fn refuse_unreleasable_event(facts: &EventFacts, is_check: bool) -> Result<(), Failure> {
    let what = match (&facts.event, &facts.pull_request, &facts.workflow_run) {
        (_, Some(pull_request), _) => pull_request_problem(pull_request, is_check),
        (EventName::PullRequest | EventName::PullRequestTarget, None, _) => {
            Some("a pull request that the event does not describe".to_owned())
        }
        (_, None, Some(run)) => workflow_run_problem(run),
        _ => None,
    };
    match what {
        None => Ok(()),
        Some(what) => Err(Failure::refused(format!(
            "promotion without source for {what}"
        ))
        .with_reason("without source the image of the event's commit is released: only a commit of this repository counts, of a merged pull request or a workflow run that succeeded")
        .with_hint("promote for a push, a git tag or a release, or give source")),
    }
}

/// Refuses the verbs that decide on a release or change a repository of images in a run for `pull_request_target`: it has the secrets and the
/// token of the base, and runs for whoever opens a pull request.
///
/// # Errors
/// Such a verb in such a run.
pub(super) fn refuse_pull_request_target(
    verb: Verb,
    environment: &ProcessEnvironment,
) -> Result<(), Failure> {
    let event = environment.get("GITHUB_EVENT_NAME").map(EventName::from);
    let is_refused = match verb {
        Verb::Check
        | Verb::Push
        | Verb::Promote
        | Verb::Rollback
        | Verb::Mark
        | Verb::Adopt
        | Verb::Hold
        | Verb::Unhold
        | Verb::Prune
        | Verb::Restore => true,
        Verb::Tags
        | Verb::Verify
        | Verb::VerifyBundle
        | Verb::SignBundle
        | Verb::History
        | Verb::Inspect
        | Verb::Policy => false,
    };
    let is_target = event == Some(EventName::PullRequestTarget);
    match is_refused && is_target && environment.is_in_runner() {
        false => Ok(()),
        true => Err(Failure::input(format!(
            "{verb} does not run for the event pull_request_target"
        ))
        .with_reason("such a run has the secrets and the token of the repository, and whoever opens a pull request starts it")
        .with_hint("check in a workflow with on: pull_request, and release in one with on: push, release or workflow_dispatch")),
    }
}

fn pull_request_problem(pull_request: &PullRequestFacts, is_check: bool) -> Option<String> {
    let number = pull_request.number;
    match (pull_request.same_repository, pull_request.merged) {
        (false, _) => Some(format!(
            "pull request #{number}, which comes from another repository"
        )),
        (true, false) if is_check => None,
        (true, false) => Some(format!("pull request #{number}, which is not merged")),
        (true, true) => None,
    }
}

fn workflow_run_problem(run: &WorkflowRunFacts) -> Option<String> {
    let shown = |text: &str| to_printable(text, SHOWN_LENGTH);
    if !run.same_repository {
        let of = run.head_repository.as_deref().map(shown);
        let of = of.unwrap_or_else(|| "an unknown repository".to_owned());
        return Some(format!("a workflow run on a commit of {of}"));
    }
    if run
        .event
        .as_deref()
        .is_some_and(|event| event.starts_with("pull_request"))
    {
        return Some("a workflow run for a pull request".to_owned());
    }
    match run.conclusion.as_deref() {
        Some("success") => None,
        Some(other) => Some(format!("a workflow run that ended with {}", shown(other))),
        None => Some("a workflow run that has not ended".to_owned()),
    }
}
