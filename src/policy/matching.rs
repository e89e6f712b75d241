//! Which environment a repository belongs to, by whichever of its names it is given (promise 5).

use std::path::{Component, Path, PathBuf};

use thiserror::Error;

use super::{Policy, Service, Stage};
use crate::image::{Place, RegistryName};
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
const MARK: &str = "any--service--at--all";

impl Policy {
    /// The environment that `place` is a repository of, and the service. Relative directories begin at
    /// `here`.
    ///
    /// # Errors
    /// Where that is not one of each.
    pub fn matching(
        &self,
        place: &Place,
        here: &Path,
    ) -> Result<Option<(&Stage, Option<&Service>)>, MatchError> {
        let name = canonical(place, here);
        let of_stage = |stage| -> Vec<(&Stage, Option<&Service>)> {
            let places = Stage::places(stage).iter();
            let same = places.filter(|(_, place)| canonical(place, here) == name);
            same.map(|(service, _)| (stage, service.as_ref())).collect()
        };
        let found: Vec<_> = self.stages.iter().flat_map(of_stage).collect();
        match found[..] {
            [one] => Ok(Some(one)),
            [] => self.refuse_unknown(place, &name, here).map(|()| None),
            [(first, _), (second, _), ..] => Err(MatchError::Two {
                place: place.clone(),
                first: first.name.clone(),
                second: second.name.clone(),
            }),
        }
    }

    fn refuse_unknown(&self, place: &Place, name: &str, here: &Path) -> Result<(), MatchError> {
        for stage in self.stages.iter().filter(|stage| stage.is_per_service()) {
            if let Some(service) = in_services_stead(stage, name, here) {
                return Err(MatchError::NoService {
                    place: place.clone(),
                    stage: stage.name.clone(),
                    service,
                });
            }
        }
        Ok(())
    }
}

/// What stands in `name` where the stage's repositories have the service.
fn in_services_stead(stage: &Stage, name: &str, here: &Path) -> Option<String> {
    let marked = canonical(&stage.template.with(MARK).ok()?, here);
    let (before, after) = marked.split_once(MARK)?;
    let service = name.strip_prefix(before)?.strip_suffix(after)?;
    (!service.is_empty() && !service.contains('/')).then(|| service.to_owned())
}

/// A name that is the same for all ways to write a place: default ports left out, directories
/// without `.` and `..`.
pub(super) fn canonical(place: &Place, here: &Path) -> String {
    match place {
        Place::Registry(repository) => {
            format!("{}/{}", host(repository.registry()), repository.path())
        }
        Place::Layout(path) => format!("oci:{}", plain(&here.join(path)).display()),
    }
}

fn host(registry: &RegistryName) -> String {
    let name = registry.as_str();
    match name.rsplit_once(':') {
        Some((host, port)) if !name.ends_with(']') => match port.parse::<u16>() {
            Ok(80 | 443) => address(host),
            Ok(port) => format!("{}:{port}", address(host)),
            Err(_) => name.to_owned(),
        },
        _ => address(name),
    }
}

/// An IPv6 address has many spellings.
fn address(host: &str) -> String {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match inner.and_then(|inner| inner.parse::<std::net::Ipv6Addr>().ok()) {
        Some(address) => format!("[{address}]"),
        None => host.to_owned(),
    }
}

fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::ParentDir if plain.has_root() => {}
            other => plain.push(other),
        }
    }
    plain
}
