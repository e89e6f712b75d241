//! Verdicts of the gates that judge signatures and attestations.

use super::found_statement::FoundStatement;
use super::gate_request::AttestationGateRequest;
use super::statement_facts::{ListFacts, StatementFacts};
use super::unsigned_statements::UnsignedStatement;
use crate::gate::{
    AttestationFacts, AttestationProof, FoundAttestation, FoundSignature, GateVerdict, JudgedImage,
    judge_attestations, judge_signature,
};
use crate::image::Digest;
use crate::signing::VerifiedAttestation;

/// Judges the signatures of a root.
pub(super) fn judge_signature_gate(root: Digest, found: &ListFacts) -> GateVerdict {
    let found: Vec<FoundSignature> = found
        .signatures
        .iter()
        .map(|signature| FoundSignature {
            of: signature.of,
            digest: signature.digest,
            result: signature
                .result
                .as_ref()
                .map(|signed| signed.by.clone())
                .map_err(Clone::clone),
        })
        .collect();
    judge_signature(root, &found)
}

/// Judges the attestations of an image.
pub(super) fn judge_attestation_gate(
    gates: &[AttestationGateRequest],
    image: &JudgedImage,
    statements: &StatementFacts,
    unsigned: &[UnsignedStatement],
) -> GateVerdict {
    let entries: Vec<AttestationFacts<'_>> = gates
        .iter()
        .map(|gate| {
            let signed = statements.of(gate.signers).attestations.iter();
            let unsigned = unsigned.iter().filter(|_| !gate.required.is_signed);
            AttestationFacts {
                required: &gate.required,
                found: signed
                    .map(signed_attestation)
                    .chain(unsigned.map(unsigned_attestation))
                    .collect(),
            }
        })
        .collect();
    judge_attestations(&entries, image)
}

fn signed_attestation(found: &FoundStatement<VerifiedAttestation>) -> FoundAttestation<'_> {
    FoundAttestation {
        of: found.of,
        digest: found.digest,
        proof: match &found.result {
            Ok(signed) => AttestationProof::Signed {
                by: signed.by.clone(),
                predicate_type: &signed.content.predicate_type,
                predicate: &signed.content.predicate,
            },
            Err(reason) => AttestationProof::Rejected(reason.clone()),
        },
    }
}

fn unsigned_attestation(found: &UnsignedStatement) -> FoundAttestation<'_> {
    FoundAttestation {
        of: found.of,
        digest: found.digest,
        proof: AttestationProof::Unsigned {
            predicate_type: &found.predicate_type,
            predicate: found.predicate.as_ref(),
        },
    }
}
