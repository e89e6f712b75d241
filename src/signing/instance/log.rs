//! Entries in a transparency log: Rekor of either version.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::{Value, json};
use sigstore_rekor::LogEntry;
use sigstore_types::{DsseEnvelope, KindVersion, TransparencyLogEntry};
use std::collections::HashMap;

use super::super::bundle::Signatory;
use super::service::{Service, ServiceError};
use crate::image::Digest;
use crate::registry::{Answer, Client};

/// A log, by the version of its interface.
pub(super) enum Log {
    /// Rekor v1: gives a signed timestamp with its promise to include the entry.
    V1(Service),
    /// Rekor v2: gives the proof that it did, and no time.
    V2(Service),
}

/// What is logged.
pub(super) struct Logged<'a> {
    /// What was signed.
    pub(super) message: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) by: &'a Signatory<'a>,
}

/// What Rekor v1 gives for an entry.
pub(super) struct Promise {
    pub(super) entry: LogEntry,
    service: Service,
    kind: KindVersion,
}

const JSON: &str = "application/json";

impl Log {
    /// Logs the signature in an envelope.
    pub(super) async fn envelope(
        &self,
        client: &Client,
        logged: &Logged<'_>,
        envelope: &DsseEnvelope,
    ) -> Result<TransparencyLogEntry, ServiceError> {
        match self {
            Self::V1(service) => promised_envelope(service, client, logged, envelope)
                .await?
                .into_entry(),
            Self::V2(service) => proven(service, client, logged).await,
        }
    }
}

/// Logs an envelope as Rekor v1's `dsse`.
pub(super) async fn promised_envelope(
    service: &Service,
    client: &Client,
    logged: &Logged<'_>,
    envelope: &DsseEnvelope,
) -> Result<Promise, ServiceError> {
    let envelope = serde_json::to_string(envelope).map_err(|error| service.unusable(error))?;
    let entry = json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {"proposedContent": {
            "envelope": envelope,
            "verifiers": [BASE64_STANDARD.encode(logged.by.pem())],
        }},
    });
    promised(service, client, &entry, KindVersion::DsseV001).await
}

/// Logs a signature as Rekor v1's `hashedrekord`.
pub(super) async fn promised_signature(
    service: &Service,
    client: &Client,
    logged: &Logged<'_>,
) -> Result<Promise, ServiceError> {
    let entry = json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": Digest::of(logged.message).hex()}},
            "signature": {
                "content": BASE64_STANDARD.encode(logged.signature),
                "publicKey": {"content": BASE64_STANDARD.encode(logged.by.pem())},
            },
        },
    });
    promised(service, client, &entry, KindVersion::HashedRekordV001).await
}

async fn promised(
    service: &Service,
    client: &Client,
    entry: &Value,
    kind: KindVersion,
) -> Result<Promise, ServiceError> {
    let url = service.below("/api/v1/log/entries");
    let body = entry.to_string().into_bytes();
    let mut answer = service.post(client, url, JSON, body).await?;
    if answer.status == StatusCode::CONFLICT {
        answer = there_already(service, client, answer).await?;
    }
    let body = service.succeed(answer)?.body;
    let entries: HashMap<String, LogEntry> =
        serde_json::from_slice(&body).map_err(|error| service.unusable(error))?;
    let mut entries = entries.into_values();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok(Promise {
            entry,
            service: service.clone(),
            kind,
        }),
        _ => Err(service.unusable("not exactly one entry")),
    }
}

/// An answer that was lost on its way leaves its entry behind; the log says where.
async fn there_already(
    service: &Service,
    client: &Client,
    conflict: Answer,
) -> Result<Answer, ServiceError> {
    let location = conflict
        .headers
        .get(LOCATION)
        .and_then(|value| value.to_str().ok());
    let url = location
        .and_then(|location| service.url().join(location).ok())
        .filter(|url| url.origin() == service.url().origin());
    match url {
        Some(url) => service.get(client, url, HeaderMap::new()).await,
        None => {
            Err(service
                .unusable("409: the entry is there, and no Location of its own to find it at"))
        }
    }
}

async fn proven(
    service: &Service,
    client: &Client,
    logged: &Logged<'_>,
) -> Result<TransparencyLogEntry, ServiceError> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, logged.message);
    let request = json!({"hashedRekordRequestV002": {
        "digest": BASE64_STANDARD.encode(digest),
        "signature": {
            "content": BASE64_STANDARD.encode(logged.signature),
            "verifier": logged.by.verifier(),
        },
    }});
    let url = service.below("/api/v2/log/entries");
    let body = request.to_string().into_bytes();
    let answer = service.post(client, url, JSON, body).await?;
    let body = service.succeed(answer)?.body;
    serde_json::from_slice(&body).map_err(|error| service.unusable(error))
}

impl Promise {
    /// The entry as a bundle has it.
    pub(super) fn into_entry(self) -> Result<TransparencyLogEntry, ServiceError> {
        let entry = self.entry.to_bundle_entry(self.kind);
        entry.map_err(|error| self.service.unusable(error))
    }

    /// The entry as the annotation `dev.sigstore.cosign/bundle` has it.
    pub(super) fn annotation(&self) -> Result<String, ServiceError> {
        let entry = &self.entry;
        let promise = entry.verification.as_ref();
        let promise = promise.and_then(|found| found.signed_entry_timestamp.as_ref());
        let (Some(promise), Some(time)) = (promise, entry.integrated_time) else {
            return Err(self
                .service
                .unusable("an entry without a signed timestamp, which the legacy form needs"));
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
