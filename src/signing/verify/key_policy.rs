use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sigstore_types::{
    Bundle, DerPublicKey, DsseEnvelope, SignatureContent, VerificationMaterialContent,
};
use sigstore_verify::PublicKeyVerificationPolicy;

use super::super::hash_function::HashFunction;
use super::super::key_algorithm::KeyAlgorithm;
use super::super::{PublicKey, VerificationError};
use super::log_entry::{self, LoggedContent, LoggedSigner};
use super::{SignatureEvidence, TrustRoot};
use crate::notices::to_printable;

impl PublicKey {
    /// Requires that this key signed, for `sigstore-verify`, which looks at logs too.
    pub(super) fn to_policy(&self) -> PublicKeyVerificationPolicy {
        PublicKeyVerificationPolicy::new(DerPublicKey::new(self.spki().to_vec()))
    }

    /// Returns whether `sigstore-verify` does not know how the key of a bundle signs, or reads its log
    /// entries: it takes keys over P-384 with SHA-384 alone, and none over P-521.
    pub(super) fn needs_own_check(&self, bundle: &Bundle) -> bool {
        let is_known = match self.algorithm() {
            KeyAlgorithm::P256 | KeyAlgorithm::Ed25519 | KeyAlgorithm::Rsa => true,
            KeyAlgorithm::P384 | KeyAlgorithm::P521 => false,
        };
        !is_known || log_entry::must_be_read(bundle)
    }

    /// Checks that trusted logs have the signature of a bundle, which this key made of `content`.
    pub(super) fn check_entries(
        &self,
        trust: &TrustRoot,
        bundle: &Bundle,
        content: &LoggedContent<'_>,
    ) -> Result<SignatureEvidence, VerificationError> {
        let signer = LoggedSigner::Key(self.spki());
        let verified = trust.entry_and_stamp_times(bundle, content, &signer)?;
        Ok(SignatureEvidence {
            certificate: None,
            times: verified.times,
            logged: true,
        })
    }

    /// Checks that this key made the signature in a bundle, over `message`.
    pub(super) fn check_message(
        &self,
        bundle: &Bundle,
        message: &[u8],
    ) -> Result<(), VerificationError> {
        let signed = match &bundle.content {
            SignatureContent::DsseEnvelope(envelope) => {
                return self.check_envelope(bundle, envelope);
            }
            SignatureContent::MessageSignature(signed) => signed,
            _ => {
                return Err(VerificationError::malformed(
                    "its content is of an unknown kind",
                ));
            }
        };
        if let Some(stated) = &signed.message_digest {
            let hash = HashFunction::of_name(stated.algorithm.as_rekor_str());
            let is_stated = |hash: HashFunction| hash.digest(message) == stated.digest.as_bytes();
            if !hash.is_some_and(is_stated) {
                let reason = "the digest in the bundle is not that of the file";
                return Err(VerificationError::OtherArtifact(reason.to_owned()));
            }
        }
        match self.verifies(message, signed.signature.as_bytes()) {
            true => Ok(()),
            false => Err(VerificationError::KeyMismatch),
        }
    }

    /// That this key signed an envelope.
    pub(super) fn check_envelope(
        &self,
        bundle: &Bundle,
        envelope: &DsseEnvelope,
    ) -> Result<(), VerificationError> {
        let VerificationMaterialContent::PublicKey(named) = &bundle.verification_material.content
        else {
            return Err(VerificationError::SignedWithCertificate);
        };
        if self.verifies(&envelope.pae(), envelope.signature.sig.as_bytes()) {
            return Ok(());
        }
        Err(if named.hint == self.key_hint() {
            VerificationError::Tampered
        } else {
            VerificationError::OtherKey(match named.hint.as_str() {
                "" => "which it does not name".to_owned(),
                hint => hint_text(hint),
            })
        })
    }
}

/// Returns the hint of a bundle at its key: as `sha256:<hex>`, as the expected key is named, if it is the
/// base64 text of a SHA-256 digest.
fn hint_text(hint: &str) -> String {
    match BASE64_STANDARD.decode(hint) {
        Ok(bytes) if bytes.len() == 32 => {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            format!("sha256:{}", digits.collect::<String>())
        }
        _ => format!("hint {}", to_printable(hint, 60)),
    }
}
