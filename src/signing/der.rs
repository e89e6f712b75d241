//! As much of DER as it takes to tell which kind of key a PKCS#8 or SPKI structure holds, whether a
//! timestamp was granted, and whether a certificate is a root.

use super::KeyError;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OID: u8 = 0x06;
/// Of a certificate: present from version 2 on.
const VERSION: u8 = 0xa0;

const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// A kind of key that signatures are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyAlgorithm {
    P256,
    P384,
    P521,
    Ed25519,
    Rsa,
}

/// What an object identifier names: a kind of key, or one that nothing is signed with here.
type NamedAlgorithm = (&'static [u8], Result<KeyAlgorithm, &'static str>);

/// Kinds that people have, by their object identifier.
const ALGORITHMS: [NamedAlgorithm; 5] = [
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
        Ok(KeyAlgorithm::Rsa),
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a],
        Err("an RSA-PSS key"),
    ),
    (&[0x2b, 0x65, 0x70], Ok(KeyAlgorithm::Ed25519)),
    (&[0x2b, 0x65, 0x71], Err("an Ed448 key")),
    (&[0x2b, 0x65, 0x6e], Err("an X25519 key")),
];
const CURVES: [NamedAlgorithm; 4] = [
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        Ok(KeyAlgorithm::P256),
    ),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], Ok(KeyAlgorithm::P384)),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], Ok(KeyAlgorithm::P521)),
    (
        &[0x2b, 0x81, 0x04, 0x00, 0x0a],
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

/// That a PKCS#8 structure holds a key over P-256, which alone signs here.
pub(super) fn check_pkcs8(der: &[u8]) -> Result<(), KeyError> {
    let damaged = || KeyError::Content("a private key");
    let mut outer = read_element(&mut { der }, SEQUENCE).ok_or_else(damaged)?;
    read_element(&mut outer, INTEGER).ok_or_else(damaged)?;
    let algorithm = read_element(&mut outer, SEQUENCE).ok_or_else(damaged)?;
    match parse_algorithm(algorithm).ok_or_else(damaged)? {
        Ok(KeyAlgorithm::P256) => Ok(()),
        Ok(other) => Err(KeyError::Kind(other.to_string())),
        Err(other) => Err(KeyError::Kind(other.to_owned())),
    }
}

/// The kind of the key that an SPKI structure holds.
pub(super) fn public_key_algorithm(mut der: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let damaged = || KeyError::Content("a public key");
    let mut outer = read_element(&mut der, SEQUENCE).ok_or_else(damaged)?;
    let algorithm = read_element(&mut outer, SEQUENCE).ok_or_else(damaged)?;
    let kind = parse_algorithm(algorithm).ok_or_else(damaged)?;
    let kind = kind.map_err(|other| KeyError::UnsupportedPublicKey(other.to_owned()))?;
    let bits = read_element(&mut outer, BIT_STRING).ok_or_else(damaged)?;
    let is_whole = der.is_empty() && outer.is_empty();
    // No unused bits; a point has one form alone, the one that is not compressed.
    let is_point = matches!(
        kind,
        KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521
    );
    match bits {
        [0, 4, ..] if is_whole && is_point => Ok(kind),
        [0, ..] if is_whole && !is_point => Ok(kind),
        _ => Err(damaged()),
    }
}

/// The status of a timestamp response (RFC 3161, 2.4.2): 0 and 1 grant it.
pub(super) fn timestamp_status(der: &[u8]) -> Option<u8> {
    let mut response = read_element(&mut { der }, SEQUENCE)?;
    let mut info = read_element(&mut response, SEQUENCE)?;
    match read_element(&mut info, INTEGER)? {
        [status] => Some(*status),
        _ => None,
    }
}

/// Whether a certificate (RFC 5280, 4.1) names itself as its issuer; `None` for what is none.
pub(super) fn is_self_issued(der: &[u8]) -> Option<bool> {
    let mut certificate = read_element(&mut { der }, SEQUENCE)?;
    let mut signed = read_element(&mut certificate, SEQUENCE)?;
    read_element(&mut signed, VERSION)?;
    read_element(&mut signed, INTEGER)?;
    let _algorithm = read_element(&mut signed, SEQUENCE)?;
    let issuer = read_element(&mut signed, SEQUENCE)?;
    let _validity = read_element(&mut signed, SEQUENCE)?;
    Some(issuer == read_element(&mut signed, SEQUENCE)?)
}

/// The kind that an algorithm identifier names, or what it is of which nothing here is signed.
fn parse_algorithm(mut algorithm: &[u8]) -> Option<Result<KeyAlgorithm, &'static str>> {
    let find = |known: &[NamedAlgorithm], oid: &[u8]| {
        known.iter().find(|(known, _)| *known == oid).copied()
    };
    let oid = read_element(&mut algorithm, OID)?;
    if oid != EC {
        let found = find(&ALGORITHMS, oid);
        return Some(found.map_or(Err("a key of an unknown kind"), |(_, kind)| kind));
    }
    // A curve that is spelt out instead of named is none of these to anybody.
    let curve = read_element(&mut algorithm, OID).unwrap_or_default();
    let found = find(&CURVES, curve);
    Some(found.map_or(Err("an EC key over an unknown curve"), |(_, kind)| kind))
}

/// The content of the next element, which must have this tag; `from` goes on behind it.
fn read_element<'a>(from: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&is, rest) = from.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits
                .iter()
                .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *from = rest;
    (is == tag).then_some(content)
}
