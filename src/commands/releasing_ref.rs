//! The key `refs`: which refs may release to an environment. Rollbacks, marks and adoptions are bound by the
//! signers of the environment alone.

use super::event_inputs;
use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use crate::event::{GitRef, RefFilter, RefRefusal};
use crate::notices::to_printable;
use crate::policy::EnvironmentRules;
use crate::release::Failure;

/// Longest part of a name that is shown, in characters.
const SHOWN_LENGTH: usize = 80;

/// Refuses a run on a ref that may not release to the environment, as the runner names ref and event. Outside of
/// a runner nothing is checked, which the log says.
///
/// # Errors
/// Such a run, and an event that cannot be read.
pub(super) fn require_releasing_ref(
    invocation: &Invocation,
    stage: &EnvironmentRules,
    loaded: &LoadedPolicy,
) -> Result<(), Failure> {
    let Some(refs) = stage.refs() else {
        return Ok(());
    };
    let environment = &invocation.environment;
    if !environment.is_in_runner() {
        invocation.log.info(&format!(
            "refs of {} are not checked outside of a workflow: {refs}",
            stage.name()
        ));
        return Ok(());
    }
    let own_ref = environment
        .get("GITHUB_REF")
        .filter(|text| !text.is_empty());
    let own_ref = own_ref.map(GitRef::from);
    let facts = event_inputs::runner_facts(environment)?;
    refuse_run(
        stage,
        loaded,
        refs,
        refs.check_run(own_ref.as_ref(), &facts),
    )
}

/// Refuses a run whose promotion would be on a ref that may not release: in a run for a pull request of this repository
/// that is the branch which it goes to.
///
/// # Errors
/// Such a run, and an event that cannot be read.
pub(super) fn require_checked_ref(
    invocation: &Invocation,
    stage: &EnvironmentRules,
    loaded: &LoadedPolicy,
) -> Result<(), Failure> {
    let environment = &invocation.environment;
    let (Some(refs), true) = (stage.refs(), environment.is_in_runner()) else {
        return require_releasing_ref(invocation, stage, loaded);
    };
    let facts = event_inputs::runner_facts(environment)?;
    let pull_request = facts.pull_request.as_ref().filter(|it| it.same_repository);
    let Some(base) = pull_request.and_then(|it| it.base_ref.as_deref()) else {
        return require_releasing_ref(invocation, stage, loaded);
    };
    invocation.log.info(&format!(
        "refs of {} are checked for the branch that the pull request goes to, {}",
        stage.name(),
        to_printable(base, SHOWN_LENGTH)
    ));
    let base = GitRef::Branch(base.to_owned());
    let checked = match refs.admits(&base) {
        true => Ok(()),
        false => Err(RefRefusal::OwnRef(base)),
    };
    refuse_run(stage, loaded, refs, checked)
}

fn refuse_run(
    stage: &EnvironmentRules,
    loaded: &LoadedPolicy,
    refs: &RefFilter,
    checked: Result<(), RefRefusal>,
) -> Result<(), Failure> {
    checked.map_err(|refusal| {
        Failure::refused(format!(
            "a release to the environment {} by a run {}",
            stage.name(),
            run_phrase(&refusal)
        ))
        .with_reason(format!(
            "refs of {} in {} are {}",
            stage.name(),
            loaded.file,
            to_printable(&refs.to_string(), FILTER_LENGTH)
        ))
        .with_hint(hint(&refusal, refs))
    })
}

/// Longest list of patterns that is shown, in characters.
const FILTER_LENGTH: usize = 400;

/// Returns which run it is, as the end of a sentence.
fn run_phrase(refusal: &RefRefusal) -> String {
    let shown = |name: &str| to_printable(name, SHOWN_LENGTH);
    match refusal {
        RefRefusal::NoRef => "whose ref the runner does not name".to_owned(),
        RefRefusal::OwnRef(own_ref) => format!("on {}", shown(&own_ref.to_string())),
        RefRefusal::PullRequest {
            number: Some(number),
        } => format!("for the pull request #{number}"),
        RefRefusal::PullRequest { number: None } => "for a pull request".to_owned(),
        RefRefusal::ForkedRun { repository } => format!(
            "after another one on a commit of {}",
            repository
                .as_deref()
                .map_or_else(|| "an unknown repository".to_owned(), shown)
        ),
        RefRefusal::RunForPullRequest => "after another one for a pull request".to_owned(),
        RefRefusal::HeadBranch(Some(branch)) => {
            format!("after another one on the branch {}", shown(branch))
        }
        RefRefusal::HeadBranch(None) => {
            "after another one whose branch the event does not name".to_owned()
        }
    }
}

fn hint(refusal: &RefRefusal, refs: &RefFilter) -> String {
    let refs = to_printable(&refs.to_string(), FILTER_LENGTH);
    match refusal {
        RefRefusal::NoRef => "run it in a workflow of GitHub, which sets GITHUB_REF".to_owned(),
        RefRefusal::OwnRef(_) => format!(
            "start the workflow on a ref that matches {refs}, or add this one to refs in the policy"
        ),
        RefRefusal::PullRequest { .. } => {
            "merge the pull request, and release what is merged".to_owned()
        }
        RefRefusal::ForkedRun { .. } | RefRefusal::RunForPullRequest => {
            "release after runs for pushes to this repository: branches: and event in on.workflow_run, or if:".to_owned()
        }
        RefRefusal::HeadBranch(_) => format!(
            "release after runs on refs that match {refs}: branches: in on.workflow_run"
        ),
    }
}
