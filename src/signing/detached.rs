//! The legacy form: a payload in containers' simple-signing format, and a signature beside it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bundle::Signatory;
use super::verify::any;
use super::{Claim, Flaw, PrivateKey, PublicKey, claim};
use crate::image::Digest;
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
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

impl Detached {
    /// The payload of a layer, and what the layer's annotations say beside it.
    pub fn of_layer(payload: Vec<u8>, annotations: &BTreeMap<String, String>) -> Self {
        let said = |name: &str| annotations.get(name).cloned();
        Self {
            payload,
            signature: said(SIGNATURE),
            certificate: said(CERTIFICATE),
            chain: said(CHAIN),
            log_entry: said(LOG_ENTRY),
            timestamp: said(TIMESTAMP),
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
    pub(super) fn envelope(payload: Vec<u8>) -> Self {
        Self::new(payload, &[])
    }

    /// With the certificate of who signed, where that is what says so.
    pub(super) fn by(self, by: &Signatory<'_>) -> Self {
        match by {
            Signatory::Key(_) => self,
            Signatory::Certificate { leaf, chain } => Self {
                certificate: Some(leaf.to_pem()),
                chain: Some((*chain).to_owned()),
                ..self
            },
        }
    }

    /// The annotations of a layer that say what stands beside the payload.
    pub fn annotations(&self) -> BTreeMap<&'static str, &str> {
        let said = [
            (SIGNATURE, &self.signature),
            (CERTIFICATE, &self.certificate),
            (CHAIN, &self.chain),
            (LOG_ENTRY, &self.log_entry),
            (TIMESTAMP, &self.timestamp),
        ];
        said.into_iter()
            .filter_map(|(name, text)| Some((name, text.as_deref()?)))
            .collect()
    }

    /// What the payload says, where it is said of `image`.
    pub(super) fn claim(&self, image: Digest) -> Result<Claim, Flaw> {
        let claim = read(&self.payload)?;
        match claim.digest == image {
            true => Ok(claim),
            false => Err(Flaw::OtherImage(claim.digest)),
        }
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
        Detached::new(payload, &signature)
    }
}

impl PublicKey {
    /// That this key made a signature in the legacy form.
    pub(super) fn check_detached(&self, signed: &Detached) -> Result<(), Flaw> {
        let signature = signed.signature.as_deref().ok_or(Flaw::Unsigned)?;
        let signature = BASE64_STANDARD
            .decode(signature)
            .map_err(|_| Flaw::malformed("its signature is no base64"))?;
        if !self.fits(&signed.payload, &signature) {
            return Err(match signed.certificate {
                Some(_) => Flaw::Certificate,
                None => Flaw::DoesNotFit,
            });
        }
        Ok(())
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

fn read(payload: &[u8]) -> Result<Claim, Flaw> {
    let payload: Payload = serde_json::from_str(any(payload)?).map_err(Flaw::malformed)?;
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
