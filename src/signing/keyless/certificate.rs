//! A certificate for a key that lives as long as the run, from Fulcio.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use sigstore_crypto::parse_certificate_info;
use sigstore_types::DerCertificate;

use super::token::Token;
use crate::registry::Client;
use crate::signing::bundle::Signatory;
use crate::signing::instance::Service;
use crate::signing::{PrivateKey, ServiceError};

/// A key and the certificate for it.
pub(super) struct Certified {
    pub(super) key: PrivateKey,
    pub(super) leaf: DerCertificate,
    /// The certificates above the leaf, as PEM, in their order.
    pub(super) chain: String,
    /// How long the certificate is good for.
    pub(super) lifetime: Duration,
}

impl Certified {
    pub(super) fn signatory(&self) -> Signatory<'_> {
        Signatory::Certificate {
            leaf: &self.leaf,
            chain: &self.chain,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issued {
    signed_certificate_embedded_sct: Option<Certificates>,
}

#[derive(Deserialize)]
struct Certificates {
    chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

/// Asks for a certificate for a new key.
pub(super) async fn issue(
    fulcio: &Service,
    client: &Client,
    token: &Token,
) -> Result<Certified, ServiceError> {
    let key = PrivateKey::generate();
    let request = json!({
        "credentials": {"oidcIdentityToken": token.text.expose_secret()},
        "publicKeyRequest": {
            "publicKey": {"algorithm": "ECDSA", "content": key.public().to_pem()},
            "proofOfPossession": BASE64_STANDARD.encode(key.sign(token.subject().as_bytes())),
        },
    });
    let (url, kind) = (fulcio.below("/api/v2/signingCert"), "application/json");
    let answer = fulcio
        .post(client, url, kind, request.to_string().into_bytes())
        .await?;
    let body = fulcio.succeed(answer)?.body;
    let issued: Issued = serde_json::from_slice(&body).map_err(|error| fulcio.unusable(error))?;
    // One that is not logged with its issue cannot be checked from the certificate alone.
    let chain = issued.signed_certificate_embedded_sct.ok_or_else(|| {
        fulcio.unusable("a certificate without a certificate transparency timestamp in it")
    })?;
    let (leaf, above) = chain
        .chain
        .certificates
        .split_first()
        .ok_or_else(|| fulcio.unusable("an empty chain of certificates"))?;
    let leaf = DerCertificate::from_pem(leaf).map_err(|error| fulcio.unusable(error))?;
    let info = parse_certificate_info(&leaf).map_err(|error| fulcio.unusable(error))?;
    if info.public_key.as_bytes() != key.public().spki() {
        return Err(fulcio.unusable("a certificate for another key"));
    }
    let lifetime = info.not_after.duration_since(info.not_before);
    Ok(Certified {
        key,
        leaf,
        chain: above
            .iter()
            .map(|pem| format!("{}\n", pem.trim_end()))
            .collect(),
        lifetime: lifetime.try_into().unwrap_or_default(),
    })
}
