use std::fmt;

use super::Service;
use crate::image::{Destination, ImageSourceError};

/// Where an environment's images are: one place, or one for each service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RepositoryTemplate {
    One(Destination),
    PerService { before: String, after: String },
}

/// Why a text is no [`RepositoryTemplate`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RepositoryTemplateError {
    /// Braces that are not one `{service}` in the path.
    Braces,
    /// It is no place.
    Place(ImageSourceError),
}

/// Stands for a service in the name of a place; no repository has it in its name.
pub(super) const SERVICE_PLACEHOLDER: &str = "any--service--at--all";

const SERVICE_VARIABLE: &str = "{service}";

impl RepositoryTemplate {
    pub(super) fn parse(text: &str) -> Result<Self, RepositoryTemplateError> {
        let has_braces = |text: &str| text.contains(['{', '}']);
        let Some((before, after)) = text.split_once(SERVICE_VARIABLE) else {
            return match has_braces(text) {
                true => Err(RepositoryTemplateError::Braces),
                false => text
                    .parse()
                    .map(Self::One)
                    .map_err(RepositoryTemplateError::Place),
            };
        };
        let in_path = before.contains('/') || before.starts_with("oci:");
        if !in_path || has_braces(before) || has_braces(after) {
            return Err(RepositoryTemplateError::Braces);
        }
        Ok(Self::PerService {
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }

    pub(super) fn is_per_service(&self) -> bool {
        matches!(self, Self::PerService { .. })
    }

    /// Every place that it stands for.
    pub(super) fn to_destinations(
        &self,
        services: &[Service],
    ) -> Result<Vec<(Option<Service>, Destination)>, ImageSourceError> {
        match self {
            Self::One(place) => Ok(vec![(None, place.clone())]),
            Self::PerService { .. } => services
                .iter()
                .map(|service| Ok((Some(service.clone()), self.with_service(service.as_str())?)))
                .collect(),
        }
    }

    /// The place with `name` in the service's stead, whether or not there is such a service.
    pub(super) fn with_service(&self, name: &str) -> Result<Destination, ImageSourceError> {
        match self {
            Self::One(place) => Ok(place.clone()),
            Self::PerService { before, after } => format!("{before}{name}{after}").parse(),
        }
    }
}

impl fmt::Display for RepositoryTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(place) => place.fmt(f),
            Self::PerService { before, after } => write!(f, "{before}{SERVICE_VARIABLE}{after}"),
        }
    }
}
