//! The legacy form: a payload in containers' simple-signing format, and a signature beside it.

use std::collections::BTreeMap;

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
    /// What stands beside a signature that was made with a certificate.
    pub certificate: Option<Certificate>,
}

/// A certificate, and what says when it was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate, as PEM.
    pub leaf: String,
    /// The certificates above it, as PEM.
    pub chain: Option<String>,
    /// The log's signed promise to include the signature, as JSON.
    pub bundle: Option<String>,
    /// A timestamp of an authority, as JSON.
    pub timestamp: Option<String>,
}

/// The annotations of a layer.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const BUNDLE: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

impl Detached {
    /// A payload and the signature over it, as bytes.
    pub(super) fn new(
        payload: Vec<u8>,
        signature: &[u8],
        certificate: Option<Certificate>,
    ) -> Self {
        Self {
            payload,
            signature: Some(BASE64_STANDARD.encode(signature)),
            certificate,
        }
    }

    /// What a layer with `annotations` holds, whose content is `payload`.
    pub fn of_layer(payload: Vec<u8>, annotations: &BTreeMap<String, String>) -> Self {
        let get = |name: &str| {
            annotations
                .get(name)
                .filter(|text| !text.is_empty())
                .cloned()
        };
        Self {
            payload,
            signature: get(SIGNATURE),
            certificate: get(CERTIFICATE).map(|leaf| Certificate {
                leaf,
                chain: get(CHAIN),
                bundle: get(BUNDLE),
                timestamp: get(TIMESTAMP),
            }),
        }
    }

    /// The annotations of its layer.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let certificate = self.certificate.as_ref();
        let beside = |get: fn(&Certificate) -> Option<&String>| certificate.and_then(get);
        [
            (SIGNATURE, self.signature.as_ref()),
            (
                CERTIFICATE,
                certificate.map(|certificate| &certificate.leaf),
            ),
            (CHAIN, beside(|certificate| certificate.chain.as_ref())),
            (BUNDLE, beside(|certificate| certificate.bundle.as_ref())),
            (
                TIMESTAMP,
                beside(|certificate| certificate.timestamp.as_ref()),
            ),
        ]
        .into_iter()
        .filter_map(|(name, text)| Some((name.to_owned(), text?.clone())))
        .collect()
    }
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
        let payload = claim.payload();
        let signature = self.sign(&payload);
        Detached::new(payload, &signature, None)
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
            return Err(if signed.certificate.is_some() {
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

impl Claim {
    /// The payload that the legacy form signs.
    pub fn payload(&self) -> Vec<u8> {
        let optional: Map<String, Value> = self
            .annotations
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let payload = Payload {
            critical: Critical {
                identity: Identity {
                    reference: self.repository.clone(),
                },
                image: Image {
                    digest: self.digest.to_string(),
                },
                kind: TYPE.to_owned(),
            },
            optional: Some(optional).filter(|optional| !optional.is_empty()),
        };
        // Texts and maps of texts alone: this cannot fail.
        serde_json::to_vec(&payload).unwrap_or_default()
    }
}

pub(super) fn read(payload: &[u8]) -> Result<Claim, Flaw> {
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
