//! Timelines that a verb reads: inputs and policy to the repositories of records.

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::record_inputs::record_signers;
use super::release_targets::{
    RecordedTargets, environment_of_place, resolve_recorded, service_of_place,
};
use super::verification_inputs;
use crate::cli::Input;
use crate::image::{Destination, ImageSource};
use crate::policy::{EnvironmentRules, Service, SigningRule};
use crate::release::{Failure, InspectSubject, RecordTrust, TimelineLocation};
use crate::signing::Requirement;
use crate::tagging::EnvironmentName;

/// Timelines of an environment.
pub(super) struct RecordedTimelines {
    pub(super) environment: EnvironmentName,
    /// Timeline of each service, or one alone.
    pub(super) timelines: Vec<(Option<Service>, TimelineLocation)>,
}

/// Returns the timelines of the environment that the inputs name.
///
/// # Errors
/// Inputs that contradict each other or the policy, and signers of the policy that cannot be used.
pub(super) async fn recorded_timelines(
    invocation: &Invocation,
    policy: Option<&LoadedPolicy>,
) -> Result<RecordedTimelines, Failure> {
    let RecordedTargets {
        environment,
        rules,
        places,
    } = resolve_recorded(invocation, policy)?;
    let trust = match rules.zip(policy) {
        Some((rules, loaded)) => record_trust(invocation, rules, loaded).await?,
        None => None,
    };
    let trust = match trust {
        Some(trust) => Some(trust),
        None => signer_input(invocation)
            .await?
            .map(RecordTrust::from_signer),
    };
    let timelines = places.into_iter().map(|(service, destination)| {
        let place = rules.and_then(|rules| rules.records_place(service.as_ref()));
        let location = TimelineLocation {
            environment: environment.clone(),
            destination,
            entries_at: place.cloned(),
            trust: trust.clone(),
        };
        (service, location)
    });
    Ok(RecordedTimelines {
        timelines: timelines.collect(),
        environment,
    })
}

/// Returns the signer that the inputs name, if they name one.
///
/// # Errors
/// Inputs that contradict each other, and a key or trusted root that cannot be read.
pub(super) async fn signer_input(invocation: &Invocation) -> Result<Option<Requirement>, Failure> {
    let arguments = &invocation.arguments;
    let names_signer = [Input::Key, Input::CertificateIdentity];
    let is_given = |input: &Input| !arguments.entries(*input).is_empty();
    match names_signer.iter().any(is_given) {
        true => verification_inputs::signer_requirement(invocation)
            .await
            .map(Some),
        false => Ok(None),
    }
}

/// Returns who may write the records of an environment; `None` if it does not sign.
async fn record_trust(
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

/// Returns the timelines of the policy's environments that may know of the subjects: those of the same service, if
/// each has its own.
///
/// # Errors
/// Repositories that cannot be told apart.
pub(super) async fn policy_timelines(
    invocation: &Invocation,
    policy: &LoadedPolicy,
    subjects: &[(Option<Service>, InspectSubject)],
) -> Result<Vec<TimelineLocation>, Failure> {
    let mut services: Vec<Option<Service>> = Vec::new();
    for (service, subject) in subjects {
        let place = match subject {
            InspectSubject::Image(source) => place_of(source),
            InspectSubject::Environment(_) => None,
        };
        match place {
            Some(place) => services.push(service_of_place(invocation, policy, &place)?),
            None => services.push(service.clone()),
        }
    }
    let mut timelines = Vec::new();
    for rules in policy.policy.environments() {
        let trust = record_trust(invocation, rules, policy).await?;
        let places = rules.destinations().iter();
        let is_meant = |service: &Option<Service>| service.is_none() || services.contains(service);
        let meant = places.filter(|(service, _)| is_meant(service));
        timelines.extend(meant.map(|(service, place)| TimelineLocation {
            environment: rules.name().clone(),
            destination: place.clone(),
            entries_at: rules.records_place(service.as_ref()).cloned(),
            trust: trust.clone(),
        }));
    }
    Ok(timelines)
}

/// Returns the timelines of all environments of the policy for some services; with none of them, for all.
///
/// # Errors
/// Signers of the policy that cannot be used.
pub(super) async fn timelines_of_services(
    invocation: &Invocation,
    policy: &LoadedPolicy,
    services: &[Service],
) -> Result<Vec<TimelineLocation>, Failure> {
    let mut timelines = Vec::new();
    for rules in policy.policy.environments() {
        let trust = record_trust(invocation, rules, policy).await?;
        let is_meant = |service: &Option<Service>| {
            services.is_empty() || service.as_ref().is_none_or(|it| services.contains(it))
        };
        let places = rules.destinations().iter();
        let meant = places.filter(|(service, _)| is_meant(service));
        timelines.extend(meant.map(|(service, place)| TimelineLocation {
            environment: rules.name().clone(),
            destination: place.clone(),
            entries_at: rules.records_place(service.as_ref()).cloned(),
            trust: trust.clone(),
        }));
    }
    Ok(timelines)
}

/// Returns who signs in the environment of the first subject and in those that its images come from; `None` if none
/// of them signs.
///
/// # Errors
/// Repositories that cannot be told apart, and signers of the policy that cannot be used.
pub(super) async fn policy_signer(
    invocation: &Invocation,
    policy: &LoadedPolicy,
    subjects: &[(Option<Service>, InspectSubject)],
) -> Result<Option<Requirement>, Failure> {
    let name = match subjects.first() {
        Some((_, InspectSubject::Environment(location))) => Some(location.environment.clone()),
        Some((_, InspectSubject::Image(source))) => match place_of(source) {
            Some(place) => environment_of_place(invocation, policy, &place)?,
            None => None,
        },
        None => None,
    };
    let first = name.and_then(|name| policy.policy.stage(&name));
    let sources = first
        .into_iter()
        .flat_map(|first| policy.policy.with_sources(first));
    let mut requirements = Vec::new();
    for rules in sources {
        if rules.signing() != SigningRule::Off {
            let signers = record_signers(invocation, rules, policy).await?;
            requirements.extend(signers.into_iter().map(|signer| signer.requirement));
        }
    }
    Ok((!requirements.is_empty()).then(|| Requirement::any_of(requirements)))
}

/// Returns the repository of an image; `None` for a file or an engine.
fn place_of(source: &ImageSource) -> Option<Destination> {
    match source {
        ImageSource::Registry(reference) => {
            Some(Destination::Registry(reference.repository.clone()))
        }
        ImageSource::Layout(path, _) => Some(Destination::Layout(path.clone())),
        _ => None,
    }
}
