//! Checking what was signed: against a key, or against the identity that a certificate names.
//!
//! A [`Requirement`] says who has to have signed, and [`TrustRoot`] whose word counts for that. The
//! cryptography of certificates, logs and timestamps is that of the `sigstore-verify` crate; around
//! it stands what it leaves to its callers: bounded and unambiguous input (`strict.rs`), every log
//! entry proven by itself, the trusted root's own certificates (`authority.rs`, `issuer.rs`), who signed
//! (`identity.rs`), and what was said about which image (`statement.rs`). The older forms come to the same check as bundles of the version that holds what
//! they hold (`legacy.rs`).

mod attestation;
mod authority;
mod encoded;
mod evidence;
mod file;
mod identity;
mod issuer;
mod key;
mod legacy;
mod log;
mod parts;
mod refusal;
mod requirement;
mod statement;
mod strict;
mod trust_root;

pub use attestation::AttestationRule;
pub use evidence::{Certificate, Evidence};
pub use file::{FileRequirement, FileSigner, Subject};
pub use identity::{Condition, Identity, Pattern};
pub use requirement::{Attested, Opened, Requirement, Verified};
pub(super) use statement::{STATEMENT, Statement};
pub use strict::BUNDLE_LIMIT;
pub(super) use strict::any;
pub use trust_root::{TrustRoot, TrustRootError};

#[cfg(test)]
mod tests;
