//! Timelines that a verb writes: inputs and policy to the requests for their records.

use super::github_deployment::github_environment;
use super::github_gate_inputs::open_fact_reader;
use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_policy};
use super::record_options::{read_account, read_trust, reads_switch};
use super::release_request::excluded_versions;
use super::release_targets::{RecordedTargets, resolve_recorded};
use super::signing_inputs::record_signer;
use super::{environment_signing, rule_inputs};
use crate::cli::{Input, Verb};
use crate::image::Destination;
use crate::policy::{EnvironmentRules, Service};
use crate::record::RecordTime;
use crate::release::{Failure, GithubEnvironment, TimelineLocation, TimelineRequest};
use crate::tagging::{EnvironmentName, ExcludedVersions};

/// Timelines that a verb writes.
pub(super) struct WrittenTimelines {
    pub(super) environment: EnvironmentName,
    /// The environment at GitHub.
    pub(super) github_environment: Option<GithubEnvironment>,
    /// Timeline of each service, or one alone.
    pub(super) timelines: Vec<(Option<Service>, TimelineRequest)>,
    /// Versions that never count.
    pub(super) excluded_versions: ExcludedVersions,
}

/// Returns the timelines of the environment that the inputs name.
///
/// # Errors
/// Inputs that contradict each other or the policy.
pub(super) async fn written_timelines(
    invocation: &Invocation,
) -> Result<WrittenTimelines, Failure> {
    let policy = load_policy(invocation).await?;
    let targets = resolve_recorded(invocation, policy.as_ref());
    if let Some(loaded) = &policy {
        invocation.log.info(&loaded.remark());
    }
    let RecordedTargets {
        environment,
        rules,
        places,
    } = targets?;
    rule_inputs::refuse_set_clock(invocation, &environment)?;
    let stage = rules.zip(policy.as_ref());
    let writes = !reads_switch(invocation, Input::DryRun)?;
    let github = open_fact_reader(invocation, None)?;
    let github = Some(&github).filter(|_| writes);
    let account = Box::pin(read_account(invocation, policy.as_ref(), github)).await?;
    let signed = environment_signing::apply_sign(invocation, stage)?;
    let signer = record_signer(&signed).await?;
    let trust = match stage {
        Some((rules, loaded)) => read_trust(&signed, rules, loaded).await?,
        None => None,
    };
    let timelines = places.into_iter().map(|(service, destination)| {
        let records = rules.and_then(|rules| rules.records_place(service.as_ref()));
        let location = TimelineLocation {
            environment: environment.clone(),
            entries_at: records.cloned(),
            trust: trust.clone(),
            destination,
        };
        let request = TimelineRequest {
            location,
            account: account.clone(),
            signer: signer.clone(),
            adds_summary: rules.is_some_and(EnvironmentRules::adds_vsa),
        };
        (service, request)
    });
    let written = WrittenTimelines {
        timelines: timelines.collect(),
        excluded_versions: never_counting(invocation, stage)?,
        github_environment: github_environment(Some(&environment), rules),
        environment: environment.clone(),
    };
    if invocation.arguments.verb == Verb::Adopt {
        require_adoption_time(stage, account.now)?;
    }
    Ok(written)
}

/// Returns the timelines of the policy's environments in some repositories, to record deletions.
///
/// # Errors
/// Inputs that contradict the policy, and a signer that cannot be opened.
pub(super) async fn deletion_timelines(
    invocation: &Invocation,
    loaded: &LoadedPolicy,
    places: &[Destination],
) -> Result<Vec<TimelineRequest>, Failure> {
    let github = open_fact_reader(invocation, None)?;
    let account = Box::pin(read_account(invocation, Some(loaded), Some(&github))).await?;
    let mut requests = Vec::new();
    for rules in loaded.policy.environments() {
        let meant = rules.destinations().iter();
        let meant: Vec<_> = meant.filter(|(_, place)| places.contains(place)).collect();
        if meant.is_empty() {
            continue;
        }
        rule_inputs::refuse_set_clock(invocation, rules.name())?;
        let stage = Some((rules, loaded));
        let signed = environment_signing::apply_sign(invocation, stage)?;
        let signer = record_signer(&signed).await?;
        let trust = read_trust(&signed, rules, loaded).await?;
        requests.extend(meant.into_iter().map(|(service, place)| TimelineRequest {
            location: TimelineLocation {
                environment: rules.name().clone(),
                entries_at: rules.records_place(service.as_ref()).cloned(),
                trust: trust.clone(),
                destination: place.clone(),
            },
            account: account.clone(),
            signer: signer.clone(),
            adds_summary: false,
        }));
    }
    Ok(requests)
}

/// Requires that the policy allows to record releases afterwards at this time.
fn require_adoption_time(
    stage: Option<(&EnvironmentRules, &LoadedPolicy)>,
    now: RecordTime,
) -> Result<(), Failure> {
    let Some((rules, loaded)) = stage else {
        return Ok(());
    };
    let environment = rules.name();
    let why = match rules.adopt_until() {
        Some(deadline) if now < deadline.end() => return Ok(()),
        Some(deadline) => format!("{} allows it until {deadline}", loaded.file),
        None => format!("{} does not allow it", loaded.file),
    };
    Err(
        Failure::refused(format!("adopt for the environment {environment}"))
            .with_reason(why)
            .with_hint("set adopt-until of the environment to the last day of the migration"),
    )
}

fn never_counting(
    invocation: &Invocation,
    stage: Option<(&EnvironmentRules, &LoadedPolicy)>,
) -> Result<ExcludedVersions, Failure> {
    let arguments = &invocation.arguments;
    match arguments.is_accepted(Input::ExcludeVersions) {
        true => excluded_versions(
            stage.map(|(stage, _)| stage),
            stage.map(|(_, loaded)| loaded),
            arguments,
        ),
        false => Ok(ExcludedVersions::default()),
    }
}
