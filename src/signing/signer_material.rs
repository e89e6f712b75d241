//! Verification material of a signer: a public key or a certificate.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sigstore_bundle::VerificationMaterialV03;
use sigstore_types::DerCertificate;

use super::PublicKey;

/// Who signed, as others are told.
pub(super) enum SignerMaterial<'a> {
    /// The holder of a key, by its public half.
    Key(&'a PublicKey),
    /// Whom a certificate names.
    Certificate {
        leaf: &'a DerCertificate,
        /// The certificates above it, as PEM.
        chain: &'a str,
    },
}

impl SignerMaterial<'_> {
    /// What a bundle says: a certificate says all, a key is named by a hint.
    pub(super) fn to_bundle_material(&self) -> VerificationMaterialV03 {
        match self {
            Self::Key(key) => VerificationMaterialV03::PublicKey {
                hint: key.key_hint(),
            },
            Self::Certificate { leaf, .. } => VerificationMaterialV03::Certificate((*leaf).clone()),
        }
    }

    /// What Rekor v1 is told.
    pub(super) fn to_pem(&self) -> String {
        match self {
            Self::Key(key) => key.to_pem(),
            Self::Certificate { leaf, .. } => leaf.to_pem(),
        }
    }

    /// What Rekor v2 is told (`Verifier` of rekor-tiles).
    pub(super) fn to_rekor_verifier(&self) -> Value {
        let raw = |der: &[u8]| json!({"rawBytes": BASE64_STANDARD.encode(der)});
        let (kind, raw) = match self {
            Self::Key(key) => ("publicKey", raw(key.spki())),
            Self::Certificate { leaf, .. } => ("x509Certificate", raw(leaf.as_bytes())),
        };
        json!({"keyDetails": "PKIX_ECDSA_P256_SHA_256", kind: raw})
    }
}
