//! Gates of services: the gates of an environment, tightened.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::attestation_gate;
use super::checks_gate;
use super::environment_gates::EnvironmentGates;
use super::freeze_gate;
use super::image_gate::parse_image;
use super::parse_gates::{WHOLE_GATES, refuse_turned_off};
use super::scan_gate::ScanGate;
use crate::gate::GateName;
use crate::policy::declared_gate_keys::{IMAGE_KEYS, SERVICE_GATE_KEYS, SERVICE_SCAN_KEYS};
use crate::policy::error::{FilePosition, PolicyProblem};
use crate::policy::limits::SERVICE_GATE_ENTRIES;
use crate::policy::problem_list::ProblemList;
use crate::policy::yaml_fields::YamlFields;
use crate::policy::yaml_node::YamlNode;
use crate::policy::{EnvironmentRules, Service};
use crate::tagging::EnvironmentName;

/// Keys `gates` of the services, by environments, as long as they are not read.
pub(in crate::policy) struct ServiceGates {
    by_environment: HashMap<EnvironmentName, Vec<ServiceOverride>>,
    /// How many entries the lists of gates may still have.
    entries_left: usize,
}

/// Gates of a service in an environment.
struct ServiceOverride {
    service: Service,
    position: FilePosition,
    node: YamlNode,
}

/// The environment whose gates are tightened.
struct TightenedGates<'a> {
    environment: &'a EnvironmentRules,
    gates: &'a EnvironmentGates,
    /// Whether they could be read: gates with problems cannot be compared.
    are_read: bool,
}

impl ServiceGates {
    pub(in crate::policy) fn new() -> Self {
        Self {
            by_environment: HashMap::new(),
            entries_left: SERVICE_GATE_ENTRIES,
        }
    }

    /// Adds the gates of a service in an environment.
    pub(in crate::policy) fn add(
        &mut self,
        service: &Service,
        environment: EnvironmentName,
        position: FilePosition,
        node: YamlNode,
    ) {
        let overrides = self.by_environment.entry(environment).or_default();
        overrides.push(ServiceOverride {
            service: service.clone(),
            position,
            node,
        });
    }

    /// Takes the gates of all services in an environment, as changes to its own gates.
    pub(in crate::policy) fn take(
        &mut self,
        environment: &EnvironmentRules,
        problems: &mut ProblemList,
    ) -> BTreeMap<Service, Arc<EnvironmentGates>> {
        let base = TightenedGates {
            environment,
            gates: environment.gates(None),
            are_read: environment.are_gates_read,
        };
        let stated = self.by_environment.remove(environment.name());
        let mut found = BTreeMap::new();
        for stated in stated.unwrap_or_default() {
            let at = stated.position;
            let Some(gates) = base.tighten(stated.node, problems) else {
                continue;
            };
            let entries = gates.entry_count();
            match self.entries_left.checked_sub(entries) {
                Some(left) => self.entries_left = left,
                None => {
                    let noun = "entries in the gates of all services together";
                    problems.add(at.to_error(PolicyProblem::TooMany(noun, SERVICE_GATE_ENTRIES)));
                    break;
                }
            }
            found.insert(stated.service, Arc::new(gates));
        }
        found
    }

    /// Returns the environments that are left, each with the position of its name.
    pub(in crate::policy) fn into_rest(
        self,
    ) -> impl Iterator<Item = (EnvironmentName, Vec<FilePosition>)> {
        let rest = self.by_environment.into_iter();
        rest.map(|(name, overrides)| {
            let positions = overrides.iter().map(|stated| stated.position);
            (name, positions.collect())
        })
    }
}

