//! How a release is recorded: inputs, policy and runner to [`RecordOptions`].

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::record_inputs::record_signers;
use super::recorded_approvals::read_recorded_approvals;
use super::recorded_texts::{self, REASON_LIMIT};
use super::tag_context::run_time;
use crate::cli::Input;
use crate::image::Destination;
use crate::policy::{EnvironmentRules, Service, SigningRule};
use crate::record::{RecordId, RecordTime, RecordedApproval, RecordedBuild, RecordedRun};
use crate::release::{
    Failure, GithubFactReader, RecordOptions, RecordTrust, RunAccount, TimelineLocation,
};
use crate::tagging::EnvironmentName;

/// How the images of a run are recorded.
pub(super) struct RecordingInputs<'a> {
    environment: EnvironmentName,
    account: RunAccount,
    expected_head: Option<RecordId>,
    reinstates: bool,
    stage: Option<RecordingStage<'a>>,
    /// The environments that its images may come from.
    sources: Vec<RecordingStage<'a>>,
}

/// Environment of the policy, with the signers whose records count there.
struct RecordingStage<'a> {
    rules: &'a EnvironmentRules,
    trust: Option<RecordTrust>,
}

impl<'a> RecordingInputs<'a> {
    /// Reads how the images are recorded; `None` if they are not. Without `github` no record is written, and none needs
    /// the reviews.
    ///
    /// # Errors
    /// Inputs that contradict each other, and signers of the policy that cannot be used.
    pub(super) async fn read(
        invocation: &Invocation,
        environment: Option<&EnvironmentName>,
        policy: Option<(&'a EnvironmentRules, &'a LoadedPolicy)>,
        github: Option<&GithubFactReader>,
    ) -> Result<Option<Self>, Failure> {
        let arguments = &invocation.arguments;
        let Some(environment) = recorded_environment(invocation, environment, policy)? else {
            refuse_unused(invocation)?;
            return Ok(None);
        };
        let loaded = policy.map(|(_, loaded)| loaded);
        let account = Box::pin(read_account(invocation, loaded, github)).await?;
        let reinstates = reads_switch(invocation, Input::Reinstate)?;
        if reinstates && account.reason.is_none() {
            let reason = "is required with reinstate".to_owned();
            return Err(Failure::from(arguments.error(Input::Reason, None, reason))
                .with_hint("say why the withdrawn image is released again"));
        }
        let stage = match policy {
            Some((rules, loaded)) => Some(RecordingStage::read(invocation, rules, loaded).await?),
            None => None,
        };
        let mut sources = Vec::new();
        if let Some((rules, loaded)) = policy {
            let named = rules.from().iter();
            for from in named.filter_map(|name| loaded.policy.stage(name)) {
                sources.push(RecordingStage::read(invocation, from, loaded).await?);
            }
        }
        Ok(Some(Self {
            environment: environment.clone(),
            account,
            expected_head: arguments.value(Input::ExpectHead)?,
            reinstates,
            stage,
            sources,
        }))
    }

    /// Returns how the image of a service is recorded at its destinations; `origins` are the environments that
    /// it may come from, that of a named image first.
    ///
    /// # Errors
    /// Several destinations whose records would be in one repository.
    pub(super) fn options(
        &self,
        service: Option<&Service>,
        origins: impl Iterator<Item = &'a EnvironmentRules>,
        destinations: &[Destination],
    ) -> Result<RecordOptions, Failure> {
        let sources = origins.filter_map(|rules| self.location_of(rules.name(), service));
        let mut sources = sources.collect::<Vec<_>>().into_iter();
        let stage = self.stage.as_ref();
        let entries_at = stage.and_then(|stage| stage.rules.records_place(service).cloned());
        if let Some(place) = entries_at.as_ref().filter(|_| destinations.len() > 1) {
            return Err(shared_records_failure(&self.environment, place));
        }
        Ok(RecordOptions {
            environment: self.environment.clone(),
            entries_at,
            trust: stage.and_then(|stage| stage.trust.clone()),
            source: sources.next(),
            other_sources: sources.collect(),
            account: self.account.clone(),
            expected_head: self.expected_head,
            reinstates: self.reinstates,
            adds_summary: stage.is_some_and(|stage| stage.rules.adds_vsa()),
        })
    }

    /// Returns the timeline of an environment that images may come from.
    pub(super) fn location_of(
        &self,
        environment: &EnvironmentName,
        service: Option<&Service>,
    ) -> Option<TimelineLocation> {
        let mut sources = self.sources.iter();
        let source = sources.find(|source| source.rules.name() == environment)?;
        source.location(service)
    }
}

impl<'a> RecordingStage<'a> {
    async fn read(
        invocation: &Invocation,
        rules: &'a EnvironmentRules,
        loaded: &LoadedPolicy,
    ) -> Result<Self, Failure> {
        let trust = read_trust(invocation, rules, loaded).await?;
        Ok(Self { rules, trust })
    }

