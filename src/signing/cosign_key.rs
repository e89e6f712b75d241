//! The encrypted private key that `cosign generate-key-pair` writes: JSON in PEM, the key made from
//! a password by scrypt, the PKCS#8 sealed in a NaCl secretbox.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crypto_secretbox::aead::Aead;
use crypto_secretbox::{KeyInit, XSalsa20Poly1305};
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;

use super::KeyError;

#[derive(Deserialize)]
struct EncryptedKeyJson {
    kdf: KdfJson,
    cipher: CipherJson,
    ciphertext: String,
}

#[derive(Deserialize)]
struct KdfJson {
    name: String,
    params: ScryptParamsJson,
    salt: String,
}

#[derive(Deserialize)]
struct ScryptParamsJson {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct CipherJson {
    name: String,
    nonce: String,
}

/// What cosign has ever used, by the power of two: 32, 64 and 128 MiB. Others could ask for any
/// amount of memory.
const ACCEPTED_COSTS: std::ops::RangeInclusive<u32> = 15..=17;
const BLOCK_SIZE: u32 = 8;
const PARALLEL: u32 = 1;
const KEY_SIZE: usize = 32;
const NONCE_SIZE: usize = 24;

/// A sealed key whose seal is one of cosign's.
pub(super) struct EncryptedCosignKey {
    parameters: scrypt::Params,
    salt: Vec<u8>,
    nonce: [u8; NONCE_SIZE],
    ciphertext: Vec<u8>,
}

impl EncryptedCosignKey {
    pub(super) fn parse(content: &[u8]) -> Result<Self, KeyError> {
        let sealed: EncryptedKeyJson = serde_json::from_slice(content)
            .map_err(|_| KeyError::Content("an encrypted cosign key"))?;
        let parameters = scrypt_parameters(&sealed.kdf)?;
        if sealed.cipher.name != "nacl/secretbox" {
            return Err(unsupported_encryption(format!(
                "its cipher is {:?}",
                sealed.cipher.name
            )));
        }
        Ok(Self {
            parameters,
            salt: decode_base64(&sealed.kdf.salt)?,
            nonce: decode_base64(&sealed.cipher.nonce)?
                .try_into()
                .map_err(|_| {
                    unsupported_encryption(format!("its nonce has not {NONCE_SIZE} bytes"))
                })?,
            ciphertext: decode_base64(&sealed.ciphertext)?,
        })
    }

    /// The PKCS#8 in it.
    pub(super) fn decrypt(&self, password: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let mut key = Zeroizing::new([0; KEY_SIZE]);
        scrypt::scrypt(
            password.as_bytes(),
            &self.salt,
            &self.parameters,
            &mut key[..],
        )
        .map_err(|_| unsupported_encryption("its scrypt parameters"))?;
        XSalsa20Poly1305::new((&*key).into())
            .decrypt(&self.nonce.into(), self.ciphertext.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| match password {
                "" => KeyError::NoPassword,
                _ => KeyError::WrongPassword,
            })
    }
}

fn scrypt_parameters(kdf: &KdfJson) -> Result<scrypt::Params, KeyError> {
    if kdf.name != "scrypt" {
        return Err(unsupported_encryption(format!(
            "its key derivation is {:?}",
            kdf.name
        )));
    }
    let ScryptParamsJson { n, r, p } = kdf.params;
    let cost = n.checked_ilog2().unwrap_or_default();
    if !n.is_power_of_two() || !ACCEPTED_COSTS.contains(&cost) || r != BLOCK_SIZE || p != PARALLEL {
        return Err(unsupported_encryption(format!(
            "its scrypt parameters are N={n}, r={r}, p={p}"
        )));
    }
    u8::try_from(cost)
        .ok()
        .and_then(|cost| scrypt::Params::new(cost, r, p, KEY_SIZE).ok())
        .ok_or_else(|| unsupported_encryption("its scrypt parameters"))
}

fn decode_base64(text: &str) -> Result<Vec<u8>, KeyError> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|_| KeyError::Content("an encrypted cosign key"))
}

fn unsupported_encryption(what: impl Into<String>) -> KeyError {
    KeyError::UnsupportedEncryption(crate::notices::to_printable(&what.into(), 120))
}
