//! Verification of signatures against a key, or against the identity in a certificate.
//!
//! [`Requirement`] names the expected signer, [`TrustRoot`] the trusted keys and certificates. The
//! crate `sigstore-verify` checks certificates, logs and timestamps. This module adds what that crate
//! leaves to its callers: bounded and unambiguous input (`bundle_json.rs`), proof of each log entry
//! (`trusted_log.rs`), the certificates of the trusted root (`authority.rs`, `issuer.rs`), the
//! identity (`identity.rs`), and the signed statement (`in_toto_statement.rs`). Legacy signatures
//! become bundles of the version with the same parts (`legacy_bundle.rs`), and pass the same checks.

mod authority;
mod bundle_json;
mod bundle_parts;
mod certificate_condition;
mod dsse_encoding;
mod error_mapping;
mod file_requirement;
mod identity;
mod in_toto_statement;
mod issuer;
mod json_lines;
mod key_policy;
mod legacy_bundle;
mod log_entry;
mod message_hash;
mod own_signer;
mod requirement;
mod signature_evidence;
mod statement_bundle;
mod subject_names;
mod timestamp;
mod trust_root;
mod trusted_log;
mod verified_statement;

pub use bundle_json::BUNDLE_LIMIT;
pub(super) use bundle_json::check_json;
pub use certificate_condition::CertificateCondition;
pub use file_requirement::{FileRequirement, FileSigner, SignedArtifact};
pub use identity::Identity;
pub(super) use in_toto_statement::InTotoStatement;
pub use json_lines::split_json_lines;
pub use requirement::Requirement;
pub use signature_evidence::{CertificateEvidence, SignatureEvidence};
pub use statement_bundle::StatementBundle;
pub use trust_root::{TrustRoot, TrustRootError};
pub use verified_statement::{VerifiedAttestation, VerifiedSignature, VerifiedStatement};

#[cfg(test)]
mod tests;
