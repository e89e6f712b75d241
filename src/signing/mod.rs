//! Making and checking signatures of images with a key or a certificate, as `cosign` does (3.x, both
//! of its forms).
//!
//! Bytes in, bytes out: the road attaches what is made here beside the image, and hands in what it
//! finds there. Of the registry client only the connections are used, to speak to Sigstore's services.
//!
//! - [`PrivateKey`] makes both forms of a [`Claim`]: the simple-signing payload of a `.sig` image
//!   ([`Detached`]), and a bundle v0.3 around a signed in-toto statement.
//! - An encrypted key takes a while to open: an [`OpeningKey`] is there at once.
//! - [`LoggedKey`] makes both with an entry in a transparency log; [`Keyless`] with that and a
//!   certificate for the job that runs. A [`Signer`] is any of the three.
//! - An [`Instance`] of Sigstore is where the services for that are.
//! - A [`Predicate`] is what others' tools say of an image, to be attested.
//! - A [`Requirement`] checks both, each signature by itself, against a [`PublicKey`] or against the
//!   [`Identity`] that a certificate names; what does not pass has a [`Flaw`].
//!
//! Only keys over P-256 sign, with SHA-256: what cosign's other kinds of keys sign is verified
//! differently by its own versions. It is verified here as each of them signs.

mod bundle;
mod claim;
mod cosign_key;
mod der;
mod detached;
mod error;
mod flaw;
mod instance;
mod key;
mod key_error;
mod keyless;
mod logged;
mod opening;
mod pem;
mod predicate;
mod public;
mod signer;
mod tuf;
mod verify;

pub use bundle::{BUNDLE, ENVELOPE, PREDICATE};
pub use claim::Claim;
pub use detached::{Detached, SIMPLE_SIGNING};
pub use error::SigningError;
pub use flaw::Flaw;
pub use instance::{
    Configured, Endpoints, EndpointsError, Instance, Logs, ServiceCause, ServiceError,
};
pub use key::PrivateKey;
pub use key_error::KeyError;
pub use keyless::{Conceal, Keyless, TokenSource};
pub use logged::LoggedKey;
pub use opening::OpeningKey;
pub use predicate::{Document, Predicate, PredicateError};
pub use public::PublicKey;
pub use signer::{Attestation, Signer};
pub use tuf::{Tuf, TufError};
pub use verify::{
    AttestationRule, Attested, BUNDLE_LIMIT, Certificate, Condition, Evidence, FileRequirement,
    FileSigner, Identity, Opened, Pattern, Requirement, Subject, TrustRoot, TrustRootError,
    Verified,
};

#[cfg(test)]
mod tests;
