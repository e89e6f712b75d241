use sigstore_types::{Bundle, KindVersion, MessageSignature, SignatureContent};

use super::message_hash;

/// An envelope's bundle as the signature of what the envelope signs, its encoding (DSSE's PAE).
///
/// A log may hold an envelope as a `hashedrekord`, with the digest of that encoding. `sigstore-verify`
/// knows such an entry of version 0.0.2 (Rekor v2) beside an envelope, and of version 0.0.1 (Rekor v1)
/// beside the signature of a file alone: so it is given the encoding as the file.
#[derive(Debug)]
pub(super) struct EncodedEnvelope {
    pub(super) bundle: Bundle,
    pub(super) encoding: Vec<u8>,
}

impl EncodedEnvelope {
    /// What to check in place of a bundle; `None` where it can be checked as it is. What the envelope's
    /// statement is about is not checked along with it.
    pub(super) fn from_bundle(bundle: &Bundle) -> Option<Self> {
        let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
            return None;
        };
        let entries = &bundle.verification_material.tlog_entries;
        let is_record = |kind: KindVersion| kind == KindVersion::HashedRekordV001;
        let has_record = entries.iter().any(|entry| is_record(entry.kind_version));
        // Of the envelope itself `sigstore-verify` knows only the hash of the curve's size.
        let has_other_hash =
            message_hash::signs_p384_sha256(bundle, &envelope.signature.sig, &envelope.pae());
        if !has_record && !has_other_hash {
            return None;
        }
        let signature = MessageSignature::new(envelope.signature.sig.clone());
        let encoding = envelope.pae();
        let bundle = Bundle::new(
            bundle.media_type,
            bundle.verification_material.clone(),
            SignatureContent::MessageSignature(signature),
        );
        Some(Self {
            bundle: message_hash::with_message_hash(bundle, &encoding),
            encoding,
        })
    }
}
