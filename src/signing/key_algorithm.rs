//! Which kind of key a PKCS#8 (RFC 5958) or SubjectPublicKeyInfo (RFC 5280) structure holds.

use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{self, Decode, Reader, SliceReader};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::KeyError;

/// Kind of a key that makes signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyAlgorithm {
    P256,
    P384,
    P521,
    Ed25519,
    Rsa,
}

/// Object identifier of a kind of key, with the name of the kind if it is not supported.
type NamedAlgorithm = (ObjectIdentifier, Result<KeyAlgorithm, &'static str>);

/// `id-ecPublicKey` (RFC 5480): the parameters name the curve.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `secp256r1` (RFC 5480).
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

const ALGORITHMS: [NamedAlgorithm; 5] = [
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1"),
        Ok(KeyAlgorithm::Rsa),
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"),
        Err("an RSA-PSS key"),
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.101.112"),
        Ok(KeyAlgorithm::Ed25519),
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.101.113"),
        Err("an Ed448 key"),
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.101.110"),
        Err("an X25519 key"),
    ),
];
const CURVES: [NamedAlgorithm; 4] = [
    (P256, Ok(KeyAlgorithm::P256)),
    (
        ObjectIdentifier::new_unwrap("1.3.132.0.34"),
        Ok(KeyAlgorithm::P384),
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.132.0.35"),
        Ok(KeyAlgorithm::P521),
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.132.0.10"),
        Err("an EC key over secp256k1"),
    ),
];

impl std::fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::P256 => "an EC key over P-256",
            Self::P384 => "an EC key over P-384",
            Self::P521 => "an EC key over P-521",
            Self::Ed25519 => "an Ed25519 key",
            Self::Rsa => "an RSA key",
        })
    }
}

/// Returns the kind of the key that a PKCS#8 structure holds.
///
/// # Errors
/// A damaged structure, or a kind that is not supported.
pub(super) fn private_key_algorithm(pkcs8: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let algorithm =
        pkcs8_algorithm(pkcs8).map_err(|_: der::Error| KeyError::Content("a private key"))?;
    named_algorithm(&algorithm).map_err(|other| KeyError::Kind(other.to_owned()))
}

fn pkcs8_algorithm(pkcs8: &[u8]) -> der::Result<AlgorithmIdentifierRef<'_>> {
    SliceReader::new(pkcs8)?.sequence(|fields| {
        let _version = u8::decode(fields)?;
        let algorithm = AlgorithmIdentifierRef::decode(fields)?;
        let _key_and_attributes = fields.read_slice(fields.remaining_len())?;
        Ok(algorithm)
    })
}

/// Returns the kind of the key that a SubjectPublicKeyInfo structure holds.
///
/// # Errors
/// A damaged structure, a kind that is not supported, or a compressed point.
pub(super) fn public_key_algorithm(spki: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let damaged = || KeyError::Content("a public key");
    let key = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| damaged())?;
    let algorithm = named_algorithm(&key.algorithm)
        .map_err(|other| KeyError::UnsupportedPublicKey(other.to_owned()))?;
    let bits = key.subject_public_key.as_bytes().ok_or_else(damaged)?;
    let is_point = matches!(
        algorithm,
        KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521
    );
    match bits {
        [4, ..] if is_point => Ok(algorithm),
        _ if !is_point => Ok(algorithm),
        _ => Err(damaged()),
    }
}

/// Returns the kind of key, or the name of a kind that is not supported.
fn named_algorithm(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<KeyAlgorithm, &'static str> {
    let find = |known: &[NamedAlgorithm], oid: ObjectIdentifier| {
        known.iter().find(|(known, _)| *known == oid).copied()
    };
    if algorithm.oid != EC {
        let found = find(&ALGORITHMS, algorithm.oid);
        return found.map_or(Err("a key of an unknown kind"), |(_, kind)| kind);
    }
    // A curve can also be written out instead of named; nothing supports that.
    let curve = algorithm.parameters_oid().ok();
    let found = curve.and_then(|curve| find(&CURVES, curve));
    found.map_or(Err("an EC key over an unknown curve"), |(_, kind)| kind)
}
