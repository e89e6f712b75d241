//! Where images come from and where they go: what the inputs say, held to the policy (promise 5).

mod repositories;

use super::Given;
use super::policy::Held;
use crate::image::{Digest, Location, Place, Selector, Tag, Target};
use crate::notice::printable;
use crate::policy::{Repositories, Service, Stage};
use crate::release::{Failure, Verb};
use crate::tagging::Environment;

/// What is to be released where.
pub(super) struct Road<'a> {
    /// The environment that it is released to.
    pub(super) environment: Option<Environment>,
    /// The environment with its rules, where the policy has it.
    pub(super) stage: Option<&'a Stage>,
    /// The images: at least one.
    pub(super) routes: Vec<Route>,
}

/// One image on its way.
pub(super) struct Route {
    /// The service that it is of, where the environment has several.
    pub(super) service: Option<Service>,
    pub(super) source: Location,
    /// The repository that its images come from alone, where the policy names one.
    pub(super) from: Option<Place>,
    pub(super) destinations: Vec<Place>,
}

/// Finds it out.
///
/// # Errors
/// Inputs that contradict each other or the policy, and what the policy refuses.
pub(super) fn find<'a>(
    given: &Given,
    verb: Verb,
    held: Option<&'a Held>,
) -> Result<Road<'a>, Failure> {
    refuse_newest(given)?;
    let images: Vec<Place> = given.arguments.values("images")?;
    let environment: Option<Environment> = given.arguments.value("environment")?;
    let Some(held) = held.filter(|held| !held.policy.stages().is_empty()) else {
        return without_policy(given, images, environment);
    };
    let ruled = Ruled {
        given,
        verb,
        held,
        repositories: repositories::find(given, held)?,
    };
    match images.is_empty() {
        true => ruled.to_environment(environment.as_ref()),
        false => ruled.to_images(images, environment),
    }
}

fn without_policy<'a>(
    given: &Given,
    images: Vec<Place>,
    environment: Option<Environment>,
) -> Result<Road<'a>, Failure> {
    if !given.arguments.entries("services").is_empty() {
        return Err(Failure::input("services is given, and there is no policy")
            .hint("services chooses some of those that a policy file names"));
    }
    if images.is_empty() {
        return Err(nowhere(given));
    }
    Ok(Road {
        environment,
        stage: None,
        routes: vec![Route {
            service: None,
            source: given.arguments.required("source")?,
            from: None,
            destinations: images,
        }],
    })
}

fn nowhere(given: &Given) -> Failure {
    let error = given.arguments.error("images", None, "is needed");
    Failure::input(error.to_string())
        .hint("name the places in images, or with environment one of the policy file's")
}

/// A run that a policy has a say in.
struct Ruled<'a, 'g> {
    given: &'g Given,
    verb: Verb,
    held: &'a Held,
    repositories: Repositories<'a>,
}

