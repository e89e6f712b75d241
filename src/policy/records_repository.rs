//! Repositories of an environment's release records.

use std::collections::HashSet;

use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::limits::REPOSITORY_LENGTH;
use super::repository_template::{
    RepositoryTemplate, RepositoryTemplateError, SERVICE_PLACEHOLDER,
};
use super::service_name::Service;
use super::yaml_node::{YamlNode, YamlText, printable_text};
use crate::image::{CanonicalPlace, Destination, ImageSourceError, RealPaths};
use crate::tagging::EnvironmentName;

/// Value of a key `records`, in which `{service}` and `{environment}` are not replaced.
#[derive(Debug, Clone)]
pub(super) struct RecordsTemplate(YamlText);

/// Repositories of an environment's records.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RecordsRepositories {
    pub(super) template: RepositoryTemplate,
    /// Repository of each service's records, or one without a service.
    pub(super) places: Vec<(Option<Service>, Destination)>,
}

const ENVIRONMENT_VARIABLE: &str = "{environment}";
/// Stands for an environment where the template is checked before there is one.
const ANY_ENVIRONMENT: &str = "environment";

impl RecordsTemplate {
    /// Parses the key, and checks it as far as that needs no environment.
    pub(super) fn parse(node: YamlNode) -> Result<Self, PolicyError> {
        let YamlText { text, position } = node.into_text()?;
        let text = text.trim().to_owned();
        if text.len() > REPOSITORY_LENGTH {
            let problem = PolicyProblem::LongRepository(REPOSITORY_LENGTH);
            return Err(position.to_error(problem));
        }
        let template = Self(YamlText { text, position });
        let any = template.with_environment(ANY_ENVIRONMENT)?;
        match any.with_service(SERVICE_PLACEHOLDER) {
            Ok(_) => Ok(template),
            Err(reason) => Err(template.malformed(reason)),
        }
    }

    fn malformed(&self, reason: ImageSourceError) -> PolicyError {
        let problem = match reason {
            ImageSourceError::Tagged => PolicyProblem::TaggedRecords,
            reason => PolicyProblem::of_repository(reason, &self.0.text),
        };
        self.position().to_error(problem)
    }

    fn position(&self) -> FilePosition {
        self.0.position
    }

    /// Returns the template of an environment's repositories.
    fn with_environment(&self, name: &str) -> Result<RepositoryTemplate, PolicyError> {
        let text = self.0.text.as_str();
        let braces = || {
            let problem = PolicyProblem::RecordsBraces(printable_text(text));
            self.position().to_error(problem)
        };
        let before = text.split('{').next().unwrap_or_default();
        let is_in_path = before.contains('/') || before.starts_with("oci:");
        if before.len() < text.len() && !is_in_path {
            return Err(braces());
        }
        RepositoryTemplate::parse(&text.replace(ENVIRONMENT_VARIABLE, name)).map_err(|error| {
            match error {
                RepositoryTemplateError::Braces => braces(),
                RepositoryTemplateError::Place(reason) => self.malformed(reason),
            }
        })
    }

    /// Returns the repositories of an environment's records.
    ///
    /// # Errors
    /// Two services would share a repository, or `{service}` stands for nothing.
    pub(super) fn to_repositories(
        &self,
        environment: &EnvironmentName,
        images: &RepositoryTemplate,
        services: &[Service],
    ) -> Result<RecordsRepositories, PolicyError> {
        let problem = |problem| self.position().to_error(problem);
        let template = self.with_environment(environment.as_str())?;
        match (images.is_per_service(), template.is_per_service()) {
            (true, false) => return Err(problem(shared(environment))),
            (false, true) => {
                let environment = environment.to_string();
                return Err(problem(PolicyProblem::ServiceOfRecords(environment)));
            }
            _ => {}
        }
        let places = template.to_destinations(services);
        let places = places.map_err(|reason| self.malformed(reason))?;
        let mut taken = HashSet::new();
        for (_, place) in &places {
            if !taken.insert(CanonicalPlace::new(place, &RealPaths::default())) {
                return Err(problem(shared(environment)));
            }
        }
        Ok(RecordsRepositories { template, places })
    }
}

fn shared(environment: &EnvironmentName) -> PolicyProblem {
    PolicyProblem::SharedRecords(environment.to_string())
}
