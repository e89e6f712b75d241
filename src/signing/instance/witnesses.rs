use std::sync::Arc;

use futures_util::future::try_join;
use sigstore_types::TimestampToken;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::super::bundle::{Sealed, Signatory};
use super::super::{Detached, SigningError, TrustRoot};
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

    /// A sealed statement as a bundle, with what they say of it.
    pub(in super::super) async fn bundle(
        &self,
        client: &Client,
        sealed: Sealed,
        by: &Signatory<'_>,
    ) -> Result<Vec<u8>, ServiceError> {
        let logged = Logged {
            message: &sealed.message,
            signature: &sealed.signature,
            by,
        };
        let (entry, stamp) = try_join(
            self.log.envelope(client, &logged, &sealed.envelope),
            self.stamp(client, &sealed.signature),
        )
        .await?;
        Ok(sealed.into_bundle(by, Some(entry), stamp))
    }

    /// A sealed statement in the legacy form, with what the log says of it.
    pub(in super::super) async fn envelope(
        &self,
        client: &Client,
        sealed: &Sealed,
        by: &Signatory<'_>,
    ) -> Result<Detached, SigningError> {
        let logged = Logged {
            message: &sealed.message,
            signature: &sealed.signature,
            by,
        };
        let log = self.legacy()?;
        let promise = log::promised_envelope(log, client, &logged, &sealed.envelope).await?;
        Ok(Detached {
            log_entry: Some(promise.annotation()?),
            ..sealed.to_detached().by(by)
        })
    }

    /// A payload and its signature in the legacy form, with what the log says of it.
    pub(in super::super) async fn payload(
        &self,
        client: &Client,
        payload: Vec<u8>,
        signature: &[u8],
        by: &Signatory<'_>,
    ) -> Result<Detached, SigningError> {
        let logged = Logged {
            message: &payload,
            signature,
            by,
        };
        let promise = log::promised_signature(self.legacy()?, client, &logged).await?;
        Ok(Detached {
            log_entry: Some(promise.annotation()?),
            ..Detached::new(payload, signature).by(by)
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
