use std::sync::Arc;

use crate::policy::SignerRule;
use crate::policy::declared_gate_keys::{FLAG_OR_SIGNERS, GATE_SIGNER_KEYS};
use crate::policy::error::{PolicyError, PolicyProblem};
use crate::policy::problem_list::ProblemList;
use crate::policy::signer_rule::parse_evidence_signers;
use crate::policy::yaml_node::YamlNode;

/// Whose signatures a gate accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateSigners {
    /// Signers of the environment that the image comes from.
    OfSource,
    /// Signers of the gate itself, at least one.
    Own(Arc<[SignerRule]>),
}

impl GateSigners {
    /// Returns the gate's own signers; none where those of the source count.
    pub fn own(&self) -> &[SignerRule] {
        match self {
            Self::OfSource => &[],
            Self::Own(signers) => signers,
        }
    }

    /// Returns whether everybody who is accepted here is accepted by `base` too.
    pub(super) fn is_at_least_as_strict_as(&self, base: &Self) -> bool {
        match (self, base) {
            (Self::OfSource, Self::OfSource) => true,
            (Self::Own(own), Self::Own(base)) => has_all(base, own),
            _ => false,
        }
    }

    /// Parses `true`, `false` or a mapping with signers; `None`: no signature is needed.
    pub(super) fn parse(node: YamlNode, problems: &mut ProblemList) -> Option<Self> {
        if !node.is_map() {
            let flag = node.into_flag().map_err(name_alternative);
            return problems.keep(flag)?.then_some(Self::OfSource);
        }
        let mut fields = node.into_fields(&GATE_SIGNER_KEYS, problems)?;
        let (_, list) = fields.take("signers")?;
        Some(Self::Own(parse_evidence_signers(list, problems)))
    }
}

/// Returns whether each of the signers is one of `base`.
pub(super) fn has_all(base: &[SignerRule], signers: &[SignerRule]) -> bool {
    signers.iter().all(|signer| base.contains(signer))
}

/// Says in an error of another shape that there could be signers.
fn name_alternative(mut error: PolicyError) -> PolicyError {
    if let PolicyProblem::Shape { wanted, .. } = &mut error.problem {
        *wanted = FLAG_OR_SIGNERS;
    }
    error
}
