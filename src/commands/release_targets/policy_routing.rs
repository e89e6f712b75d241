//! What the policy says of a run's places: which environment one is of, and where a service is in another.

use super::repositories;
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

    /// The repository that the images of an environment come from, where it names one.
    pub(super) fn place_of_from(
        &self,
        to: &EnvironmentRules,
        of: Option<&Service>,
    ) -> Result<Option<Destination>, Failure> {
        let place = to.from().first().map(|from| self.place_in(from, of));
        Ok(place.transpose()?.cloned())
    }
}
