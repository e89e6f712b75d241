//! Signs with a certificate for the identity of the job.
//!
//! All signatures of a run share one token and one certificate. A certificate is valid for ten
//! minutes; a longer run requests another.

use std::fmt;
use std::sync::Arc;

use futures_util::future::try_join;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

use super::super::instance::{FULCIO_SERVICE, LogAndTimestampClients, SigstoreService};
use super::super::{
    Identity, ImageClaim, InstanceEndpoints, InstanceSource, LegacySignature, Requirement,
    SigningError,
};
use super::fulcio_certificate::{self, CertifiedKey};
use super::identity_token::{IdTokenSource, IdentityToken};
use crate::http::HttpClient;
use crate::notices::Notices;

/// What a run signs with. The first use opens it; shared, it stays one token and one certificate.
pub struct KeylessSigner {
    tokens: IdTokenSource,
    instance: InstanceSource<InstanceEndpoints>,
    /// Whether what is private about the repository may stand in the public instance's log.
    allows_private: bool,
    /// Whether the log also holds attestations.
    logs_attestations: bool,
    services: OnceCell<SigstoreClients>,
    credentials: Mutex<KeylessCredentials>,
}

/// The services.
struct SigstoreClients {
    fulcio: SigstoreService,
    log_clients: LogAndTimestampClients,
}

#[derive(Default)]
struct KeylessCredentials {
    identity: Option<Identity>,
    token: Option<IdentityToken>,
    certified: Option<(Instant, Arc<CertifiedKey>)>,
}

impl KeylessSigner {
    /// Signing as the job that `tokens` gives the tokens of. `private` says whether what is private
    /// about the repository may stand in the log of the public instance.
    pub fn new(
        tokens: IdTokenSource,
        instance: InstanceSource<InstanceEndpoints>,
        allows_private: bool,
    ) -> Self {
        Self {
            tokens,
            instance,
            allows_private,
            logs_attestations: true,
            services: OnceCell::new(),
            credentials: Mutex::default(),
        }
    }

    /// Returns the signer with attestations that no log holds: a timestamp proves their time.
    #[must_use]
    pub fn without_logged_attestations(mut self) -> Self {
        self.logs_attestations = false;
        self
    }

