//! Where the image of a release comes from: the one that the input `source` names, or that of a commit.

use super::policy_routing::PolicyRouting;
use super::route_origin::RouteOrigin;
use crate::cli::Input;
use crate::commands::invocation::Invocation;
use crate::commands::policy_environment::{refuse_push, source_names};
use crate::commands::source_input::parse_source;
use crate::image::{Destination, Digest, ImageSource, Tag, TagOrDigest};
use crate::policy::{EnvironmentRules, Service};
use crate::release::{Failure, ReleaseVerb};

/// Where an image comes from.
#[derive(Debug)]
pub(crate) enum RouteSource {
    /// The image that the input names.
    Named(ImageSource),
    /// The image that is searched for in the places that it may come from.
    Sought(RouteSearch),
}

/// Image that is searched for.
#[derive(Debug, Clone)]
pub(crate) enum RouteSearch {
    /// That of the run's commit.
    OfCommit,
    /// That under a tag or digest.
    Target(TagOrDigest),
    /// That of the newest release.
    Newest,
}

/// Source of a route, with the places that it may come from; of a named source the first is its own.
pub(super) type SourceWithOrigins<'a> = (RouteSource, Vec<RouteOrigin<'a>>);

impl RouteSource {
    /// Of a release that takes its images from no environment: the input, else the image of the commit
    /// in the destination itself.
    ///
    /// # Errors
    /// An input that names no image, and none where there are several destinations.
    pub(super) fn without_from<'a>(
        invocation: &Invocation,
        verb: ReleaseVerb,
        destinations: impl IntoIterator<Item = &'a Destination>,
    ) -> Result<SourceWithOrigins<'static>, Failure> {
        if !is_looked_up(invocation, verb) {
            refuse_commit_with_source(invocation, verb)?;
            let source = parse_source(invocation)?;
            return Ok((Self::Named(source), Vec::new()));
        }
        let destinations: Vec<_> = destinations.into_iter().collect();
        match destinations.as_slice() {
            [place] => Ok((Self::Sought(RouteSearch::OfCommit), vec![RouteOrigin {
                rules: None,
                place: (*place).clone(),
            }])),
            several => Err(Failure::from(invocation.arguments.error(
                Input::Source,
                None,
                format!("is required: images names {} places", several.len()),
            ))
            .with_reason("without source the image of the commit is looked up in the destination, which must be one then")
            .with_hint("give source, such as ghcr.io/acme/web:git-2b2e927, or name one place in images")),
        }
    }
}

/// Returns whether the image is looked up by its commit: only a promotion has one that is built.
fn is_looked_up(invocation: &Invocation, verb: ReleaseVerb) -> bool {
    verb == ReleaseVerb::Promote && invocation.arguments.entries(Input::Source).is_empty()
}

/// Refuses a promotion that names both its image and the commit to look it up by.
fn refuse_commit_with_source(invocation: &Invocation, verb: ReleaseVerb) -> Result<(), Failure> {
    if verb == ReleaseVerb::Push || invocation.arguments.entries(Input::Commit).is_empty() {
        return Ok(());
    }
    Err(Failure::input("source and commit are both given")
        .with_reason("a promotion looks its image up by the commit only where source is not given")
        .with_hint("leave one of them out"))
}

