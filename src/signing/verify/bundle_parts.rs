//! What a bundle has to have, and must not have, before anything of it is proven.

use std::collections::BTreeSet;

use sigstore_types::Bundle;
use sigstore_types::bundle::{MediaType, VerificationMaterialContent};
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{self, Decode, Reader, SliceReader, Tag, TagNumber, Tagged};

use super::super::VerificationError;
use super::trusted_log::TrustedLog;
use super::{TrustRoot, bundle_json};

/// Reads a bundle. It brings no authority of its own: a root in its chain would be one.
pub(super) fn parse_bundle(json: &[u8]) -> Result<Bundle, VerificationError> {
    let bundle = Bundle::from_json(bundle_json::check_bundle(json)?)
        .map_err(VerificationError::malformed)?;
    let VerificationMaterialContent::X509CertificateChain { certificates } =
        &bundle.verification_material.content
    else {
        return Ok(bundle);
    };
    for certificate in certificates {
        match is_self_issued(certificate.raw_bytes.as_bytes()) {
            Ok(false) => (),
            Ok(true) => {
                return Err(VerificationError::malformed(
                    "its chain contains a root certificate",
                ));
            }
            Err(_) => {
                return Err(VerificationError::malformed(
                    "an entry of its chain is not a certificate",
                ));
            }
        }
    }
    Ok(bundle)
}

/// That no part is missing, and none is there twice. Where a log of `logs` has to hold the signature,
/// each entry has to be proven by itself, and by the log that it names: beside one that is,
/// `sigstore-verify` passes one that has nothing.
pub(super) fn check_parts(
    bundle: &Bundle,
    logs: Option<&TrustRoot>,
) -> Result<(), VerificationError> {
    let entries = &bundle.verification_material.tlog_entries;
    if logs.is_some() && entries.is_empty() {
        return Err(VerificationError::NotInLog);
    }
    let mut seen = BTreeSet::new();
    for entry in entries {
        let proven = match bundle.media_type {
            MediaType::Bundle0_1 => entry.inclusion_promise.is_some(),
            _ => entry.inclusion_proof.is_some(),
        };
        if let Some(logs) = logs {
            if !proven {
                return Err(VerificationError::NoInclusionProof(
                    "a log entry has no proof".to_owned(),
                ));
            }
            TrustedLog::check_entry(logs.logs(), entry)?;
        }
        if !seen.insert((entry.log_id.key_id.as_bytes(), entry.log_index.get())) {
            return Err(VerificationError::malformed("it has a log entry twice"));
        }
    }
    let timestamps = &bundle.verification_material.timestamp_verification_data;
    let mut seen = BTreeSet::new();
    for timestamp in &timestamps.rfc3161_timestamps {
        if !seen.insert(timestamp.signed_timestamp.as_bytes()) {
            return Err(VerificationError::malformed("it has a timestamp twice"));
        }
    }
    Ok(())
}

/// Returns whether a certificate (RFC 5280, 4.1) names itself as its issuer. Reads no further, so
/// that other faults of the certificate are left to its verification.
fn is_self_issued(certificate: &[u8]) -> der::Result<bool> {
    const VERSION: Tag = Tag::ContextSpecific {
        constructed: true,
        number: TagNumber::N0,
    };
    SliceReader::new(certificate)?.sequence(|certificate| {
        let is_self_issued = certificate.sequence(|signed| {
            read_tagged(signed, VERSION)?;
            read_tagged(signed, Tag::Integer)?;
            let _algorithm = read_tagged(signed, Tag::Sequence)?;
            let issuer = read_tagged(signed, Tag::Sequence)?;
            let _validity = read_tagged(signed, Tag::Sequence)?;
            let subject = read_tagged(signed, Tag::Sequence)?;
            let _rest = signed.read_slice(signed.remaining_len())?;
            Ok(issuer == subject)
        })?;
        let _signature = certificate.read_slice(certificate.remaining_len())?;
        Ok(is_self_issued)
    })
}

fn read_tagged<'a>(reader: &mut impl Reader<'a>, tag: Tag) -> der::Result<AnyRef<'a>> {
    let element = AnyRef::decode(reader)?;
    element.tag().assert_eq(tag)?;
    Ok(element)
}
