//! Making and checking signatures of images with a key or a certificate, as `cosign` does (3.x, both
//! of its forms).
//!
//! Bytes in, bytes out: the road attaches what is made here beside the image, and hands in what it
//! finds there. Of the registry client only the connections are used, to speak to Sigstore's services.
//!
//! - [`PrivateKey`] makes both forms of a [`ImageClaim`]: the simple-signing payload of a `.sig` image
//!   ([`LegacySignature`]), and a bundle v0.3 around a signed in-toto statement.
//! - An encrypted key takes a while to open: an [`LazyPrivateKey`] is there at once.
//! - [`LoggedKeySigner`] makes both with an entry in a transparency log; [`KeylessSigner`] with that and a
//!   certificate for the job that runs. A [`Signer`] is any of the three.
//! - An [`InstanceSource`] of Sigstore is where the services for that are.
//! - A [`Predicate`] is what others' tools say of an image, to be attested.
//! - A [`Requirement`] checks both, each signature by itself, against a [`PublicKey`] or against the
//!   [`Identity`] that a certificate names; what does not pass has a [`VerificationError`].
//!
//! Only keys over P-256 sign, with SHA-256: what cosign's other kinds of keys sign is verified
//! differently by its own versions. It is verified here as each of them signs.

mod bundle;
mod cosign_key;
mod der;
mod error;
mod image_claim;
mod in_toto_types;
mod instance;
mod key_error;
mod keyless;
mod lazy_private_key;
mod legacy_signature;
mod logged_key;
mod pem;
mod predicate;
mod private_key;
mod public_key;
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
pub use keyless::{IdTokenSource, KeylessSigner, SecretMasker};
pub use lazy_private_key::LazyPrivateKey;
pub use legacy_signature::{LegacySignature, SIMPLE_SIGNING_TYPE};
pub use logged_key::LoggedKeySigner;
pub use predicate::{Predicate, PredicateError, PredicateSource};
pub use private_key::PrivateKey;
pub use public_key::PublicKey;
pub use signer::{ImageAttestation, Signer};
pub use tuf::{TufError, TufRepository};
pub use verification_error::VerificationError;
pub use verify::{
    AttestationRule, BUNDLE_LIMIT, CertificateCondition, CertificateEvidence, FileRequirement,
    FileSigner, Identity, Requirement, SignatureEvidence, SignedArtifact, TrustRoot,
    TrustRootError, VerifiedAttestation, VerifiedSignature, VerifiedStatement, WildcardPattern,
};

#[cfg(test)]
mod tests;
