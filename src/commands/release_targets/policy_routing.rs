//! What the policy says of a run's places: which environment one is of, and where a service is in another.

use super::approved_sources::ApprovedSources;
use super::repositories;
use super::route_origin::RouteOrigin;
use crate::commands::invocation::Invocation;
use crate::commands::load_policy::LoadedPolicy;
use crate::commands::policy_environment::find_environment;
use crate::image::Destination;
use crate::policy::{EnvironmentRules, Repositories, Service};
use crate::release::{Failure, ReleaseVerb};
use crate::tagging::EnvironmentName;

/// A run that a policy has a say in.
pub(super) struct PolicyRouting<'a, 'g> {
    pub(super) invocation: &'g Invocation,
    pub(super) verb: ReleaseVerb,
    pub(super) policy: &'a LoadedPolicy,
    pub(super) repositories: Repositories<'a>,
    /// Digests of the input `sources`, if it is given.
    pub(super) approved: Option<ApprovedSources>,
}

impl<'a> PolicyRouting<'a, '_> {
    pub(super) fn match_destination(
        &self,
        place: &Destination,
    ) -> Result<Option<(&'a EnvironmentRules, Option<&'a Service>)>, Failure> {
        repositories::matching(self.policy, &self.repositories, place)
    }

    /// The repository that a service has in an environment.
    pub(super) fn place_in(
        &self,
        name: &EnvironmentName,
        service: Option<&Service>,
    ) -> Result<&'a Destination, Failure> {
        let place = find_environment(self.policy, name)?.place(service);
        place.ok_or_else(|| Failure::input(format!("{name} has no repository for it")))
    }

    /// The repositories that the images of an environment come from, in the order of the policy.
    pub(super) fn origins(
        &self,
        to: &EnvironmentRules,
        of: Option<&Service>,
    ) -> Result<Vec<RouteOrigin<'a>>, Failure> {
        let names = to.from().iter();
        let origins = names.map(|from| {
            Ok(RouteOrigin {
                rules: Some(find_environment(self.policy, from)?),
                place: self.place_in(from, of)?.clone(),
            })
        });
        origins.collect()
    }
}
