//! Hashes of timestamps and log entries.

use aws_lc_rs::digest;
use x509_cert::der::asn1::ObjectIdentifier;

/// Hash function of the SHA-2 family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HashFunction {
    Sha256,
    Sha384,
    Sha512,
}

const HASHES: [(ObjectIdentifier, HashFunction); 3] = [
    (oid("2.16.840.1.101.3.4.2.1"), HashFunction::Sha256),
    (oid("2.16.840.1.101.3.4.2.2"), HashFunction::Sha384),
    (oid("2.16.840.1.101.3.4.2.3"), HashFunction::Sha512),
];
/// Returns an object identifier in dotted form.
pub(crate) const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

impl HashFunction {
    /// Returns the function by its name in a log entry: Rekor v1 writes `sha256`, Rekor v2 `SHA2_256`.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        match name {
            "sha256" | "SHA2_256" => Some(Self::Sha256),
            "sha384" | "SHA2_384" => Some(Self::Sha384),
            "sha512" | "SHA2_512" => Some(Self::Sha512),
            _ => None,
        }
    }

    pub(crate) fn of_oid(oid: ObjectIdentifier) -> Option<Self> {
        let found = HASHES.iter().find(|(known, _)| *known == oid);
        found.map(|(_, hash)| *hash)
    }

    /// Returns the name of the function in entries of Rekor v1.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    pub(crate) fn digest(self, message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, message).as_ref().to_vec()
    }
}
