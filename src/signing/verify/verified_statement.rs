//! What was verified: a signature of an image, or a statement about it.

use serde_json::Value;

use super::super::{ImageClaim, VerificationError};
use super::{InTotoStatement, SignatureEvidence};
use crate::gate::{AttestationMismatch, AttestationRule};
use crate::image::Digest;

/// A good signature of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// What it says.
    pub claim: ImageClaim,
    /// What proves it.
    pub evidence: SignatureEvidence,
}

/// A good statement about an image, of any type.
#[derive(Debug, Clone)]
pub struct VerifiedStatement {
    pub(super) statement: InTotoStatement,
    pub(super) evidence: SignatureEvidence,
    pub(super) image: Digest,
}

/// A good attestation of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedAttestation {
    /// The type of what it says.
    pub predicate_type: String,
    /// What it says.
    pub predicate: Value,
    /// What proves it.
    pub evidence: SignatureEvidence,
}

impl VerifiedAttestation {
    /// Checks the type and the predicate against a rule.
    ///
    /// # Errors
    /// Returns the type or the value that the rule does not accept.
    pub fn check_rule(&self, rule: &AttestationRule) -> Result<(), VerificationError> {
        let checked = rule.check(&self.predicate_type, &self.predicate);
        checked.map_err(|mismatch| match mismatch {
            AttestationMismatch::PredicateType(kind) => VerificationError::Attestation(kind),
            AttestationMismatch::Condition {
                place,
                is,
                expected,
            } => VerificationError::Predicate {
                place,
                is,
                expected,
            },
        })
    }
}

impl VerifiedStatement {
    /// The type of what is said.
    pub fn predicate_type(&self) -> &str {
        &self.statement.predicate_type
    }

    /// What it says as the signature of the image.
    ///
    /// # Errors
    /// It is none.
    pub fn into_signature(self) -> Result<VerifiedSignature, VerificationError> {
        let claim = self.statement.to_claim(self.image)?;
        Ok(VerifiedSignature {
            claim,
            evidence: self.evidence,
        })
    }

    /// What it says, of whatever type.
    pub fn into_attestation(self) -> VerifiedAttestation {
        VerifiedAttestation {
            predicate_type: self.statement.predicate_type,
            predicate: self.statement.predicate,
            evidence: self.evidence,
        }
    }
}
