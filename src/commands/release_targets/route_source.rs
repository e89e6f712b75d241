//! Where the image of a release comes from: the one that the input `source` names, or that of a commit.

use super::policy_routing::PolicyRouting;
use crate::cli::Input;
use crate::commands::invocation::Invocation;
use crate::commands::policy_environment::refuse_push;
use crate::commands::source_input::parse_source;
use crate::image::{Destination, Digest, ImageSource, Tag, TagOrDigest};
use crate::policy::{EnvironmentRules, Service};
use crate::release::{Failure, ReleaseVerb};
use crate::tagging::EnvironmentName;

/// Where an image comes from.
#[derive(Debug)]
pub(crate) enum RouteSource {
    /// The image that the input names.
    Named(ImageSource),
    /// The image of the run's commit, which is looked up in this place.
    OfCommit(Destination),
}

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
    ) -> Result<Self, Failure> {
        if !is_looked_up(invocation, verb) {
            refuse_commit_with_source(invocation, verb)?;
            return parse_source(invocation).map(Self::Named);
        }
        let destinations: Vec<_> = destinations.into_iter().collect();
        match destinations.as_slice() {
            [place] => Ok(Self::OfCommit((*place).clone())),
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

impl PolicyRouting<'_, '_> {
    /// Where the image of a service comes from.
    pub(super) fn resolve_source<'d>(
        &self,
        stage: &EnvironmentRules,
        service: Option<&Service>,
        images: usize,
        destinations: impl IntoIterator<Item = &'d Destination>,
    ) -> Result<RouteSource, Failure> {
        refuse_push(stage, self.verb)?;
        if is_looked_up(self.invocation, self.verb) {
            return match self.place_of_from(stage, service)? {
                Some(place) => Ok(RouteSource::OfCommit(place)),
                None => RouteSource::without_from(self.invocation, self.verb, destinations),
            };
        }
        refuse_commit_with_source(self.invocation, self.verb)?;
        let source = self.named_source(stage, service, images)?;
        Ok(RouteSource::Named(source))
    }

    /// The image that the input names for a service.
    fn named_source(
        &self,
        stage: &EnvironmentRules,
        service: Option<&Service>,
        images: usize,
    ) -> Result<ImageSource, Failure> {
        let text = self
            .invocation
            .arguments
            .text(Input::Source)
            .unwrap_or_default();
        match (parse_bare_target(text), stage.from().first()) {
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
                let source = parse_source(self.invocation)?;
                match from {
                    Some(from) => self.read_from(stage, from, service, source),
                    None => Ok(source),
                }
            }
        }
    }

    /// What `target` is in the repository that a service has in `from`.
    fn source_in_environment(
        &self,
        from: &EnvironmentName,
        service: Option<&Service>,
        target: TagOrDigest,
    ) -> Result<ImageSource, Failure> {
        Ok(self.place_in(from, service)?.to_source(target))
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
            ImageSource::Registry(reference) => place.to_source(reference.target.clone()),
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

pub(super) fn refuse_reserved_newest(invocation: &Invocation) -> Result<(), Failure> {
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