    fn location(&self, service: Option<&Service>) -> Option<TimelineLocation> {
        Some(TimelineLocation {
            environment: self.rules.name().clone(),
            destination: self.rules.place(service)?.clone(),
            entries_at: self.rules.records_place(service).cloned(),
            trust: self.trust.clone(),
        })
    }
}

/// Returns the signers whose records count in an environment; `None` if it does not sign.
///
/// # Errors
/// Signers that cannot be used.
pub(super) async fn read_trust(
    invocation: &Invocation,
    rules: &EnvironmentRules,
    loaded: &LoadedPolicy,
) -> Result<Option<RecordTrust>, Failure> {
    match rules.signing() {
        SigningRule::Off => Ok(None),
        _ => {
            let signers = record_signers(invocation, rules, loaded).await?;
            Ok(Some(RecordTrust::new(signers)))
        }
    }
}

/// Returns the refusal of two timelines of one environment in one repository: the names of their entries could not
/// be told apart.
fn shared_records_failure(environment: &EnvironmentName, place: &Destination) -> Failure {
    Failure::refused(format!(
        "images names several repositories, and the records of {environment} are in {place}"
    ))
    .with_reason("each repository of images has a timeline of its own")
    .with_hint("release to the other repositories in a run without the environment")
}

/// Returns the environment whose timeline gets the record; `None` if none does.
///
/// # Errors
/// A record without an environment, and a release to an environment of the policy without a record.
fn recorded_environment<'e>(
    invocation: &Invocation,
    environment: Option<&'e EnvironmentName>,
    policy: Option<(&EnvironmentRules, &LoadedPolicy)>,
) -> Result<Option<&'e EnvironmentName>, Failure> {
    let arguments = &invocation.arguments;
    match (arguments.choice(Input::Record)?, environment) {
        (Some("off"), _) => match policy {
            Some((rules, loaded)) => Err(unrecorded_failure(rules, loaded)),
            None => Ok(None),
        },
        (Some("on"), None) => {
            let reason = "is on, and no environment is given".to_owned();
            Err(Failure::from(arguments.error(Input::Record, None, reason))
                .with_hint("name the environment of the release with environment"))
        }
        (_, environment) => Ok(environment),
    }
}

/// Returns the refusal of a release without a record: what a rollback withdrew could be released again by it.
fn unrecorded_failure(rules: &EnvironmentRules, loaded: &LoadedPolicy) -> Failure {
    Failure::refused(format!(
        "the input record in a release to the environment {}",
        rules.name()
    ))
    .with_reason(format!(
        "{} has the environment, and its releases are recorded",
        loaded.file
    ))
    .with_hint("leave record: off out")
}

/// Returns whether a switch of the verb is on.
pub(super) fn reads_switch(invocation: &Invocation, input: Input) -> Result<bool, Failure> {
    let arguments = &invocation.arguments;
    Ok(arguments.is_accepted(input) && arguments.switch(input)?)
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
        Input::Reinstate => reads_switch(invocation, *input).unwrap_or_default(),
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

/// Returns what the record says of this run: with `github` also the reviews of its deployments, which a run does not need
/// that writes no record.
///
/// # Errors
/// A clock or an input that cannot be read.
pub(super) async fn read_account(
    invocation: &Invocation,
    policy: Option<&LoadedPolicy>,
    github: Option<&GithubFactReader>,
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
    let approvals = match github {
        Some(github) => Box::pin(read_recorded_approvals(invocation, github)).await,
        None => Vec::new(),
    };
    Ok(RunAccount {
        now: record_time(invocation)?,
        tool: format!("shipmark {}", env!("CARGO_PKG_VERSION")),
        run: recorded_run(invocation, approvals),
        policy: policy.map(|loaded| loaded.recorded.clone()),
        build: RecordedBuild {
            dockerfile,
            target,
            from: is_built.then(|| "inputs".to_owned()),
        },
        reason,
        link: recorded_texts::parse_link(invocation)?,
    })
}

/// Returns the time of the run.
///
/// # Errors
/// A clock that cannot be read, or that is outside of the years of records.
pub(super) fn record_time(invocation: &Invocation) -> Result<RecordTime, Failure> {
    let now = run_time(invocation)?;
    RecordTime::from_timestamp(now).ok_or_else(|| {
        Failure::input(format!(
            "the clock says {now}, outside of the years 1 to 9999"
        ))
    })
}

/// Returns the run by the runner's variables; `None` outside of a runner.
fn recorded_run(invocation: &Invocation, approvals: Vec<RecordedApproval>) -> Option<RecordedRun> {
    let environment = &invocation.environment;
    if !environment.is_in_runner() {
        return None;
    }
    let variable = |name| environment.get(name).map(str::to_owned);
    Some(RecordedRun {
        uri: environment.run_uri(),
        attempt: environment
            .get("GITHUB_RUN_ATTEMPT")
            .and_then(|text| text.parse().ok()),
        actor: variable("GITHUB_TRIGGERING_ACTOR").or_else(|| variable("GITHUB_ACTOR")),
        workflow: variable("GITHUB_WORKFLOW_REF"),
        approvals,
    })
}
