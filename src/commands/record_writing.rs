//! What rollback, mark and adopt have in common: inputs and policy to the timelines that they write.

use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_policy};
use super::record_options::{read_account, read_trust};
use super::release_request::excluded_versions;
use super::release_targets::{RecordedTargets, resolve_recorded};
use super::signing_inputs::record_signer;
use super::{environment_signing, rule_inputs};
use crate::cli::{Input, Verb};
use crate::policy::{EnvironmentRules, Service};
use crate::record::RecordTime;
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
    rule_inputs::refuse_set_clock(invocation, &environment)?;
    let stage = rules.zip(policy.as_ref());
    let account = read_account(invocation, stage)?;
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
        };
        (service, request)
    });
    let written = WrittenTimelines {
        timelines: timelines.collect(),
        excluded_versions: never_counting(invocation, stage)?,
        environment: environment.clone(),
    };
    if invocation.arguments.verb == Verb::Adopt {
        require_adoption_time(stage, account.now)?;
    }
    Ok(written)
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