impl<'a> PolicyRouting<'a, '_> {
    /// Where the image of a service comes from.
    pub(super) fn resolve_source<'d>(
        &self,
        stage: &EnvironmentRules,
        service: Option<&Service>,
        images: usize,
        destinations: impl IntoIterator<Item = &'d Destination>,
    ) -> Result<SourceWithOrigins<'a>, Failure> {
        refuse_push(stage, self.verb)?;
        let origins = self.origins(stage, service)?;
        if let Some(approved) = &self.approved {
            let digest = approved.digest_of(self.invocation, service)?;
            return approved_source(self.invocation, digest, origins, destinations);
        }
        if is_looked_up(self.invocation, self.verb) {
            return match origins.is_empty() {
                false => Ok((RouteSource::Sought(RouteSearch::OfCommit), origins)),
                true => RouteSource::without_from(self.invocation, self.verb, destinations),
            };
        }
        refuse_commit_with_source(self.invocation, self.verb)?;
        self.named_source(stage, service, images, origins)
    }

    /// The image that the input names for a service.
    fn named_source(
        &self,
        stage: &EnvironmentRules,
        service: Option<&Service>,
        images: usize,
        origins: Vec<RouteOrigin<'a>>,
    ) -> Result<SourceWithOrigins<'a>, Failure> {
        let text = self
            .invocation
            .arguments
            .text(Input::Source)
            .unwrap_or_default();
        if text == NEWEST {
            return self.newest_source(stage, origins);
        }
        match (parse_bare_target(text), origins.as_slice()) {
            (Some(target), [only]) => {
                let source = only.place.to_source(target);
                Ok((RouteSource::Named(source), origins))
            }
            (Some(target), [_, _, ..]) => {
                Ok((RouteSource::Sought(RouteSearch::Target(target)), origins))
            }
            (Some(_), []) => Err(self.wrong_source(format!(
                "names no repository, and {} takes its images from no other environment: give the whole reference",
                stage.name()
            ))),
            (None, _) if images > 1 => Err(self.wrong_source(format!(
                "is one image, and {images} services are to be released: {}choose one with services",
                if self.verb == ReleaseVerb::Push { "" } else { "give a tag, or " }
            ))),
            (None, []) => Ok((RouteSource::Named(parse_source(self.invocation)?), origins)),
            (None, _) => {
                let source = parse_source(self.invocation)?;
                self.read_from(stage, service, source, origins)
            }
        }
    }

    /// The image of the newest release: for production an approval may be older than it.
    fn newest_source(
        &self,
        stage: &EnvironmentRules,
        origins: Vec<RouteOrigin<'a>>,
    ) -> Result<SourceWithOrigins<'a>, Failure> {
        let name = stage.name();
        if origins.is_empty() {
            return Err(self.wrong_source(format!(
                "is the newest release of another environment, and {name} takes its images from none"
            )));
        }
        if stage.is_production() || stage.name().is_production() {
            return Err(Failure::refused(format!(
                "source: newest in a release to the production environment {name}"
            ))
            .with_reason("what is newest can be newer than what was tested and approved")
            .with_hint(
                "give the tag or digest that was tested, or in sources what check gave out",
            ));
        }
        Ok((RouteSource::Sought(RouteSearch::Newest), origins))
    }

    /// An environment that has a `from` takes images from nowhere else. Its own are there already: they
    /// may get further tags. Places that count as the same need not be: two registries may listen at two
    /// addresses of this machine. So the image is read where the policy says, however it was spelled.
    fn read_from(
        &self,
        stage: &EnvironmentRules,
        service: Option<&Service>,
        source: ImageSource,
        mut origins: Vec<RouteOrigin<'a>>,
    ) -> Result<SourceWithOrigins<'a>, Failure> {
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
        let is_allowed =
            |of: &EnvironmentRules| of.name() == stage.name() || stage.from().contains(of.name());
        let found = found.filter(|(of, its)| is_allowed(of) && *its == service);
        let Some((of, place)) = found.and_then(|(of, _)| Some((of, of.place(service)?))) else {
            let from = source_names(stage);
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
            ImageSource::Registry(reference) => place.to_source(reference.target.clone()),
            other => in_place(place, other),
        };
        if own != source {
            let log = &self.invocation.log;
            log.info(&format!(
                "the source {source} is read as the policy has it, {own}"
            ));
        }
        // The place that the image comes from is the first.
        origins.sort_by_key(|origin| {
            let name = origin.rules.map(EnvironmentRules::name);
            name != Some(of.name())
        });
        Ok((RouteSource::Named(own), origins))
    }

    fn wrong_source(&self, reason: String) -> Failure {
        let arguments = &self.invocation.arguments;
        match arguments.entries(Input::Source).first() {
            Some(entry) => arguments.entry_error(Input::Source, entry, reason).into(),
            None => arguments.error(Input::Source, None, reason).into(),
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

/// Value of `source` that stands for the newest release of the environments that images come from.
const NEWEST: &str = "newest";

/// Refuses `source: newest` where no policy says what it is the newest of.
pub(super) fn refuse_newest_without_policy(invocation: &Invocation) -> Result<(), Failure> {
    let mut entries = invocation.arguments.entries(Input::Source).iter();
    let Some(entry) = entries.find(|entry| entry.text == NEWEST) else {
        return Ok(());
    };
    let reason = "is the newest release of another environment, and no policy names one";
    Err(Failure::from(invocation.arguments.entry_error(Input::Source, entry, reason))
        .with_hint("name the tag or the digest that was tested; an image under a tag of this name by its whole reference"))
}

/// Returns the image of a digest that was approved: in the places that images come from, else in the
/// destination.
fn approved_source<'a, 'd>(
    invocation: &Invocation,
    digest: Digest,
    mut origins: Vec<RouteOrigin<'a>>,
    destinations: impl IntoIterator<Item = &'d Destination>,
) -> Result<SourceWithOrigins<'a>, Failure> {
    let target = TagOrDigest::Digest(digest);
    if let [only] = origins.as_slice() {
        let source = only.place.to_source(target);
        return Ok((RouteSource::Named(source), origins));
    }
    if origins.is_empty() {
        let places = destinations.into_iter();
        origins.extend(places.map(|place| RouteOrigin {
            rules: None,
            place: place.clone(),
        }));
        let [only] = origins.as_slice() else {
            let reason = format!("is given, and images names {} places", origins.len());
            return Err(invocation
                .arguments
                .error(Input::Sources, None, reason)
                .into());
        };
        let source = only.place.to_source(target);
        return Ok((RouteSource::Named(source), Vec::new()));
    }
    Ok((RouteSource::Sought(RouteSearch::Target(target)), origins))
}

/// A tag or a digest without a repository.
fn parse_bare_target(text: &str) -> Option<TagOrDigest> {
    let digest = text.parse::<Digest>().map(TagOrDigest::Digest);
    digest
        .or_else(|_| text.parse::<Tag>().map(TagOrDigest::Tag))
        .ok()
}
