//! Signing without a key of one's own: the job's identity token gets a certificate for a key that
//! lives as long as the run, and a log, a timestamp authority or both say when it was used.
//!
//! One token and one certificate do for all signatures of a run. A certificate is good for ten
//! minutes; a run that takes longer gets a second one.

mod certificate;
mod endpoints;
mod log;
mod service;
mod timestamp;
mod token;

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::try_join;
use sigstore_bundle::BundleV03;
use sigstore_types::{DsseEnvelope, DsseSignature, KeyId, PayloadBytes, SignatureBytes};
use thiserror::Error;
use tokio::sync::{Mutex, OnceCell, Semaphore};
use tokio::time::Instant;

pub use endpoints::{Endpoints, EndpointsError, Instance};
pub use service::{ServiceCause, ServiceError};
pub use token::{Conceal, TokenSource};

use super::bundle::{PAYLOAD, encoded};
use super::{Claim, Detached, Identity, Requirement, TrustRoot, TrustRootError};
use crate::notice::Notices;
use crate::registry::Client;
use certificate::Certified;
use log::{Log, Logged};
use service::Service;
use token::Token;

/// Signatures that are logged at the same time: a log serves others too.
const UNDER_WAY: usize = 16;

const TOKENS: &str = "the runner's token service";
const FULCIO: &str = "Fulcio";
const REKOR: &str = "Rekor";
const AUTHORITY: &str = "the timestamp authority";

/// What a run signs with. The first use opens it; shared, it stays one token and one certificate.
pub struct Keyless {
    tokens: TokenSource,
    instance: Instance,
    opened: OnceCell<Opened>,
    held: Mutex<Held>,
    /// Signatures under way at the same time.
    under_way: Semaphore,
}

/// The services, and the root that says which of their answers count.
struct Opened {
    fulcio: Service,
    log: Log,
    /// The log for the legacy form: only version 1 gives what that holds.
    legacy: Option<Service>,
    authority: Option<Service>,
    root: Arc<TrustRoot>,
}

#[derive(Default)]
struct Held {
    identity: Option<Identity>,
    token: Option<Token>,
    certified: Option<(Instant, Arc<Certified>)>,
}

/// A statement in its envelope, signed and not yet logged.
struct Sealed {
    certified: Arc<Certified>,
    message: Vec<u8>,
    signature: Vec<u8>,
    envelope: DsseEnvelope,
}

impl Sealed {
    fn logged(&self) -> Logged<'_> {
        Logged {
            message: &self.message,
            signature: &self.signature,
            certificate: &self.certified.leaf,
        }
    }
}

/// Why nothing could be signed.
#[derive(Debug, Clone, Error)]
pub enum KeylessError {
    /// A service did not do its part.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The public instance has no root, or none that can be used.
    #[error("the root of Sigstore's public instance cannot be used: {0}")]
    Root(Arc<TrustRootError>),
    /// The services that there are do not do.
    #[error(transparent)]
    Endpoints(#[from] EndpointsError),
    /// The repository is private and the log is public, and nobody said that this is meant.
    #[error("the repository is not public, and the log of Sigstore's public instance is")]
    Private,
}

impl Keyless {
    /// Signing as the job that `tokens` gives the tokens of.
    pub fn new(tokens: TokenSource, instance: Instance) -> Self {
        Self {
            tokens,
            instance,
            opened: OnceCell::new(),
            held: Mutex::default(),
            under_way: Semaphore::new(UNDER_WAY),
        }
    }

    /// What a signature made here has to pass: the identity is the job's, and a log has it.
    ///
    /// # Errors
    /// See [`KeylessError`].
    pub async fn requirement(
        &self,
        client: &Client,
        notices: &Notices,
    ) -> Result<Requirement, KeylessError> {
        let (opened, identity) =
            try_join(self.open(client, notices), self.identity(client)).await?;
        Ok(Requirement::Identity {
            identity,
            trust: opened.root.clone(),
            logged: true,
        })
    }

    async fn identity(&self, client: &Client) -> Result<Identity, KeylessError> {
        let mut held = self.held.lock().await;
        let identity = match held.identity.take() {
            Some(identity) => identity,
            None => {
                let token = self.token(client).await?;
                let identity = token.identity();
                held.token = Some(token);
                identity
            }
        };
        Ok(held.identity.insert(identity).clone())
    }

    async fn open(&self, client: &Client, notices: &Notices) -> Result<&Opened, KeylessError> {
        let open = || async {
            let (endpoints, root) = self.instance.resolve(client, notices).await?;
            let log = match endpoints.log_v2 {
                Some(url) => Log::V2(Service::new(REKOR, url)),
                None => {
                    let url = endpoints.log_v1.clone().ok_or(EndpointsError::NoLog)?;
                    Log::V1(Service::new(REKOR, url))
                }
            };
            Ok::<_, KeylessError>(Opened {
                fulcio: Service::new(FULCIO, endpoints.fulcio),
                log,
                legacy: endpoints.log_v1.map(|url| Service::new(REKOR, url)),
                authority: endpoints.authority.map(|url| Service::new(AUTHORITY, url)),
                root,
            })
        };
        self.opened.get_or_try_init(open).await
    }

