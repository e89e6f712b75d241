use sigstore_types::{Bundle, KindVersion, MessageSignature, SignatureContent};

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
        if !entries.iter().any(|entry| is_record(entry.kind_version)) {
            return None;
        }
        let signature = MessageSignature::new(envelope.signature.sig.clone());
        Some(Self {
            encoding: envelope.pae(),
            bundle: Bundle::new(
                bundle.media_type,
                bundle.verification_material.clone(),
                SignatureContent::MessageSignature(signature),
            ),
        })
    }
}
