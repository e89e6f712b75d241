//! JSON that has one meaning for every reader: of bounded size and depth, in UTF-8, no member twice.
//! A bundle has no member either that its format does not know, and one of those that exclude each
//! other: what one reader passes over, another may go by.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::super::VerificationError;

/// The most bytes that a bundle, a payload or a trusted root may have.
pub const BUNDLE_LIMIT: u64 = 8 << 20;

/// What may stand at a place.
enum JsonShape {
    Anything,
    List(&'static JsonShape),
    Members {
        known: &'static [(&'static str, &'static JsonShape)],
        /// At most one of these.
        either: &'static [&'static str],
    },
}

const fn members_shape(known: &'static [(&'static str, &'static JsonShape)]) -> JsonShape {
    JsonShape::Members { known, either: &[] }
}

const ANY_SHAPE: &JsonShape = &JsonShape::Anything;

/// `dev.sigstore.bundle.v1.Bundle` of protobuf-specs, in JSON.
const BUNDLE_SHAPE: &JsonShape = &JsonShape::Members {
    known: &[
        ("mediaType", ANY_SHAPE),
        ("verificationMaterial", MATERIAL_SHAPE),
        ("messageSignature", MESSAGE_SHAPE),
        ("dsseEnvelope", ENVELOPE_SHAPE),
    ],
    either: &["messageSignature", "dsseEnvelope"],
};

const MATERIAL_SHAPE: &JsonShape = &JsonShape::Members {
    known: &[
        ("publicKey", &members_shape(&[("hint", ANY_SHAPE)])),
        ("certificate", CERTIFICATE_SHAPE),
        (
            "x509CertificateChain",
            &members_shape(&[("certificates", &JsonShape::List(CERTIFICATE_SHAPE))]),
        ),
        ("tlogEntries", &JsonShape::List(LOG_ENTRY_SHAPE)),
        (
            "timestampVerificationData",
            &members_shape(&[(
                "rfc3161Timestamps",
                &JsonShape::List(&members_shape(&[("signedTimestamp", ANY_SHAPE)])),
            )]),
        ),
    ],
    either: &["publicKey", "certificate", "x509CertificateChain"],
};

const CERTIFICATE_SHAPE: &JsonShape = &members_shape(&[("rawBytes", ANY_SHAPE)]);

const LOG_ENTRY_SHAPE: &JsonShape = &members_shape(&[
    ("logIndex", ANY_SHAPE),
    ("logId", &members_shape(&[("keyId", ANY_SHAPE)])),
    (
        "kindVersion",
        &members_shape(&[("kind", ANY_SHAPE), ("version", ANY_SHAPE)]),
    ),
    ("integratedTime", ANY_SHAPE),
    (
        "inclusionPromise",
        &members_shape(&[("signedEntryTimestamp", ANY_SHAPE)]),
    ),
    (
        "inclusionProof",
        &members_shape(&[
            ("logIndex", ANY_SHAPE),
            ("rootHash", ANY_SHAPE),
            ("treeSize", ANY_SHAPE),
            ("hashes", ANY_SHAPE),
            ("checkpoint", &members_shape(&[("envelope", ANY_SHAPE)])),
        ]),
    ),
    ("canonicalizedBody", ANY_SHAPE),
]);

const MESSAGE_SHAPE: &JsonShape = &members_shape(&[
    (
        "messageDigest",
        &members_shape(&[("algorithm", ANY_SHAPE), ("digest", ANY_SHAPE)]),
    ),
    ("signature", ANY_SHAPE),
]);

const ENVELOPE_SHAPE: &JsonShape = &members_shape(&[
    ("payload", ANY_SHAPE),
    ("payloadType", ANY_SHAPE),
    (
        "signatures",
        &JsonShape::List(&members_shape(&[("sig", ANY_SHAPE), ("keyid", ANY_SHAPE)])),
    ),
]);

/// The text of a bundle.
pub(super) fn check_bundle(bytes: &[u8]) -> Result<&str, VerificationError> {
    check_shape(bytes, BUNDLE_SHAPE)
}

/// The text of an envelope by itself.
pub(super) fn check_envelope(bytes: &[u8]) -> Result<&str, VerificationError> {
    check_shape(bytes, ENVELOPE_SHAPE)
}

/// Any JSON text.
pub(crate) fn check_json(bytes: &[u8]) -> Result<&str, VerificationError> {
    check_shape(bytes, ANY_SHAPE)
}

fn check_shape<'a>(
    bytes: &'a [u8],
    shape: &'static JsonShape,
) -> Result<&'a str, VerificationError> {
    if bytes.len() as u64 > BUNDLE_LIMIT {
        return Err(VerificationError::malformed(format!(
            "it has {} bytes",
            bytes.len()
        )));
    }
    let text =
        std::str::from_utf8(bytes).map_err(|_| VerificationError::malformed("it is not UTF-8"))?;
    let mut json = serde_json::Deserializer::from_str(text);
    // The depth is bounded by serde_json: 128 levels.
    shape
        .deserialize(&mut json)
        .map_err(VerificationError::malformed)?;
    json.end().map_err(VerificationError::malformed)?;
    Ok(text)
}

impl<'de> DeserializeSeed<'de> for &'static JsonShape {
    /// Whether there is anything, not null.
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &'static JsonShape {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JsonShape::Anything => "JSON",
            JsonShape::List(_) => "a list",
            JsonShape::Members { .. } => "an object",
        })
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<bool, E> {
        self.scalar()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<bool, E> {
        self.scalar()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<bool, E> {
        self.scalar()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<bool, E> {
        self.scalar()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<bool, E> {
        self.scalar()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let item = match self {
            JsonShape::Anything => ANY_SHAPE,
            JsonShape::List(item) => item,
            JsonShape::Members { .. } => {
                return Err(A::Error::custom("a list where an object belongs"));
            }
        };
        while list.next_element_seed(item)?.is_some() {}
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut seen = BTreeSet::new();
        let mut present = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let member = self.member_shape(&name).map_err(A::Error::custom)?;
            // What is null is absent, as in every JSON form of protocol buffers.
            if map.next_value_seed(member)? {
                if let Some(other) = self.excluded_by(&name, &present) {
                    return Err(A::Error::custom(format!("it has both {other} and {name}")));
                }
                present.insert(name.clone());
            }
            if let Some(name) = seen.replace(name) {
                return Err(A::Error::custom(format!("it has {name:?} twice")));
            }
        }
        Ok(true)
    }
}

impl JsonShape {
    fn scalar<E: Error>(&self) -> Result<bool, E> {
        match self {
            Self::Anything => Ok(true),
            Self::List(_) => Err(E::custom("a value where a list belongs")),
            Self::Members { .. } => Err(E::custom("a value where an object belongs")),
        }
    }

    fn member_shape(&self, name: &str) -> Result<&'static Self, String> {
        match self {
            Self::Anything => Ok(ANY_SHAPE),
            Self::List(_) => Err("an object where a list belongs".to_owned()),
            Self::Members { known, .. } => known
                .iter()
                .find(|(is, _)| *is == name)
                .map(|(_, shape)| *shape)
                .ok_or_else(|| format!("it has a part that is not known, {name:?}")),
        }
    }

    /// The member that was there before, and does not go with this one.
    fn excluded_by(&self, name: &str, seen: &BTreeSet<String>) -> Option<&'static str> {
        match self {
            Self::Members { either, .. } if either.contains(&name) => either
                .iter()
                .find(|other| **other != name && seen.contains(**other))
                .copied(),
            _ => None,
        }
    }
}
