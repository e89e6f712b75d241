//! The newer form: a Sigstore bundle v0.3 with a DSSE envelope around an in-toto statement. The few
//! members that a key needs are written down here; the crates of Sigstore come with keyless signing.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::json;

use super::verify::STATEMENT;
use super::{Claim, Detached, PrivateKey};

/// The media type of a bundle.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The media type of an envelope by itself, the legacy form of an attestation.
pub const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// What the statement in a signature says that it is.
pub const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

pub(super) const PAYLOAD: &str = "application/vnd.in-toto+json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Envelope,
}

/// A key is named by a hint.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Hint,
}

#[derive(Serialize)]
struct Hint {
    hint: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize)]
struct Signature {
    sig: String,
}

impl PrivateKey {
    /// Signs a claim as a bundle.
    pub fn sign_bundle(&self, claim: &Claim) -> Vec<u8> {
        self.sign_statement(claim.statement())
    }

    /// Signs an in-toto statement as a bundle.
    pub(super) fn sign_statement(&self, statement: Vec<u8>) -> Vec<u8> {
        let bundle = Bundle {
            media_type: BUNDLE.to_owned(),
            verification_material: Material {
                public_key: Hint {
                    hint: self.public().hint(),
                },
            },
            dsse_envelope: self.envelope(statement),
        };
        // Texts alone: this cannot fail.
        serde_json::to_vec(&bundle).unwrap_or_default()
    }

    /// Signs an in-toto statement in the legacy form of attestations: an envelope by itself.
    pub(super) fn sign_envelope(&self, statement: Vec<u8>) -> Detached {
        // Texts alone: this cannot fail.
        let envelope = serde_json::to_vec(&self.envelope(statement)).unwrap_or_default();
        Detached::envelope(envelope)
    }

    fn envelope(&self, statement: Vec<u8>) -> Envelope {
        Envelope {
            signatures: vec![Signature {
                sig: BASE64_STANDARD.encode(self.sign(&encoded(PAYLOAD, &statement))),
            }],
            payload: BASE64_STANDARD.encode(statement),
            payload_type: PAYLOAD.to_owned(),
        }
    }
}

/// What DSSE signs: its pre-authentication encoding.
pub(super) fn encoded(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut text = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    text.extend_from_slice(payload);
    text
}

impl Claim {
    /// The statement that a bundle signs.
    pub(super) fn statement(&self) -> Vec<u8> {
        let mut subject = json!({
            "name": self.repository,
            "digest": {"sha256": self.digest.hex()},
        });
        if !self.annotations.is_empty() {
            subject["annotations"] = json!(self.annotations);
        }
        json!({
            "_type": STATEMENT,
            "subject": [subject],
            "predicateType": PREDICATE,
            "predicate": {},
        })
        .to_string()
        .into_bytes()
    }
}
