//! Entries of transparency logs that `sigstore-verify` does not read: Rekor v2 entries of keys other than P-256,
//! entries with SHA-384 or SHA-512, and entries of an envelope beside a signature of P-384 with SHA-256.
//!
//! They are verified here as a whole: that a trusted log has them (`log_proof.rs`), and that they are of this
//! signature, its signer and its content (`entry_body.rs`).

mod entry_body;
mod log_proof;
mod logged_content;

pub(super) use logged_content::{LoggedContent, LoggedSigner, must_be_read, verify_entries};
