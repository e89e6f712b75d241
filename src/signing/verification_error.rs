use thiserror::Error;

use super::CertificateCondition;
use crate::image::Digest;
use crate::notices::to_printable;

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerificationError {
    /// The layer has no signature beside it.
    #[error("it has no signature")]
    Unsigned,
    /// What is there cannot be read.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// It is signed with a certificate.
    #[error("it is signed with a certificate (keyless), not with a key")]
    SignedWithCertificate,
    /// It is signed with a key.
    #[error("it is signed with a key, not with a certificate (keyless)")]
    Key,
    /// It is signed with another key.
    #[error("it was made with another key ({0})")]
    OtherKey(String),
    /// The key is right and the content is not what was signed.
    #[error("it names this key, and its content was changed after it was signed")]
    Tampered,
    /// Either of the two, which a `.sig` does not tell apart.
    #[error("it was made with another key, or its payload was changed after it was signed")]
    SignatureMismatch,
    /// The certificate's key did not make the signature of what is there.
    #[error(
        "its content was changed after it was signed, or the signature is not its certificate's"
    )]
    KeyMismatch,
    /// The certificate is nobody's who is trusted.
    #[error("its certificate cannot be trusted: {0}")]
    Chain(String),
    /// The certificate was not good then.
    #[error("its certificate does not hold for the time at which it was made: {0}")]
    Validity(String),
    /// A log says that it was made later than it is now.
    #[error("this machine's clock is behind, or the log's ahead: {0}")]
    Clock(String),
    /// The certificate is not in a log of certificates.
    #[error("its certificate has no good timestamp of a certificate transparency log (SCT): {0}")]
    Sct(String),
    /// Nothing proves when it was made.
    #[error("nothing proves when it was made: no timestamp, and no log that says so")]
    NoTrustedTime,
    /// A timestamp is not good.
    #[error("its timestamp is not good: {0}")]
    Timestamp(String),
    /// No log has it.
    #[error("it has no entry of a transparency log, and one is required")]
    NotInLog,
    /// That a log has it is not proven.
    #[error("that a transparency log has it is not proven: {0}")]
    NoInclusionProof(String),
    /// The log is none that is trusted.
    #[error("its log is not a trusted one: {0}")]
    UnknownLog(String),
    /// The proof of inclusion does not hold.
    #[error("its proof of inclusion in the log is not good: {0}")]
    Inclusion(String),
    /// What the log signed of its state does not hold.
    #[error("its log's checkpoint is not good: {0}")]
    Checkpoint(String),
    /// The log's promise does not hold.
    #[error("its log's promise of inclusion (SET) is not good: {0}")]
    Promise(String),
    /// The log has something else.
    #[error("its log entry is of another signature: {0}")]
    OtherEntry(String),
    /// Nobody who is trusted could say it.
    #[error("the trusted root names nobody who could vouch for it: {0}")]
    UntrustedAuthority(String),
    /// It is good, and somebody else's.
    #[error("it was made by {0}, which is not the identity that is asked for")]
    OtherIdentity(String),
    /// It is good, and another issuer vouches for who made it.
    #[error("who made it is said by {0}, which is not the issuer that is asked for")]
    OtherIssuer(String),
    /// It is good, and made by another run.
    #[error("its certificate says {is} as the {condition}, which is not what is asked for")]
    OtherRun {
        /// What differs.
        condition: CertificateCondition,
        /// What the certificate says.
        is: String,
    },
    /// It is good, and of something else.
    #[error("it is the signature of something else: {0}")]
    OtherArtifact(String),
    /// Its key signs something else of the file than the digest that is given.
    #[error("a sha256 digest is not enough to check it, the file itself is needed: {0}")]
    DigestMismatch(String),
    /// Its key is of a kind that cannot be looked up in a log.
    #[error("it cannot be checked here: {0} in a transparency log")]
    UnsupportedKey(String),
    /// It is good, and of another image.
    #[error("it is the signature of another image, {0}")]
    OtherImage(Digest),
    /// It is good, and no signature of an image.
    #[error("it is no signature but an attestation of type {0:?}")]
    Attestation(String),
    /// It is good, and does not say what is asked for.
    #[error("it says {is} at {place}, which is not what is asked for")]
    Predicate {
        /// Where in the predicate (RFC 6901).
        place: String,
        /// What stands there.
        is: String,
    },
    /// It is good, and says something else than that an image is signed.
    #[error("it is not the signature of an image: {0}")]
    OtherPredicateType(String),
}

impl VerificationError {
    pub(super) fn malformed(what: impl std::fmt::Display) -> Self {
        Self::Malformed(Self::printable(&what.to_string()))
    }

    /// Text from outside, as a reason shows it.
    pub(super) fn printable(text: &str) -> String {
        to_printable(text, 200)
    }
}
