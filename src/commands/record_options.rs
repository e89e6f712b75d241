//! How a release is recorded: inputs, policy and runner to [`RecordOptions`].

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::tag_context::run_time;
use crate::cli::Input;
use crate::policy::EnvironmentRules;
use crate::record::{RecordTime, RecordedBuild, RecordedRun};
use crate::release::{Failure, RecordOptions, RunAccount};
use crate::tagging::EnvironmentName;

/// Most characters of a reason: a record is read by people.
const REASON_LIMIT: usize = 2_000;

/// Returns how the release is recorded; `None` if it is not.
///
/// # Errors
/// Inputs that contradict each other.
pub(super) fn read_options(
    invocation: &Invocation,
    environment: Option<&EnvironmentName>,
    policy: Option<(&EnvironmentRules, &LoadedPolicy)>,
) -> Result<Option<RecordOptions>, Failure> {
    let arguments = &invocation.arguments;
    let is_recorded = match (arguments.choice(Input::Record)?, environment) {
        (Some("off"), _) => None,
        (Some("on"), None) => {
            return Err(Failure::from(arguments.error(
                Input::Record,
                None,
                "is on, and no environment is given".to_owned(),
            ))
            .with_hint("name the environment of the release with environment"));
        }
        (_, environment) => environment,
    };
    let reinstates =
        arguments.is_accepted(Input::Reinstate) && arguments.switch(Input::Reinstate)?;
    let account = read_account(invocation, policy)?;
    let Some(environment) = is_recorded else {
        refuse_unused(invocation)?;
        return Ok(None);
    };
    if reinstates && account.reason.is_none() {
        return Err(Failure::from(arguments.error(
            Input::Reason,
            None,
            "is required with reinstate".to_owned(),
        ))
        .with_hint("say why the withdrawn image is released again"));
    }
    Ok(Some(RecordOptions {
        environment: environment.clone(),
        entries_at: None,
        trust: None,
        source: None,
        account,
        expected_head: arguments.value(Input::ExpectHead)?,
        reinstates,
    }))
}

/// Refuses inputs that only a record has a use for.
fn refuse_unused(invocation: &Invocation) -> Result<(), Failure> {
    let arguments = &invocation.arguments;
    let only_recorded = [
        Input::Reinstate,
        Input::Reason,
        Input::Link,
        Input::Dockerfile,
        Input::Target,
        Input::ExpectHead,
    ];
    let is_given = |input: &Input| match input {
        Input::Reinstate => {
            arguments.is_accepted(*input) && arguments.switch(*input).unwrap_or_default()
        }
        input => arguments.is_accepted(*input) && !arguments.entries(*input).is_empty(),
    };
    match only_recorded.into_iter().find(is_given) {
        None => Ok(()),
        Some(input) => Err(Failure::from(arguments.error(
            input,
            None,
            "is given, and the release is not recorded".to_owned(),
        ))
        .with_hint("name the environment of the release, and leave record: off out")),
    }
}

/// Returns what the record says of this run.
///
/// # Errors
/// A clock or an input that cannot be read.
pub(super) fn read_account(
    invocation: &Invocation,
    policy: Option<(&EnvironmentRules, &LoadedPolicy)>,
) -> Result<RunAccount, Failure> {
    let arguments = &invocation.arguments;
    let text = |input: Input| match arguments.is_accepted(input) {
        true => arguments.text(input).map(str::to_owned),
        false => None,
    };
    let reason = text(Input::Reason);
    if reason
        .as_ref()
        .is_some_and(|it| it.chars().count() > REASON_LIMIT)
    {
        return Err(arguments
            .error(
                Input::Reason,
                None,
                format!("has more than {REASON_LIMIT} characters"),
            )
            .into());
    }
    let (dockerfile, target) = (text(Input::Dockerfile), text(Input::Target));
    let is_built = dockerfile.is_some() || target.is_some();
    let now = run_time(invocation)?;
    let now = RecordTime::from_timestamp(now).ok_or_else(|| {
        Failure::input(format!(
            "the clock says {now}, outside of the years 1 to 9999"
        ))
    })?;
    Ok(RunAccount {
        now,
        tool: format!("shipmark {}", env!("CARGO_PKG_VERSION")),
        run: recorded_run(invocation),
        policy: policy.map(|(_, loaded)| loaded.recorded.clone()),
        build: RecordedBuild {
            dockerfile,
            target,
            from: is_built.then(|| "inputs".to_owned()),
        },
        reason,
        link: text(Input::Link),
    })
}

/// Returns the run by the runner's variables; `None` outside of a runner.
fn recorded_run(invocation: &Invocation) -> Option<RecordedRun> {
    let environment = &invocation.environment;
    if !environment.is_in_runner() {
        return None;
    }
    let variable = |name| environment.get(name).map(str::to_owned);
    let address = || {
        let server = environment.get("GITHUB_SERVER_URL")?;
        let repository = environment.get("GITHUB_REPOSITORY")?;
        let id = environment.get("GITHUB_RUN_ID")?;
        Some(format!("{server}/{repository}/actions/runs/{id}"))
    };
    Some(RecordedRun {
        uri: address(),
        attempt: environment
            .get("GITHUB_RUN_ATTEMPT")
            .and_then(|text| text.parse().ok()),
        actor: variable("GITHUB_TRIGGERING_ACTOR").or_else(|| variable("GITHUB_ACTOR")),
        workflow: variable("GITHUB_WORKFLOW_REF"),
        approvals: Vec::new(),
    })
}
