//! Where images come from and where they go: what the inputs say, held to the policy (promise 5).

mod approved_sources;
mod policy_routing;
mod repositories;
mod route_origin;
mod route_source;

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::policy_environment::find_environment;
use crate::cli::Input;
use crate::image::Destination;
use crate::notices::to_printable;
use crate::policy::{EnvironmentRules, Service};
use crate::release::{Failure, ReleaseVerb};
use crate::tagging::EnvironmentName;
use approved_sources::ApprovedSources;
use policy_routing::PolicyRouting;
use route_source::refuse_newest_without_policy;

pub(super) use route_origin::RouteOrigin;
pub(super) use route_source::{RouteSearch, RouteSource};

/// Checks that no two repositories of the policy are one, on this machine, as a release does.
///
/// # Errors
/// Two that are one, or a directory of which that cannot be known.
pub(super) fn check_repositories(
    invocation: &Invocation,
    policy: &LoadedPolicy,
) -> Result<(), Failure> {
    repositories::find(invocation, policy).map(drop)
}

/// What is to be released where.
pub(super) struct ReleaseTargets<'a> {
    /// The environment that it is released to.
    pub(super) environment: Option<EnvironmentName>,
    /// The environment with its rules, where the policy has it.
    pub(super) rules: Option<&'a EnvironmentRules>,
    /// The images: at least one.
    pub(super) routes: Vec<ImageRoute<'a>>,
}

/// One image on its way.
pub(super) struct ImageRoute<'a> {
    /// The service that it is of, where the environment has several.
    pub(super) service: Option<Service>,
    pub(super) source: RouteSource,
    /// The places that its images come from alone, where the policy names them, or that are searched.
    pub(super) origins: Vec<RouteOrigin<'a>>,
    pub(super) destinations: Vec<Destination>,
}

/// Finds it out.
///
/// # Errors
/// Inputs that contradict each other or the policy, and what the policy refuses.
pub(super) fn resolve_targets<'a>(
    invocation: &Invocation,
    verb: ReleaseVerb,
    policy: Option<&'a LoadedPolicy>,
) -> Result<ReleaseTargets<'a>, Failure> {
    let images: Vec<Destination> = invocation.arguments.values(Input::Images)?;
    let environment: Option<EnvironmentName> = invocation.arguments.value(Input::Environment)?;
    let Some(policy) = policy.filter(|policy| !policy.policy.environments().is_empty()) else {
        return targets_without_policy(invocation, verb, images, environment);
    };
    let routing = PolicyRouting {
        invocation,
        verb,
        policy,
        repositories: repositories::find(invocation, policy)?,
        approved: ApprovedSources::read(invocation)?,
    };
    match images.is_empty() {
        true => routing.targets_of_environment(environment.as_ref()),
        false => routing.targets_of_images(images, environment),
    }
}

/// Repositories whose records a verb reads.
pub(super) struct RecordedTargets<'a> {
    /// The environment.
    pub(super) environment: EnvironmentName,
    /// The environment with its rules, where the policy has it.
    pub(super) rules: Option<&'a EnvironmentRules>,
    /// Its repositories: at least one.
    pub(super) places: Vec<(Option<Service>, Destination)>,
}

/// Finds the repositories of the environment that the inputs name.
///
/// # Errors
/// Inputs that contradict each other or the policy.
pub(super) fn resolve_recorded<'a>(
    invocation: &Invocation,
    policy: Option<&'a LoadedPolicy>,
) -> Result<RecordedTargets<'a>, Failure> {
    let arguments = &invocation.arguments;
    let images: Vec<Destination> = arguments.values(Input::Images)?;
    let environment: EnvironmentName = arguments.required(Input::Environment)?;
    let Some(policy) = policy.filter(|policy| !policy.policy.environments().is_empty()) else {
        if !arguments.entries(Input::Services).is_empty() {
            return Err(services_without_policy());
        }
        if images.is_empty() {
            return Err(no_destination_failure(invocation));
        }
        return Ok(RecordedTargets {
            environment,
            rules: None,
            places: images.into_iter().map(|place| (None, place)).collect(),
        });
    };
    if !images.is_empty() && !arguments.entries(Input::Services).is_empty() {
        return Err(services_and_images());
    }
    let routing = PolicyRouting {
        invocation,
        verb: ReleaseVerb::Promote,
        policy,
        repositories: repositories::find(invocation, policy)?,
        approved: None,
    };
    let rules = find_environment(policy, &environment)?;
    let places = match images.is_empty() {
        true => routing.selected_services(rules)?,
        false => routing.places_of_images(rules, images)?,
    };
    Ok(RecordedTargets {
        environment,
        rules: Some(rules),
        places,
    })
}

