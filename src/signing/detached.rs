//! The legacy form: a payload in containers' simple-signing format, and a signature beside it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Claim, Flaw, PrivateKey, PublicKey, claim};
use crate::notice::printable;

/// The media type of the payload.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

const TYPE: &str = "cosign container image signature";

/// A payload and the signature over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detached {
    /// What is signed.
    pub payload: Vec<u8>,
    /// The signature, in base64; none where what was found has none.
    pub signature: Option<String>,
    /// Whether a certificate stands beside it.
    pub certified: bool,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    critical: Critical,
    optional: Option<Map<String, Value>>,
}

#[derive(Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Serialize, Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

impl PrivateKey {
    /// Signs a claim in the legacy form.
    pub fn sign_detached(&self, claim: &Claim) -> Detached {
        let payload = payload(claim);
        let signature = BASE64_STANDARD.encode(self.sign(&payload));
        Detached {
            payload,
            signature: Some(signature),
            certified: false,
        }
    }
}

impl PublicKey {
    /// What a signature in the legacy form says of the image `digest`.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn check_detached(
        &self,
        signed: &Detached,
        digest: crate::image::Digest,
    ) -> Result<Claim, Flaw> {
        let signature = signed.signature.as_deref().ok_or(Flaw::Unsigned)?;
        let signature = BASE64_STANDARD
            .decode(signature)
            .map_err(|_| Flaw::malformed("its signature is no base64"))?;
        if !self.fits(&signed.payload, &signature) {
            return Err(if signed.certified {
                Flaw::Certificate
            } else {
                Flaw::DoesNotFit
            });
        }
        let claim = read(&signed.payload)?;
        if claim.digest != digest {
            return Err(Flaw::OtherImage(claim.digest));
        }
        Ok(claim)
    }
}

fn payload(claim: &Claim) -> Vec<u8> {
    let optional: Map<String, Value> = claim
        .annotations
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    let payload = Payload {
        critical: Critical {
            identity: Identity {
                reference: claim.repository.clone(),
            },
            image: Image {
                digest: claim.digest.to_string(),
            },
            kind: TYPE.to_owned(),
        },
        optional: Some(optional).filter(|optional| !optional.is_empty()),
    };
    // Texts and maps of texts alone: this cannot fail.
    serde_json::to_vec(&payload).unwrap_or_default()
}

fn read(payload: &[u8]) -> Result<Claim, Flaw> {
    let payload: Payload = serde_json::from_slice(payload).map_err(Flaw::malformed)?;
    if payload.critical.kind != TYPE {
        let kind = printable(&payload.critical.kind, 80);
        return Err(Flaw::OtherKind(format!("its payload is of type {kind:?}")));
    }
    Ok(Claim {
        repository: payload.critical.identity.reference,
        digest: payload
            .critical
            .image
            .digest
            .parse()
            .map_err(|error| Flaw::malformed(format!("its digest {error}")))?,
        annotations: claim::annotations(payload.optional),
    })
}
