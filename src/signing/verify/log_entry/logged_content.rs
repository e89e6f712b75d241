//! What an entry of a log has to be of: a signature, its signer and its content.

use jiff::Timestamp;
use sigstore_types::{Bundle, KindVersion, SignatureContent, TransparencyLogEntry};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::super::super::VerificationError;
use super::super::super::hash_function::HashFunction;
use super::super::trusted_log::TrustedLog;
use super::entry_body::EntryBody;
use super::log_proof::verify_log_proof;

/// Key or certificate that a log has to name as the signer.
pub(crate) enum LoggedSigner<'a> {
    /// SubjectPublicKeyInfo of a key.
    Key(&'a [u8]),
    /// Certificate.
    Certificate(&'a [u8]),
}

/// Content that was signed.
pub(crate) struct LoggedContent<'a> {
    /// What the key signed: a payload, or the encoding of an envelope.
    pub(crate) message: &'a [u8],
    /// Payload of the envelope, where it is one.
    pub(crate) payload: Option<&'a [u8]>,
}

/// `keyDetails` that `sigstore-verify` reads.
const P256_DETAILS: &str = "PKIX_ECDSA_P256_SHA_256";

/// Returns whether a bundle has an entry that `sigstore-verify` does not read.
pub(crate) fn must_be_read(bundle: &Bundle) -> bool {
    let is_message = matches!(bundle.content, SignatureContent::MessageSignature(_));
    let entries = bundle.verification_material.tlog_entries.iter();
    entries.into_iter().any(|entry| match entry.kind_version {
        // The envelope was given as a message: see `dsse_encoding.rs`.
        KindVersion::DsseV001 | KindVersion::IntotoV002 => is_message,
        _ => EntryBody::parse(entry).is_ok_and(|body| {
            let details = body.key_details.as_deref();
            body.hash != HashFunction::Sha256 || details.is_some_and(|kind| kind != P256_DETAILS)
        }),
    })
}

/// Verifies every entry of a bundle, and returns the times that logs promised.
///
/// # Errors
/// An entry that no trusted log has, or of another signature, signer or content.
pub(crate) fn verify_entries(
    logs: &[TrustedLog],
    bundle: &Bundle,
    content: &LoggedContent<'_>,
    signer: &LoggedSigner<'_>,
) -> Result<Vec<Timestamp>, VerificationError> {
    let signature = match &bundle.content {
        SignatureContent::MessageSignature(signed) => signed.signature.as_bytes(),
        SignatureContent::DsseEnvelope(envelope) => envelope.signature.sig.as_bytes(),
        _ => {
            return Err(VerificationError::malformed(
                "its content is of an unknown kind",
            ));
        }
    };
    let mut times = Vec::new();
    for entry in &bundle.verification_material.tlog_entries {
        content.check_entry(entry, signature, signer)?;
        times.extend(verify_log_proof(logs, entry)?);
    }
    Ok(times)
}

impl LoggedContent<'_> {
    fn check_entry(
        &self,
        entry: &TransparencyLogEntry,
        signature: &[u8],
        signer: &LoggedSigner<'_>,
    ) -> Result<(), VerificationError> {
        let other = |what: &str| VerificationError::OtherEntry(what.to_owned());
        let body = EntryBody::parse(entry)?;
        if body.signature != signature {
            return Err(other("it has another signature"));
        }
        if !signer.is(&body.verifier) {
            return Err(other("it names another key or certificate"));
        }
        let content = match body.is_of_payload {
            true => self.payload,
            false => Some(self.message),
        };
        match content.is_some_and(|content| body.hash.digest(content) == body.digest) {
            true => Ok(()),
            false => Err(other("it is of another content")),
        }
    }
}

impl LoggedSigner<'_> {
    /// Returns whether an entry names this signer: by its key, or its certificate.
    fn is(&self, verifier: &[u8]) -> bool {
        match self {
            Self::Key(key) => *key == verifier,
            Self::Certificate(certificate) => {
                *certificate == verifier || key_of(certificate).as_deref() == Some(verifier)
            }
        }
    }
}

fn key_of(certificate: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let key = &certificate.tbs_certificate.subject_public_key_info;
    key.to_der().ok()
}
