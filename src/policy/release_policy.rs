//! The policy as a whole: parsed, checked, and joined with the policy of another file.

use std::collections::{HashMap, HashSet};

use super::declared_keys::{NAMED_ENVIRONMENTS_MAPPING, POLICY_KEYS, SERVICE_LIST};
use super::environment_rules::{EnvironmentRules, PolicyDefaults, parse_excluded_versions};
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::limits::{ENVIRONMENTS, REPOSITORIES};
use super::promotion_graph;
use super::records_repository::RecordsTemplate;
use super::service_name::Service;
use super::yaml_document::{self, YamlNode, YamlText, parse_value};
use crate::image::{CanonicalPlace, RealPaths};
use crate::tagging::{EnvironmentName, ExcludedVersions};

/// Environments and services of a policy file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReleasePolicy {
    pub(super) environments: Vec<EnvironmentRules>,
    /// How many of the stages, the last ones, another file has added.
    pub(super) added: usize,
    services: Vec<Service>,
    excluded_versions: ExcludedVersions,
}

impl ReleasePolicy {
    /// Parses a policy file. An empty one is a policy without environments.
    ///
    /// # Errors
    /// The first problem, with its position.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        let Some(document) = yaml_document::parse_yaml(bytes)? else {
            return Ok(Self::default());
        };
        let mut fields = document.into_fields(&POLICY_KEYS)?;
        let (services_at, services) = match fields.take("services") {
            Some((at, list)) => (Some(at), parse_services(list)?),
            None => (None, Vec::new()),
        };
        let records = fields.take("records");
        let records = records.map(|(_, node)| RecordsTemplate::parse(node));
        let records = records.transpose()?;
        let defaults = PolicyDefaults {
            services: &services,
            records: records.as_ref(),
        };
        let stages = match fields.take("environments") {
            Some((_, environments)) => parse_environments(environments, defaults)?,
            None => Vec::new(),
        };
        let policy = Self {
            environments: stages,
            added: 0,
            services,
            excluded_versions: parse_excluded_versions(fields.take("exclude-versions"))?,
        };
        policy.check_services(services_at)?;
        promotion_graph::check(&policy.environments)?;
        policy.check_repositories()?;
        Ok(policy)
    }

    /// Returns the environments, in the order in which they are written.
    pub fn environments(&self) -> &[EnvironmentRules] {
        &self.environments
    }

    /// Returns the environment of that name.
    pub fn stage(&self, name: &EnvironmentName) -> Option<&EnvironmentRules> {
        self.environments.iter().find(|stage| stage.name == *name)
    }

    /// Returns an environment and all that its images can come from, each once, the nearest first.
    pub fn with_sources<'a>(&'a self, stage: &'a EnvironmentRules) -> Vec<&'a EnvironmentRules> {
        let mut found = vec![stage];
        let mut known = HashSet::from([stage.name()]);
        let mut next = 0;
        while let Some(stage) = found.get(next).copied() {
            let sources = stage.from().iter().filter_map(|from| self.stage(from));
            found.extend(sources.filter(|source| known.insert(source.name())));
            next += 1;
        }
        found
    }

    /// Returns the versions that never count in an environment: those of the file and its own.
    pub fn excluded_versions(&self, stage: &EnvironmentRules) -> ExcludedVersions {
        let own = stage.excluded_versions.clone();
        own.with(&self.excluded_versions)
    }

    /// Returns the services, in the order in which they are written, none twice.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Returns the policy with the environments of another file beside its own. One that both have
    /// has to be the same in both, so that neither takes a rule from the other; nor may what is added
    /// be a service of an environment of its own, which [`ReleasePolicy::repositories`] looks at.
    ///
    /// # Errors
    /// The environment that differs.
    pub fn with(mut self, other: Self) -> Result<Self, EnvironmentName> {
        for stage in other.environments {
            match self.stage(&stage.name) {
                None => {
                    self.environments.push(stage);
                    self.added += 1;
                }
                Some(own) if own.says_the_same(&stage) => {}
                Some(_) => return Err(stage.name),
            }
        }
        self.excluded_versions = self.excluded_versions.with(&other.excluded_versions);
        let known: HashSet<Service> = self.services.iter().cloned().collect();
        let new = other.services.into_iter();
        self.services
            .extend(new.filter(|service| !known.contains(service)));
        Ok(self)
    }

    /// Services that no repository has a place for would be released nowhere.
    fn check_services(&self, at: Option<FilePosition>) -> Result<(), PolicyError> {
        match at {
            Some(at)
                if !self
                    .environments
                    .iter()
                    .any(EnvironmentRules::is_per_service) =>
            {
                Err(at.to_error(PolicyProblem::UnusedServices))
            }
            _ => Ok(()),
        }
    }

    /// No repository is named twice, as far as its name alone says.
    fn check_repositories(&self) -> Result<(), PolicyError> {
        let mut taken: HashMap<CanonicalPlace, &EnvironmentRules> = HashMap::new();
        for stage in &self.environments {
            for (_, place) in stage.destinations() {
                let name = CanonicalPlace::new(place, &RealPaths::default());
                if let Some(other) = taken.insert(name, stage) {
                    return Err(stage.repository_at.to_error(PolicyProblem::SameRepository {
                        place: place.to_string(),
                        other: other.name.to_string(),
                    }));
                }
            }
        }
        Ok(())
    }
}

fn parse_services(list: YamlNode) -> Result<Vec<Service>, PolicyError> {
    let mut seen: HashMap<Service, FilePosition> = HashMap::new();
    let mut services = Vec::new();
    for YamlText { text, position: at } in list.into_texts(SERVICE_LIST)? {
        let service: Service = parse_value(at, &text)?;
        if let Some(first) = seen.insert(service.clone(), at) {
            return Err(at.to_error(PolicyProblem::Duplicate {
                what: service.to_string(),
                first: first.line,
            }));
        }
        services.push(service);
    }
    Ok(services)
}

fn parse_environments(
    environments: YamlNode,
    defaults: PolicyDefaults<'_>,
) -> Result<Vec<EnvironmentRules>, PolicyError> {
    let mut stages = Vec::new();
    let mut repositories = 0;
    let mut lines: HashMap<EnvironmentName, usize> = HashMap::new();
    for (name, rules) in environments.into_map(NAMED_ENVIRONMENTS_MAPPING)? {
        if stages.len() == ENVIRONMENTS {
            return Err(name
                .position
                .to_error(PolicyProblem::TooMany("environments", ENVIRONMENTS)));
        }
        let position = name.position;
        let stage = EnvironmentRules::parse(name, rules, defaults, REPOSITORIES - repositories)?;
        // The keys differ, by case alone.
        if let Some(first) = lines.insert(stage.name.clone(), position.line) {
            let what = stage.name.to_string();
            return Err(position.to_error(PolicyProblem::Duplicate { what, first }));
        }
        repositories += stage.destinations().len();
        stages.push(stage);
    }
    Ok(stages)
}
