use sigstore_types::{Bundle, DerPublicKey, DsseEnvelope, VerificationMaterialContent};
use sigstore_verify::PublicKeyVerificationPolicy;

use super::super::key_algorithm::KeyAlgorithm;
use super::super::{PublicKey, VerificationError};

impl PublicKey {
    /// That this key signed, for `sigstore-verify`, which looks at logs too.
    pub(super) fn to_policy(&self) -> Result<PublicKeyVerificationPolicy, VerificationError> {
        match self.algorithm() {
            KeyAlgorithm::P521 => Err(VerificationError::UnsupportedKey(
                self.algorithm().to_string(),
            )),
            KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::Ed25519 | KeyAlgorithm::Rsa => {
                let key = DerPublicKey::new(self.spki().to_vec());
                Ok(PublicKeyVerificationPolicy::new(key))
            }
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
                hint => format!("hint {}", crate::notices::to_printable(hint, 60)),
            })
        })
    }
}
