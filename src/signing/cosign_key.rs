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
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// What cosign has ever used, by the power of two: 32, 64 and 128 MiB. Others could ask for any
/// amount of memory.
const COSTS: std::ops::RangeInclusive<u32> = 15..=17;
const BLOCK_SIZE: u32 = 8;
const PARALLEL: u32 = 1;
const KEY_SIZE: usize = 32;
const NONCE_SIZE: usize = 24;

/// A sealed key whose seal is one of cosign's.
pub(super) struct SealedKey {
    parameters: scrypt::Params,
    salt: Vec<u8>,
    nonce: [u8; NONCE_SIZE],
    ciphertext: Vec<u8>,
}

impl SealedKey {
    pub(super) fn read(content: &[u8]) -> Result<Self, KeyError> {
        let sealed: Sealed = serde_json::from_slice(content)
            .map_err(|_| KeyError::Content("an encrypted cosign key"))?;
        let parameters = parameters(&sealed.kdf)?;
        if sealed.cipher.name != "nacl/secretbox" {
            return Err(other(format!("its cipher is {:?}", sealed.cipher.name)));
        }
        Ok(Self {
            parameters,
            salt: decode(&sealed.kdf.salt)?,
            nonce: decode(&sealed.cipher.nonce)?
                .try_into()
                .map_err(|_| other(format!("its nonce has not {NONCE_SIZE} bytes")))?,
            ciphertext: decode(&sealed.ciphertext)?,
        })
    }

    /// The PKCS#8 in it.
    pub(super) fn open(&self, password: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let mut key = Zeroizing::new([0; KEY_SIZE]);
        scrypt::scrypt(
            password.as_bytes(),
            &self.salt,
            &self.parameters,
            &mut key[..],
        )
        .map_err(|_| other("its scrypt parameters"))?;
        XSalsa20Poly1305::new((&*key).into())
            .decrypt(&self.nonce.into(), self.ciphertext.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| match password {
                "" => KeyError::NoPassword,
                _ => KeyError::Password,
            })
    }
}

fn parameters(kdf: &Kdf) -> Result<scrypt::Params, KeyError> {
    if kdf.name != "scrypt" {
        return Err(other(format!("its key derivation is {:?}", kdf.name)));
    }
    let Params { n, r, p } = kdf.params;
    let cost = n.checked_ilog2().unwrap_or_default();
    if !n.is_power_of_two() || !COSTS.contains(&cost) || r != BLOCK_SIZE || p != PARALLEL {
        return Err(other(format!(
            "its scrypt parameters are N={n}, r={r}, p={p}"
        )));
    }
    u8::try_from(cost)
        .ok()
        .and_then(|cost| scrypt::Params::new(cost, r, p, KEY_SIZE).ok())
        .ok_or_else(|| other("its scrypt parameters"))
}

fn decode(text: &str) -> Result<Vec<u8>, KeyError> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|_| KeyError::Content("an encrypted cosign key"))
}

fn other(what: impl Into<String>) -> KeyError {
    KeyError::Encryption(crate::notice::printable(&what.into(), 120))
}
