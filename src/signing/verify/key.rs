use sigstore_types::{Bundle, DerPublicKey, DsseEnvelope, VerificationMaterialContent};
use sigstore_verify::PublicKeyVerificationPolicy;

use super::super::der::Kind;
use super::super::{Flaw, PublicKey};

impl PublicKey {
    /// That this key signed, for `sigstore-verify`, which looks at logs too.
    pub(super) fn policy(&self) -> Result<PublicKeyVerificationPolicy, Flaw> {
        match self.kind() {
            Kind::P521 => Err(Flaw::Unsupported(self.kind().to_string())),
            Kind::P256 | Kind::P384 | Kind::Ed25519 | Kind::Rsa => {
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
