//! The reasons of `sigstore-verify`, in the words of this program.

use sigstore_verify::bundle::Error as Shape;
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};

use super::super::VerificationError;

impl From<Error> for VerificationError {
    fn from(error: Error) -> Self {
        match error {
            Error::Certificate(error) => from_certificate_error(error),
            Error::TransparencyLog(error) => from_log_error(error),
            Error::Timestamp(error) => from_timestamp_error(error),
            Error::Bundle(error) => from_shape_error(error),
            Error::SignatureInvalid(_) => Self::KeyMismatch,
            // The text alone tells what is something else; it is a test's that it does.
            Error::ArtifactMismatch(reason) if reason.contains("hashedrekord entry") => {
                Self::OtherEntry(Self::printable(&reason))
            }
            Error::ArtifactMismatch(reason) => Self::OtherArtifact(Self::printable(&reason)),
            Error::UnsupportedArtifact(reason) => Self::DigestMismatch(Self::printable(&reason)),
            Error::InvalidTrustRoot(reason) => Self::UntrustedAuthority(Self::printable(&reason)),
            other => Self::malformed(other),
        }
    }
}

fn from_certificate_error(error: CertificateError) -> VerificationError {
    match error {
        CertificateError::Malformed(reason) => {
            VerificationError::malformed(format!("its certificate: {reason}"))
        }
        CertificateError::Sct(reason) => {
            VerificationError::Sct(VerificationError::printable(&reason))
        }
        CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => {
            VerificationError::Validity(VerificationError::printable(&error.to_string()))
        }
        // webpki's words, of the certificate or of one above it.
        CertificateError::ChainInvalid(reason) if reason.contains("CertExpired") => {
            VerificationError::Validity("it had expired, or one above it had".to_owned())
        }
        CertificateError::ChainInvalid(reason) if reason.contains("CertNotValidYet") => {
            VerificationError::Validity("it was made later, or one above it was".to_owned())
        }
        CertificateError::ChainInvalid(reason) => {
            VerificationError::Chain(VerificationError::printable(&reason))
        }
        other => VerificationError::Chain(VerificationError::printable(&other.to_string())),
    }
}

fn from_log_error(error: TransparencyLogError) -> VerificationError {
    match error {
        TransparencyLogError::UnknownLog { log_id } => {
            VerificationError::UnknownLog(VerificationError::printable(&log_id))
        }
        TransparencyLogError::InclusionProof(reason) => {
            VerificationError::Inclusion(VerificationError::printable(&reason))
        }
        TransparencyLogError::Checkpoint(reason) => {
            VerificationError::Checkpoint(VerificationError::printable(&reason))
        }
        TransparencyLogError::InclusionPromise(reason) => {
            VerificationError::Promise(VerificationError::printable(&reason))
        }
        TransparencyLogError::EntryMismatch(reason) => {
            VerificationError::OtherEntry(VerificationError::printable(&reason))
        }
        // The same error is a time outside of the certificate's. Only a clock makes the future.
        TransparencyLogError::IntegratedTime(reason) if reason.contains("in the future") => {
            VerificationError::Clock(VerificationError::printable(&reason))
        }
        TransparencyLogError::IntegratedTime(reason) => {
            VerificationError::Validity(VerificationError::printable(&reason))
        }
        other => VerificationError::malformed(other),
    }
}

fn from_timestamp_error(error: TimestampError) -> VerificationError {
    match error {
        TimestampError::NoVerifiedTimestamp(_) => VerificationError::NoTrustedTime,
        other => VerificationError::Timestamp(VerificationError::printable(&other.to_string())),
    }
}

fn from_shape_error(error: Shape) -> VerificationError {
    match error {
        Shape::MissingInclusionProof(_) | Shape::MissingInclusionPromise(_) => {
            VerificationError::NoInclusionProof(VerificationError::printable(&error.to_string()))
        }
        Shape::MissingSigningTimeEvidence => VerificationError::NoTrustedTime,
        Shape::MissingCheckpoint | Shape::CheckpointRootMismatch => {
            VerificationError::Checkpoint(VerificationError::printable(&error.to_string()))
        }
        Shape::LogIndexOutOfRange { .. } => {
            VerificationError::Inclusion(VerificationError::printable(&error.to_string()))
        }
        other => VerificationError::malformed(other),
    }
}
