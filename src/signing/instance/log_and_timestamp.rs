use std::sync::Arc;

use futures_util::future::try_join;
use sigstore_types::TimestampToken;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::super::bundle::SignedEnvelope;
use super::super::signer_material::SignerMaterial;
use super::super::{LegacySignature, PrivateKey, SigningError, TrustRoot};
use super::endpoints::{EndpointsError, LogEndpoints};
use super::sigstore_service::{
    REKOR_SERVICE, SigstoreService, SigstoreServiceError, TIMESTAMP_SERVICE,
};
use super::timestamp_authority;
use super::transparency_log::{self, LogRequest, RekorLog};
use crate::http::HttpClient;

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
        statement: Vec<u8>,
        by: &SignerMaterial<'_>,
    ) -> Result<Vec<u8>, SigstoreServiceError> {
        let sealed = key.sign_to_envelope(statement.clone());
        match self.log_and_timestamp(client, sealed, by).await {
            // An answer was lost, and Rekor v2 does not give what it has already: a second signature of
            // the same is another entry.
            Err(error) if error.is_conflict() => {
                self.log_and_timestamp(client, key.sign_to_envelope(statement), by)
                    .await
            }
            outcome => outcome,
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

    /// A payload in the legacy form, signed with `key`, and what the log says of that.
    pub(crate) async fn sign_payload(
        &self,
        client: &HttpClient,
        key: &PrivateKey,
        payload: Vec<u8>,
        by: &SignerMaterial<'_>,
    ) -> Result<LegacySignature, SigningError> {
        let signature = key.sign(&payload);
        let logged = LogRequest {
            message: &payload,
            signature: &signature,
            material: by,
        };
        let promise =
            transparency_log::log_signature_v1(self.legacy_log()?, client, &logged).await?;
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
