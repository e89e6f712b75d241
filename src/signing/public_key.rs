use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA256_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::KeyError;
use super::key_algorithm::{self, KeyAlgorithm};
use super::pem::{self, PemBlock};
use crate::image::Digest;

/// The public half of a key of a kind that cosign signs with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    /// In X.509's form, SubjectPublicKeyInfo.
    spki: Vec<u8>,
}

impl PublicKey {
    /// Parses a PEM text (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    /// Another kind of key, or none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::from_pem(pem::parse_pem(text)?)
    }

    /// Parses a PEM text with one key or several, of which any counts: those of a rotation.
    ///
    /// # Errors
    /// Another kind of key, or none.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, KeyError> {
        let blocks = pem::parse_pem_blocks(text)?;
        blocks.into_iter().map(Self::from_pem).collect()
    }

    fn from_pem(pem: PemBlock) -> Result<Self, KeyError> {
        match pem.label.as_str() {
            "PUBLIC KEY" => Self::from_spki(pem.content.to_vec()),
            "CERTIFICATE" => Err(KeyError::Certificate),
            "RSA PUBLIC KEY" => Err(KeyError::Pkcs1),
            label if label.ends_with("PRIVATE KEY") => Err(KeyError::ExpectedPublic),
            label => Err(KeyError::UnknownLabel(label.to_owned())),
        }
    }

    pub(super) fn from_spki(spki: Vec<u8>) -> Result<Self, KeyError> {
        let kind = key_algorithm::public_key_algorithm(&spki)?;
        // A point off the curve, or a modulus that is too short, is found out by the first use alone.
        let is_usable = |algorithm: &&'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(*algorithm, &spki).parse().is_ok()
        };
        match verification_algorithms(kind).iter().all(is_usable) {
            true => Ok(Self {
                algorithm: kind,
                spki,
            }),
            false => Err(KeyError::Content("a public key")),
        }
    }

    /// Returns whether `signature` (ASN.1 for ECDSA) is the signature of `message` by this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        verification_algorithms(self.algorithm)
            .iter()
            .any(|algorithm| {
                let key = UnparsedPublicKey::new(*algorithm, &self.spki);
                key.verify(message, signature).is_ok()
            })
    }

    /// Returns the hint by which a bundle names the key: base64 of the SHA-256 of its SPKI.
    pub fn key_hint(&self) -> String {
        BASE64_STANDARD.encode(self.fingerprint().as_bytes())
    }

    /// Returns the fingerprint: the digest of the SPKI.
    pub fn fingerprint(&self) -> Digest {
        Digest::from_bytes(&self.spki)
    }

    /// Returns the key as PEM (`BEGIN PUBLIC KEY`).
    pub fn to_pem(&self) -> String {
        pem::write_pem("PUBLIC KEY", &self.spki)
    }

    pub(super) fn spki(&self) -> &[u8] {
        &self.spki
    }

    pub(super) fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }
}

/// How keys of a kind sign. cosign signs with the hash of a curve's size, and its versions up to 3.1
/// take SHA-256 with every curve.
fn verification_algorithms(kind: KeyAlgorithm) -> &'static [&'static dyn VerificationAlgorithm] {
    match kind {
        KeyAlgorithm::P256 => &[&ECDSA_P256_SHA256_ASN1],
        KeyAlgorithm::P384 => &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1],
        KeyAlgorithm::P521 => &[&ECDSA_P521_SHA512_ASN1, &ECDSA_P521_SHA256_ASN1],
        KeyAlgorithm::Ed25519 => &[&ED25519],
        KeyAlgorithm::Rsa => &[&RSA_PKCS1_2048_8192_SHA256],
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}
