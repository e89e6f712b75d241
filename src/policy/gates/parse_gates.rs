//! Reads the key `gates` of an environment or of a service.

use std::sync::Arc;

use super::approvals_gate::parse_approvals;
use super::attestation_gate::parse_attestations;
use super::checks_gate::parse_checks;
use super::environment_gates::EnvironmentGates;
use super::freeze_gate::parse_freeze;
use super::gate_signers::GateSigners;
use super::image_gate::parse_image;
use super::scan_gate::ScanGate;
use super::soak_gate::parse_soak;
use crate::gate::GateName;
use crate::policy::declared_gate_keys::{GATE_KEYS, IMAGE_KEYS, SCAN_KEYS};
use crate::policy::error::{FilePosition, PolicyProblem};
use crate::policy::problem_list::ProblemList;
use crate::policy::yaml_fields::YamlFields;
use crate::policy::yaml_node::YamlNode;

/// What the gates of an environment depend on in the rest of the file.
pub(in crate::policy) struct GateContext {
    /// Gates of the key `defaults`.
    pub(in crate::policy) defaults: Option<YamlNode>,
    /// Whether the environment has a key `from`.
    pub(in crate::policy) has_source: bool,
    /// Whether reports that name no image count.
    pub(in crate::policy) allows_unbound: bool,
}

impl EnvironmentGates {
    /// Parses the key `gates` of an environment, and takes the gates that it does not have from the defaults.
    pub(in crate::policy) fn parse(
        own: Option<YamlNode>,
        context: GateContext,
        problems: &mut ProblemList,
    ) -> Self {
        let allows_unbound = context.allows_unbound;
        let mut gates = Self::default();
        let mut positions = Vec::new();
        if let Some(mut fields) = own.and_then(|node| node.into_fields(&GATE_KEYS, problems)) {
            let at = |gate: GateName| fields.position(gate.as_str());
            positions = GateName::ALL.map(at).into();
            gates = parse_environment_gates(&mut fields, allows_unbound, problems);
            if !context.has_source {
                gates.refuse_without_source(&positions, problems);
            }
        }
        let defaults = context.defaults;
        if let Some(mut fields) = defaults.and_then(|node| node.into_fields(&GATE_KEYS, problems)) {
            let mut defaults = parse_environment_gates(&mut fields, allows_unbound, problems);
            if !context.has_source {
                defaults.remove_resting_on_source();
            }
            let is_stated = |gate: GateName| {
                let mut stated = GateName::ALL.into_iter().zip(&positions);
                stated.any(|(known, at)| known == gate && at.is_some())
            };
            gates.fill_in(&defaults, is_stated);
        }
        gates
    }

    /// Adds a problem for each gate that asks what an environment without `from` has not.
    fn refuse_without_source(
        &self,
        positions: &[Option<FilePosition>],
        problems: &mut ProblemList,
    ) {
        let resting = self.resting_on_source();
        for (gate, at) in GateName::ALL.into_iter().zip(positions) {
            if let (Some(at), true) = (at, resting.contains(&gate)) {
                problems.add(at.to_error(PolicyProblem::NoSourceOfGate(gate.as_str())));
            }
        }
    }

    fn remove_resting_on_source(&mut self) {
        for gate in self.resting_on_source() {
            match gate {
                GateName::Scan => self.scan = None,
                GateName::Signature => self.signature = None,
                GateName::Attestations => self.attestations = Arc::default(),
                GateName::Soak => self.soak = None,
                GateName::Freeze | GateName::Image | GateName::Checks | GateName::Approvals => {}
            }
        }
    }

    /// Takes the gates that are not stated from the defaults.
    fn fill_in(&mut self, defaults: &Self, is_stated: impl Fn(GateName) -> bool) {
        let left = GateName::ALL.into_iter().filter(|gate| !is_stated(*gate));
        for gate in left {
            match gate {
                GateName::Scan => self.scan = defaults.scan.clone(),
                GateName::Signature => {
                    self.signature = defaults.signature.clone();
                    self.signature_at = defaults.signature_at;
                }
                GateName::Attestations => self.attestations = defaults.attestations.clone(),
                GateName::Soak => self.soak = defaults.soak.clone(),
                GateName::Freeze => self.freeze = defaults.freeze.clone(),
                GateName::Image => self.image = defaults.image.clone(),
                GateName::Checks => self.checks = defaults.checks.clone(),
                GateName::Approvals => self.approvals = defaults.approvals.clone(),
            }
        }
    }
}

fn parse_environment_gates(
    fields: &mut YamlFields,
    allows_unbound: bool,
    problems: &mut ProblemList,
) -> EnvironmentGates {
    refuse_turned_off(fields, problems);
    let scan = fields.take("scan").and_then(|(_, node)| {
        let mut fields = node.into_fields(&SCAN_KEYS, problems)?;
        ScanGate::parse(&mut fields, None, allows_unbound, problems)
    });
    let image = fields.take("image").and_then(|(_, node)| {
        let mut fields = node.into_fields(&IMAGE_KEYS, problems)?;
        Some(parse_image(&mut fields, None, problems))
    });
    let mut gates = EnvironmentGates {
        scan: scan.map(Arc::new),
        image: image.map(Arc::new),
        ..EnvironmentGates::default()
    };
    for gate in WHOLE_GATES {
        gates.read_whole_gate(gate, fields, problems);
    }
    gates
}

/// Gates of a service that replace those of an environment as a whole.
pub(super) const WHOLE_GATES: [GateName; 6] = [
    GateName::Signature,
    GateName::Attestations,
    GateName::Soak,
    GateName::Freeze,
    GateName::Checks,
    GateName::Approvals,
];

impl EnvironmentGates {
    /// Reads a gate that replaces that of an environment as a whole.
    pub(super) fn read_whole_gate(
        &mut self,
        gate: GateName,
        fields: &mut YamlFields,
        problems: &mut ProblemList,
    ) {
        let Some((at, node)) = fields.take(gate.as_str()) else {
            return;
        };
        match gate {
            GateName::Signature => {
                self.signature = GateSigners::parse(node, problems);
                self.signature_at = at.into();
            }
            GateName::Attestations => self.attestations = parse_attestations(node, problems),
            GateName::Soak => self.soak = parse_soak(node, problems),
            GateName::Freeze => self.freeze = parse_freeze(node, problems),
            GateName::Checks => self.checks = parse_checks(node, problems),
            GateName::Approvals => self.approvals = parse_approvals(node, problems),
            GateName::Scan | GateName::Image => {}
        }
    }
}

/// Takes out gates that are to be turned off, apart from `signature`, which is a flag.
pub(super) fn refuse_turned_off(fields: &mut YamlFields, problems: &mut ProblemList) {
    for gate in GateName::ALL {
        let name = gate.as_str();
        if gate != GateName::Signature && fields.is_off(name) {
            let at = fields.take(name).map(|(at, _)| at);
            let problem = at.map(|at| at.to_error(PolicyProblem::GateTurnedOff(name)));
            problem
                .into_iter()
                .for_each(|problem| problems.add(problem));
        }
    }
}
