//! What a bundle and an envelope may hold, and the limits of every document that is verified.

use super::super::VerificationError;
use crate::strict_json::{self, ANY_SHAPE, JsonLimits, JsonShape, StrictJsonError, members_shape};

/// The most bytes that a bundle, a payload or a trusted root may have.
pub const BUNDLE_LIMIT: u64 = 8 << 20;

const LIMITS: JsonLimits = JsonLimits {
    bytes: BUNDLE_LIMIT,
    depth: 127,
};

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
    Ok(strict_json::check_shape(bytes, BUNDLE_SHAPE, LIMITS)?)
}

/// The text of an envelope by itself.
pub(super) fn check_envelope(bytes: &[u8]) -> Result<&str, VerificationError> {
    Ok(strict_json::check_shape(bytes, ENVELOPE_SHAPE, LIMITS)?)
}

/// Any JSON text.
pub(crate) fn check_json(bytes: &[u8]) -> Result<&str, VerificationError> {
    Ok(strict_json::check_json(bytes, LIMITS)?)
}

impl From<StrictJsonError> for VerificationError {
    fn from(error: StrictJsonError) -> Self {
        Self::malformed(error)
    }
}
