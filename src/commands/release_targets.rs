//! Where images come from and where they go: what the inputs say, held to the policy (promise 5).

mod repositories;

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::policy_environment::{find_environment, refuse_push};
use super::source_input::parse_released_source;
use crate::cli::Input;
use crate::image::{Destination, Digest, ImageSelector, ImageSource, Tag, TagOrDigest};
use crate::notices::to_printable;
use crate::policy::{EnvironmentRules, Repositories, Service};
use crate::release::{Failure, ReleaseVerb};
use crate::tagging::EnvironmentName;

/// What is to be released where.
pub(super) struct ReleaseTargets<'a> {
    /// The environment that it is released to.
    pub(super) environment: Option<EnvironmentName>,
    /// The environment with its rules, where the policy has it.
    pub(super) rules: Option<&'a EnvironmentRules>,
    /// The images: at least one.
    pub(super) routes: Vec<ImageRoute>,
}

/// One image on its way.
pub(super) struct ImageRoute {
    /// The service that it is of, where the environment has several.
    pub(super) service: Option<Service>,
    pub(super) source: ImageSource,
    /// The repository that its images come from alone, where the policy names one.
    pub(super) from: Option<Destination>,
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
    refuse_reserved_newest(invocation)?;
    let images: Vec<Destination> = invocation.arguments.values(Input::Images)?;
    let environment: Option<EnvironmentName> = invocation.arguments.value(Input::Environment)?;
    let Some(policy) = policy.filter(|policy| !policy.policy.environments().is_empty()) else {
        return targets_without_policy(invocation, images, environment);
    };
    let routing = PolicyRouting {
        invocation,
        verb,
        policy,
        repositories: repositories::find(invocation, policy)?,
    };
    match images.is_empty() {
        true => routing.targets_of_environment(environment.as_ref()),
        false => routing.targets_of_images(images, environment),
    }
}

