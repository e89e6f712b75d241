//! Entries in a transparency log: Rekor of either version.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::{Value, json};
use sigstore_rekor::LogEntry;
use sigstore_types::{DsseEnvelope, KindVersion, TransparencyLogEntry};
use std::collections::HashMap;

use super::super::hash_function::HashFunction;
use super::super::rekor_scheme::RekorScheme;
use super::super::signer_material::SignerMaterial;
use super::sigstore_service::{SigstoreService, SigstoreServiceError};
use crate::http::{HttpClient, ServiceResponse};

/// A log, by the version of its interface.
pub(super) enum RekorLog {
    /// Rekor v1: gives a signed timestamp with its promise to include the entry.
    V1(SigstoreService),
    /// Rekor v2: gives the proof that it did, and no time.
    V2(SigstoreService),
}

/// What is logged.
pub(super) struct LogRequest<'a> {
    /// What was signed.
    pub(super) message: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) material: &'a SignerMaterial<'a>,
}

/// What Rekor v1 gives for an entry.
pub(super) struct PromisedEntry {
    pub(super) entry: LogEntry,
    service: SigstoreService,
    kind: KindVersion,
}

const JSON_TYPE: &str = "application/json";

impl RekorLog {
    /// Logs the signature in an envelope.
    pub(super) async fn log_envelope(
        &self,
        client: &HttpClient,
        logged: &LogRequest<'_>,
        envelope: &DsseEnvelope,
    ) -> Result<TransparencyLogEntry, SigstoreServiceError> {
        match self {
            Self::V1(service) => log_envelope_v1(service, client, logged, envelope)
                .await?
                .into_entry(),
            Self::V2(service) => {
                let scheme = logged.material.rekor_scheme();
                let scheme = scheme
                    .ok_or_else(|| service.invalid_answer("no entries for a key of this kind"))?;
                add_entry_v2(service, client, logged, scheme).await
            }
        }
    }
}

/// Logs an envelope as Rekor v1's `dsse`.
pub(super) async fn log_envelope_v1(
    service: &SigstoreService,
    client: &HttpClient,
    logged: &LogRequest<'_>,
    envelope: &DsseEnvelope,
) -> Result<PromisedEntry, SigstoreServiceError> {
    let envelope =
        serde_json::to_string(envelope).map_err(|error| service.invalid_answer(error))?;
    let entry = json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {"proposedContent": {
            "envelope": envelope,
            "verifiers": [BASE64_STANDARD.encode(logged.material.to_pem())],
        }},
    });
    add_entry_v1(service, client, &entry, KindVersion::DsseV001).await
}

/// Logs a signature as Rekor v1's `hashedrekord`.
pub(super) async fn log_signature_v1(
    service: &SigstoreService,
    client: &HttpClient,
    logged: &LogRequest<'_>,
    hash: HashFunction,
) -> Result<PromisedEntry, SigstoreServiceError> {
    let digest = hash.digest(logged.message);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": hash.name(), "value": digest}},
            "signature": {
                "content": BASE64_STANDARD.encode(logged.signature),
                "publicKey": {"content": BASE64_STANDARD.encode(logged.material.to_pem())},
            },
        },
    });
    add_entry_v1(service, client, &entry, KindVersion::HashedRekordV001).await
}

async fn add_entry_v1(
    service: &SigstoreService,
    client: &HttpClient,
    entry: &Value,
    kind: KindVersion,
) -> Result<PromisedEntry, SigstoreServiceError> {
    let url = service.url_below("/api/v1/log/entries");
    let body = entry.to_string().into_bytes();
    let sent = body.len();
    let mut answer = service.post(client, url, JSON_TYPE, body).await?;
    if answer.status == StatusCode::CONFLICT {
        answer = get_conflicting_entry(service, client, answer).await?;
    }
    let answer = service.expect_success(answer);
    let body = answer
        .map_err(|error| SigstoreServiceError { sent, ..error })?
        .body;
    let entries: HashMap<String, LogEntry> =
        serde_json::from_slice(&body).map_err(|error| service.invalid_answer(error))?;
    let mut entries = entries.into_values();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok(PromisedEntry {
            entry,
            service: service.clone(),
            kind,
        }),
        _ => Err(service.invalid_answer("not exactly one entry")),
    }
}

/// An answer that was lost on its way leaves its entry behind; the log says where.
async fn get_conflicting_entry(
    service: &SigstoreService,
    client: &HttpClient,
    conflict: ServiceResponse,
) -> Result<ServiceResponse, SigstoreServiceError> {
    let location = conflict
        .headers
        .get(LOCATION)
        .and_then(|value| value.to_str().ok());
    let url = location
        .and_then(|location| service.url().join(location).ok())
        .filter(|url| url.origin() == service.url().origin());
    match url {
        Some(url) => service.get(client, url, HeaderMap::new()).await,
        None => Err(service
            .invalid_answer("409: the entry is there, and no Location of its own to find it at")),
    }
}

async fn add_entry_v2(
    service: &SigstoreService,
    client: &HttpClient,
    logged: &LogRequest<'_>,
    scheme: RekorScheme,
) -> Result<TransparencyLogEntry, SigstoreServiceError> {
    let digest = scheme.hash.digest(logged.message);
    let request = json!({"hashedRekordRequestV002": {
        "digest": BASE64_STANDARD.encode(digest),
        "signature": {
            "content": BASE64_STANDARD.encode(logged.signature),
            "verifier": logged.material.to_rekor_verifier(scheme),
        },
    }});
    let url = service.url_below("/api/v2/log/entries");
    let body = request.to_string().into_bytes();
    let answer = service.post(client, url, JSON_TYPE, body).await?;
    let body = service.expect_success(answer)?.body;
    serde_json::from_slice(&body).map_err(|error| service.invalid_answer(error))
}

impl PromisedEntry {
    /// The entry as a bundle has it.
    pub(super) fn into_entry(self) -> Result<TransparencyLogEntry, SigstoreServiceError> {
        let entry = self.entry.to_bundle_entry(self.kind);
        entry.map_err(|error| self.service.invalid_answer(error))
    }

    /// The entry as the annotation `dev.sigstore.cosign/bundle` has it.
    pub(super) fn to_annotation(&self) -> Result<String, SigstoreServiceError> {
        let entry = &self.entry;
        let promise = entry.verification.as_ref();
        let promise = promise.and_then(|found| found.signed_entry_timestamp.as_ref());
        let (Some(promise), Some(time)) = (promise, entry.integrated_time) else {
            return Err(self.service.invalid_answer(
                "an entry without a signed timestamp, which the legacy form needs",
            ));
        };
        Ok(json!({
            "SignedEntryTimestamp": promise,
            "Payload": {
                "body": entry.body,
                "integratedTime": time.as_second(),
                "logIndex": entry.log_index.get(),
                "logID": entry.log_id,
            },
        })
        .to_string())
    }
}
