//! What rollback, mark and adopt have in common: inputs and policy to the timelines that they write.

use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_policy};
use super::record_options::read_account;
use super::release_request::excluded_versions;
use super::release_targets::{RecordedTargets, resolve_recorded};
use super::signing_inputs::record_signer;
use crate::cli::Input;
use crate::image::Destination;
use crate::policy::{EnvironmentRules, Service};
use crate::release::{Failure, TimelineLocation, TimelineRequest};
use crate::tagging::{EnvironmentName, ExcludedVersions};

/// Timelines that a verb writes.
pub(super) struct WrittenTimelines {
    pub(super) environment: EnvironmentName,
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
    let stage = rules.zip(policy.as_ref());
    let account = read_account(invocation, stage)?;
    let signer = record_signer(invocation).await?;
    let timelines = places.into_iter().map(|(service, destination)| {
        let request = TimelineRequest {
            location: location(&environment, destination),
            account: account.clone(),
            signer: signer.clone(),
        };
        (service, request)
    });
    Ok(WrittenTimelines {
        timelines: timelines.collect(),
        excluded_versions: never_counting(invocation, stage)?,
        environment,
    })
}

/// Returns the only timeline.
///
/// # Errors
/// Several services, of which the inputs choose none.
pub(super) fn only_timeline(
    invocation: &Invocation,
    written: WrittenTimelines,
) -> Result<TimelineRequest, Failure> {
    let count = written.timelines.len();
    let mut timelines = written.timelines.into_iter();
    match (timelines.next(), count) {
        (Some((_, request)), 1) => Ok(request),
        (Some((Some(_), _)), _) => Err(Failure::input(format!(
            "{} has {count} services, and {} is about one release",
            written.environment, invocation.arguments.verb
        ))
        .with_hint("name the service with services")),
        _ => Err(Failure::input(format!(
            "images names {count} places, and {} is about one release",
            invocation.arguments.verb
        ))
        .with_hint("name one repository")),
    }
}

fn location(environment: &EnvironmentName, destination: Destination) -> TimelineLocation {
    TimelineLocation {
        environment: environment.clone(),
        destination,
        entries_at: None,
        trust: None,
    }
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
