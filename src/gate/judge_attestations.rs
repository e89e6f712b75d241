//! Judge of the attestations gate.

use serde_json::Value;

use super::judge_signature::{SIGNER_LIMIT, listed_rejections};
use super::judged_image::JudgedImage;
use super::required_attestation::RequiredAttestation;
use super::verdict::{GateName, GateVerdict};
use crate::image::Digest;
use crate::notices::to_printable;

/// Entry of the attestations gate, with what was found for it.
#[derive(Debug, Clone)]
pub struct AttestationFacts<'a> {
    /// The entry.
    pub required: &'a RequiredAttestation,
    /// Attestations of the root and of images below it, verified against the signers of the entry.
    pub found: Vec<FoundAttestation<'a>>,
}

/// Attestation that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundAttestation<'a> {
    /// Manifest that it is about.
    pub of: Digest,
    /// Digest of the bundle's manifest, of the envelope, or of the statement.
    pub digest: Digest,
    /// Who signed it, if anyone did.
    pub proof: AttestationProof<'a>,
}

/// Who signed an attestation, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub enum AttestationProof<'a> {
    /// An accepted signer.
    Signed {
        /// The signer.
        by: String,
        /// Predicate type.
        predicate_type: &'a str,
        /// Predicate.
        predicate: &'a Value,
    },
    /// Nobody, such as BuildKit's.
    Unsigned {
        /// Predicate type.
        predicate_type: &'a str,
        /// Predicate; `None` if it was not read.
        predicate: Option<&'a Value>,
    },
    /// Its signature does not count, for this reason.
    Rejected(String),
}

/// Limit on a rule in a message, in characters.
const RULE_LIMIT: usize = 300;

/// Judges the attestations of an image. Each entry must be met by an attestation of the root, or by one of every
/// platform that is released.
pub fn judge_attestations(entries: &[AttestationFacts<'_>], image: &JudgedImage) -> GateVerdict {
    let mut verdict = GateVerdict::new(GateName::Attestations);
    for entry in entries {
        judge_entry(entry, image, &mut verdict);
    }
    verdict
}

fn judge_entry(entry: &AttestationFacts<'_>, image: &JudgedImage, verdict: &mut GateVerdict) {
    let rule = to_printable(&entry.required.rule.to_string(), RULE_LIMIT);
    if let Some(proof) = entry.proof_of(image.root) {
        verdict.add_fact(format!("{rule}: {proof}"));
        return;
    }
    let released = image.released_platforms();
    let proofs = released.map(|platform| (platform, entry.proof_of(platform.manifest)));
    let proofs: Vec<_> = proofs.collect();
    let mut missing = Vec::new();
    for (platform, proof) in &proofs {
        match proof {
            Some(proof) => verdict.add_fact(format!("{rule}: {proof}, of {}", platform.name())),
            None => missing.push(*platform),
        }
    }
    let has_some = missing.len() < proofs.len();
    if has_some && missing.is_empty() {
        return;
    }
    let subjects: Vec<(Digest, String)> = match has_some {
        true => missing.iter().map(|it| (it.manifest, it.name())).collect(),
        false => vec![(image.root, image.root.short())],
    };
    for (_, name) in &subjects {
        let reason = format!("{name} has no attestation that meets {rule}");
        verdict.fail(match entry.rejections() {
            Some(rejections) => format!("{reason}: {rejections}"),
            None => reason,
        });
    }
    verdict.add_hint(match entry.required.is_signed {
        true => "attest it in the build, or name its signer in the signers of the entry",
        false => "build the image with that attestation",
    });
}

impl AttestationFacts<'_> {
    /// Returns what meets the entry for a manifest: who signed it, or that nobody did.
    fn proof_of(&self, manifest: Digest) -> Option<String> {
        let about = self.found.iter().filter(|found| found.of == manifest);
        let met: Vec<_> = about
            .filter(|found| self.mismatch(found).is_none())
            .collect();
        let signer = met.iter().find_map(|found| match &found.proof {
            AttestationProof::Signed { by, .. } => Some(to_printable(by, SIGNER_LIMIT)),
            _ => None,
        });
        match (signer, met.first()) {
            (Some(signer), _) => Some(format!("signed by {signer}")),
            (None, Some(_)) => Some("present, unsigned".to_owned()),
            (None, None) => None,
        }
    }

    /// Returns why an attestation does not meet the entry; `None` if it does.
    fn mismatch(&self, found: &FoundAttestation<'_>) -> Option<String> {
        let rule = &self.required.rule;
        let (predicate_type, predicate) = match &found.proof {
            AttestationProof::Rejected(reason) => return Some(reason.clone()),
            AttestationProof::Unsigned { .. } if self.required.is_signed => {
                return Some("it is not signed".to_owned());
            }
            AttestationProof::Unsigned {
                predicate: None, ..
            } if rule.has_conditions() => return Some("its predicate was not read".to_owned()),
            AttestationProof::Unsigned {
                predicate_type,
                predicate,
            } => (*predicate_type, predicate.unwrap_or(&Value::Null)),
            AttestationProof::Signed {
                predicate_type,
                predicate,
                ..
            } => (*predicate_type, *predicate),
        };
        let checked = rule.check(predicate_type, predicate);
        checked.err().map(|mismatch| mismatch.to_string())
    }

    /// Returns why the attestations of the entry's type do not meet it; `None` if there are none.
    fn rejections(&self) -> Option<String> {
        let of_type = self.found.iter().filter(|found| match &found.proof {
            AttestationProof::Signed { predicate_type, .. }
            | AttestationProof::Unsigned { predicate_type, .. } => {
                self.required.rule.matches_type(predicate_type)
            }
            AttestationProof::Rejected(_) => true,
        });
        let rejected = of_type.filter_map(|found| {
            let reason = self.mismatch(found)?;
            Some((found.digest, reason))
        });
        let rejected: Vec<(Digest, String)> = rejected.collect();
        let rejected = rejected
            .iter()
            .map(|(digest, reason)| (*digest, reason.as_str()));
        listed_rejections("attestation", rejected)
    }
}
