//! A certificate for a key that lives as long as the run, from Fulcio.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use sigstore_crypto::parse_certificate_info;
use sigstore_types::DerCertificate;

use super::identity_token::IdentityToken;
use crate::http::HttpClient;
use crate::signing::instance::SigstoreService;
use crate::signing::signer_material::SignerMaterial;
use crate::signing::{PrivateKey, SigstoreServiceError};

/// A key and the certificate for it.
pub(super) struct CertifiedKey {
    pub(super) key: PrivateKey,
    pub(super) leaf: DerCertificate,
    /// The certificates above the leaf, as PEM, in their order.
    pub(super) chain: String,
    /// How long the certificate is good for.
    pub(super) lifetime: Duration,
}

impl CertifiedKey {
    pub(super) fn to_material(&self) -> SignerMaterial<'_> {
        SignerMaterial::Certificate {
            leaf: &self.leaf,
            chain: &self.chain,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssuedCertificateJson {
    signed_certificate_embedded_sct: Option<CertificatesJson>,
}

#[derive(Deserialize)]
struct CertificatesJson {
    chain: CertificateChainJson,
}

#[derive(Deserialize)]
struct CertificateChainJson {
    certificates: Vec<String>,
}

/// Asks for a certificate for a new key.
pub(super) async fn request_certificate(
    fulcio: &SigstoreService,
    client: &HttpClient,
    token: &IdentityToken,
) -> Result<CertifiedKey, SigstoreServiceError> {
    let key = PrivateKey::generate();
    let request = json!({
        "credentials": {"oidcIdentityToken": token.text.expose_secret()},
        "publicKeyRequest": {
            "publicKey": {"algorithm": "ECDSA", "content": key.public().to_pem()},
            "proofOfPossession": BASE64_STANDARD.encode(key.sign(token.proof_subject().as_bytes())),
        },
    });
    let (url, kind) = (fulcio.url_below("/api/v2/signingCert"), "application/json");
    let answer = fulcio
        .post(client, url, kind, request.to_string().into_bytes())
        .await?;
    let body = fulcio.expect_success(answer)?.body;
    let issued: IssuedCertificateJson =
        serde_json::from_slice(&body).map_err(|error| fulcio.invalid_answer(error))?;
    // One that is not logged with its issue cannot be checked from the certificate alone.
    let chain = issued.signed_certificate_embedded_sct.ok_or_else(|| {
        fulcio.invalid_answer("a certificate without a certificate transparency timestamp in it")
    })?;
    let (leaf, above) = chain
        .chain
        .certificates
        .split_first()
        .ok_or_else(|| fulcio.invalid_answer("an empty chain of certificates"))?;
    let leaf = DerCertificate::from_pem(leaf).map_err(|error| fulcio.invalid_answer(error))?;
    let info = parse_certificate_info(&leaf).map_err(|error| fulcio.invalid_answer(error))?;
    if info.public_key.as_bytes() != key.public().spki() {
        return Err(fulcio.invalid_answer("a certificate for another key"));
    }
    let lifetime = info.not_after.duration_since(info.not_before);
    Ok(CertifiedKey {
        key,
        leaf,
        chain: above
            .iter()
            .map(|pem| format!("{}\n", pem.trim_end()))
            .collect(),
        lifetime: lifetime.try_into().unwrap_or_default(),
    })
}
