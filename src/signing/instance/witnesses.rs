use std::sync::Arc;

use futures_util::future::try_join;
use sigstore_types::TimestampToken;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::super::bundle::{Sealed, Signatory};
use super::super::{Detached, PrivateKey, SigningError, TrustRoot};
use super::log::{self, Log, Logged};
use super::service::{Service, ServiceError};
use super::{AUTHORITY, EndpointsError, Logs, REKOR, timestamp};
use crate::registry::Client;

/// Signatures that are logged at the same time: a log serves others too.
const UNDER_WAY: usize = 16;

/// The services that say that a signature was made and when, and the root that says whose word counts.
pub(in super::super) struct Witnesses {
    log: Log,
    /// The log for the legacy form: only version 1 gives what that holds.
    legacy: Option<Service>,
    authority: Option<Service>,
    pub(in super::super) root: Arc<TrustRoot>,
    under_way: Semaphore,
}

impl Witnesses {
    pub(in super::super) fn new(logs: Logs, root: Arc<TrustRoot>) -> Result<Self, EndpointsError> {
        let log = match logs.v2 {
            Some(url) => Log::V2(Service::new(REKOR, url)),
            None => {
                let url = logs.v1.clone().ok_or(EndpointsError::NoLog)?;
                Log::V1(Service::new(REKOR, url))
            }
        };
        Ok(Self {
            log,
            legacy: logs.v1.map(|url| Service::new(REKOR, url)),
            authority: logs.authority.map(|url| Service::new(AUTHORITY, url)),
            root,
            under_way: Semaphore::new(UNDER_WAY),
        })
    }

    /// To be had before something is signed that is to be logged, and held until it is.
    pub(in super::super) async fn turn(&self) -> SemaphorePermit<'_> {
        let turn = self.under_way.acquire().await;
        turn.expect("the semaphore is never closed")
    }

    /// A statement as a bundle, signed with `key`, and what they say of that.
    pub(in super::super) async fn bundle(
        &self,
        client: &Client,
        key: &PrivateKey,
        statement: Vec<u8>,
        by: &Signatory<'_>,
    ) -> Result<Vec<u8>, ServiceError> {
        let sealed = key.seal(statement.clone());
        match self.witnessed(client, sealed, by).await {
            // An answer was lost, and Rekor v2 does not give what it has already: a second signature of
            // the same is another entry.
            Err(error) if error.is_conflict() => {
                self.witnessed(client, key.seal(statement), by).await
            }
            outcome => outcome,
        }
    }

    async fn witnessed(
        &self,
        client: &Client,
        sealed: Sealed,
        by: &Signatory<'_>,
    ) -> Result<Vec<u8>, ServiceError> {
        let (entry, stamp) = try_join(
            self.log
                .envelope(client, &sealed.logged(by), &sealed.envelope),
            self.stamp(client, &sealed.signature),
        )
        .await?;
        Ok(sealed.into_bundle(by, Some(entry), stamp))
    }

    /// A statement in the legacy form, signed with `key`, and what the log says of that.
    pub(in super::super) async fn envelope(
        &self,
        client: &Client,
        key: &PrivateKey,
        statement: Vec<u8>,
        by: &Signatory<'_>,
    ) -> Result<Detached, SigningError> {
        let sealed = key.seal(statement);
        let (log, logged) = (self.legacy()?, sealed.logged(by));
        let promise = log::promised_envelope(log, client, &logged, &sealed.envelope).await?;
        Ok(Detached {
            log_entry: Some(promise.annotation()?),
            ..sealed.to_detached().by(by)
        })
    }

    /// A payload in the legacy form, signed with `key`, and what the log says of that.
    pub(in super::super) async fn payload(
        &self,
        client: &Client,
        key: &PrivateKey,
        payload: Vec<u8>,
        by: &Signatory<'_>,
    ) -> Result<Detached, SigningError> {
        let signature = key.sign(&payload);
        let logged = Logged {
            message: &payload,
            signature: &signature,
            by,
        };
        let promise = log::promised_signature(self.legacy()?, client, &logged).await?;
        Ok(Detached {
            log_entry: Some(promise.annotation()?),
            ..Detached::new(payload, &signature).by(by)
        })
    }

    fn legacy(&self) -> Result<&Service, EndpointsError> {
        self.legacy.as_ref().ok_or(EndpointsError::NoLegacyLog)
    }

    async fn stamp(
        &self,
        client: &Client,
        signature: &[u8],
    ) -> Result<Option<TimestampToken>, ServiceError> {
        match &self.authority {
            Some(authority) => timestamp::attest(authority, client, signature)
                .await
                .map(Some),
            None => Ok(None),
        }
    }
}

impl Sealed {
    fn logged<'a>(&'a self, by: &'a Signatory<'a>) -> Logged<'a> {
        Logged {
            message: &self.message,
            signature: &self.signature,
            by,
        }
    }
}
