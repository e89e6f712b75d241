//! Timelines that a verb reads: inputs and policy to the repositories of records.

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::release_targets::{RecordedTargets, resolve_recorded, service_of_place};
use super::tag_context::run_time;
use crate::image::{Destination, ImageSource};
use crate::policy::Service;
use crate::record::RecordTime;
use crate::release::{Failure, InspectSubject, TimelineLocation};
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
/// Inputs that contradict each other or the policy.
pub(super) async fn recorded_timelines(
    invocation: &Invocation,
    policy: Option<&LoadedPolicy>,
) -> Result<RecordedTimelines, Failure> {
    let RecordedTargets {
        environment,
        rules: _,
        places,
    } = resolve_recorded(invocation, policy)?;
    let timelines = places.into_iter().map(|(service, destination)| {
        let location = TimelineLocation {
            environment: environment.clone(),
            destination,
            entries_at: None,
            trust: None,
        };
        (service, location)
    });
    Ok(RecordedTimelines {
        timelines: timelines.collect(),
        environment,
    })
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
    let environments = policy.policy.environments().iter();
    let timelines = environments.flat_map(|environment| {
        let places = environment.destinations().iter();
        let is_meant = |service: &Option<Service>| service.is_none() || services.contains(service);
        places
            .filter(move |(service, _)| is_meant(service))
            .map(|(_, place)| TimelineLocation {
                environment: environment.name().clone(),
                destination: place.clone(),
                entries_at: None,
                trust: None,
            })
            .collect::<Vec<_>>()
    });
    Ok(timelines.collect())
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

/// Returns the time of the run.
///
/// # Errors
/// A clock that cannot be read.
pub(super) fn run_clock(invocation: &Invocation) -> Result<RecordTime, Failure> {
    let now = run_time(invocation)?;
    RecordTime::from_timestamp(now).ok_or_else(|| {
        Failure::input(format!(
            "the clock says {now}, outside of the years 1 to 9999"
        ))
    })
}
