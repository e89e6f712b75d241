use thiserror::Error;

use super::CertificateCondition;
use crate::image::Digest;
use crate::notices::to_printable;

/// Reason why a signature does not verify.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerificationError {
    /// The layer has no signature beside it.
    #[error("no signature")]
    Unsigned,
    /// What is there cannot be read.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// It is signed with a certificate.
    #[error("signed with a certificate (keyless), expected a key")]
    SignedWithCertificate,
    /// It is signed with a key.
    #[error("signed with a key, expected a certificate (keyless)")]
    Key,
    /// It is signed with another key.
    #[error("signed with another key ({0})")]
    OtherKey(String),
    /// The key is right and the content is not what was signed.
    #[error("content changed after it was signed with this key")]
    Tampered,
    /// Either of the two, which a `.sig` does not tell apart.
    #[error("signed with another key, or payload changed after it was signed")]
    SignatureMismatch,
    /// The certificate's key did not make the signature of what is there.
    #[error("content changed after it was signed, or signed with another key")]
    KeyMismatch,
    /// The certificate is nobody's who is trusted.
    #[error("its certificate cannot be trusted: {0}")]
    Chain(String),
    /// The certificate was not good then.
    #[error("its certificate was not valid at the time of signing: {0}")]
    Validity(String),
    /// A log says that it was made later than it is now.
    #[error("the clock of this machine is behind, or that of the log is ahead: {0}")]
    Clock(String),
    /// The certificate is not in a log of certificates.
    #[error("its certificate has no valid timestamp of a certificate transparency log (SCT): {0}")]
    Sct(String),
    /// Nothing proves when it was made.
    #[error("no proof of the time of signing: neither a timestamp nor a log entry with a time")]
    NoTrustedTime,
    /// A timestamp is not good.
    #[error("its timestamp is not valid: {0}")]
    Timestamp(String),
    /// No log has it.
    #[error("no transparency log entry, and one is required")]
    NotInLog,
    /// That a log has it is not proven.
    #[error("no proof that a transparency log has it: {0}")]
    NoInclusionProof(String),
    /// The log is none that is trusted.
    #[error("its log is not trusted: {0}")]
    UnknownLog(String),
    /// The proof of inclusion does not hold.
    #[error("its proof of inclusion in the log is not valid: {0}")]
    Inclusion(String),
    /// What the log signed of its state does not hold.
    #[error("the checkpoint of its log is not valid: {0}")]
    Checkpoint(String),
    /// The log's promise does not hold.
    #[error("the promise of inclusion (SET) of its log is not valid: {0}")]
    Promise(String),
    /// The log has something else.
    #[error("its log entry is for another signature: {0}")]
    OtherEntry(String),
    /// Nobody who is trusted could say it.
    #[error("the trusted root has no authority for it: {0}")]
    UntrustedAuthority(String),
    /// It is good, and somebody else's.
    #[error("signed by {is}, expected {expected}")]
    OtherIdentity {
        /// Subject of the certificate.
        is: String,
        /// Pattern that it must match.
        expected: String,
    },
    /// It is good, and another issuer vouches for who made it.
    #[error("the OIDC issuer in its certificate is {is}, expected {expected}")]
    OtherIssuer {
        /// Issuer in the certificate.
        is: String,
        /// Issuer that it must name.
        expected: String,
    },
    /// It is good, and made by another run.
    #[error("the {condition} in its certificate is {is}, expected {expected}")]
    OtherRun {
        /// What differs.
        condition: CertificateCondition,
        /// Value in the certificate.
        is: String,
        /// Value that it must have.
        expected: String,
    },
    /// It is good, and of something else.
    #[error("it signs something else: {0}")]
    OtherArtifact(String),
    /// Its key signs something else of the file than the digest that is given.
    #[error("a sha256 digest is not enough to check it, the file itself is needed: {0}")]
    DigestMismatch(String),
    /// Its key is of a kind that cannot be looked up in a log.
    #[error("it cannot be checked here: {0} in a transparency log")]
    UnsupportedKey(String),
    /// It is good, and of another image.
    #[error("it signs another image, {0}")]
    OtherImage(Digest),
    /// It is good, and no signature of an image.
    #[error("it is an attestation of type {0:?}, not a signature")]
    Attestation(String),
    /// It is good, and does not say what is asked for.
    #[error("{place} in the predicate is {is}, expected {expected}")]
    Predicate {
        /// Where in the predicate (RFC 6901).
        place: String,
        /// Value at that place.
        is: String,
        /// Pattern that it must match.
        expected: String,
    },
    /// It is good, and says something else than that an image is signed.
    #[error("it is not the signature of an image: {0}")]
    OtherPredicateType(String),
}

impl VerificationError {
    /// Whether this says only that somebody else signed.
    pub(super) fn is_other_signer(&self) -> bool {
        matches!(
            self,
            Self::OtherKey(_)
                | Self::SignatureMismatch
                | Self::KeyMismatch
                | Self::UntrustedAuthority(_)
                | Self::Chain(_)
                | Self::UnknownLog(_)
        )
    }

    pub(super) fn malformed(what: impl std::fmt::Display) -> Self {
        Self::Malformed(Self::printable(&what.to_string()))
    }

    /// Text from outside, as a reason shows it.
    pub(super) fn printable(text: &str) -> String {
        to_printable(text, 200)
    }
}