impl TightenedGates<'_> {
    /// Returns the gates with the changes of a service, which tighten them.
    fn tighten(&self, node: YamlNode, problems: &mut ProblemList) -> Option<EnvironmentGates> {
        let mut fields = node.into_fields(&SERVICE_GATE_KEYS, problems)?;
        refuse_turned_off(&mut fields, problems);
        let stated: Vec<(GateName, FilePosition)> = GateName::ALL
            .into_iter()
            .filter_map(|gate| Some((gate, fields.position(gate.as_str())?)))
            .collect();
        let mut gates = self.gates.clone();
        self.tighten_scan(&mut gates, &mut fields, problems);
        self.tighten_image(&mut gates, &mut fields, problems);
        for (gate, at) in &stated {
            self.tighten_whole((*gate, *at), &mut gates, &mut fields, problems);
        }
        let resting = gates.resting_on_source();
        let has_no_source = self.environment.from().is_empty() && !self.environment.states("from");
        let resting = stated.iter().filter(|(gate, _)| resting.contains(gate));
        for (gate, at) in resting.filter(|_| has_no_source) {
            problems.add(at.to_error(PolicyProblem::NoSourceOfGate(gate.as_str())));
        }
        Some(gates)
    }

    /// Reads a gate that replaces that of the environment as a whole.
    fn tighten_whole(
        &self,
        (gate, at): (GateName, FilePosition),
        gates: &mut EnvironmentGates,
        fields: &mut YamlFields,
        problems: &mut ProblemList,
    ) {
        if !WHOLE_GATES.contains(&gate) {
            return;
        }
        let before = problems.added();
        gates.read_whole_gate(gate, fields, problems);
        let is_read = problems.added() == before && self.are_read;
        if is_read && self.is_weaker(gate, gates) {
            self.refuse(at, gate.as_str().to_owned(), problems);
        }
    }

    fn tighten_scan(
        &self,
        gates: &mut EnvironmentGates,
        fields: &mut YamlFields,
        problems: &mut ProblemList,
    ) {
        let Some((at, node)) = fields.take("scan") else {
            return;
        };
        let base = self.gates.scan();
        let Some(mut fields) = node.into_fields(&SERVICE_SCAN_KEYS, problems) else {
            return;
        };
        let positions = fields.positions();
        if self.are_read && base.is_none() && fields.position("fail-on").is_none() {
            problems.add(at.to_error(PolicyProblem::Missing("fail-on")));
        }
        let before = problems.added();
        let scan = ScanGate::parse(
            &mut fields,
            base,
            self.environment.allows_unbound(),
            problems,
        );
        let is_read = problems.added() == before && self.are_read;
        if let (Some(scan), Some(base), true) = (&scan, base, is_read) {
            for key in scan.keys_weaker_than(base) {
                let at = positions.get(key).copied().unwrap_or(at);
                self.refuse(at, format!("scan.{key}"), problems);
            }
        }
        gates.scan = scan.map(Arc::new);
    }

    fn tighten_image(
        &self,
        gates: &mut EnvironmentGates,
        fields: &mut YamlFields,
        problems: &mut ProblemList,
    ) {
        let Some((at, node)) = fields.take("image") else {
            return;
        };
        let Some(mut fields) = node.into_fields(&IMAGE_KEYS, problems) else {
            return;
        };
        let positions = fields.positions();
        let base = self.gates.image();
        let before = problems.added();
        let image = parse_image(&mut fields, base, problems);
        let is_read = problems.added() == before && self.are_read;
        if let (Some(base), true) = (base, is_read) {
            for key in image.keys_weaker_than(base) {
                let at = positions.get(key).copied().unwrap_or(at);
                self.refuse(at, format!("image.{key}"), problems);
            }
        }
        gates.image = Some(Arc::new(image));
    }

    /// Returns whether a gate that is replaced as a whole is weaker than that of the environment.
    fn is_weaker(&self, gate: GateName, gates: &EnvironmentGates) -> bool {
        let base = self.gates;
        match gate {
            GateName::Signature => match (&gates.signature, &base.signature) {
                (Some(own), Some(base)) => !own.is_at_least_as_strict_as(base),
                (own, base) => own.is_none() && base.is_some(),
            },
            GateName::Attestations => {
                !attestation_gate::is_at_least_as_strict(&gates.attestations, &base.attestations)
            }
            GateName::Soak => match (&gates.soak, &base.soak) {
                (Some(own), Some(base)) => !own.keys_weaker_than(base).is_empty(),
                _ => false,
            },
            GateName::Freeze => !freeze_gate::is_at_least_as_strict(&gates.freeze, &base.freeze),
            GateName::Checks => !checks_gate::is_at_least_as_strict(&gates.checks, &base.checks),
            GateName::Approvals => match (&gates.approvals, &base.approvals) {
                (Some(own), Some(base)) => !own.is_at_least_as_strict_as(base),
                (own, base) => own.is_none() && base.is_some(),
            },
            GateName::Scan | GateName::Image => false,
        }
    }

    fn refuse(&self, at: FilePosition, key: String, problems: &mut ProblemList) {
        problems.add(at.to_error(PolicyProblem::WeakerGate {
            key,
            environment: self.environment.name().to_string(),
        }));
    }
}
