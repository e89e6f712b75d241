//! Place that an image may come from.

use crate::image::Destination;
use crate::policy::EnvironmentRules;

/// Place that an image may come from.
#[derive(Debug, Clone)]
pub(crate) struct RouteOrigin<'a> {
    /// Its environment, where a policy names one.
    pub(crate) rules: Option<&'a EnvironmentRules>,
    pub(crate) place: Destination,
}
