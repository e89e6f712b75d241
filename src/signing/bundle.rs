//! The newer form: a Sigstore bundle v0.3 with a DSSE envelope around an in-toto statement.

use serde_json::json;
use sigstore_bundle::BundleV03;
use sigstore_types::{
    DsseEnvelope, DsseSignature, KeyId, PayloadBytes, SignatureBytes, SignatureContent,
    TimestampToken, TransparencyLogEntry,
};

use super::hash_function::HashFunction;
use super::in_toto_types::{COSIGN_SIGN_PREDICATE, IN_TOTO_PAYLOAD_TYPE, STATEMENT_TYPE};
use super::signer_material::SignerMaterial;
use super::{ImageClaim, LegacySignature, PrivateKey};

/// The media type of a bundle.
pub const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The media type of an envelope by itself, the legacy form of an attestation.
pub const ENVELOPE_TYPE: &str = "application/vnd.dsse.envelope.v1+json";
/// A statement in its envelope, signed and not yet logged.
pub(super) struct SignedEnvelope {
    /// What the signature is over.
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) envelope: DsseEnvelope,
}

impl PrivateKey {
    /// Signs a claim as a bundle.
    pub fn sign_bundle(&self, claim: &ImageClaim) -> Vec<u8> {
        self.sign_statement(claim.to_statement())
    }

    /// Signs an in-toto statement as a bundle.
    pub(super) fn sign_statement(&self, statement: Vec<u8>) -> Vec<u8> {
        let sealed = self.sign_to_envelope(statement);
        sealed.into_bundle(&SignerMaterial::Key(self.public()), None, None)
    }

    /// Signs an in-toto statement in the legacy form of attestations: an envelope by itself.
    pub(super) fn sign_envelope(&self, statement: Vec<u8>) -> LegacySignature {
        self.sign_to_envelope(statement).to_legacy()
    }

    /// Signs an in-toto statement.
    pub(super) fn sign_to_envelope(&self, statement: Vec<u8>) -> SignedEnvelope {
        self.sign_to_envelope_with(statement, HashFunction::Sha256)
    }

    /// Signs an in-toto statement with a hash.
    pub(super) fn sign_to_envelope_with(
        &self,
        statement: Vec<u8>,
        hash: HashFunction,
    ) -> SignedEnvelope {
        let message = pre_authentication_encoding(IN_TOTO_PAYLOAD_TYPE, &statement);
        let signature = self.sign_with(&message, hash);
        let envelope = DsseEnvelope::new(
            IN_TOTO_PAYLOAD_TYPE,
            PayloadBytes::new(statement),
            DsseSignature::new(SignatureBytes::from_bytes(&signature), KeyId::default()),
        );
        SignedEnvelope {
            message,
            signature,
            envelope,
        }
    }
}

impl SignedEnvelope {
    /// As a bundle, with what a log and a timestamp authority say of it.
    pub(super) fn into_bundle(
        self,
        by: &SignerMaterial<'_>,
        entry: Option<TransparencyLogEntry>,
        stamp: Option<TimestampToken>,
    ) -> Vec<u8> {
        let content = SignatureContent::DsseEnvelope(self.envelope);
        let mut bundle = BundleV03::new(by.to_bundle_material(), content);
        if let Some(entry) = entry {
            bundle = bundle.with_tlog_entry(entry);
        }
        if let Some(stamp) = stamp {
            bundle = bundle.with_rfc3161_timestamp(stamp);
        }
        // Texts and bytes alone: this cannot fail.
        serde_json::to_vec(&bundle.into_bundle()).unwrap_or_default()
    }

    /// In the legacy form.
    pub(super) fn to_legacy(&self) -> LegacySignature {
        // Texts alone: this cannot fail.
        LegacySignature::from_envelope(serde_json::to_vec(&self.envelope).unwrap_or_default())
    }
}

/// What DSSE signs: its pre-authentication encoding.
fn pre_authentication_encoding(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut text = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    text.extend_from_slice(payload);
    text
}

impl ImageClaim {
    /// The statement that a bundle signs.
    pub(super) fn to_statement(&self) -> Vec<u8> {
        let mut subject = json!({
            "name": self.repository,
            "digest": {"sha256": self.digest.to_hex()},
        });
        if !self.annotations.is_empty() {
            subject["annotations"] = json!(self.annotations);
        }
        json!({
            "_type": STATEMENT_TYPE,
            "subject": [subject],
            "predicateType": COSIGN_SIGN_PREDICATE,
            "predicate": {},
        })
        .to_string()
        .into_bytes()
    }
}
