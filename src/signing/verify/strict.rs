//! JSON that has one meaning for every reader: of bounded size and depth, in UTF-8, no member twice.
//! A bundle has no member either that its format does not know, and one of those that exclude each
//! other: what one reader passes over, another may go by.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::super::Flaw;

/// The most bytes that a bundle, a payload or a trusted root may have.
pub const BUNDLE_LIMIT: u64 = 8 << 20;

/// What may stand at a place.
enum Shape {
    Anything,
    List(&'static Shape),
    Members {
        known: &'static [(&'static str, &'static Shape)],
        /// At most one of these.
        either: &'static [&'static str],
    },
}

const fn members(known: &'static [(&'static str, &'static Shape)]) -> Shape {
    Shape::Members { known, either: &[] }
}

const ANYTHING: &Shape = &Shape::Anything;

/// `dev.sigstore.bundle.v1.Bundle` of protobuf-specs, in JSON.
const BUNDLE: &Shape = &Shape::Members {
    known: &[
        ("mediaType", ANYTHING),
        ("verificationMaterial", MATERIAL),
        ("messageSignature", MESSAGE),
        ("dsseEnvelope", ENVELOPE),
    ],
    either: &["messageSignature", "dsseEnvelope"],
};

const MATERIAL: &Shape = &Shape::Members {
    known: &[
        ("publicKey", &members(&[("hint", ANYTHING)])),
        ("certificate", CERTIFICATE),
        (
            "x509CertificateChain",
            &members(&[("certificates", &Shape::List(CERTIFICATE))]),
        ),
        ("tlogEntries", &Shape::List(ENTRY)),
        (
            "timestampVerificationData",
            &members(&[(
                "rfc3161Timestamps",
                &Shape::List(&members(&[("signedTimestamp", ANYTHING)])),
            )]),
        ),
    ],
    either: &["publicKey", "certificate", "x509CertificateChain"],
};

const CERTIFICATE: &Shape = &members(&[("rawBytes", ANYTHING)]);

const ENTRY: &Shape = &members(&[
    ("logIndex", ANYTHING),
    ("logId", &members(&[("keyId", ANYTHING)])),
    (
        "kindVersion",
        &members(&[("kind", ANYTHING), ("version", ANYTHING)]),
    ),
    ("integratedTime", ANYTHING),
    (
        "inclusionPromise",
        &members(&[("signedEntryTimestamp", ANYTHING)]),
    ),
    (
        "inclusionProof",
        &members(&[
            ("logIndex", ANYTHING),
            ("rootHash", ANYTHING),
            ("treeSize", ANYTHING),
            ("hashes", ANYTHING),
            ("checkpoint", &members(&[("envelope", ANYTHING)])),
        ]),
    ),
    ("canonicalizedBody", ANYTHING),
]);

const MESSAGE: &Shape = &members(&[
    (
        "messageDigest",
        &members(&[("algorithm", ANYTHING), ("digest", ANYTHING)]),
    ),
    ("signature", ANYTHING),
]);

const ENVELOPE: &Shape = &members(&[
    ("payload", ANYTHING),
    ("payloadType", ANYTHING),
    (
        "signatures",
        &Shape::List(&members(&[("sig", ANYTHING), ("keyid", ANYTHING)])),
    ),
]);

/// The text of a bundle.
pub(super) fn bundle(bytes: &[u8]) -> Result<&str, Flaw> {
    read(bytes, BUNDLE)
}

/// The text of an envelope by itself.
pub(super) fn envelope(bytes: &[u8]) -> Result<&str, Flaw> {
    read(bytes, ENVELOPE)
}

/// Any JSON text.
pub(in super::super) fn any(bytes: &[u8]) -> Result<&str, Flaw> {
    read(bytes, ANYTHING)
}

fn read<'a>(bytes: &'a [u8], shape: &'static Shape) -> Result<&'a str, Flaw> {
    if bytes.len() as u64 > BUNDLE_LIMIT {
        return Err(Flaw::malformed(format!("it has {} bytes", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::malformed("it is not UTF-8"))?;
    let mut json = serde_json::Deserializer::from_str(text);
    // The depth is bounded by serde_json: 128 levels.
    shape.deserialize(&mut json).map_err(Flaw::malformed)?;
    json.end().map_err(Flaw::malformed)?;
    Ok(text)
}

impl<'de> DeserializeSeed<'de> for &'static Shape {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &'static Shape {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shape::Anything => "JSON",
            Shape::List(_) => "a list",
            Shape::Members { .. } => "an object",
        })
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let item = match self {
            Shape::Anything => ANYTHING,
            Shape::List(item) => item,
            Shape::Members { .. } => {
                return Err(A::Error::custom("a list where an object belongs"));
            }
        };
        while list.next_element_seed(item)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let member = self.member(&name).map_err(A::Error::custom)?;
            if let Some(other) = self.excludes(&name, &seen) {
                return Err(A::Error::custom(format!("it has both {other} and {name}")));
            }
            map.next_value_seed(member)?;
            if let Some(name) = seen.replace(name) {
                return Err(A::Error::custom(format!("it has {name:?} twice")));
            }
        }
        Ok(())
    }
}

impl Shape {
    fn scalar<E: Error>(&self) -> Result<(), E> {
        match self {
            Self::Anything => Ok(()),
            Self::List(_) => Err(E::custom("a value where a list belongs")),
            Self::Members { .. } => Err(E::custom("a value where an object belongs")),
        }
    }

    fn member(&self, name: &str) -> Result<&'static Self, String> {
        match self {
            Self::Anything => Ok(ANYTHING),
            Self::List(_) => Err("an object where a list belongs".to_owned()),
            Self::Members { known, .. } => known
                .iter()
                .find(|(is, _)| *is == name)
                .map(|(_, shape)| *shape)
                .ok_or_else(|| format!("it has a part that is not known, {name:?}")),
        }
    }

    /// The member that was there before, and does not go with this one.
    fn excludes(&self, name: &str, seen: &BTreeSet<String>) -> Option<&'static str> {
        match self {
            Self::Members { either, .. } if either.contains(&name) => either
                .iter()
                .find(|other| **other != name && seen.contains(**other))
                .copied(),
            _ => None,
        }
    }
}
