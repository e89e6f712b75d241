//! The older form: what stands beside a payload as annotations, as a bundle of the version that holds
//! the same.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::json;
use sigstore_types::{
    Bundle, CanonicalizedBody, DerCertificate, InclusionPromise, KindVersion, LogId, LogIndex,
    LogKeyId, MediaType, MessageSignature, PublicKeyIdentifier, Rfc3161Timestamp, SignatureBytes,
    SignatureContent, SignedTimestamp, TimestampToken, TimestampVerificationData,
    TransparencyLogEntry, VerificationMaterial, VerificationMaterialContent, X509Certificate,
};

use super::super::{LegacySignature, VerificationError};
use super::bundle_json;

/// `dev.sigstore.cosign/bundle`: the entry in the log, and the log's promise to include it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct LogBundleJson {
    signed_entry_timestamp: String,
    payload: LogEntryJson,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogEntryJson {
    body: String,
    integrated_time: i64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

/// `dev.sigstore.cosign/rfc3161timestamp`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimestampJson {
    #[serde(rename = "SignedRFC3161Timestamp")]
    token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryKindJson {
    kind: String,
    api_version: String,
}

impl LegacySignature {
    /// The payload and what stands beside it.
    pub(super) fn to_bundle(&self) -> Result<Bundle, VerificationError> {
        let signature = self
            .signature
            .as_deref()
            .ok_or(VerificationError::Unsigned)?;
        let signature = SignatureBytes::new(decode_base64("signature", signature)?);
        self.build_bundle(SignatureContent::MessageSignature(MessageSignature::new(
            signature,
        )))
    }

    /// The payload, which is an envelope with its signature in it, and what stands beside it.
    pub(super) fn to_envelope_bundle(&self) -> Result<Bundle, VerificationError> {
        if self
            .signature
            .as_deref()
            .is_some_and(|text| !text.is_empty())
        {
            return Err(VerificationError::malformed(
                "the annotations have a second signature of the envelope",
            ));
        }
        let envelope = bundle_json::check_envelope(&self.payload)?;
        let envelope = serde_json::from_str(envelope).map_err(VerificationError::malformed)?;
        self.build_bundle(SignatureContent::DsseEnvelope(envelope))
    }

    fn build_bundle(&self, content: SignatureContent) -> Result<Bundle, VerificationError> {
        let entry = self.log_entry.as_deref().map(parse_log_entry).transpose()?;
        let timestamp = self.timestamp.as_deref().map(parse_timestamp).transpose()?;
        // Version 0.1 wants the log's promise and no proof, 0.2 lets the log be missing.
        let version = match entry {
            Some(_) => MediaType::Bundle0_1,
            None => MediaType::Bundle0_2,
        };
        let material = VerificationMaterial::new(self.signer_material()?)
            .with_tlog_entries(entry.into_iter().collect())
            .with_timestamp_verification_data(TimestampVerificationData::new(
                timestamp.into_iter().collect(),
            ));
        Ok(Bundle::new(version, material, content))
    }

    fn signer_material(&self) -> Result<VerificationMaterialContent, VerificationError> {
        let Some(leaf) = &self.certificate else {
            return Ok(VerificationMaterialContent::PublicKey(
                PublicKeyIdentifier::new(""),
            ));
        };
        let chain = self.chain.as_deref().unwrap_or_default();
        let certificates = std::iter::once(leaf.as_str())
            .chain(split_chain(chain))
            .map(|pem| DerCertificate::from_pem(pem).map(X509Certificate::new))
            .collect::<Result<_, _>>()
            .map_err(|error| VerificationError::malformed(format!("its certificate: {error}")))?;
        Ok(VerificationMaterialContent::X509CertificateChain { certificates })
    }
}

const CERTIFICATE_END: &str = "-----END CERTIFICATE-----";

/// The certificates of a chain, one a text.
fn split_chain(chain: &str) -> impl Iterator<Item = &str> {
    chain
        .split_inclusive(CERTIFICATE_END)
        .filter(|part| !part.trim().is_empty())
}

fn parse_log_entry(text: &str) -> Result<TransparencyLogEntry, VerificationError> {
    let wrong = |error: &dyn std::fmt::Display| {
        VerificationError::malformed(format!("its log entry: {error}"))
    };
    let text = bundle_json::check_json(text.as_bytes())?;
    let logged: LogBundleJson = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    let LogEntryJson {
        body,
        integrated_time,
        log_index,
        log_id,
    } = logged.payload;
    let body = decode_base64("log entry", &body)?;
    let kind: EntryKindJson = serde_json::from_slice(&body).map_err(|error| wrong(&error))?;
    let kind: KindVersion =
        serde_json::from_value(json!({"kind": kind.kind, "version": kind.api_version}))
            .map_err(|error| wrong(&error))?;
    let log_id = decode_hex(&log_id).ok_or_else(|| wrong(&"its log's name is not hexadecimal"))?;
    let time = jiff::Timestamp::from_second(integrated_time).map_err(|error| wrong(&error))?;
    let promise = decode_base64("log entry's promise", &logged.signed_entry_timestamp)?;
    Ok(TransparencyLogEntry::new(
        LogIndex::new(log_index).map_err(|error| wrong(&error))?,
        LogId::new(LogKeyId::new(log_id)),
        kind,
        CanonicalizedBody::new(body),
    )
    .with_integrated_time(time)
    .with_inclusion_promise(InclusionPromise::new(SignedTimestamp::new(promise))))
}

fn parse_timestamp(text: &str) -> Result<Rfc3161Timestamp, VerificationError> {
    let text = bundle_json::check_json(text.as_bytes())?;
    let TimestampJson { token } = serde_json::from_str(text)
        .map_err(|error| VerificationError::malformed(format!("its timestamp: {error}")))?;
    let token = decode_base64("timestamp", &token)?;
    Ok(Rfc3161Timestamp::new(TimestampToken::new(token)))
}

fn decode_base64(what: &str, text: &str) -> Result<Vec<u8>, VerificationError> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|_| VerificationError::malformed(format!("its {what} is not base64")))
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs
        .map(|pair| byte(pair).filter(|_| pair.len() == 2))
        .collect()
}
