use super::attestation_rule::AttestationRule;

/// Entry of the attestations gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredAttestation {
    /// Type and content of the attestation.
    pub rule: AttestationRule,
    /// Whether an accepted signer must have signed it. Where not, an attestation that is there is enough, such as
    /// those of BuildKit.
    pub is_signed: bool,
}

impl RequiredAttestation {
    /// Returns whether whatever meets this entry meets `base` too, as far as their texts tell.
    pub fn is_at_least_as_strict_as(&self, base: &Self) -> bool {
        let is_signed = self.is_signed || !base.is_signed;
        is_signed && self.rule.is_at_least_as_strict_as(&base.rule)
    }
}
