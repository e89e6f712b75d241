//! Services of the policy file: a list of names, or a mapping with keys of each.

use std::collections::{BTreeMap, HashMap};

use super::declared_keys::{LIST_OR_MAPPING, NAMED_GATES_MAPPING, SERVICE_KEYS, SERVICE_LIST};
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::gates::ServiceGates;
use super::limits::{ENVIRONMENTS, GATE_TEXT_LENGTH, SERVICES};
use super::problem_list::ProblemList;
use super::repository_file::parse_repository_file;
use super::service_name::Service;
use super::yaml_node::{YamlKey, YamlNode, YamlText, YamlValue, parse_value, printable_text};
use crate::tagging::EnvironmentName;

/// How the image of a service is built, for the job that builds it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceBuild {
    /// Path of the Dockerfile, relative to the root of the repository; `None`: the job's own default.
    pub dockerfile: Option<String>,
    /// Stage of the Dockerfile; `None`: its last.
    pub target: Option<String>,
}

/// Services as they are read.
pub(super) struct ParsedServices {
    /// Names, in the order in which they are written, none twice.
    pub(super) names: Vec<Service>,
    /// Builds of the services that have keys for it.
    pub(super) builds: BTreeMap<Service, ServiceBuild>,
    /// Gates of the services.
    pub(super) gates: ServiceGates,
    /// Whether all names could be read.
    pub(super) are_names_read: bool,
    lines: HashMap<Service, usize>,
}

impl ParsedServices {
    /// Returns no services.
    pub(super) fn new() -> Self {
        Self {
            names: Vec::new(),
            builds: BTreeMap::new(),
            gates: ServiceGates::new(),
            are_names_read: true,
            lines: HashMap::new(),
        }
    }

    /// Parses the key `services`.
    pub(super) fn parse(node: YamlNode, problems: &mut ProblemList) -> Self {
        let mut services = Self::new();
        match &node.value {
            YamlValue::List(_) => {
                let texts = problems.keep(node.into_texts(SERVICE_LIST));
                services.are_names_read = texts.is_some();
                for YamlText { text, position } in texts.into_iter().flatten() {
                    services.add(position, &text, problems);
                }
            }
            YamlValue::Map(_) => {
                let entries = problems.keep(node.into_map(LIST_OR_MAPPING));
                for (number, (key, node)) in entries.into_iter().flatten().enumerate() {
                    if number == SERVICES {
                        let problem = PolicyProblem::TooMany("services", SERVICES);
                        problems.add(key.position.to_error(problem));
                        services.are_names_read = false;
                        break;
                    }
                    services.add_mapping(&key, node, problems);
                }
            }
            _ => {
                problems.add(node.unexpected_kind(LIST_OR_MAPPING));
                services.are_names_read = false;
            }
        }
        services
    }

    /// Adds the name of a service, and returns it.
    fn add(&mut self, at: FilePosition, text: &str, problems: &mut ProblemList) -> Option<Service> {
        let service = problems.keep(parse_value::<Service>(at, text));
        self.are_names_read &= service.is_some();
        let service = service?;
        if let Some(first) = self.lines.insert(service.clone(), at.line) {
            let what = service.to_string();
            problems.add(at.to_error(PolicyProblem::Duplicate { what, first }));
            self.are_names_read = false;
            return None;
        }
        self.names.push(service.clone());
        Some(service)
    }

    fn add_mapping(&mut self, key: &YamlKey, node: YamlNode, problems: &mut ProblemList) {
        let service = self.add(key.position, &key.text, problems);
        if node.is_blank() {
            return;
        }
        let Some(mut fields) = node.into_fields(&SERVICE_KEYS, problems) else {
            return;
        };
        let build = ServiceBuild {
            dockerfile: fields.read("dockerfile", problems, |node| {
                parse_repository_file(&node.into_text()?)
            }),
            target: fields.read("target", problems, parse_target),
        };
        let gates = fields.take("gates");
        let Some(service) = service else {
            return;
        };
        if build != ServiceBuild::default() {
            self.builds.insert(service.clone(), build);
        }
        if let Some((_, gates)) = gates {
            self.add_gates(&service, gates, problems);
        }
    }

    fn add_gates(&mut self, service: &Service, node: YamlNode, problems: &mut ProblemList) {
        let entries = problems.keep(node.into_map(NAMED_GATES_MAPPING));
        let mut lines: HashMap<EnvironmentName, usize> = HashMap::new();
        for (key, node) in entries.into_iter().flatten().take(ENVIRONMENTS) {
            let at = key.position;
            let Some(name) = problems.keep(parse_value::<EnvironmentName>(at, &key.text)) else {
                continue;
            };
            if let Some(first) = lines.insert(name.clone(), at.line) {
                let what = name.to_string();
                problems.add(at.to_error(PolicyProblem::Duplicate { what, first }));
                continue;
            }
            self.gates.add(service, name, at, node);
        }
    }
}

fn parse_target(node: YamlNode) -> Result<String, PolicyError> {
    let YamlText { text, position } = node.into_short_text(GATE_TEXT_LENGTH)?;
    let is_start = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match is_start && text.chars().all(is_name) {
        true => Ok(text),
        false => Err(position.to_error(PolicyProblem::BuildTarget(printable_text(&text)))),
    }
}
