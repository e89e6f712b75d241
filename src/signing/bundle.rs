//! The newer form: a Sigstore bundle v0.3 with a DSSE envelope around an in-toto statement. The few
//! members that a key needs are written down here: the crates of Sigstore check no bundle that has
//! only a key.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Claim, Flaw, PrivateKey, PublicKey, claim};
use crate::image::Digest;
use crate::notice::printable;

/// The media type of a bundle.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// What the statement in a signature says that it is.
pub const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// What every version's media type begins with.
const ANY_BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
const STATEMENTS: [&str; 2] = [STATEMENT, "https://in-toto.io/Statement/v0.1"];
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
pub(super) const PAYLOAD: &str = "application/vnd.in-toto+json";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    #[serde(skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<Envelope>,
}

/// A key is named by a hint; certificates are known to be there and not looked at.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<Hint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x509_certificate_chain: Option<Value>,
}

#[derive(Serialize, Deserialize)]
struct Hint {
    #[serde(default)]
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    predicate_type: String,
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    name: String,
    digest: std::collections::BTreeMap<String, String>,
    annotations: Option<Map<String, Value>>,
}

impl PrivateKey {
    /// Signs a claim as a bundle.
    pub fn sign_bundle(&self, claim: &Claim) -> Vec<u8> {
        let payload = statement(claim);
        let bundle = Bundle {
            media_type: BUNDLE.to_owned(),
            verification_material: Material {
                public_key: Some(Hint {
                    hint: self.public().hint(),
                }),
                certificate: None,
                x509_certificate_chain: None,
            },
            dsse_envelope: Some(Envelope {
                signatures: vec![Signature {
                    sig: BASE64_STANDARD.encode(self.sign(&encoded(PAYLOAD, &payload))),
                }],
                payload: BASE64_STANDARD.encode(payload),
                payload_type: PAYLOAD.to_owned(),
            }),
        };
        // Texts alone: this cannot fail.
        serde_json::to_vec(&bundle).unwrap_or_default()
    }
}

impl PublicKey {
    /// What a bundle says of the image `digest`.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn check_bundle(&self, bundle: &[u8], digest: Digest) -> Result<Claim, Flaw> {
        let bundle: Bundle = serde_json::from_slice(bundle).map_err(Flaw::malformed)?;
        if !bundle.media_type.starts_with(ANY_BUNDLE) {
            return Err(Flaw::malformed(format!(
                "its media type is {:?}",
                bundle.media_type
            )));
        }
        let Material { public_key, .. } = bundle.verification_material;
        let envelope = bundle.dsse_envelope.ok_or_else(|| {
            Flaw::OtherKind("it signs a file (cosign sign-blob), with no statement".to_owned())
        })?;
        let hint = public_key.ok_or(Flaw::Certificate)?.hint;
        let payload = self.check_envelope(&envelope, &hint)?;
        read(&payload, digest)
    }

    fn check_envelope(&self, envelope: &Envelope, hint: &str) -> Result<Vec<u8>, Flaw> {
        let decode = |what: &str, text: &str| {
            BASE64_STANDARD
                .decode(text)
                .map_err(|_| Flaw::malformed(format!("its {what} is no base64")))
        };
        let payload = decode("payload", &envelope.payload)?;
        let [signature] = envelope.signatures.as_slice() else {
            let count = envelope.signatures.len();
            return Err(Flaw::malformed(format!(
                "it has {count} signatures, not one"
            )));
        };
        let signature = decode("signature", &signature.sig)?;
        if self.fits(&encoded(&envelope.payload_type, &payload), &signature) {
            return Ok(payload);
        }
        Err(if hint == self.hint() {
            Flaw::Tampered
        } else {
            Flaw::OtherKey(match hint {
                "" => "which it does not name".to_owned(),
                hint => format!("hint {}", printable(hint, 60)),
            })
        })
    }
}

/// What DSSE signs: its pre-authentication encoding.
pub(super) fn encoded(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut text = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    text.extend_from_slice(payload);
    text
}

pub(super) fn statement(claim: &Claim) -> Vec<u8> {
    let mut subject = json!({
        "name": claim.repository,
        "digest": {"sha256": claim.digest.hex()},
    });
    if !claim.annotations.is_empty() {
        subject["annotations"] = json!(claim.annotations);
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

pub(super) fn read(statement: &[u8], digest: Digest) -> Result<Claim, Flaw> {
    let statement: Statement = serde_json::from_slice(statement)
        .map_err(|error| Flaw::malformed(format!("its statement: {error}")))?;
    if !STATEMENTS.contains(&statement.kind.as_str()) {
        return Err(Flaw::malformed(format!("it is a {:?}", statement.kind)));
    }
    if statement.predicate_type != PREDICATE {
        let kind = printable(&statement.predicate_type, 120);
        return Err(Flaw::Attestation(kind));
    }
    let [subject] = <[Subject; 1]>::try_from(statement.subject)
        .map_err(|all| Flaw::malformed(format!("it has {} subjects, not one", all.len())))?;
    let named = subject.digest.get("sha256").map_or("", String::as_str);
    let named: Digest = format!("sha256:{named}")
        .parse()
        .map_err(|error| Flaw::malformed(format!("its subject {error}")))?;
    if named != digest {
        return Err(Flaw::OtherImage(named));
    }
    Ok(Claim {
        repository: subject.name,
        digest: named,
        annotations: claim::annotations(subject.annotations),
    })
}
