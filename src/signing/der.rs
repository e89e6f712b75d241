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
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Kinds that people have, by their object identifier.
const KINDS: [(&[u8], &str); 5] = [
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
        "an RSA key",
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a],
        "an RSA-PSS key",
    ),
    (&[0x2b, 0x65, 0x70], "an Ed25519 key"),
    (&[0x2b, 0x65, 0x71], "an Ed448 key"),
    (&[0x2b, 0x65, 0x6e], "an X25519 key"),
];
const CURVES: [(&[u8], &str); 3] = [
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], "an EC key over P-384"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], "an EC key over P-521"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x0a], "an EC key over secp256k1"),
];

/// That a PKCS#8 structure holds a key over P-256.
pub(super) fn check_pkcs8(der: &[u8]) -> Result<(), KeyError> {
    let damaged = || KeyError::Content("a private key");
    let mut outer = element(&mut { der }, SEQUENCE).ok_or_else(damaged)?;
    element(&mut outer, INTEGER).ok_or_else(damaged)?;
    let algorithm = element(&mut outer, SEQUENCE).ok_or_else(damaged)?;
    check_algorithm(algorithm).ok_or_else(damaged)?
}

/// The point of an SPKI structure that holds a key over P-256.
pub(super) fn spki_point(der: &[u8]) -> Result<&[u8], KeyError> {
    let damaged = || KeyError::Content("a public key");
    let mut outer = element(&mut { der }, SEQUENCE).ok_or_else(damaged)?;
    let algorithm = element(&mut outer, SEQUENCE).ok_or_else(damaged)?;
    check_algorithm(algorithm).ok_or_else(damaged)??;
    let bits = element(&mut outer, BIT_STRING).ok_or_else(damaged)?;
    // No unused bits, then an uncompressed point.
    match bits {
        [0, point @ ..] if point.len() == 65 && point[0] == 4 => Ok(point),
        _ => Err(damaged()),
    }
}

/// The status of a timestamp response (RFC 3161, 2.4.2): 0 and 1 grant it.
pub(super) fn timestamp_status(der: &[u8]) -> Option<u8> {
    let mut response = element(&mut { der }, SEQUENCE)?;
    let mut info = element(&mut response, SEQUENCE)?;
    match element(&mut info, INTEGER)? {
        [status] => Some(*status),
        _ => None,
    }
}

/// Whether a certificate (RFC 5280, 4.1) names itself as its issuer; `None` for what is none.
pub(super) fn is_self_issued(der: &[u8]) -> Option<bool> {
    let mut certificate = element(&mut { der }, SEQUENCE)?;
    let mut signed = element(&mut certificate, SEQUENCE)?;
    element(&mut signed, VERSION)?;
    element(&mut signed, INTEGER)?;
    let _algorithm = element(&mut signed, SEQUENCE)?;
    let issuer = element(&mut signed, SEQUENCE)?;
    let _validity = element(&mut signed, SEQUENCE)?;
    Some(issuer == element(&mut signed, SEQUENCE)?)
}

fn check_algorithm(mut algorithm: &[u8]) -> Option<Result<(), KeyError>> {
    let kind = element(&mut algorithm, OID)?;
    if kind != EC {
        return Some(Err(named(&KINDS, kind, "a key of an unknown kind")));
    }
    // A curve that is spelt out instead of named is not P-256 to anybody.
    let curve = element(&mut algorithm, OID).unwrap_or_default();
    Some(if curve == P256 {
        Ok(())
    } else {
        Err(named(&CURVES, curve, "an EC key over an unknown curve"))
    })
}

fn named(known: &[(&[u8], &str)], oid: &[u8], otherwise: &str) -> KeyError {
    let found = known.iter().find(|(known, _)| *known == oid);
    KeyError::Kind(found.map_or(otherwise, |(_, name)| name).to_owned())
}

/// The content of the next element, which must have this tag; `from` goes on behind it.
fn element<'a>(from: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
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
