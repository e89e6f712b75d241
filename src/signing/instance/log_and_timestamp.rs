use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::try_join;
use serde_json::json;
use sigstore_types::TimestampToken;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::super::bundle::SignedEnvelope;
use super::super::hash_function::HashFunction;
use super::super::key_algorithm::KeyAlgorithm;
use super::super::rekor_scheme::RekorScheme;
use super::super::signer_material::SignerMaterial;
use super::super::{KeyError, LegacySignature, PrivateKey, PublicKey, SigningError, TrustRoot};
use super::endpoints::{EndpointsError, LogEndpoints};
use super::sigstore_service::{
    REKOR_SERVICE, SigstoreService, SigstoreServiceError, TIMESTAMP_SERVICE,
};
use super::timestamp_authority;
use super::transparency_log::{self, LogRequest, RekorLog};
use crate::http::HttpClient;

/// How often a statement is signed with RSA where the log has its signatures already: each run that lost
/// the answer, or what it signed, left one.
const RSA_ATTEMPTS: usize = 5;

/// Signatures that are logged at the same time: a log serves others too.
const LOG_CONCURRENCY: usize = 16;

/// The services that say that a signature was made and when, and the root that says whose word counts.
pub(crate) struct LogAndTimestampClients {
    log: RekorLog,
    /// The log for the legacy form: only version 1 gives what that holds.
    legacy: Option<SigstoreService>,
    authority: Option<SigstoreService>,
    pub(crate) trust_root: Arc<TrustRoot>,
    log_permits: Semaphore,
}

impl LogAndTimestampClients {
    pub(crate) fn new(logs: LogEndpoints, root: Arc<TrustRoot>) -> Result<Self, EndpointsError> {
        let log = match logs.v2 {
            Some(url) => RekorLog::V2(SigstoreService::new(REKOR_SERVICE, url)),
            None => {
                let url = logs.v1.clone().ok_or(EndpointsError::NoLog)?;
                RekorLog::V1(SigstoreService::new(REKOR_SERVICE, url))
            }
        };
        Ok(Self {
            log,
            legacy: logs.v1.map(|url| SigstoreService::new(REKOR_SERVICE, url)),
            authority: logs
                .authority
                .map(|url| SigstoreService::new(TIMESTAMP_SERVICE, url)),
            trust_root: root,
            log_permits: Semaphore::new(LOG_CONCURRENCY),
        })
    }

