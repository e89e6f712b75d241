//! Signatures of images with a key or a certificate, in the two formats of cosign 3: makes and
//! verifies them.
//!
//! Bytes in, bytes out: the release pipeline stores what is made here as referrers, and passes in
//! what it finds there. Requests to Sigstore's services use the connections of the registry client.
//!
//! - [`PrivateKey`] signs an [`ImageClaim`] in both formats: as a [`LegacySignature`] (a
//!   simple-signing payload in a `.sig` image), and as a bundle v0.3 around an in-toto statement.
//! - [`LazyPrivateKey`] decrypts an encrypted key in the background.
//! - [`LoggedKeySigner`] adds an entry in a transparency log; [`KeylessSigner`] also signs with a
//!   certificate for the job. A [`Signer`] is any of the three.
//! - [`InstanceSource`] says where the services of Sigstore are.
//! - [`Predicate`] is the content of an attestation, written by another tool.
//! - [`Requirement`] verifies each signature by itself, against a [`PublicKey`] or the [`Identity`]
//!   in a certificate; a signature that does not pass has a [`VerificationError`].
//!
//! Every kind of key signs with SHA-256, which `cosign verify --key` takes, apart from Ed25519, which has a
//! hash of its own. Rekor v2 takes the hash of a curve's size alone, and no Ed25519 (`rekor_scheme.rs`).

mod bundle;
mod cosign_key;
mod document_tool;
mod error;
mod hash_function;
mod image_claim;
mod in_toto_types;
mod instance;
mod key_algorithm;
mod key_error;
mod key_reference;
mod keyless;
mod lazy_private_key;
mod legacy_signature;
mod logged_key;
mod pbes2;
mod pem;
mod predicate;
mod private_key;
mod public_key;
mod rekor_scheme;
mod report_subject;
mod signer;
mod signer_material;
mod tuf;
mod verification_error;
mod verify;

pub use bundle::{BUNDLE_TYPE, ENVELOPE_TYPE};
pub use error::SigningError;
pub use image_claim::ImageClaim;
pub use in_toto_types::COSIGN_SIGN_PREDICATE;
pub use instance::{
    EndpointsError, FromSigningConfig, InstanceEndpoints, InstanceSource, LogEndpoints,
    SigstoreErrorKind, SigstoreServiceError,
};
pub use key_error::KeyError;
pub use key_reference::key_reference_error;
pub use keyless::{IdTokenSource, KeylessSigner, SecretMasker};
pub use lazy_private_key::LazyPrivateKey;
pub use legacy_signature::{LegacySignature, SIMPLE_SIGNING_TYPE};
pub use logged_key::LoggedKeySigner;
pub use predicate::{Predicate, PredicateError, PredicateSource};
pub use private_key::PrivateKey;
pub use public_key::PublicKey;
pub use report_subject::ReportSubject;
pub use signer::{ImageAttestation, Signer};
pub use tuf::{TufError, TufRepository};
pub use verification_error::VerificationError;
pub use verify::{
    BUNDLE_LIMIT, CertificateCondition, CertificateEvidence, FileRequirement, FileSigner, Identity,
    Requirement, SignatureEvidence, SignedArtifact, StatementBundle, TrustRoot, TrustRootError,
    VerifiedAttestation, VerifiedSignature, VerifiedStatement, split_json_lines,
};

#[cfg(test)]
mod tests;
