//! Making and checking signatures of images with a key, as `cosign` does (3.x, both of its forms).
//!
//! Bytes in, bytes out: this room knows no registry. The road attaches what is made here beside the
//! image, and hands in what it finds there.
//!
//! - [`PrivateKey`] makes both forms of a [`Claim`]: the simple-signing payload of a `.sig` image
//!   ([`Detached`]), and a bundle v0.3 around a signed in-toto statement.
//! - A [`Requirement`] checks both, each signature by itself, against a [`PublicKey`] or against the
//!   [`Identity`] that a certificate names; what does not pass has a [`Flaw`].
//!
//! Only ECDSA over P-256 with SHA-256: cosign's other kinds of keys are signed and verified
//! differently by its own versions.

mod bundle;
mod claim;
mod cosign_key;
mod der;
mod detached;
mod flaw;
mod key;
mod key_error;
mod pem;
mod public;
mod verify;

pub use bundle::{BUNDLE, PREDICATE};
pub use claim::Claim;
pub use detached::{Detached, SIMPLE_SIGNING};
pub use flaw::Flaw;
pub use key::PrivateKey;
pub use key_error::KeyError;
pub use public::PublicKey;
pub use verify::{
    Attested, BUNDLE_LIMIT, Certificate, Condition, Evidence, Identity, Pattern, Requirement,
    TrustRoot, TrustRootError, Verified,
};

#[cfg(test)]
mod tests;