/// Returns the service that a repository of the policy is of.
///
/// # Errors
/// Repositories that cannot be told apart.
pub(super) fn service_of_place(
    invocation: &Invocation,
    policy: &LoadedPolicy,
    place: &Destination,
) -> Result<Option<Service>, Failure> {
    let repositories = repositories::find(invocation, policy)?;
    let found = repositories::matching(policy, &repositories, place)?;
    Ok(found.and_then(|(_, service)| service.cloned()))
}

/// Returns the environment that a repository of the policy is of.
///
/// # Errors
/// Repositories that cannot be told apart.
pub(super) fn environment_of_place(
    invocation: &Invocation,
    policy: &LoadedPolicy,
    place: &Destination,
) -> Result<Option<EnvironmentName>, Failure> {
    let repositories = repositories::find(invocation, policy)?;
    let found = repositories::matching(policy, &repositories, place)?;
    Ok(found.map(|(rules, _)| rules.name().clone()))
}

fn services_and_images() -> Failure {
    Failure::input("services and images are both given")
        .with_reason("services stand for the repositories that the policy gives them")
        .with_hint("leave images out, and name the environment")
}

fn services_without_policy() -> Failure {
    Failure::input("services is given, and there is no policy")
        .with_hint("services chooses some of those that a policy file names")
}

fn targets_without_policy<'a>(
    invocation: &Invocation,
    verb: ReleaseVerb,
    images: Vec<Destination>,
    environment: Option<EnvironmentName>,
) -> Result<ReleaseTargets<'a>, Failure> {
    if !invocation.arguments.entries(Input::Services).is_empty() {
        return Err(services_without_policy());
    }
    if images.is_empty() {
        return Err(no_destination_failure(invocation));
    }
    refuse_newest_without_policy(invocation)?;
    approved_sources::refuse_without_policy(invocation)?;
    let (source, origins) = RouteSource::without_from(invocation, verb, &images)?;
    Ok(ReleaseTargets {
        environment,
        rules: None,
        routes: vec![ImageRoute {
            service: None,
            source,
            origins,
            destinations: images,
        }],
    })
}

fn no_destination_failure(invocation: &Invocation) -> Failure {
    let error = invocation
        .arguments
        .error(Input::Images, None, "is required");
    let names_environment = !invocation.arguments.entries(Input::Environment).is_empty();
    Failure::input(error.to_string()).with_hint(match names_environment {
        true => "there is no .github/shipmark.yml with environments here: add one, or name the places in images",
        false => "name the places in images, or with environment one of the policy file's",
    })
}