    /// Signs an in-toto statement as a bundle.
    ///
    /// # Errors
    /// See [`KeylessError`].
    pub async fn sign_statement(
        &self,
        client: &Client,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Vec<u8>, KeylessError> {
        let opened = self.open(client, notices).await?;
        let _turn = self.turn().await;
        let sealed = self.seal(client, opened, statement).await?;
        let (entry, stamp) = try_join(
            opened
                .log
                .envelope(client, &sealed.logged(), &sealed.envelope),
            opened.stamp(client, &sealed.signature),
        )
        .await?;
        let leaf = sealed.certified.leaf.clone();
        let bundle = BundleV03::with_certificate_and_dsse(leaf, sealed.envelope);
        let mut bundle = bundle.with_tlog_entry(entry);
        if let Some(stamp) = stamp {
            bundle = bundle.with_rfc3161_timestamp(stamp);
        }
        // Texts and bytes alone: this cannot fail.
        Ok(serde_json::to_vec(&bundle.into_bundle()).unwrap_or_default())
    }

    /// Signs an in-toto statement in the legacy form of attestations: an envelope by itself.
    ///
    /// # Errors
    /// See [`KeylessError`].
    pub async fn sign_envelope(
        &self,
        client: &Client,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Detached, KeylessError> {
        let opened = self.open(client, notices).await?;
        let log = opened.legacy.as_ref().ok_or(EndpointsError::NoLegacyLog)?;
        let _turn = self.turn().await;
        let sealed = self.seal(client, opened, statement).await?;
        let logged = sealed.logged();
        let promise = log::promised_envelope(log, client, &logged, &sealed.envelope).await?;
        // Texts alone: this cannot fail.
        let envelope = serde_json::to_vec(&sealed.envelope).unwrap_or_default();
        Ok(Detached {
            certificate: Some(sealed.certified.leaf.to_pem()),
            chain: Some(sealed.certified.chain.clone()),
            log_entry: Some(promise.annotation()?),
            ..Detached::envelope(envelope)
        })
    }

    async fn turn(&self) -> tokio::sync::SemaphorePermit<'_> {
        let turn = self.under_way.acquire().await;
        turn.expect("the semaphore is never closed")
    }

    async fn seal(
        &self,
        client: &Client,
        opened: &Opened,
        statement: Vec<u8>,
    ) -> Result<Sealed, KeylessError> {
        let certified = self.certified(client, opened).await?;
        let message = encoded(PAYLOAD, &statement);
        let signature = certified.key.sign(&message);
        let envelope = DsseEnvelope::new(
            PAYLOAD,
            PayloadBytes::new(statement),
            DsseSignature::new(SignatureBytes::from_bytes(&signature), KeyId::default()),
        );
        Ok(Sealed {
            certified,
            message,
            signature,
            envelope,
        })
    }

    /// Signs a claim in the legacy form.
    ///
    /// # Errors
    /// See [`KeylessError`].
    pub async fn sign_detached(
        &self,
        client: &Client,
        notices: &Notices,
        claim: &Claim,
    ) -> Result<Detached, KeylessError> {
        let opened = self.open(client, notices).await?;
        let log = opened.legacy.as_ref().ok_or(EndpointsError::NoLegacyLog)?;
        let _turn = self.turn().await;
        let certified = self.certified(client, opened).await?;
        let payload = claim.payload();
        let signature = certified.key.sign(&payload);
        let logged = Logged {
            message: &payload,
            signature: &signature,
            certificate: &certified.leaf,
        };
        let promise = log::promised_signature(log, client, &logged).await?;
        Ok(Detached {
            payload,
            signature: Some(BASE64_STANDARD.encode(&signature)),
            certificate: Some(certified.leaf.to_pem()),
            chain: Some(certified.chain.clone()),
            log_entry: Some(promise.annotation()?),
            timestamp: None,
        })
    }

    async fn token(&self, client: &Client) -> Result<Token, KeylessError> {
        let token = self.tokens.fetch(client).await?;
        match self.instance {
            Instance::Public { private: false } if token.is_private() => Err(KeylessError::Private),
            _ => Ok(token),
        }
    }

    /// The certificate, as long as half of its life is left: the other half is for what is under
    /// way.
    async fn certified(
        &self,
        client: &Client,
        opened: &Opened,
    ) -> Result<Arc<Certified>, KeylessError> {
        let mut held = self.held.lock().await;
        if let Some((since, certified)) = &held.certified
            && since.elapsed() < certified.lifetime / 2
        {
            return Ok(certified.clone());
        }
        let since = Instant::now();
        // A token that was asked for earlier may have died since.
        let issued = match held.token.take() {
            Some(token) => match certificate::issue(&opened.fulcio, client, &token).await {
                Err(error) if error.is_refusal() => None,
                outcome => Some(outcome?),
            },
            None => None,
        };
        let certified = match issued {
            Some(certified) => certified,
            None => {
                let token = self.token(client).await?;
                certificate::issue(&opened.fulcio, client, &token).await?
            }
        };
        let certified = Arc::new(certified);
        held.certified = Some((since, certified.clone()));
        Ok(certified)
    }
}

impl From<TrustRootError> for KeylessError {
    fn from(error: TrustRootError) -> Self {
        Self::Root(Arc::new(error))
    }
}

impl Opened {
    async fn stamp(
        &self,
        client: &Client,
        signature: &[u8],
    ) -> Result<Option<sigstore_types::TimestampToken>, ServiceError> {
        match &self.authority {
            Some(authority) => timestamp::attest(authority, client, signature)
                .await
                .map(Some),
            None => Ok(None),
        }
    }
}

impl fmt::Debug for Keyless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyless")
            .field("tokens", &self.tokens)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}
