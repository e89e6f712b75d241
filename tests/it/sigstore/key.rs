//! A log's or an authority's key.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::{base64, sha256};

pub struct Key(EcdsaKeyPair);

/// SPKI of a key over P-256, up to the point.
const BEFORE_POINT: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

impl Key {
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().to_vec()
    }

    pub fn point(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    fn spki(&self) -> Vec<u8> {
        [&BEFORE_POINT[..], &self.point()].concat()
    }

    /// What a log is known by.
    pub fn id(&self) -> [u8; 32] {
        sha256(&self.spki())
    }

    /// The entry of a trusted root, as a log.
    pub fn trusted(&self, url: &str) -> Value {
        json!({
            "baseUrl": url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": base64(&self.spki()),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": "2020-01-01T00:00:00Z"},
            },
            "logId": {"keyId": base64(&self.id())},
        })
    }
}

/// The point in an SPKI structure as PEM.
pub fn point_of(pem: &str) -> Vec<u8> {
    let digits: String = pem
        .lines()
        .filter(|line| !line.starts_with("---"))
        .collect();
    super::bytes(&digits)[BEFORE_POINT.len()..].to_vec()
}