    /// To be had before something is signed that is to be logged, and held until it is.
    pub(crate) async fn acquire_permit(&self) -> SemaphorePermit<'_> {
        let turn = self.log_permits.acquire().await;
        turn.expect("the semaphore is never closed")
    }

    /// A statement as a bundle, signed with `key`, and what they say of that.
    pub(crate) async fn sign_bundle(
        &self,
        client: &HttpClient,
        key: &PrivateKey,
        mut statement: Vec<u8>,
        by: &SignerMaterial<'_>,
    ) -> Result<Vec<u8>, SigstoreServiceError> {
        let is_rsa = key.public().algorithm() == KeyAlgorithm::Rsa;
        let attempts = if is_rsa { RSA_ATTEMPTS } else { 2 };
        for _ in 1..attempts {
            let sealed = key.sign_to_envelope_with(statement.clone(), self.bundle_hash(by));
            match self.log_and_timestamp(client, sealed, by).await {
                // An answer was lost, and Rekor v2 does not give what it has already: a second signature
                // of the same is another entry. RSA signs the same alike, but not with a space after it.
                Err(error) if error.is_conflict() => {
                    statement.extend(is_rsa.then_some(b' '));
                }
                outcome => return outcome,
            }
        }
        let sealed = key.sign_to_envelope_with(statement, self.bundle_hash(by));
        self.log_and_timestamp(client, sealed, by).await
    }

    /// Returns the hash with which bundles are signed for the log.
    fn bundle_hash(&self, by: &SignerMaterial<'_>) -> HashFunction {
        match self.log {
            RekorLog::V1(_) => HashFunction::Sha256,
            RekorLog::V2(_) => by
                .rekor_scheme()
                .map_or(HashFunction::Sha256, |scheme| scheme.hash),
        }
    }

    /// Refuses a key of which the log takes no signatures.
    pub(crate) fn check_loggable(&self, key: &PublicKey) -> Result<(), KeyError> {
        match self.log {
            RekorLog::V2(_) if RekorScheme::of_key(key).is_none() => {
                Err(KeyError::Unlogged(key.algorithm().to_string()))
            }
            _ => Ok(()),
        }
    }

    async fn log_and_timestamp(
        &self,
        client: &HttpClient,
        sealed: SignedEnvelope,
        by: &SignerMaterial<'_>,
    ) -> Result<Vec<u8>, SigstoreServiceError> {
        let (entry, stamp) = try_join(
            self.log
                .log_envelope(client, &sealed.to_log_request(by), &sealed.envelope),
            self.request_timestamp(client, &sealed.signature),
        )
        .await?;
        Ok(sealed.into_bundle(by, Some(entry), stamp))
    }

    /// A statement in the legacy form, signed with `key`, and what the log says of that.
    pub(crate) async fn sign_envelope(
        &self,
        client: &HttpClient,
        key: &PrivateKey,
        statement: Vec<u8>,
        by: &SignerMaterial<'_>,
    ) -> Result<LegacySignature, SigningError> {
        let sealed = key.sign_to_envelope(statement);
        let (log, logged) = (self.legacy_log()?, sealed.to_log_request(by));
        let promise =
            transparency_log::log_envelope_v1(log, client, &logged, &sealed.envelope).await?;
        Ok(LegacySignature {
            log_entry: Some(promise.to_annotation()?),
            ..sealed.to_legacy().with_material(by)
        })
    }

    /// A statement as a bundle, signed with `key`, with a timestamp and no log entry.
    pub(crate) async fn stamp_bundle(
        &self,
        client: &HttpClient,
        key: &PrivateKey,
        statement: Vec<u8>,
        by: &SignerMaterial<'_>,
    ) -> Result<Vec<u8>, SigningError> {
        let sealed = key.sign_to_envelope(statement);
        let stamp = self.require_timestamp(client, &sealed.signature).await?;
        Ok(sealed.into_bundle(by, None, Some(stamp)))
    }

    /// The same in the legacy form.
    pub(crate) async fn stamp_envelope(
        &self,
        client: &HttpClient,
        key: &PrivateKey,
        statement: Vec<u8>,
        by: &SignerMaterial<'_>,
    ) -> Result<LegacySignature, SigningError> {
        let sealed = key.sign_to_envelope(statement);
        let stamp = self.require_timestamp(client, &sealed.signature).await?;
        let stamp = json!({"SignedRFC3161Timestamp": BASE64_STANDARD.encode(stamp.as_bytes())});
        Ok(LegacySignature {
            timestamp: Some(stamp.to_string()),
            ..sealed.to_legacy().with_material(by)
        })
    }

    async fn require_timestamp(
        &self,
        client: &HttpClient,
        signature: &[u8],
    ) -> Result<TimestampToken, SigningError> {
        let stamp = self.request_timestamp(client, signature).await?;
        Ok(stamp.ok_or(EndpointsError::NoTimestampAuthority)?)
    }

    /// A payload in the legacy form, signed with `key`, and what the log says of that.
    pub(crate) async fn sign_payload(
        &self,
        client: &HttpClient,
        key: &PrivateKey,
        payload: Vec<u8>,
        by: &SignerMaterial<'_>,
    ) -> Result<LegacySignature, SigningError> {
        if key.public().algorithm() == KeyAlgorithm::Ed25519 {
            // `hashedrekord` takes Ed25519ph in its place.
            return Err(KeyError::UnloggedLegacy.into());
        }
        let scheme = by.rekor_scheme();
        let hash = scheme.map_or(HashFunction::Sha256, |scheme| scheme.hash);
        let signature = key.sign_with(&payload, hash);
        let logged = LogRequest {
            message: &payload,
            signature: &signature,
            material: by,
        };
        let promise =
            transparency_log::log_signature_v1(self.legacy_log()?, client, &logged, hash).await?;
        Ok(LegacySignature {
            log_entry: Some(promise.to_annotation()?),
            ..LegacySignature::new(payload, &signature).with_material(by)
        })
    }

    fn legacy_log(&self) -> Result<&SigstoreService, EndpointsError> {
        self.legacy.as_ref().ok_or(EndpointsError::NoLegacyLog)
    }

    async fn request_timestamp(
        &self,
        client: &HttpClient,
        signature: &[u8],
    ) -> Result<Option<TimestampToken>, SigstoreServiceError> {
        match &self.authority {
            Some(authority) => timestamp_authority::request_timestamp(authority, client, signature)
                .await
                .map(Some),
            None => Ok(None),
        }
    }
}

impl SignedEnvelope {
    fn to_log_request<'a>(&'a self, by: &'a SignerMaterial<'a>) -> LogRequest<'a> {
        LogRequest {
            message: &self.message,
            signature: &self.signature,
            material: by,
        }
    }
}
