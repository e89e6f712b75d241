//! The encrypted form of PKCS#8 (`EncryptedPrivateKeyInfo`, RFC 5958) with PBES2 (RFC 8018), as
//! `openssl pkcs8 -topk8` and `openssl genpkey` write it.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use secrecy::zeroize::Zeroizing;
use x509_cert::der::asn1::{AnyRef, OctetStringRef};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{self, Decode, Reader, SliceReader};
use x509_cert::spki::AlgorithmIdentifierRef;

use super::KeyError;

const PBES2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.13");
const PBKDF2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.5.12");
const SCRYPT: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.4.11");
const HMAC_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.7");

/// Hashes of PBKDF2.
const HASHES: [(ObjectIdentifier, &pbkdf2::Algorithm); 4] = [
    (HMAC_SHA1, &pbkdf2::PBKDF2_HMAC_SHA1),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.2.9"),
        &pbkdf2::PBKDF2_HMAC_SHA256,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.2.10"),
        &pbkdf2::PBKDF2_HMAC_SHA384,
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.2.11"),
        &pbkdf2::PBKDF2_HMAC_SHA512,
    ),
];
/// Ciphers in CBC mode, with the size of their keys.
const CIPHERS: [(ObjectIdentifier, &Algorithm, usize); 3] = [
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.2"),
        &AES_128,
        16,
    ),
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.22"),
        &AES_192,
        24,
    ),
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42"),
        &AES_256,
        32,
    ),
];
const BLOCK_SIZE: usize = 16;
/// Rounds that a key may ask for: others could ask for hours.
const ROUNDS_LIMIT: u32 = 10_000_000;
/// Costs of scrypt that a key may ask for, by the power of two: up to 128 MiB with blocks of 8.
const SCRYPT_COSTS: std::ops::RangeInclusive<u32> = 1..=17;
const SCRYPT_BLOCK_SIZE: u64 = 8;
const SCRYPT_PARALLEL: u64 = 1;

