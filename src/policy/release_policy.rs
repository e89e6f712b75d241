//! The policy as a whole: parsed, checked, and joined with the policy of another file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::declared_keys::{DEFAULT_KEYS, NAMED_ENVIRONMENTS_MAPPING, POLICY_KEYS};
use super::environment_rules::EnvironmentRules;
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::gates::ServiceGates;
use super::limits::{DEFAULTS_SIZE, ENVIRONMENTS, REPOSITORIES};
use super::parse_environment::{
    ParsedEnvironment, PolicyDefaults, check_defaults, parse_excluded_versions, parse_lines,
    parse_log,
};
use super::policy_finding::PolicyFinding;
use super::problem_list::{PolicyErrors, ProblemList};
use super::production::check_production;
use super::promotion_graph;
use super::records_repository::RecordsTemplate;
use super::repository_file::parse_repository_file;
use super::retention_keys::RetentionKeys;
use super::service_name::Service;
use super::services::{ParsedServices, ServiceBuild};
use super::signature_demands::check_signature_demands;
use super::yaml_document;
use super::yaml_node::{YamlNode, parse_value};
use crate::image::{CanonicalPlace, RealPaths};
use crate::tagging::{EnvironmentName, ExcludedVersions};

/// Environments and services of a policy file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReleasePolicy {
    pub(super) environments: Vec<EnvironmentRules>,
    /// How many of the stages, the last ones, another file has added.
    pub(super) added: usize,
    services: Vec<Service>,
    builds: BTreeMap<Service, ServiceBuild>,
    excluded_versions: ExcludedVersions,
    findings: Vec<PolicyFinding>,
    /// Path in the repository.
    trusted_root: Option<String>,
    /// Whether records and attestations of keyless signers need no entry in a log.
    takes_unlogged: bool,
}

