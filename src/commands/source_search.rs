//! The request for the source of an image: by its name, or by a search in the places that it may come from.

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::naming_inputs::{commit_tag_form, searched_form};
use super::record_options::RecordingInputs;
use super::release_targets::{RouteOrigin, RouteSearch, RouteSource};
use super::sought_commit::SoughtCommit;
use crate::image::{Destination, ImageSource};
use crate::policy::{EnvironmentRules, Service};
use crate::release::{Failure, SoughtImage, SourceOrigin, SourceSearch};
use crate::tagging::{CommitTagForm, EnvironmentName};

/// What the searches of a run have in common.
pub(super) struct SearchInputs<'a> {
    pub(super) invocation: &'a Invocation,
    /// The environment of the policy that is released to.
    pub(super) stage: Option<(&'a EnvironmentRules, &'a LoadedPolicy)>,
    pub(super) recording: Option<&'a RecordingInputs<'a>>,
    pub(super) commit: SoughtCommit<'a>,
}

/// Source of one image.
pub(super) struct RequestedSource {
    /// The image; of a search a name for it.
    pub(super) source: ImageSource,
    pub(super) search: Option<SourceSearch>,
    /// The repository that it comes from alone, where the policy names one.
    pub(super) from: Option<Destination>,
    /// The environment that it comes from; of a search the first that is searched.
    pub(super) environment: Option<EnvironmentName>,
    /// How SHA tags are spelled there, if a rule says it.
    pub(super) form: Option<CommitTagForm>,
}

impl SearchInputs<'_> {
    /// Returns the request for a source.
    ///
    /// # Errors
    /// No commit to search for, and rules of an environment that cannot be read.
    pub(super) fn request(
        &mut self,
        source: RouteSource,
        origins: &[RouteOrigin<'_>],
        service: Option<&Service>,
    ) -> Result<RequestedSource, Failure> {
        let first = origins.iter().find(|origin| origin.rules.is_some());
        let rules = first.and_then(|origin| origin.rules);
        let form = match rules {
            Some(rules) => commit_tag_form(self.invocation, rules)?,
            None => None,
        };
        let (source, search) = match source {
            RouteSource::Named(source) => (source, None),
            RouteSource::Sought(sought) => {
                let search = self.search(sought, origins, service)?;
                (search.placeholder(), Some(search))
            }
        };
        Ok(RequestedSource {
            source,
            search,
            from: first.map(|origin| origin.place.clone()),
            environment: rules.map(|rules| rules.name().clone()),
            form,
        })
    }

    fn search(
        &mut self,
        sought: RouteSearch,
        origins: &[RouteOrigin<'_>],
        service: Option<&Service>,
    ) -> Result<SourceSearch, Failure> {
        let sought = match sought {
            RouteSearch::OfCommit => SoughtImage::OfCommit(self.commit.search()?),
            RouteSearch::Target(target) => SoughtImage::Named(target),
            RouteSearch::Newest => SoughtImage::Newest,
        };
        let origins = origins.iter().map(|origin| self.origin(origin, service));
        let origins = origins.collect::<Result<Vec<_>, _>>()?;
        Ok(SourceSearch { sought, origins })
    }

    fn origin(
        &self,
        origin: &RouteOrigin<'_>,
        service: Option<&Service>,
    ) -> Result<SourceOrigin, Failure> {
        let (stage, policy) = self.stage.unzip();
        let recording = self.recording.zip(origin.rules);
        Ok(SourceOrigin {
            place: origin.place.clone(),
            timeline: recording
                .and_then(|(recording, rules)| recording.location_of(rules.name(), service)),
            form: searched_form(self.invocation, origin.rules.or(stage), policy)?,
        })
    }
}
