//! Proof that a log has an entry: inclusion under a checkpoint that it signed, and its promise (SET).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::json;
use sigstore_merkle::{hash_leaf, verify_inclusion_proof};
use sigstore_types::bundle::InclusionProof;
use sigstore_types::{KindVersion, SignatureBytes, TransparencyLogEntry};

use super::super::super::VerificationError;
use super::super::trusted_log::TrustedLog;

/// Verifies that a trusted log has an entry, and returns the time that it promised, if it did.
pub(super) fn verify_log_proof(
    logs: &[TrustedLog],
    entry: &TransparencyLogEntry,
) -> Result<Option<Timestamp>, VerificationError> {
    // The checkpoint is the log's own.
    TrustedLog::check_entry(logs, entry)?;
    if let Some(proof) = &entry.inclusion_proof {
        verify_inclusion(entry, proof)?;
    }
    match (&entry.inclusion_promise, &entry.inclusion_proof) {
        (None, None) => Err(VerificationError::NoInclusionProof(
            "a log entry has no proof".to_owned(),
        )),
        (None, Some(_)) => Ok(None),
        (Some(_), _) => verify_promise(logs, entry).map(Some),
    }
}

/// Verifies the path from an entry to the root of the tree in the checkpoint (RFC 6962, 2.1.1).
fn verify_inclusion(
    entry: &TransparencyLogEntry,
    proof: &InclusionProof,
) -> Result<(), VerificationError> {
    let missing = || VerificationError::Checkpoint("the proof of inclusion has none".to_owned());
    let checkpoint = proof.checkpoint.checkpoint().ok_or_else(missing)?;
    let root = checkpoint.root_hash();
    // Rekor v1 numbers its entries over several trees, and its proof says the place in the last.
    let (index, size) = match entry.kind_version {
        KindVersion::HashedRekordV002 => (entry.log_index.get(), checkpoint.tree_size()),
        _ => (proof.log_index.get(), proof.tree_size),
    };
    if entry.kind_version != KindVersion::HashedRekordV002 && proof.root_hash != *root {
        return Err(VerificationError::Checkpoint(
            "it is of another state of the log than the proof of inclusion".to_owned(),
        ));
    }
    let leaf = hash_leaf(entry.canonicalized_body.as_bytes());
    verify_inclusion_proof(&leaf, index, size, &proof.hashes, root).map_err(|error| {
        VerificationError::Inclusion(VerificationError::printable(&error.to_string()))
    })
}

/// Verifies the promise of Rekor v1, which is over the body, the time, the number and the log.
fn verify_promise(
    logs: &[TrustedLog],
    entry: &TransparencyLogEntry,
) -> Result<Timestamp, VerificationError> {
    let refused = |reason: &str| VerificationError::Promise(reason.to_owned());
    if entry.kind_version == KindVersion::HashedRekordV002 {
        return Err(refused("Rekor v2 makes none"));
    }
    let promise = entry.inclusion_promise.as_ref();
    let promise = promise.ok_or_else(|| refused("there is none"))?;
    let time = entry.integrated_time;
    let time = time.ok_or_else(|| refused("it is without a time"))?;
    let log_id: String = entry
        .log_id
        .key_id
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    // Names in the order of RFC 8785: `serde_json` sorts them.
    let promised = json!({
        "body": BASE64_STANDARD.encode(entry.canonicalized_body.as_bytes()),
        "integratedTime": time.as_second(),
        "logID": log_id,
        "logIndex": entry.log_index.get(),
    });
    let signature = SignatureBytes::new(promise.signed_entry_timestamp.as_bytes().to_vec());
    match TrustedLog::has_promised(logs, entry, promised.to_string().as_bytes(), &signature)? {
        true => Ok(time),
        false => Err(refused("the log that the entry names did not sign it")),
    }
}