impl ReleasePolicy {
    /// Parses a policy file. An empty one is a policy without environments.
    ///
    /// # Errors
    /// All problems, with their positions.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyErrors> {
        let mut problems = ProblemList::default();
        let document = yaml_document::parse_yaml(bytes, &mut problems);
        let policy = match problems.keep(document).flatten() {
            Some(document) => Self::read(document, &mut problems),
            None => Self::default(),
        };
        problems.into_result()?;
        Ok(policy)
    }

    fn read(document: YamlNode, problems: &mut ProblemList) -> Self {
        let Some(mut fields) = document.into_fields(&POLICY_KEYS, problems) else {
            return Self::default();
        };
        let services_at = fields.position("services");
        let services = match fields.take("services") {
            Some((_, node)) => ParsedServices::parse(node, problems),
            None => ParsedServices::new(),
        };
        let are_services_right = services.are_names_read;
        let records = fields.read("records", problems, RecordsTemplate::parse);
        let defaults = fields.take("defaults");
        let mut keys = defaults.and_then(|(_, node)| node.into_fields(&DEFAULT_KEYS, problems));
        let gates = keys.as_mut().and_then(|keys| keys.take("gates"));
        if let Some(keys) = &keys {
            check_defaults(keys, gates.as_ref().map(|(_, node)| node), problems);
        }
        let retention = fields.take("retention");
        let retention = retention.map_or_else(RetentionKeys::default, |(_, node)| {
            RetentionKeys::parse(node, problems)
        });
        let defaults = PolicyDefaults {
            services: &services.names,
            are_services_right,
            keys: keys.as_ref(),
            gates: gates.as_ref().map(|(_, node)| node),
            records: records.as_ref(),
            gives_lines: fields.read("lines", problems, parse_lines).unwrap_or(true),
            retention: &Arc::new(retention),
        };
        let environments = match fields.take("environments") {
            Some((_, node)) => parse_environments(node, defaults, problems),
            None => Vec::new(),
        };
        promotion_graph::check(&environments, problems);
        let are_all_read = environments.iter().all(|it| it.rules.is_some());
        let names: Vec<EnvironmentName> = environments.iter().map(|it| it.name.clone()).collect();
        let rules = environments.into_iter().filter_map(|it| it.rules);
        let mut policy = Self {
            environments: rules.collect(),
            added: 0,
            services: services.names,
            builds: services.builds,
            excluded_versions: fields
                .read("exclude-versions", problems, parse_excluded_versions)
                .unwrap_or_default(),
            findings: Vec::new(),
            trusted_root: fields.read("trusted-root", problems, |node| {
                parse_repository_file(&node.into_text()?)
            }),
            takes_unlogged: fields
                .read("transparency-log", problems, parse_log)
                .unwrap_or(false),
        };
        policy.read_service_gates(services.gates, &names, problems);
        if are_all_read && are_services_right {
            problems.keep(policy.check_services(services_at));
        }
        policy.check_repositories(problems);
        check_signature_demands(&policy.environments, problems);
        policy.findings = check_production(&policy.environments, problems);
        policy
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

    /// Returns whether an environment is of the file that was added to the repository's own.
    pub fn is_added(&self, stage: &EnvironmentRules) -> bool {
        let own = self.environments.len() - self.added;
        self.environments[own..]
            .iter()
            .any(|it| it.name == stage.name)
    }

    /// Returns the versions that never count in an environment: those of the file and its own.
    pub fn excluded_versions(&self, stage: &EnvironmentRules) -> ExcludedVersions {
        let own = stage.excluded_versions.clone();
        own.with(&self.excluded_versions)
    }

    /// Returns what holds and the author of the file should know, such as signers that pin no ref.
    pub fn findings(&self) -> &[PolicyFinding] {
        &self.findings
    }

    /// Returns how the image of a service is built, as far as the file says it.
    pub fn build(&self, service: &Service) -> Option<&ServiceBuild> {
        self.builds.get(service)
    }

    /// Returns the trusted root that certificates of signers must lead to, a path in the repository; `None`: that of
    /// Sigstore's public instance.
    pub fn trusted_root(&self) -> Option<&str> {
        self.trusted_root.as_deref()
    }

    /// Returns whether records and attestations of keyless signers must be in a transparency log.
    pub fn logs_attestations(&self) -> bool {
        !self.takes_unlogged
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
        for finding in other.findings {
            let is_known = |known: &PolicyFinding| known.to_string() == finding.to_string();
            if !self.findings.iter().any(is_known) {
                self.findings.push(finding.of_another_file());
            }
        }
        for (service, build) in other.builds {
            self.builds.entry(service).or_insert(build);
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
    fn check_repositories(&self, problems: &mut ProblemList) {
        let mut taken: HashMap<CanonicalPlace, &EnvironmentRules> = HashMap::new();
        for stage in &self.environments {
            for (_, place) in stage.destinations() {
                let name = CanonicalPlace::new(place, &RealPaths::default());
                if let Some(other) = taken.insert(name, stage) {
                    problems.add(stage.repository_at.to_error(PolicyProblem::SameRepository {
                        place: place.to_string(),
                        other: other.name.to_string(),
                    }));
                    // The other services of the environment have the same problem.
                    break;
                }
            }
        }
    }

    /// Reads the gates of services, which change those of the environments. `names` are the environments, also those
    /// that could not be read.
    fn read_service_gates(
        &mut self,
        mut gates: ServiceGates,
        names: &[EnvironmentName],
        problems: &mut ProblemList,
    ) {
        for environment in &mut self.environments {
            if environment.is_per_service() {
                environment.service_gates = gates.take(environment, problems);
            }
        }
        for (name, positions) in gates.into_rest() {
            let environment = self.stage(&name);
            let problem = match environment {
                _ if !names.contains(&name) => {
                    let known = names.iter().map(EnvironmentName::as_str);
                    PolicyProblem::unknown_environment(&name, known)
                }
                Some(environment) if !environment.is_per_service() => {
                    PolicyProblem::GatesOfNoService(name.to_string())
                }
                _ => continue,
            };
            for at in positions {
                problems.add(at.to_error(problem.clone()));
            }
        }
    }
}

fn parse_environments(
    environments: YamlNode,
    defaults: PolicyDefaults<'_>,
    problems: &mut ProblemList,
) -> Vec<ParsedEnvironment> {
    let entries = problems.keep(environments.into_map(NAMED_ENVIRONMENTS_MAPPING));
    let entries = entries.unwrap_or_default();
    if let Some((name, _)) = entries.get(ENVIRONMENTS) {
        let problem = PolicyProblem::TooMany("environments", ENVIRONMENTS);
        problems.add(name.position.to_error(problem));
        return Vec::new();
    }
    if let Some(keys) = defaults.keys {
        let size = keys.size() + defaults.gates.map_or(0, YamlNode::size);
        if let (true, Some((at, _))) = (size * entries.len() > DEFAULTS_SIZE, entries.first()) {
            problems.add(at.position.to_error(PolicyProblem::LargeDefaults));
            return Vec::new();
        }
    }
    let mut parsed: Vec<ParsedEnvironment> = Vec::new();
    let mut repositories = 0;
    let mut lines: HashMap<EnvironmentName, usize> = HashMap::new();
    for (key, rules) in entries {
        let position = key.position;
        let Some(name) = problems.keep(parse_value::<EnvironmentName>(position, &key.text)) else {
            continue;
        };
        // The keys differ, by case alone.
        if let Some(first) = lines.insert(name.clone(), position.line) {
            let what = name.to_string();
            problems.add(position.to_error(PolicyProblem::Duplicate { what, first }));
            continue;
        }
        let room = REPOSITORIES - repositories;
        let environment =
            ParsedEnvironment::parse((name, position), rules, defaults, room, problems);
        let rules = environment.rules.as_ref();
        repositories += rules.map_or(0, |rules| rules.destinations().len());
        parsed.push(environment);
    }
    parsed
}