/// How the key of the cipher comes from a password.
enum Derivation {
    Pbkdf2(&'static pbkdf2::Algorithm, NonZeroU32),
    Scrypt { log_cost: u8 },
}

/// Encrypted key whose encryption is known.
pub(super) struct EncryptedPkcs8 {
    derivation: Derivation,
    salt: Vec<u8>,
    cipher: &'static Algorithm,
    key_size: usize,
    iv: [u8; BLOCK_SIZE],
    ciphertext: Vec<u8>,
}

impl EncryptedPkcs8 {
    /// Reads how the key is encrypted.
    pub(super) fn parse(content: &[u8]) -> Result<Self, KeyError> {
        let damaged = |_: der::Error| KeyError::Content("an encrypted private key");
        let (encryption, ciphertext) = read_info(content).map_err(damaged)?;
        if encryption.oid != PBES2 {
            return Err(unsupported("another scheme than PBES2", encryption.oid));
        }
        let parameters = encryption
            .parameters
            .ok_or(KeyError::Content("an encrypted private key"))?;
        let (derivation, cipher) = read_pair(parameters).map_err(damaged)?;
        let known = CIPHERS.iter().find(|(oid, ..)| *oid == cipher.oid);
        let Some((_, algorithm, key_size)) = known else {
            return Err(unsupported("another cipher than AES-CBC", cipher.oid));
        };
        let iv = cipher
            .parameters
            .and_then(|iv| iv.decode_as::<OctetStringRef<'_>>().ok());
        let iv = iv.and_then(|iv| iv.as_bytes().try_into().ok());
        let (derivation, salt) = Derivation::read(&derivation)?;
        Ok(Self {
            derivation,
            salt,
            cipher: algorithm,
            key_size: *key_size,
            iv: iv.ok_or(KeyError::Content("an encrypted private key"))?,
            ciphertext: ciphertext.to_vec(),
        })
    }

    /// Returns the PKCS#8 in it.
    pub(super) fn decrypt(&self, password: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let wrong = || match password {
            "" => KeyError::NoPassword,
            _ => KeyError::WrongPassword,
        };
        let mut key = Zeroizing::new(vec![0; self.key_size]);
        self.derivation.derive(password, &self.salt, &mut key)?;
        let key = UnboundCipherKey::new(self.cipher, &key).map_err(|_| wrong())?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_| wrong())?;
        let mut content = Zeroizing::new(self.ciphertext.clone());
        let iv = DecryptionContext::Iv128(FixedLength::from(self.iv));
        let plain = key.decrypt(&mut content, iv).map_err(|_| wrong())?;
        // The padding of a wrong password is right once in 256 times.
        match SliceReader::new(plain).and_then(|mut plain| plain.sequence(read_rest)) {
            Ok(_) => Ok(Zeroizing::new(plain.to_vec())),
            Err(_) => Err(wrong()),
        }
    }
}

impl Derivation {
    fn read(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(Self, Vec<u8>), KeyError> {
        let damaged = || KeyError::Content("an encrypted private key");
        let parameters = algorithm.parameters.ok_or_else(damaged)?;
        match algorithm.oid {
            PBKDF2 => read_pbkdf2(parameters),
            SCRYPT => read_scrypt(parameters),
            other => {
                return Err(unsupported(
                    "another key derivation than PBKDF2 and scrypt",
                    other,
                ));
            }
        }
        .map_err(|_| damaged())?
    }

    fn derive(&self, password: &str, salt: &[u8], key: &mut [u8]) -> Result<(), KeyError> {
        let password = password.as_bytes();
        match self {
            Self::Pbkdf2(hash, rounds) => {
                pbkdf2::derive(**hash, *rounds, salt, password, key);
                Ok(())
            }
            Self::Scrypt { log_cost } => {
                let parameters = scrypt::Params::new(*log_cost, 8, 1, key.len());
                parameters
                    .ok()
                    .and_then(|parameters| scrypt::scrypt(password, salt, &parameters, key).ok())
                    .ok_or_else(|| {
                        KeyError::Pkcs8Encryption("unusual scrypt parameters".to_owned())
                    })
            }
        }
    }
}

/// Result of reading parameters: the outer error is of the structure, the inner one of its values.
type Parameters = der::Result<Result<(Derivation, Vec<u8>), KeyError>>;

/// Reads `PBKDF2-params`.
fn read_pbkdf2(parameters: AnyRef<'_>) -> Parameters {
    parameters.sequence(|fields| {
        let salt = OctetStringRef::decode(fields)?.as_bytes().to_vec();
        let rounds = u32::decode(fields)?;
        let _key_size = Option::<u32>::decode(fields)?;
        let hash = Option::<AlgorithmIdentifierRef<'_>>::decode(fields)?;
        let hash = hash.map_or(HMAC_SHA1, |hash| hash.oid);
        let known = HASHES.iter().find(|(oid, _)| *oid == hash);
        let rounds = NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= ROUNDS_LIMIT);
        Ok(match (known, rounds) {
            (Some((_, hash)), Some(rounds)) => Ok((Derivation::Pbkdf2(hash, rounds), salt)),
            (None, _) => Err(unsupported("PBKDF2 over an unknown hash", hash)),
            (_, None) => Err(KeyError::Pkcs8Encryption(format!(
                "more than {ROUNDS_LIMIT} rounds of PBKDF2"
            ))),
        })
    })
}

/// Reads `scrypt-params` (RFC 7914).
fn read_scrypt(parameters: AnyRef<'_>) -> Parameters {
    parameters.sequence(|fields| {
        let salt = OctetStringRef::decode(fields)?.as_bytes().to_vec();
        let cost = u64::decode(fields)?;
        let (block, parallel) = (u64::decode(fields)?, u64::decode(fields)?);
        let _key_size = Option::<u32>::decode(fields)?;
        let log_cost = cost.checked_ilog2().unwrap_or_default();
        let is_known = cost.is_power_of_two()
            && SCRYPT_COSTS.contains(&log_cost)
            && (block, parallel) == (SCRYPT_BLOCK_SIZE, SCRYPT_PARALLEL);
        Ok(match u8::try_from(log_cost) {
            Ok(log_cost) if is_known => Ok((Derivation::Scrypt { log_cost }, salt)),
            _ => Err(KeyError::Pkcs8Encryption(format!(
                "scrypt with N={cost}, r={block}, p={parallel}"
            ))),
        })
    })
}

/// Reads `EncryptedPrivateKeyInfo`: the encryption, and what is encrypted.
fn read_info(content: &[u8]) -> der::Result<(AlgorithmIdentifierRef<'_>, &[u8])> {
    SliceReader::new(content)?.sequence(|fields| {
        let encryption = AlgorithmIdentifierRef::decode(fields)?;
        Ok((encryption, OctetStringRef::decode(fields)?.as_bytes()))
    })
}

/// Reads `PBES2-params`: the key derivation and the cipher.
fn read_pair(
    parameters: AnyRef<'_>,
) -> der::Result<(AlgorithmIdentifierRef<'_>, AlgorithmIdentifierRef<'_>)> {
    parameters.sequence(|fields| {
        let derivation = AlgorithmIdentifierRef::decode(fields)?;
        Ok((derivation, AlgorithmIdentifierRef::decode(fields)?))
    })
}

fn read_rest<'a>(fields: &mut der::NestedReader<'_, SliceReader<'a>>) -> der::Result<&'a [u8]> {
    fields.read_slice(fields.remaining_len())
}

fn unsupported(what: &str, oid: ObjectIdentifier) -> KeyError {
    KeyError::Pkcs8Encryption(format!("{what} ({oid})"))
}
