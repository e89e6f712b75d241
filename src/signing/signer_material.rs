//! Verification material of a signer: a public key or a certificate.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sigstore_bundle::VerificationMaterialV03;
use sigstore_types::DerCertificate;

use super::PublicKey;
use super::rekor_scheme::RekorScheme;

/// Public key or certificate of a signer, for verifiers.
pub(super) enum SignerMaterial<'a> {
    /// Key of the signer.
    Key(&'a PublicKey),
    /// Certificate of the signer.
    Certificate {
        leaf: &'a DerCertificate,
        /// The certificates above it, as PEM.
        chain: &'a str,
    },
}

impl SignerMaterial<'_> {
    /// Returns the verification material of a bundle: the certificate, or a hint that names the key.
    pub(super) fn to_bundle_material(&self) -> VerificationMaterialV03 {
        match self {
            Self::Key(key) => VerificationMaterialV03::PublicKey {
                hint: key.key_hint(),
            },
            Self::Certificate { leaf, .. } => VerificationMaterialV03::Certificate((*leaf).clone()),
        }
    }

    /// Returns the key or certificate as PEM, for Rekor v1.
    pub(super) fn to_pem(&self) -> String {
        match self {
            Self::Key(key) => key.to_pem(),
            Self::Certificate { leaf, .. } => leaf.to_pem(),
        }
    }

    /// Returns how the signer signs for Rekor v2; `None` where the log takes no such key.
    pub(super) fn rekor_scheme(&self) -> Option<RekorScheme> {
        match self {
            Self::Key(key) => RekorScheme::of_key(key),
            Self::Certificate { .. } => Some(RekorScheme::P256),
        }
    }

    /// Returns the `Verifier` message of rekor-tiles, for Rekor v2.
    pub(super) fn to_rekor_verifier(&self, scheme: RekorScheme) -> Value {
        let raw = |der: &[u8]| json!({"rawBytes": BASE64_STANDARD.encode(der)});
        let (kind, raw) = match self {
            Self::Key(key) => ("publicKey", raw(key.spki())),
            Self::Certificate { leaf, .. } => ("x509Certificate", raw(leaf.as_bytes())),
        };
        json!({"keyDetails": scheme.key_details, kind: raw})
    }
}
