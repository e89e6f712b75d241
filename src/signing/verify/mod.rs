//! Checking what was signed: against a key, or against the identity that a certificate names.
//!
//! A [`Requirement`] says who has to have signed, and [`TrustRoot`] whose word counts for that. The
//! cryptography of certificates, logs and timestamps is that of the `sigstore-verify` crate; around
//! it stands what it leaves to its callers: bounded and unambiguous input (`strict_json.rs`), every log
//! entry proven by itself, the trusted root's own certificates (`authority.rs`, `issuer.rs`), who signed
//! (`identity.rs`), and what was said about which image (`in_toto_statement.rs`). The older forms come
//! to the same check as bundles of the version that holds what they hold (`legacy_bundle.rs`).

mod attestation_rule;
mod authority;
mod bundle_parts;
mod dsse_encoding;
mod error_mapping;
mod file_requirement;
mod identity;
mod in_toto_statement;
mod issuer;
mod key_policy;
mod legacy_bundle;
mod requirement;
mod signature_evidence;
mod strict_json;
mod trust_root;
mod trusted_log;

pub use attestation_rule::AttestationRule;
pub use file_requirement::{FileRequirement, FileSigner, SignedArtifact};
pub use identity::{CertificateCondition, Identity, WildcardPattern};
pub(super) use in_toto_statement::{InTotoStatement, STATEMENT_TYPE};
pub use requirement::{Requirement, VerifiedAttestation, VerifiedSignature, VerifiedStatement};
pub use signature_evidence::{CertificateEvidence, SignatureEvidence};
pub use strict_json::BUNDLE_LIMIT;
pub(super) use strict_json::check_json;
pub use trust_root::{TrustRoot, TrustRootError};

#[cfg(test)]
mod tests;
