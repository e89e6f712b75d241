use std::sync::Arc;

use super::gate_signers::GateSigners;
use crate::gate::{AttestationRule, RequiredAttestation};
use crate::policy::declared_gate_keys::{ATTESTATION_KEYS, ATTESTATION_LIST, ATTESTATION_VALUE};
use crate::policy::error::{PolicyError, PolicyProblem};
use crate::policy::key_position::KeyPosition;
use crate::policy::limits::GATE_TEXT_LENGTH;
use crate::policy::problem_list::ProblemList;
use crate::policy::signer_rule::parse_evidence_signers;
use crate::policy::yaml_node::{YamlNode, YamlText, YamlValue, not_a_value};

/// Entry of the attestations gate: an attestation that each image must have, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationGate {
    /// The attestation.
    pub required: RequiredAttestation,
    /// Who must have signed it, where it must be signed.
    pub signers: GateSigners,
    pub(in crate::policy) position: KeyPosition,
}

impl AttestationGate {
    /// Returns whether whatever meets this entry meets `base` too.
    fn is_at_least_as_strict_as(&self, base: &Self) -> bool {
        let is_signer_accepted =
            !base.required.is_signed || self.signers.is_at_least_as_strict_as(&base.signers);
        is_signer_accepted && self.required.is_at_least_as_strict_as(&base.required)
    }
}

/// Returns whether images that have all of `own` have all of `base`.
pub(super) fn is_at_least_as_strict(own: &[AttestationGate], base: &[AttestationGate]) -> bool {
    base.iter().all(|wanted| {
        own.iter()
            .any(|entry| entry.is_at_least_as_strict_as(wanted))
    })
}

/// Parses the key `attestations`.
pub(super) fn parse_attestations(
    list: YamlNode,
    problems: &mut ProblemList,
) -> Arc<[AttestationGate]> {
    let entries = problems.keep(list.into_entries(ATTESTATION_LIST));
    let entries = entries.into_iter().flatten();
    entries
        .filter_map(|entry| parse_entry(entry, problems))
        .collect()
}

fn parse_entry(entry: YamlNode, problems: &mut ProblemList) -> Option<AttestationGate> {
    let position = entry.position.into();
    match &entry.value {
        YamlValue::Map(_) => parse_mapping(entry, problems),
        YamlValue::Text(_) if !entry.is_blank() => Some(AttestationGate {
            required: RequiredAttestation {
                rule: problems.keep(parse_rule(entry))?,
                is_signed: true,
            },
            signers: GateSigners::OfSource,
            position,
        }),
        _ => {
            problems.add(entry.unexpected_kind(ATTESTATION_VALUE));
            None
        }
    }
}

fn parse_mapping(entry: YamlNode, problems: &mut ProblemList) -> Option<AttestationGate> {
    let position = entry.position.into();
    let mut fields = entry.into_fields(&ATTESTATION_KEYS, problems)?;
    let rule = fields.read("rule", problems, parse_rule);
    let is_signed = fields.read("signed", problems, YamlNode::into_flag);
    let signers = match fields.take("signers") {
        Some((at, _)) if is_signed == Some(false) => {
            problems.add(at.to_error(PolicyProblem::SignersOfUnsigned));
            None
        }
        Some((_, list)) => Some(GateSigners::Own(parse_evidence_signers(list, problems))),
        None => None,
    };
    Some(AttestationGate {
        required: RequiredAttestation {
            rule: rule?,
            is_signed: is_signed.unwrap_or(true),
        },
        signers: signers.unwrap_or(GateSigners::OfSource),
        position,
    })
}

fn parse_rule(node: YamlNode) -> Result<AttestationRule, PolicyError> {
    let YamlText { text, position } = node.into_short_text(GATE_TEXT_LENGTH)?;
    text.parse()
        .map_err(|reason: String| position.to_error(not_a_value(&text, reason)))
}
