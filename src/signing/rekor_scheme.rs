//! How keys sign what Rekor v2 holds.

use super::PublicKey;
use super::hash_function::HashFunction;
use super::key_algorithm::{self, KeyAlgorithm};

/// Hash with which a key signs for Rekor v2, and the name of both there (`PublicKeyDetails` of Sigstore's
/// protobuf-specs). The log takes one for each kind of key.
#[derive(Debug, Clone, Copy)]
pub(super) struct RekorScheme {
    pub(super) hash: HashFunction,
    pub(super) key_details: &'static str,
}

impl RekorScheme {
    /// The scheme of certificates for keys that exist in this process.
    pub(super) const P256: Self = Self {
        hash: HashFunction::Sha256,
        key_details: "PKIX_ECDSA_P256_SHA_256",
    };

    /// Returns how a key signs for Rekor v2; `None` for Ed25519, of which the log takes a form (Ed25519ph)
    /// that cosign does not verify, and for RSA keys of other sizes.
    pub(super) fn of_key(key: &PublicKey) -> Option<Self> {
        let (hash, key_details) = match key.algorithm() {
            KeyAlgorithm::P256 => return Some(Self::P256),
            KeyAlgorithm::P384 => (HashFunction::Sha384, "PKIX_ECDSA_P384_SHA_384"),
            KeyAlgorithm::P521 => (HashFunction::Sha512, "PKIX_ECDSA_P521_SHA_512"),
            KeyAlgorithm::Rsa => match key_algorithm::rsa_modulus_bits(key.spki())? {
                2048 => (HashFunction::Sha256, "PKIX_RSA_PKCS1V15_2048_SHA256"),
                3072 => (HashFunction::Sha256, "PKIX_RSA_PKCS1V15_3072_SHA256"),
                4096 => (HashFunction::Sha256, "PKIX_RSA_PKCS1V15_4096_SHA256"),
                _ => return None,
            },
            KeyAlgorithm::Ed25519 => return None,
        };
        Some(Self { hash, key_details })
    }
}
