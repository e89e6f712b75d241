//! Keys of every kind that signers have.

use aws_lc_rs::digest::{Digest, SHA256_OUTPUT_LEN, SHA384, SHA384_OUTPUT_LEN};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA256_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use rcgen::SignatureAlgorithm;

use super::authority::{Subject, labelled};

/// A kind of key, and the hash that it signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    P256,
    P384,
    /// As cosign before 2.6 signs.
    P384Sha256,
    P521,
    P521Sha256,
    Ed25519,
    Rsa,
    RsaSha512,
    RsaPss,
}

impl Kind {
    /// Those of keys that cosign signs with.
    pub const OF_SIGNATURES: [Self; 7] = [
        Self::P256,
        Self::P384,
        Self::P384Sha256,
        Self::P521,
        Self::P521Sha256,
        Self::Ed25519,
        Self::Rsa,
    ];
}

pub enum Leaf {
    Ecdsa(EcdsaKeyPair, &'static SignatureAlgorithm),
    /// With SHA-256 over another curve than P-256.
    EcdsaSha256(EcdsaKeyPair, &'static SignatureAlgorithm),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

impl Leaf {
    pub fn new(kind: Kind) -> Self {
        let ecdsa = |signing, kind| Self::Ecdsa(EcdsaKeyPair::generate(signing).unwrap(), kind);
        let by_sha256 =
            |signing, kind| Self::EcdsaSha256(EcdsaKeyPair::generate(signing).unwrap(), kind);
        let rsa = |encoding| Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap(), encoding);
        match kind {
            Kind::P256 => ecdsa(
                &ECDSA_P256_SHA256_ASN1_SIGNING,
                &rcgen::PKCS_ECDSA_P256_SHA256,
            ),
            Kind::P384 => ecdsa(
                &ECDSA_P384_SHA384_ASN1_SIGNING,
                &rcgen::PKCS_ECDSA_P384_SHA384,
            ),
            Kind::P521 => ecdsa(
                &ECDSA_P521_SHA512_ASN1_SIGNING,
                &rcgen::PKCS_ECDSA_P521_SHA512,
            ),
            Kind::P384Sha256 => by_sha256(
                &ECDSA_P384_SHA384_ASN1_SIGNING,
                &rcgen::PKCS_ECDSA_P384_SHA384,
            ),
            Kind::P521Sha256 => by_sha256(
                &ECDSA_P521_SHA256_ASN1_SIGNING,
                &rcgen::PKCS_ECDSA_P521_SHA512,
            ),
            Kind::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate().unwrap()),
            Kind::Rsa => rsa(&RSA_PKCS1_SHA256),
            Kind::RsaSha512 => rsa(&RSA_PKCS1_SHA512),
            Kind::RsaPss => rsa(&RSA_PSS_SHA256),
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(key, _) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::EcdsaSha256(key, _) => {
                let signature = match key.algorithm() == &ECDSA_P384_SHA384_ASN1_SIGNING {
                    true => key.sign_digest(&widened_sha256(message)),
                    false => key.sign(&random, message),
                };
                signature.unwrap().as_ref().to_vec()
            }
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*encoding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    /// What a certificate says of it.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Ecdsa(key, kind) | Self::EcdsaSha256(key, kind) => Subject {
                key: key.public_key().as_ref().to_vec(),
                kind,
            },
            Self::Ed25519(key) => Subject {
                key: key.public_key().as_ref().to_vec(),
                kind: &rcgen::PKCS_ED25519,
            },
            Self::Rsa(key, _) => Subject {
                key: key.public_key().as_ref().to_vec(),
                kind: &rcgen::PKCS_RSA_SHA256,
            },
        }
    }

    /// What Rekor v2 calls its kind.
    pub fn details(&self) -> &'static str {
        match self {
            Self::Ecdsa(_, kind) if **kind == rcgen::PKCS_ECDSA_P384_SHA384 => {
                "PKIX_ECDSA_P384_SHA_384"
            }
            Self::Ecdsa(_, kind) if **kind == rcgen::PKCS_ECDSA_P521_SHA512 => {
                "PKIX_ECDSA_P521_SHA_512"
            }
            Self::EcdsaSha256(_, kind) if **kind == rcgen::PKCS_ECDSA_P384_SHA384 => {
                "PKIX_ECDSA_P384_SHA_256"
            }
            Self::EcdsaSha256(..) => "PKIX_ECDSA_P521_SHA_256",
            Self::Ecdsa(..) => "PKIX_ECDSA_P256_SHA_256",
            Self::Ed25519(_) => "PKIX_ED25519",
            Self::Rsa(..) => "PKIX_RSA_PKCS1V15_2048_SHA256",
        }
    }

    /// The hash that Rekor v2 has of what it signs.
    pub fn log_hash(&self) -> &'static str {
        match self.details() {
            "PKIX_ECDSA_P384_SHA_384" => "SHA2_384",
            "PKIX_ECDSA_P521_SHA_512" => "SHA2_512",
            _ => "SHA2_256",
        }
    }

    pub fn spki(&self) -> Vec<u8> {
        let der = match self {
            Self::Ecdsa(key, _) | Self::EcdsaSha256(key, _) => key.public_key().as_der(),
            Self::Ed25519(key) => key.public_key().as_der(),
            Self::Rsa(key, _) => key.public_key().as_der(),
        };
        der.unwrap().as_ref().to_vec()
    }

    pub fn pem(&self) -> String {
        labelled("PUBLIC KEY", &self.spki())
    }
}

/// The SHA-256 digest of a message as P-384 signs it: with zeros in front.
fn widened_sha256(message: &[u8]) -> Digest {
    let mut wide = [0; SHA384_OUTPUT_LEN];
    wide[SHA384_OUTPUT_LEN - SHA256_OUTPUT_LEN..].copy_from_slice(&super::sha256(message));
    Digest::import_less_safe(&wide, &SHA384).unwrap()
}