    /// What a signature made here has to pass: the identity is the job's, and a log has it.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn requirement(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<Requirement, SigningError> {
        let (opened, run) = self.open_with_identity(client, notices).await?;
        let identity = Identity {
            conditions: Vec::new(),
            ..run
        };
        Ok(self.to_requirement(opened, identity))
    }

    /// Returns the same with the repository of the job, where its token names one.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn run_requirement(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<Requirement, SigningError> {
        let (opened, run) = self.open_with_identity(client, notices).await?;
        Ok(self.to_requirement(opened, run))
    }

    async fn open_with_identity(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<(&SigstoreClients, Identity), SigningError> {
        try_join(
            self.open_services(client, notices),
            self.load_identity(client),
        )
        .await
    }

    fn to_requirement(&self, opened: &SigstoreClients, identity: Identity) -> Requirement {
        let required = Requirement::Identity {
            identity,
            trust: opened.log_clients.trust_root.clone(),
            logged: true,
        };
        match self.logs_attestations {
            true => required,
            false => Requirement::LoggedSignatures(Box::new(required)),
        }
    }

    /// Returns the identity of the job, with its repository.
    async fn load_identity(&self, client: &HttpClient) -> Result<Identity, SigningError> {
        let mut credentials = self.credentials.lock().await;
        let identity = match credentials.identity.take() {
            Some(identity) => identity,
            None => {
                let token = self.load_token(client).await?;
                let identity = token.to_run_identity();
                credentials.token = Some(token);
                identity
            }
        };
        Ok(credentials.identity.insert(identity).clone())
    }

    async fn open_services(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<&SigstoreClients, SigningError> {
        let open = || async {
            let (endpoints, root) = self.instance.resolve(client, notices).await?;
            Ok::<_, SigningError>(SigstoreClients {
                fulcio: SigstoreService::new(FULCIO_SERVICE, endpoints.fulcio),
                log_clients: LogAndTimestampClients::new(endpoints.logs, root)?,
            })
        };
        self.services.get_or_try_init(open).await
    }

    /// Signs an in-toto statement as a bundle.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_statement(
        &self,
        client: &HttpClient,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Vec<u8>, SigningError> {
        let opened = self.open_services(client, notices).await?;
        let _turn = opened.log_clients.acquire_permit().await;
        let certified = self.load_certificate(client, opened).await?;
        let (key, by) = (&certified.key, certified.to_material());
        let bundle = opened.log_clients.sign_bundle(client, key, statement, &by);
        Ok(bundle.await?)
    }

    /// Signs an attestation as a bundle.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn attest_bundle(
        &self,
        client: &HttpClient,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Vec<u8>, SigningError> {
        if self.logs_attestations {
            return self.sign_statement(client, notices, statement).await;
        }
        let opened = self.open_services(client, notices).await?;
        let certified = self.load_certificate(client, opened).await?;
        let (key, by) = (&certified.key, certified.to_material());
        let clients = &opened.log_clients;
        clients.stamp_bundle(client, key, statement, &by).await
    }

    /// Signs an in-toto statement in the legacy form of attestations: an envelope by itself.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_envelope(
        &self,
        client: &HttpClient,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<LegacySignature, SigningError> {
        let opened = self.open_services(client, notices).await?;
        let _turn = opened.log_clients.acquire_permit().await;
        let certified = self.load_certificate(client, opened).await?;
        let (key, by) = (&certified.key, certified.to_material());
        let clients = &opened.log_clients;
        match self.logs_attestations {
            true => clients.sign_envelope(client, key, statement, &by).await,
            false => clients.stamp_envelope(client, key, statement, &by).await,
        }
    }

    /// Signs a claim in the legacy form.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_legacy(
        &self,
        client: &HttpClient,
        notices: &Notices,
        claim: &ImageClaim,
    ) -> Result<LegacySignature, SigningError> {
        let opened = self.open_services(client, notices).await?;
        let _turn = opened.log_clients.acquire_permit().await;
        let certified = self.load_certificate(client, opened).await?;
        let (key, by) = (&certified.key, certified.to_material());
        let clients = &opened.log_clients;
        clients
            .sign_payload(client, key, claim.to_simple_signing_payload(), &by)
            .await
    }

    async fn load_token(&self, client: &HttpClient) -> Result<IdentityToken, SigningError> {
        let token = self.tokens.fetch(client).await?;
        match self.instance.is_public() && token.is_private() && !self.allows_private {
            true => Err(SigningError::PrivateRepository),
            false => Ok(token),
        }
    }

    /// The certificate, as long as half of its life is left: the other half is for what is under
    /// way.
    async fn load_certificate(
        &self,
        client: &HttpClient,
        opened: &SigstoreClients,
    ) -> Result<Arc<CertifiedKey>, SigningError> {
        let mut credentials = self.credentials.lock().await;
        if let Some((since, certified)) = &credentials.certified
            && since.elapsed() < certified.lifetime / 2
        {
            return Ok(certified.clone());
        }
        let since = Instant::now();
        // A token that was asked for earlier may have died since.
        let issued = match credentials.token.take() {
            Some(token) => {
                match fulcio_certificate::request_certificate(&opened.fulcio, client, &token).await
                {
                    Err(error) if error.is_refusal() => None,
                    outcome => Some(outcome?),
                }
            }
            None => None,
        };
        let certified = match issued {
            Some(certified) => certified,
            None => {
                let token = self.load_token(client).await?;
                fulcio_certificate::request_certificate(&opened.fulcio, client, &token).await?
            }
        };
        let certified = Arc::new(certified);
        credentials.certified = Some((since, certified.clone()));
        Ok(certified)
    }
}

impl fmt::Debug for KeylessSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyless")
            .field("tokens", &self.tokens)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}