impl<'a> PolicyRouting<'a, '_> {
    /// To the repositories that the policy gives an environment.
    fn targets_of_environment(
        &self,
        name: Option<&EnvironmentName>,
    ) -> Result<ReleaseTargets<'a>, Failure> {
        let name = name.ok_or_else(|| no_destination_failure(self.invocation))?;
        let stage = find_environment(self.policy, name)?;
        let chosen = self.selected_services(stage)?;
        if let Some(approved) = &self.approved {
            approved.refuse_others(self.invocation, &chosen)?;
        }
        let mut routes = Vec::with_capacity(chosen.len());
        for (service, place) in &chosen {
            let source = self.resolve_source(stage, service.as_ref(), chosen.len(), [place]);
            let (source, origins) = source?;
            routes.push(ImageRoute {
                service: service.clone(),
                source,
                origins,
                destinations: vec![place.clone()],
            });
        }
        Ok(ReleaseTargets {
            environment: Some(stage.name().clone()),
            rules: Some(stage),
            routes,
        })
    }

    /// To the places in `images`; those of an environment bring its rules with them.
    fn targets_of_images(
        &self,
        images: Vec<Destination>,
        named: Option<EnvironmentName>,
    ) -> Result<ReleaseTargets<'a>, Failure> {
        let applies = self.matching_environment(&images)?;
        if let Some(name) = &named {
            self.require_same_environment(
                find_environment(self.policy, name)?,
                applies.map(|(stage, _)| stage),
            )?;
        }
        if !self
            .invocation
            .arguments
            .entries(Input::Services)
            .is_empty()
        {
            return Err(services_and_images());
        }
        let (source, origins) = match applies {
            Some((stage, service)) => {
                if let Some(approved) = &self.approved {
                    let chosen = (service.cloned(), images[0].clone());
                    approved.refuse_others(self.invocation, &[chosen])?;
                }
                self.resolve_source(stage, service, 1, &images)?
            }
            None => {
                refuse_newest_without_policy(self.invocation)?;
                approved_sources::refuse_without_policy(self.invocation)?;
                RouteSource::without_from(self.invocation, self.verb, &images)?
            }
        };
        let service = applies.and_then(|(_, service)| service.cloned());
        let stage = applies.map(|(stage, _)| stage);
        Ok(ReleaseTargets {
            environment: stage.map(|stage| stage.name().clone()),
            rules: stage,
            routes: vec![ImageRoute {
                service,
                source,
                origins,
                destinations: images,
            }],
        })
    }

    /// The places in `images` with their services, all of which must be of an environment.
    fn places_of_images(
        &self,
        rules: &EnvironmentRules,
        images: Vec<Destination>,
    ) -> Result<Vec<(Option<Service>, Destination)>, Failure> {
        let mut places = Vec::with_capacity(images.len());
        for place in images {
            let found = self.match_destination(&place)?;
            self.require_same_environment(rules, found.map(|(of, _)| of))?;
            places.push((found.and_then(|(_, service)| service.cloned()), place));
        }
        Ok(places)
    }

    /// The environment, and the service, that any of `images` is a repository of.
    fn matching_environment(
        &self,
        images: &[Destination],
    ) -> Result<Option<(&'a EnvironmentRules, Option<&'a Service>)>, Failure> {
        let mut applies = None;
        for place in images {
            let found = self.match_destination(place)?;
            match (applies, found) {
                (None, found) => applies = found,
                (Some(one), Some(other)) if one != other => {
                    return Err(Failure::input(format!(
                        "{place} is {}, and another of images is {}",
                        environment_label(other),
                        environment_label(one)
                    ))
                    .with_hint("release to one of them after the other"));
                }
                _ => {}
            }
        }
        Ok(applies)
    }

    /// That the environment which is named is the one that images are of.
    fn require_same_environment(
        &self,
        named: &EnvironmentRules,
        applies: Option<&EnvironmentRules>,
    ) -> Result<(), Failure> {
        let name = named.name();
        let failure = match applies {
            Some(stage) if stage.name() == name => return Ok(()),
            Some(stage) => Failure::input(format!(
                "images names a repository of {}, and environment is {name}",
                stage.name()
            )),
            None => Failure::input(format!(
                "environment is {name}, and images names no repository of it"
            )),
        };
        Err(failure.with_hint("leave images out: the policy says where its images are"))
    }

    /// The services that are meant, with their repositories.
    fn selected_services(
        &self,
        stage: &'a EnvironmentRules,
    ) -> Result<Vec<(Option<Service>, Destination)>, Failure> {
        let arguments = &self.invocation.arguments;
        let entries = arguments.entries(Input::Services);
        if entries.is_empty() {
            let all = stage.destinations().to_vec();
            return Ok(match &self.approved {
                Some(approved) => approved.chosen_of(all),
                None => all,
            });
        }
        let services: Vec<Service> = arguments.values(Input::Services)?;
        let mut chosen: Vec<(Option<Service>, Destination)> = Vec::new();
        for (service, entry) in services.into_iter().zip(entries) {
            let wrong = |reason: String| {
                Failure::from(arguments.entry_error(Input::Services, entry, reason))
            };
            let Some(place) = stage.place(Some(&service)) else {
                return Err(match stage.is_per_service() {
                    true => wrong(format!("is none of the services in {}", self.policy.file)),
                    false => wrong(format!(
                        "is chosen, and {} has one repository for all",
                        stage.name()
                    )),
                });
            };
            if chosen
                .iter()
                .any(|(known, _)| known.as_ref() == Some(&service))
            {
                return Err(wrong("is there twice".to_owned()));
            }
            chosen.push((Some(service), place.clone()));
        }
        Ok(chosen)
    }
}

fn environment_label((stage, service): (&EnvironmentRules, Option<&Service>)) -> String {
    match service {
        Some(service) => format!("{service} in {}", stage.name()),
        None => format!("of {}", to_printable(stage.name().as_str(), 40)),
    }
}
