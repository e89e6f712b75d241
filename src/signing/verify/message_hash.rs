//! The hash with which a certificate over P-384 signed. cosign before 2.6 signed with SHA-256 under every
//! curve, others sign with the hash of the curve's size; `sigstore-verify` tries the one that a message
//! signature names.

use sigstore_crypto::{KeyAlgorithm, SigningScheme, sha256, verify_signature};
use sigstore_types::{
    Bundle, DigestBytes, HashAlgorithm, MessageDigest, SignatureBytes, SignatureContent,
};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

/// Returns the bundle of a message signature with the name of SHA-256, where that is the hash which the
/// certificate's key signed `message` with and it is not the key's own.
pub(super) fn with_message_hash(bundle: Bundle, message: &[u8]) -> Bundle {
    let SignatureContent::MessageSignature(signed) = &bundle.content else {
        return bundle;
    };
    if signed.message_digest.is_some() || !signs_p384_sha256(&bundle, &signed.signature, message) {
        return bundle;
    }
    let digest = DigestBytes::new(sha256(message).as_bytes().to_vec());
    let digest = MessageDigest::new(HashAlgorithm::Sha2256, digest);
    let signed = signed.clone().with_message_digest(digest);
    Bundle::new(
        bundle.media_type,
        bundle.verification_material.clone(),
        SignatureContent::MessageSignature(signed),
    )
}

/// Whether the certificate of a bundle is over P-384 and its key signed `message` with SHA-256.
pub(super) fn signs_p384_sha256(
    bundle: &Bundle,
    signature: &SignatureBytes,
    message: &[u8],
) -> bool {
    let certificate = bundle.signing_certificate();
    let certificate = certificate.and_then(|der| Certificate::from_der(der.as_bytes()).ok());
    let spki = certificate.and_then(|certificate| {
        let spki = &certificate.tbs_certificate.subject_public_key_info;
        spki.to_der().ok()
    });
    let Some(key) = spki.map(sigstore_types::DerPublicKey::new) else {
        return false;
    };
    matches!(KeyAlgorithm::from_spki(&key), Ok(KeyAlgorithm::EcdsaP384))
        && verify_signature(&key, message, signature, SigningScheme::EcdsaP384Sha256).is_ok()
}
