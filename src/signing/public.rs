use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{KeyError, der, pem};
use crate::image::Digest;

/// The public half of a key over P-256.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Uncompressed, as it stands in SPKI.
    point: [u8; 65],
}

/// SPKI of a key over P-256, up to the point.
const SPKI_BEFORE_POINT: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

impl PublicKey {
    /// Reads a PEM text (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    /// Another kind of key, or none.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let pem = pem::read(text)?;
        match pem.label.as_str() {
            "PUBLIC KEY" => {
                let key = Self::of_point(der::spki_point(&pem.content)?)?;
                // A point off the curve is found out by the first use alone.
                match UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key.point).parse() {
                    Ok(_) => Ok(key),
                    Err(_) => Err(KeyError::Content("a public key")),
                }
            }
            "CERTIFICATE" => Err(KeyError::Certificate),
            "RSA PUBLIC KEY" => Err(KeyError::Kind("an RSA key".to_owned())),
            label if label.ends_with("PRIVATE KEY") => Err(KeyError::Private),
            label => Err(KeyError::Label(label.to_owned())),
        }
    }

    pub(super) fn of_point(point: &[u8]) -> Result<Self, KeyError> {
        let point = point
            .try_into()
            .map_err(|_| KeyError::Content("a public key"))?;
        Ok(Self { point })
    }

    /// Whether `signature` (ASN.1) is this key's over `message`.
    pub(super) fn fits(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.point)
            .verify(message, signature)
            .is_ok()
    }

    /// What a bundle names the key by: the base64 of the SHA-256 of its SPKI form.
    pub fn hint(&self) -> String {
        BASE64_STANDARD.encode(aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            &self.spki(),
        ))
    }

    /// The key's fingerprint: the digest of its SPKI form.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.spki())
    }

    /// The key as PEM.
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.spki())
    }

    pub(super) fn spki(&self) -> Vec<u8> {
        [&SPKI_BEFORE_POINT[..], &self.point].concat()
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}