impl<'a> Ruled<'a, '_> {
    /// To the repositories that the policy gives an environment.
    fn to_environment(&self, name: Option<&Environment>) -> Result<Road<'a>, Failure> {
        let name = name.ok_or_else(|| nowhere(self.given))?;
        let stage = self.named(name)?;
        let chosen = self.chosen(stage)?;
        let mut routes = Vec::with_capacity(chosen.len());
        for (service, place) in &chosen {
            routes.push(Route {
                service: service.clone(),
                source: self.source(stage, service.as_ref(), chosen.len())?,
                from: self.place_of_from(stage, service.as_ref())?,
                destinations: vec![place.clone()],
            });
        }
        Ok(Road {
            environment: Some(stage.name().clone()),
            stage: Some(stage),
            routes,
        })
    }

    /// To the places in `images`; those of an environment bring its rules with them.
    fn to_images(
        &self,
        images: Vec<Place>,
        named: Option<Environment>,
    ) -> Result<Road<'a>, Failure> {
        let applies = self.applying(&images)?;
        if let Some(name) = &named {
            self.agree(self.named(name)?, applies.map(|(stage, _)| stage))?;
        }
        if !self.given.arguments.entries("services").is_empty() {
            return Err(Failure::input("services and images are both given")
                .why("services stand for the repositories that the policy gives them")
                .hint("leave images out, and name the environment"));
        }
        let (source, from, service) = match applies {
            Some((stage, service)) => (
                self.source(stage, service, 1)?,
                self.place_of_from(stage, service)?,
                service.cloned(),
            ),
            None => (self.given.arguments.required("source")?, None, None),
        };
        let stage = applies.map(|(stage, _)| stage);
        Ok(Road {
            environment: stage.map(|stage| stage.name().clone()),
            stage,
            routes: vec![Route {
                service,
                source,
                from,
                destinations: images,
            }],
        })
    }

    /// The environment, and the service, that any of `images` is a repository of.
    fn applying(
        &self,
        images: &[Place],
    ) -> Result<Option<(&'a Stage, Option<&'a Service>)>, Failure> {
        let mut applies = None;
        for place in images {
            let found = self.matching(place)?;
            match (applies, found) {
                (None, found) => applies = found,
                (Some(one), Some(other)) if one != other => {
                    return Err(Failure::input(format!(
                        "{place} is {}, and another of images is {}",
                        called(other),
                        called(one)
                    ))
                    .hint("release to one of them after the other"));
                }
                _ => {}
            }
        }
        Ok(applies)
    }

    fn matching(&self, place: &Place) -> Result<Option<(&'a Stage, Option<&'a Service>)>, Failure> {
        repositories::matching(self.held, &self.repositories, place)
    }

    /// That the environment which is named is the one that images are of.
    fn agree(&self, named: &Stage, applies: Option<&Stage>) -> Result<(), Failure> {
        let name = named.name();
        let what = match applies {
            Some(stage) if stage.name() == name => return Ok(()),
            Some(stage) => format!(
                "images names a repository of {}, and environment is {name}",
                stage.name()
            ),
            None => format!("environment is {name}, and images names no repository of it"),
        };
        Err(Failure::input(what).hint("leave images out: the policy says where its images are"))
    }

    fn named(&self, name: &Environment) -> Result<&'a Stage, Failure> {
        let policy = &self.held.policy;
        policy.stage(name).ok_or_else(|| {
            let known: Vec<_> = policy
                .stages()
                .iter()
                .map(|it| it.name().as_str())
                .collect();
            Failure::input(format!(
                "there is no environment {name} in {}",
                self.held.file
            ))
            .hint(format!("it has {}", known.join(", ")))
        })
    }

    /// The services that are meant, with their repositories.
    fn chosen(&self, stage: &'a Stage) -> Result<Vec<(Option<Service>, Place)>, Failure> {
        let arguments = &self.given.arguments;
        let entries = arguments.entries("services");
        if entries.is_empty() {
            return Ok(stage.places().to_vec());
        }
        let services: Vec<Service> = arguments.values("services")?;
        let mut chosen: Vec<(Option<Service>, Place)> = Vec::new();
        for (service, entry) in services.into_iter().zip(entries) {
            let wrong = |reason: String| Failure::from(arguments.wrong("services", entry, reason));
            let Some(place) = stage.place(Some(&service)) else {
                return Err(match stage.is_per_service() {
                    true => wrong(format!("is none of the services in {}", self.held.file)),
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
    fn source(
        &self,
        stage: &Stage,
        service: Option<&Service>,
        images: usize,
    ) -> Result<Location, Failure> {
        if self.verb == Verb::Push
            && let Some(from) = stage.from()
        {
            return Err(
                Failure::refused(format!("a push to the environment {}", stage.name()))
                    .why(format!("it takes its images from {from}"))
                    .hint("promote what is there"),
            );
        }
        let text = self.given.arguments.text("source").unwrap_or_default();
        match (bare(text), stage.from()) {
            (Some(target), Some(from)) => self.named_in(from, service, target),
            (Some(_), None) => Err(self.wrong_source(format!(
                "names no repository, and {} takes its images from no other environment: give the whole reference",
                stage.name()
            ))),
            (None, _) if images > 1 => Err(self.wrong_source(format!(
                "is one image, and {images} services are to be released: {}choose one with services",
                if self.verb == Verb::Push { "" } else { "give a tag, or " }
            ))),
            (None, from) => {
                let source: Location = self.given.arguments.required("source")?;
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
        name: &Environment,
        service: Option<&Service>,
    ) -> Result<&'a Place, Failure> {
        let place = self.named(name)?.place(service);
        place.ok_or_else(|| Failure::input(format!("{name} has no repository for it")))
    }

    /// The repository that the images of an environment come from, where it names one.
    fn place_of_from(&self, to: &Stage, of: Option<&Service>) -> Result<Option<Place>, Failure> {
        let place = to.from().map(|from| self.place_in(from, of));
        Ok(place.transpose()?.cloned())
    }

    /// What `target` is in the repository that a service has in `from`.
    fn named_in(
        &self,
        from: &Environment,
        service: Option<&Service>,
        target: Target,
    ) -> Result<Location, Failure> {
        Ok(at(self.place_in(from, service)?, target))
    }

    /// An environment that has a `from` takes images from nowhere else. Its own are there already: they
    /// may get further tags. Places that count as the same need not be: two registries may listen at two
    /// addresses of this machine. So the image is read where the policy says, however it was spelled.
    fn read_from(
        &self,
        stage: &Stage,
        from: &Environment,
        service: Option<&Service>,
        source: Location,
    ) -> Result<Location, Failure> {
        let place = match &source {
            Location::Registry(reference) => Some(Place::Registry(reference.repository.clone())),
            Location::Layout(path, _) => Some(Place::Layout(path.clone())),
            Location::Archive(..) | Location::DockerArchive(..) | Location::Daemon(_) => None,
        };
        let found = place
            .map(|place| self.matching(&place))
            .transpose()?
            .flatten();
        let allowed = [from, stage.name()];
        let found = found.filter(|(of, its)| allowed.contains(&of.name()) && *its == service);
        let Some(place) = found.and_then(|(of, _)| of.place(service)) else {
            return Err(Failure::refused(format!(
                "the source {source} for the environment {}",
                stage.name()
            ))
            .why(format!("{} takes its images from {from}", stage.name()))
            .hint(format!(
                "promote it to {from} first, and give its tag or digest alone as source"
            )));
        };
        let own = match &source {
            Location::Registry(reference) => at(place, reference.target.clone()),
            other => in_place(place, other),
        };
        if own != source {
            let log = &self.given.log;
            log.info(&format!(
                "the source {source} is read as the policy has it, {own}"
            ));
        }
        Ok(own)
    }

    fn wrong_source(&self, reason: String) -> Failure {
        let arguments = &self.given.arguments;
        match arguments.entries("source").first() {
            Some(entry) => arguments.wrong("source", entry, reason).into(),
            None => arguments.error("source", None, reason).into(),
        }
    }
}

/// What `target` is in a place.
fn at(place: &Place, target: Target) -> Location {
    match (place, target) {
        (Place::Registry(repository), target) => Location::Registry(repository.reference(target)),
        (Place::Layout(path), Target::Tag(tag)) => {
            Location::Layout(path.clone(), Selector::Name(tag.to_string()))
        }
        (Place::Layout(path), Target::Digest(digest)) => {
            Location::Layout(path.clone(), Selector::Digest(digest))
        }
    }
}

/// The image of a layout, by another path of its directory.
fn in_place(place: &Place, source: &Location) -> Location {
    match (place, source) {
        (Place::Layout(path), Location::Layout(_, selector)) => {
            Location::Layout(path.clone(), selector.clone())
        }
        _ => source.clone(),
    }
}

/// Will stand for the newest release of an environment. Until it does it is no tag's name either, so that
/// no workflow is written which later means something else.
const NEWEST: &str = "newest";

fn refuse_newest(given: &Given) -> Result<(), Failure> {
    let mut entries = given.arguments.entries("source").iter();
    let Some(entry) = entries.find(|entry| entry.text == NEWEST) else {
        return Ok(());
    };
    let reason = "is kept for the newest release of an environment, which a later version looks up";
    Err(Failure::from(given.arguments.wrong("source", entry, reason))
        .why("what is newest is not known without release records, which this version does not keep")
        .hint("name the tag or the digest that was tested; an image under a tag of this name by its whole reference"))
}

/// A tag or a digest without a repository.
fn bare(text: &str) -> Option<Target> {
    let digest = text.parse::<Digest>().map(Target::Digest);
    digest
        .or_else(|_| text.parse::<Tag>().map(Target::Tag))
        .ok()
}

fn called((stage, service): (&Stage, Option<&Service>)) -> String {
    match service {
        Some(service) => format!("{service} in {}", stage.name()),
        None => format!("of {}", printable(stage.name().as_str(), 40)),
    }
}
