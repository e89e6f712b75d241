//! Hashes of timestamps.

use aws_lc_rs::digest;
use x509_cert::der::asn1::ObjectIdentifier;

/// Hash of a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StampHash {
    Sha256,
    Sha384,
    Sha512,
}

const HASHES: [(ObjectIdentifier, StampHash); 3] = [
    (oid("2.16.840.1.101.3.4.2.1"), StampHash::Sha256),
    (oid("2.16.840.1.101.3.4.2.2"), StampHash::Sha384),
    (oid("2.16.840.1.101.3.4.2.3"), StampHash::Sha512),
];
/// Returns an object identifier in dotted form.
pub(super) const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

impl StampHash {
    pub(super) fn of_oid(oid: ObjectIdentifier) -> Option<Self> {
        let found = HASHES.iter().find(|(known, _)| *known == oid);
        found.map(|(_, hash)| *hash)
    }

    pub(super) fn digest(self, message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, message).as_ref().to_vec()
    }
}
