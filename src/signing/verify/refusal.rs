//! The reasons of `sigstore-verify`, in the words of this program.

use sigstore_verify::bundle::Error as Shape;
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};

use super::super::Flaw;

impl From<Error> for Flaw {
    fn from(error: Error) -> Self {
        match error {
            Error::Certificate(error) => of_certificate(error),
            Error::TransparencyLog(error) => of_log(error),
            Error::Timestamp(error) => of_time(error),
            Error::Bundle(error) => of_shape(error),
            Error::SignatureInvalid(_) => Self::Misfit,
            // The text alone tells what is something else; it is a test's that it does.
            Error::ArtifactMismatch(reason) if reason.contains("hashedrekord entry") => {
                Self::OtherEntry(Self::shown(&reason))
            }
            Error::ArtifactMismatch(reason) => Self::OtherContent(Self::shown(&reason)),
            Error::UnsupportedArtifact(reason) => Self::Undigested(Self::shown(&reason)),
            Error::InvalidTrustRoot(reason) => Self::Rootless(Self::shown(&reason)),
            other => Self::malformed(other),
        }
    }
}

fn of_certificate(error: CertificateError) -> Flaw {
    match error {
        CertificateError::Malformed(reason) => {
            Flaw::malformed(format!("its certificate: {reason}"))
        }
        CertificateError::Sct(reason) => Flaw::Sct(Flaw::shown(&reason)),
        CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => {
            Flaw::Validity(Flaw::shown(&error.to_string()))
        }
        // webpki's words, of the certificate or of one above it.
        CertificateError::ChainInvalid(reason) if reason.contains("CertExpired") => {
            Flaw::Validity("it had expired, or one above it had".to_owned())
        }
        CertificateError::ChainInvalid(reason) if reason.contains("CertNotValidYet") => {
            Flaw::Validity("it was made later, or one above it was".to_owned())
        }
        CertificateError::ChainInvalid(reason) => Flaw::Chain(Flaw::shown(&reason)),
        other => Flaw::Chain(Flaw::shown(&other.to_string())),
    }
}

fn of_log(error: TransparencyLogError) -> Flaw {
    match error {
        TransparencyLogError::UnknownLog { log_id } => Flaw::UnknownLog(Flaw::shown(&log_id)),
        TransparencyLogError::InclusionProof(reason) => Flaw::Inclusion(Flaw::shown(&reason)),
        TransparencyLogError::Checkpoint(reason) => Flaw::Checkpoint(Flaw::shown(&reason)),
        TransparencyLogError::InclusionPromise(reason) => Flaw::Promise(Flaw::shown(&reason)),
        TransparencyLogError::EntryMismatch(reason) => Flaw::OtherEntry(Flaw::shown(&reason)),
        // The same error is a time outside of the certificate's. Only a clock makes the future.
        TransparencyLogError::IntegratedTime(reason) if reason.contains("in the future") => {
            Flaw::Clock(Flaw::shown(&reason))
        }
        TransparencyLogError::IntegratedTime(reason) => Flaw::Validity(Flaw::shown(&reason)),
        other => Flaw::malformed(other),
    }
}

fn of_time(error: TimestampError) -> Flaw {
    match error {
        TimestampError::NoVerifiedTimestamp(_) => Flaw::Timeless,
        other => Flaw::Timestamp(Flaw::shown(&other.to_string())),
    }
}

fn of_shape(error: Shape) -> Flaw {
    match error {
        Shape::MissingInclusionProof(_) | Shape::MissingInclusionPromise(_) => {
            Flaw::Unproven(Flaw::shown(&error.to_string()))
        }
        Shape::MissingSigningTimeEvidence => Flaw::Timeless,
        Shape::MissingCheckpoint | Shape::CheckpointRootMismatch => {
            Flaw::Checkpoint(Flaw::shown(&error.to_string()))
        }
        Shape::LogIndexOutOfRange { .. } => Flaw::Inclusion(Flaw::shown(&error.to_string())),
        other => Flaw::malformed(other),
    }
}
