use sigstore_types::{Bundle, DsseEnvelope, VerificationMaterialContent};

use super::super::{Flaw, PublicKey};

impl PublicKey {
    /// That this key signed an envelope.
    pub(super) fn check_envelope(
        &self,
        bundle: &Bundle,
        envelope: &DsseEnvelope,
    ) -> Result<(), Flaw> {
        let VerificationMaterialContent::PublicKey(named) = &bundle.verification_material.content
        else {
            return Err(Flaw::Certificate);
        };
        if self.fits(&envelope.pae(), envelope.signature.sig.as_bytes()) {
            return Ok(());
        }
        Err(if named.hint == self.hint() {
            Flaw::Tampered
        } else {
            Flaw::OtherKey(match named.hint.as_str() {
                "" => "which it does not name".to_owned(),
                hint => format!("hint {}", crate::notice::printable(hint, 60)),
            })
        })
    }
}
