//! Which environment a repository belongs to, by whichever of its names it is given (promise 5).

use std::collections::HashMap;

use thiserror::Error;

use super::{Policy, Service, Stage};
use crate::image::{CanonicalPlace, Place, RealPaths};
use crate::tagging::Environment;

/// Why it cannot be told which rules a place has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MatchError {
    /// It is a repository of two environments.
    #[error("{place} belongs to two environments, {first} and {second}")]
    Two {
        /// The place.
        place: Place,
        /// An environment.
        first: Environment,
        /// The other one.
        second: Environment,
    },
    /// It is the repository of two services of an environment.
    #[error("{place} belongs to two services in the environment {stage}, {first} and {second}")]
    TwoServices {
        /// The place.
        place: Place,
        /// The environment.
        stage: Environment,
        /// A service.
        first: Service,
        /// The other one.
        second: Service,
    },
    /// It would be an environment's, of a service that there is not.
    #[error(
        "{place} would be {service} in the environment {stage}, and services names no {service}"
    )]
    NoService {
        /// The place.
        place: Place,
        /// The environment.
        stage: Environment,
        /// The name that stands where a service should.
        service: String,
    },
}

/// Stands for a service in the name of a place; no repository has it in its name.
pub(super) const MARK: &str = "any--service--at--all";

/// An environment, and the service where it has a repository for each.
type Owner<'a> = (&'a Stage, Option<&'a Service>);

/// The repositories of a policy's environments, found by any of their names.
#[derive(Debug)]
pub struct Repositories<'a> {
    owners: HashMap<CanonicalPlace, Owner<'a>>,
    /// For each environment with a repository for each service, the one of the service [`MARK`].
    marked: Vec<(&'a Stage, CanonicalPlace)>,
}

impl Policy {
    /// Returns all places of which [`Policy::repositories`] has to know where they really are.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.stages.iter().flat_map(|stage| {
            let places = stage.places().iter().map(|(_, place)| place);
            places.chain(stage.marked.as_ref())
        })
    }

    /// Returns the repositories of the environments.
    ///
    /// # Errors
    /// One of them belongs to two.
    pub fn repositories(&self, real_paths: &RealPaths) -> Result<Repositories<'_>, MatchError> {
        let mut owners: HashMap<CanonicalPlace, Owner<'_>> = HashMap::new();
        for stage in &self.stages {
            for (service, place) in stage.places() {
                let owner = (stage, service.as_ref());
                if let Some(first) = owners.insert(CanonicalPlace::of(place, real_paths), owner) {
                    return Err(two(place, first, owner));
                }
            }
        }
        let marked = self.stages.iter().filter_map(|stage| {
            let marked = stage.marked.as_ref()?;
            Some((stage, CanonicalPlace::of(marked, real_paths)))
        });
        Ok(Repositories {
            owners,
            marked: marked.collect(),
        })
    }
}

fn two(place: &Place, first: Owner<'_>, second: Owner<'_>) -> MatchError {
    let place = place.clone();
    let (stage, other) = (first.0.name.clone(), second.0.name.clone());
    match (first.1, second.1) {
        (Some(first), Some(second)) if stage == other => MatchError::TwoServices {
            place,
            stage,
            first: first.clone(),
            second: second.clone(),
        },
        _ => MatchError::Two {
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
        place: &Place,
        canonical: &CanonicalPlace,
    ) -> Result<Option<Owner<'a>>, MatchError> {
        if let Some(owner) = self.owners.get(canonical) {
            return Ok(Some(*owner));
        }
        for (stage, marked) in &self.marked {
            if let Some(service) = in_services_stead(marked, canonical) {
                return Err(MatchError::NoService {
                    place: place.clone(),
                    stage: stage.name.clone(),
                    service,
                });
            }
        }
        Ok(None)
    }
}

/// Returns what stands in `place` where `marked` has the service.
fn in_services_stead(marked: &CanonicalPlace, place: &CanonicalPlace) -> Option<String> {
    let (marked, name) = match (marked, place) {
        (CanonicalPlace::Repository(registry, marked), CanonicalPlace::Repository(other, path))
            if registry == other =>
        {
            (marked.clone(), path.clone())
        }
        (CanonicalPlace::Directory(marked), CanonicalPlace::Directory(path)) => {
            (marked.display().to_string(), path.display().to_string())
        }
        _ => return None,
    };
    let (before, after) = marked.split_once(MARK)?;
    let service = name.strip_prefix(before)?.strip_suffix(after)?;
    (!service.is_empty() && !service.contains('/')).then(|| service.to_owned())
}
