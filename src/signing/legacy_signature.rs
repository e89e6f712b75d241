//! The legacy form: a payload in containers' simple-signing format, and a signature beside it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::signer_material::SignerMaterial;
use super::verify::check_json;
use super::{ImageClaim, PrivateKey, PublicKey, VerificationError, image_claim};
use crate::image::Digest;
use crate::notices::to_printable;

/// The media type of the payload.
pub const SIMPLE_SIGNING_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

const SIGNATURE_KIND: &str = "cosign container image signature";

/// A payload and the signature over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacySignature {
    /// What is signed.
    pub payload: Vec<u8>,
    /// The signature, in base64; none where what was found has none.
    pub signature: Option<String>,
    /// The certificate of a keyless signature, as PEM.
    pub certificate: Option<String>,
    /// The certificates above it, as PEM.
    pub chain: Option<String>,
    /// The entry in a transparency log and the log's promise to include it (SET), as JSON.
    pub log_entry: Option<String>,
    /// A timestamp of the signature (RFC 3161), as JSON.
    pub timestamp: Option<String>,
}

/// The annotations of a layer that hold what stands beside a payload.
const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE_ANNOTATION: &str = "dev.sigstore.cosign/certificate";
const CHAIN_ANNOTATION: &str = "dev.sigstore.cosign/chain";
const LOG_ENTRY_ANNOTATION: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP_ANNOTATION: &str = "dev.sigstore.cosign/rfc3161timestamp";

impl LegacySignature {
    /// The payload of a layer, and what the layer's annotations say beside it.
    pub fn from_layer(payload: Vec<u8>, annotations: &BTreeMap<String, String>) -> Self {
        // Tekton Chains writes empty ones for what a signature has not.
        let annotation = |name: &str| {
            let text = annotations.get(name).cloned();
            text.filter(|text| !text.trim().is_empty())
        };
        Self {
            payload,
            signature: annotation(SIGNATURE_ANNOTATION),
            certificate: annotation(CERTIFICATE_ANNOTATION),
            chain: annotation(CHAIN_ANNOTATION),
            log_entry: annotation(LOG_ENTRY_ANNOTATION),
            timestamp: annotation(TIMESTAMP_ANNOTATION),
        }
    }

    /// A payload and the signature over it.
    pub(super) fn new(payload: Vec<u8>, signature: &[u8]) -> Self {
        Self {
            payload,
            signature: Some(BASE64_STANDARD.encode(signature)),
            certificate: None,
            chain: None,
            log_entry: None,
            timestamp: None,
        }
    }

    /// An envelope, which has its signature in it. cosign writes an empty one beside it.
    pub(super) fn from_envelope(payload: Vec<u8>) -> Self {
        Self::new(payload, &[])
    }

    /// With the certificate of who signed, where that is what says so.
    pub(super) fn with_material(self, by: &SignerMaterial<'_>) -> Self {
        match by {
            SignerMaterial::Key(_) => self,
            SignerMaterial::Certificate { leaf, chain } => Self {
                certificate: Some(leaf.to_pem()),
                chain: Some((*chain).to_owned()),
                ..self
            },
        }
    }

    /// The annotations of a layer that say what stands beside the payload.
    pub fn to_annotations(&self) -> BTreeMap<&'static str, &str> {
        let pairs = [
            (SIGNATURE_ANNOTATION, &self.signature),
            (CERTIFICATE_ANNOTATION, &self.certificate),
            (CHAIN_ANNOTATION, &self.chain),
            (LOG_ENTRY_ANNOTATION, &self.log_entry),
            (TIMESTAMP_ANNOTATION, &self.timestamp),
        ];
        pairs
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.as_deref()?)))
            .collect()
    }

    /// What the payload says, where it is said of `image`.
    pub(super) fn parse_claim(&self, image: Digest) -> Result<ImageClaim, VerificationError> {
        let claim = parse_payload(&self.payload)?;
        match claim.digest == image {
            true => Ok(claim),
            false => Err(VerificationError::OtherImage(claim.digest)),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct SimpleSigningPayload {
    critical: SimpleSigningCritical,
    optional: Option<Map<String, Value>>,
}

#[derive(Serialize, Deserialize)]
struct SimpleSigningCritical {
    identity: SimpleSigningIdentity,
    image: SimpleSigningImage,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize)]
struct SimpleSigningIdentity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Serialize, Deserialize)]
struct SimpleSigningImage {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

impl PrivateKey {
    /// Signs a claim in the legacy form.
    pub fn sign_legacy(&self, claim: &ImageClaim) -> LegacySignature {
        let payload = claim.to_simple_signing_payload();
        let signature = self.sign(&payload);
        LegacySignature::new(payload, &signature)
    }
}

impl PublicKey {
    /// That this key made a signature in the legacy form.
    pub(super) fn check_legacy(&self, signed: &LegacySignature) -> Result<(), VerificationError> {
        let signature = signed
            .signature
            .as_deref()
            .ok_or(VerificationError::Unsigned)?;
        let signature = BASE64_STANDARD
            .decode(signature)
            .map_err(|_| VerificationError::malformed("its signature is not base64"))?;
        if !self.verifies(&signed.payload, &signature) {
            return Err(match signed.certificate {
                Some(_) => VerificationError::SignedWithCertificate,
                None => VerificationError::SignatureMismatch,
            });
        }
        Ok(())
    }
}

impl ImageClaim {
    /// The payload that the legacy form signs.
    pub fn to_simple_signing_payload(&self) -> Vec<u8> {
        let optional: Map<String, Value> = self
            .annotations
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        let payload = SimpleSigningPayload {
            critical: SimpleSigningCritical {
                identity: SimpleSigningIdentity {
                    reference: self.repository.clone(),
                },
                image: SimpleSigningImage {
                    digest: self.digest.to_string(),
                },
                kind: SIGNATURE_KIND.to_owned(),
            },
            optional: Some(optional).filter(|optional| !optional.is_empty()),
        };
        // Texts and maps of texts alone: this cannot fail.
        serde_json::to_vec(&payload).unwrap_or_default()
    }
}

fn parse_payload(payload: &[u8]) -> Result<ImageClaim, VerificationError> {
    let payload: SimpleSigningPayload =
        serde_json::from_str(check_json(payload)?).map_err(VerificationError::malformed)?;
    if payload.critical.kind != SIGNATURE_KIND {
        let kind = to_printable(&payload.critical.kind, 80);
        return Err(VerificationError::OtherPredicateType(format!(
            "its payload is of type {kind:?}"
        )));
    }
    Ok(ImageClaim {
        repository: payload.critical.identity.reference,
        digest: payload
            .critical
            .image
            .digest
            .parse()
            .map_err(|error| VerificationError::malformed(format!("its digest {error}")))?,
        annotations: image_claim::annotations_from_json(payload.optional),
    })
}
