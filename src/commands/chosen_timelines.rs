//! Timelines that the inputs name among those of an environment, for a verb that is about one image of each.

use std::collections::BTreeSet;

use super::invocation::Invocation;
use super::record_writing::WrittenTimelines;
use crate::cli::Input;
use crate::policy::Service;
use crate::release::{Failure, TimelineRequest};

/// Timelines that the inputs name.
pub(super) enum ChosenTimelines {
    One(Box<TimelineRequest>),
    /// Those of several services: none twice.
    Services(Vec<(Service, TimelineRequest)>),
}

impl ChosenTimelines {
    /// Returns the repositories, for the first line of the run.
    pub(super) fn places(&self) -> String {
        let places: Vec<String> = match self {
            Self::One(request) => vec![request.location.destination.to_string()],
            Self::Services(services) => services
                .iter()
                .map(|(_, request)| request.location.destination.to_string())
                .collect(),
        };
        places.join(" and ")
    }
}

/// Returns the timelines that the inputs name.
///
/// # Errors
/// Several services, of which the inputs name none, and several repositories that are of no service.
pub(super) fn choose_timelines(
    invocation: &Invocation,
    written: WrittenTimelines,
) -> Result<ChosenTimelines, Failure> {
    let arguments = &invocation.arguments;
    let count = written.timelines.len();
    let mut timelines = written.timelines;
    if count == 1
        && let Some((_, request)) = timelines.pop()
    {
        return Ok(ChosenTimelines::One(Box::new(request)));
    }
    let timelines = timelines.into_iter();
    let services: Option<Vec<_>> = timelines
        .map(|(service, request)| Some((service?, request)))
        .collect();
    let Some(mut services) = services else {
        return Err(Failure::input(format!(
            "images names {count} places, and {} is about one release",
            arguments.verb
        ))
        .with_hint("name one repository"));
    };
    let names = [Input::Services, Input::Images];
    if names
        .iter()
        .all(|input| arguments.entries(*input).is_empty())
    {
        let all: Vec<&str> = services.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Failure::input(format!(
            "{} has {count} services, and {} takes only those that are named",
            written.environment, arguments.verb
        ))
        .with_hint(format!("name them with services: {}", all.join(", "))));
    }
    let mut known = BTreeSet::new();
    services.retain(|(service, _)| known.insert(service.clone()));
    Ok(ChosenTimelines::Services(services))
}
