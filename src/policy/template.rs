use super::Service;
use crate::image::{LocationError, Place};

/// Where an environment's images are: one place, or one for each service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Template {
    One(Place),
    PerService { before: String, after: String },
}

/// Why a text is no [`Template`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TemplateError {
    /// Braces that are not one `{service}` in the path.
    Braces,
    /// It is no place.
    Place(LocationError),
}

const SERVICE: &str = "{service}";

impl Template {
    pub(super) fn read(text: &str) -> Result<Self, TemplateError> {
        let has_braces = |text: &str| text.contains(['{', '}']);
        let Some((before, after)) = text.split_once(SERVICE) else {
            return match has_braces(text) {
                true => Err(TemplateError::Braces),
                false => text.parse().map(Self::One).map_err(TemplateError::Place),
            };
        };
        let in_path = before.contains('/') || before.starts_with("oci:");
        if !in_path || has_braces(before) || has_braces(after) {
            return Err(TemplateError::Braces);
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
    pub(super) fn places(
        &self,
        services: &[Service],
    ) -> Result<Vec<(Option<Service>, Place)>, LocationError> {
        match self {
            Self::One(place) => Ok(vec![(None, place.clone())]),
            Self::PerService { .. } => services
                .iter()
                .map(|service| Ok((Some(service.clone()), self.with(service.as_str())?)))
                .collect(),
        }
    }

    /// The place with `name` in the service's stead, whether or not there is such a service.
    pub(super) fn with(&self, name: &str) -> Result<Place, LocationError> {
        match self {
            Self::One(place) => Ok(place.clone()),
            Self::PerService { before, after } => format!("{before}{name}{after}").parse(),
        }
    }
}
