//! Which environment a repository belongs to, by whichever of its names it is given (promise 5).

use std::borrow::Cow;
use std::collections::HashMap;

use thiserror::Error;

use super::repository_template::SERVICE_PLACEHOLDER;
use super::{EnvironmentRules, ReleasePolicy, Service};
use crate::image::{CanonicalPlace, Destination, RealPaths};
use crate::tagging::EnvironmentName;

/// Why it cannot be told which rules a place has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MatchError {
    /// It is a repository of two environments.
    #[error("{place} belongs to two environments, {first} and {second}")]
    Ambiguous {
        /// The place.
        place: Destination,
        /// An environment.
        first: EnvironmentName,
        /// The other one.
        second: EnvironmentName,
    },
    /// It is the repository of two services of an environment.
    #[error("{place} belongs to two services in the environment {stage}, {first} and {second}")]
    TwoServices {
        /// The place.
        place: Destination,
        /// The environment.
        stage: EnvironmentName,
        /// A service.
        first: Service,
        /// The other one.
        second: Service,
    },
    /// It has the records of two services of an environment.
    #[error(
        "{place} has the records of two services in the environment {stage}, {first} and {second}"
    )]
    SharedRecords {
        /// The place.
        place: Destination,
        /// The environment.
        stage: EnvironmentName,
        /// A service.
        first: Service,
        /// The other one.
        second: Service,
    },
    /// It would be an environment's, of a service that there is not.
    #[error(
        "{place} would be {service} in the environment {stage}, and services names no {service}"
    )]
    UnknownService {
        /// The place.
        place: Destination,
        /// The environment.
        stage: EnvironmentName,
        /// The name that stands where a service should.
        service: String,
    },
}

/// An environment, and the service where it has a repository for each.
type Owner<'a> = (&'a EnvironmentRules, Option<&'a Service>);

/// The repositories of a policy's environments, found by any of their names.
#[derive(Debug)]
pub struct Repositories<'a> {
    owners: HashMap<CanonicalPlace, Owner<'a>>,
    /// For each environment with a repository for each service, the one of the service [`SERVICE_PLACEHOLDER`].
    marked: Vec<(&'a EnvironmentRules, CanonicalPlace)>,
}

impl ReleasePolicy {
    /// Returns all places of which [`ReleasePolicy::repositories`] has to know where they really are.
    pub fn places(&self) -> impl Iterator<Item = &Destination> {
        self.environments.iter().flat_map(|stage| {
            let places = stage.destinations().iter().chain(stage.records_places());
            let places = places.map(|(_, place)| place);
            places.chain(stage.marked.as_ref())
        })
    }

    /// Returns the repositories of the environments.
    ///
    /// # Errors
    /// One of them belongs to two, or has the records of two services, or another file adds one that would
    /// be a service's.
    pub fn repositories<'a>(
        &'a self,
        real_paths: &RealPaths,
    ) -> Result<Repositories<'a>, MatchError> {
        let mut owners: HashMap<CanonicalPlace, Owner<'a>> = HashMap::new();
        for stage in &self.environments {
            for (service, place) in stage.destinations() {
                let owner = (stage, service.as_ref());
                if let Some(first) = owners.insert(CanonicalPlace::new(place, real_paths), owner) {
                    return Err(two(place, first, owner));
                }
            }
            refuse_shared_records(stage, real_paths)?;
        }
        let marked =
            |stages: &'a [EnvironmentRules]| -> Vec<(&'a EnvironmentRules, CanonicalPlace)> {
                let marked = stages.iter().filter_map(|stage| {
                    let marked = stage.marked.as_ref()?;
                    Some((stage, CanonicalPlace::new(marked, real_paths)))
                });
                marked.collect()
            };
        let (own, added) = self
            .environments
            .split_at(self.environments.len() - self.added);
        let own = marked(own);
        for (_, place) in added.iter().flat_map(EnvironmentRules::destinations) {
            refuse_unknown(&own, place, &CanonicalPlace::new(place, real_paths))?;
        }
        let marked = own.into_iter().chain(marked(added)).collect();
        Ok(Repositories { owners, marked })
    }
}

/// Two timelines of one environment in one repository could not be told apart by the names of their entries.
fn refuse_shared_records(
    stage: &EnvironmentRules,
    real_paths: &RealPaths,
) -> Result<(), MatchError> {
    let mut taken: HashMap<CanonicalPlace, &Service> = HashMap::new();
    for (service, place) in stage.records_places() {
        let Some(service) = service else { continue };
        if let Some(first) = taken.insert(CanonicalPlace::new(place, real_paths), service) {
            return Err(MatchError::SharedRecords {
                place: place.clone(),
                stage: stage.name.clone(),
                first: first.clone(),
                second: service.clone(),
            });
        }
    }
    Ok(())
}

fn two(place: &Destination, first: Owner<'_>, second: Owner<'_>) -> MatchError {
    let place = place.clone();
    let (stage, other) = (first.0.name.clone(), second.0.name.clone());
    match (first.1, second.1) {
        (Some(first), Some(second)) if stage == other => MatchError::TwoServices {
            place,
            stage,
            first: first.clone(),
            second: second.clone(),
        },
        _ => MatchError::Ambiguous {
            place,
            first: stage,
            second: other,
        },
    }
}

impl<'a> Repositories<'a> {
    /// Returns the environment that `place` is a repository of, and the service; `canonical` is what
    /// the place is.
    ///
    /// # Errors
    /// It would be the repository of a service that there is not.
    pub fn matching(
        &self,
        place: &Destination,
        canonical: &CanonicalPlace,
    ) -> Result<Option<Owner<'a>>, MatchError> {
        if let Some(owner) = self.owners.get(canonical) {
            return Ok(Some(*owner));
        }
        refuse_unknown(&self.marked, place, canonical).map(|()| None)
    }
}

/// Refuses a place that has the name of a repository of a service that there is not.
fn refuse_unknown(
    marked: &[(&EnvironmentRules, CanonicalPlace)],
    place: &Destination,
    canonical: &CanonicalPlace,
) -> Result<(), MatchError> {
    for (stage, marked) in marked {
        if let Some(service) = service_part(marked, canonical) {
            return Err(MatchError::UnknownService {
                place: place.clone(),
                stage: stage.name.clone(),
                service,
            });
        }
    }
    Ok(())
}

/// Returns what stands in `place` where `marked` has the service.
fn service_part(marked: &CanonicalPlace, place: &CanonicalPlace) -> Option<String> {
    let (marked, name): (Cow<'_, str>, Cow<'_, str>) = match (marked, place) {
        (CanonicalPlace::Repository(registry, marked), CanonicalPlace::Repository(other, path))
            if registry == other =>
        {
            (marked.into(), path.into())
        }
        (CanonicalPlace::Directory(marked), CanonicalPlace::Directory(path)) => {
            (marked.to_string_lossy(), path.to_string_lossy())
        }
        _ => return None,
    };
    let (before, after) = marked.split_once(SERVICE_PLACEHOLDER)?;
    let service = name.strip_prefix(before)?.strip_suffix(after)?;
    (!service.is_empty() && !service.contains('/')).then(|| service.to_owned())
}