fn targets_without_policy<'a>(
    invocation: &Invocation,
    images: Vec<Destination>,
    environment: Option<EnvironmentName>,
) -> Result<ReleaseTargets<'a>, Failure> {
    if !invocation.arguments.entries(Input::Services).is_empty() {
        return Err(Failure::input("services is given, and there is no policy")
            .with_hint("services chooses some of those that a policy file names"));
    }
    if images.is_empty() {
        return Err(no_destination_failure(invocation));
    }
    Ok(ReleaseTargets {
        environment,
        rules: None,
        routes: vec![ImageRoute {
            service: None,
            source: parse_released_source(invocation)?,
            from: None,
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

/// A run that a policy has a say in.
struct PolicyRouting<'a, 'g> {
    invocation: &'g Invocation,
    verb: ReleaseVerb,
    policy: &'a LoadedPolicy,
    repositories: Repositories<'a>,
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
        let mut routes = Vec::with_capacity(chosen.len());
        for (service, place) in &chosen {
            routes.push(ImageRoute {
                service: service.clone(),
                source: self.resolve_source(stage, service.as_ref(), chosen.len())?,
                from: self.place_of_from(stage, service.as_ref())?,
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
            return Err(Failure::input("services and images are both given")
                .with_reason("services stand for the repositories that the policy gives them")
                .with_hint("leave images out, and name the environment"));
        }
        let (source, from, service) = match applies {
            Some((stage, service)) => (
                self.resolve_source(stage, service, 1)?,
                self.place_of_from(stage, service)?,
                service.cloned(),
            ),
            None => (parse_released_source(self.invocation)?, None, None),
        };
        let stage = applies.map(|(stage, _)| stage);
        Ok(ReleaseTargets {
            environment: stage.map(|stage| stage.name().clone()),
            rules: stage,
            routes: vec![ImageRoute {
                service,
                source,
                from,
                destinations: images,
            }],
        })
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

    fn match_destination(
        &self,
        place: &Destination,
    ) -> Result<Option<(&'a EnvironmentRules, Option<&'a Service>)>, Failure> {
        repositories::matching(self.policy, &self.repositories, place)
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
            return Ok(stage.destinations().to_vec());
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

    /// Where the image of a service comes from.
    fn resolve_source(
        &self,
        stage: &EnvironmentRules,
        service: Option<&Service>,
        images: usize,
    ) -> Result<ImageSource, Failure> {
        refuse_push(stage, self.verb)?;
        let text = self
            .invocation
            .arguments
            .text(Input::Source)
            .unwrap_or_default();
        match (parse_bare_target(text), stage.from()) {
            (Some(target), Some(from)) => self.source_in_environment(from, service, target),
            (Some(_), None) => Err(self.wrong_source(format!(
                "names no repository, and {} takes its images from no other environment: give the whole reference",
                stage.name()
            ))),
            (None, _) if images > 1 => Err(self.wrong_source(format!(
                "is one image, and {images} services are to be released: {}choose one with services",
                if self.verb == ReleaseVerb::Push { "" } else { "give a tag, or " }
            ))),
            (None, from) => {
                let source = parse_released_source(self.invocation)?;
                match from {
                    Some(from) => self.read_from(stage, from, service, source),
                    None => Ok(source),
                }
            }
        }
    }

    /// The repository that a service has in an environment.
    fn place_in(
        &self,
        name: &EnvironmentName,
        service: Option<&Service>,
    ) -> Result<&'a Destination, Failure> {
        let place = find_environment(self.policy, name)?.place(service);
        place.ok_or_else(|| Failure::input(format!("{name} has no repository for it")))
    }

    /// The repository that the images of an environment come from, where it names one.
    fn place_of_from(
        &self,
        to: &EnvironmentRules,
        of: Option<&Service>,
    ) -> Result<Option<Destination>, Failure> {
        let place = to.from().map(|from| self.place_in(from, of));
        Ok(place.transpose()?.cloned())
    }

    /// What `target` is in the repository that a service has in `from`.
    fn source_in_environment(
        &self,
        from: &EnvironmentName,
        service: Option<&Service>,
        target: TagOrDigest,
    ) -> Result<ImageSource, Failure> {
        Ok(at(self.place_in(from, service)?, target))
    }

    /// An environment that has a `from` takes images from nowhere else. Its own are there already: they
    /// may get further tags. Places that count as the same need not be: two registries may listen at two
    /// addresses of this machine. So the image is read where the policy says, however it was spelled.
    fn read_from(
        &self,
        stage: &EnvironmentRules,
        from: &EnvironmentName,
        service: Option<&Service>,
        source: ImageSource,
    ) -> Result<ImageSource, Failure> {
        let place = match &source {
            ImageSource::Registry(reference) => {
                Some(Destination::Registry(reference.repository.clone()))
            }
            ImageSource::Layout(path, _) => Some(Destination::Layout(path.clone())),
            ImageSource::Archive(..) | ImageSource::DockerArchive(..) | ImageSource::Daemon(_) => {
                None
            }
        };
        let found = place
            .map(|place| self.match_destination(&place))
            .transpose()?
            .flatten();
        let allowed = [from, stage.name()];
        let found = found.filter(|(of, its)| allowed.contains(&of.name()) && *its == service);
        let Some(place) = found.and_then(|(of, _)| of.place(service)) else {
            return Err(Failure::refused(format!(
                "the source {source} for the environment {}",
                stage.name()
            ))
            .with_reason(format!("{} takes its images from {from}", stage.name()))
            .with_hint(format!(
                "promote it to {from} first, and give its tag or digest alone as source"
            )));
        };
        let own = match &source {
            ImageSource::Registry(reference) => at(place, reference.target.clone()),
            other => in_place(place, other),
        };
        if own != source {
            let log = &self.invocation.log;
            log.info(&format!(
                "the source {source} is read as the policy has it, {own}"
            ));
        }
        Ok(own)
    }

    fn wrong_source(&self, reason: String) -> Failure {
        let arguments = &self.invocation.arguments;
        match arguments.entries(Input::Source).first() {
            Some(entry) => arguments.entry_error(Input::Source, entry, reason).into(),
            None => arguments.error(Input::Source, None, reason).into(),
        }
    }
}

/// What `target` is in a place.
fn at(place: &Destination, target: TagOrDigest) -> ImageSource {
    match (place, target) {
        (Destination::Registry(repository), target) => {
            ImageSource::Registry(repository.to_reference(target))
        }
        (Destination::Layout(path), TagOrDigest::Tag(tag)) => {
            ImageSource::Layout(path.clone(), ImageSelector::Name(tag.to_string()))
        }
        (Destination::Layout(path), TagOrDigest::Digest(digest)) => {
            ImageSource::Layout(path.clone(), ImageSelector::Digest(digest))
        }
    }
}

/// The image of a layout, by another path of its directory.
fn in_place(place: &Destination, source: &ImageSource) -> ImageSource {
    match (place, source) {
        (Destination::Layout(path), ImageSource::Layout(_, selector)) => {
            ImageSource::Layout(path.clone(), selector.clone())
        }
        _ => source.clone(),
    }
}

/// Will stand for the newest release of an environment. Until it does it is no tag's name either, so that
/// no workflow is written which later means something else.
const RESERVED_NEWEST: &str = "newest";

fn refuse_reserved_newest(invocation: &Invocation) -> Result<(), Failure> {
    let mut entries = invocation.arguments.entries(Input::Source).iter();
    let Some(entry) = entries.find(|entry| entry.text == RESERVED_NEWEST) else {
        return Ok(());
    };
    let reason = "is kept for the newest release of an environment, which a later version looks up";
    Err(Failure::from(invocation.arguments.entry_error(Input::Source, entry, reason))
        .with_reason("what is newest is not known without release records, which this version does not keep")
        .with_hint("name the tag or the digest that was tested; an image under a tag of this name by its whole reference"))
}

/// A tag or a digest without a repository.
fn parse_bare_target(text: &str) -> Option<TagOrDigest> {
    let digest = text.parse::<Digest>().map(TagOrDigest::Digest);
    digest
        .or_else(|_| text.parse::<Tag>().map(TagOrDigest::Tag))
        .ok()
}

fn environment_label((stage, service): (&EnvironmentRules, Option<&Service>)) -> String {
    match service {
        Some(service) => format!("{service} in {}", stage.name()),
        None => format!("of {}", to_printable(stage.name().as_str(), 40)),
    }
}
