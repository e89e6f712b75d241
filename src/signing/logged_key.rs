use std::fmt;

use tokio::sync::OnceCell;

use super::instance::LogAndTimestampClients;
use super::signer_material::SignerMaterial;
use super::{
    ImageClaim, InstanceSource, LazyPrivateKey, LegacySignature, LogEndpoints, PrivateKey,
    Requirement, SigningError,
};
use crate::http::HttpClient;
use crate::notices::Notices;

/// A key, and the transparency log that holds all that it signs. The first use opens it.
pub struct LoggedKeySigner {
    key: LazyPrivateKey,
    instance: InstanceSource<LogEndpoints>,
    /// Whether the log also holds attestations.
    logs_attestations: bool,
    opened: OnceCell<(PrivateKey, LogAndTimestampClients)>,
}

impl LoggedKeySigner {
    /// Signing with `key`, logged by `instance`.
    pub fn new(key: LazyPrivateKey, instance: InstanceSource<LogEndpoints>) -> Self {
        Self {
            key,
            instance,
            logs_attestations: true,
            opened: OnceCell::new(),
        }
    }

    /// Returns the signer with attestations that no log holds.
    #[must_use]
    pub fn without_logged_attestations(mut self) -> Self {
        self.logs_attestations = false;
        self
    }

    /// What a signature made here has to pass: a log has it.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn requirement(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<Requirement, SigningError> {
        let (key, clients) = self.open_services(client, notices).await?;
        let required = Requirement::Key {
            key: key.public().clone(),
            log: Some(clients.trust_root.clone()),
        };
        Ok(match self.logs_attestations {
            true => required,
            false => Requirement::LoggedSignatures(Box::new(required)),
        })
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
        match self.logs_attestations {
            true => self.sign_statement(client, notices, statement).await,
            false => Ok(self.key.wait().await?.sign_statement(statement)),
        }
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
        let (key, clients) = self.open_services(client, notices).await?;
        let _turn = clients.acquire_permit().await;
        let by = SignerMaterial::Key(key.public());
        Ok(clients.sign_bundle(client, key, statement, &by).await?)
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
        if !self.logs_attestations {
            return Ok(self.key.wait().await?.sign_envelope(statement));
        }
        let (key, clients) = self.open_services(client, notices).await?;
        let _turn = clients.acquire_permit().await;
        let by = SignerMaterial::Key(key.public());
        clients.sign_envelope(client, key, statement, &by).await
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
        let (key, clients) = self.open_services(client, notices).await?;
        let _turn = clients.acquire_permit().await;
        let by = SignerMaterial::Key(key.public());
        clients
            .sign_payload(client, key, claim.to_simple_signing_payload(), &by)
            .await
    }

    async fn open_services(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<&(PrivateKey, LogAndTimestampClients), SigningError> {
        let open = || async {
            let key = self.key.wait().await?;
            let (logs, root) = self.instance.resolve(client, notices).await?;
            let clients = LogAndTimestampClients::new(logs, root)?;
            clients.check_loggable(key.public())?;
            Ok::<_, SigningError>((key, clients))
        };
        self.opened.get_or_try_init(open).await
    }
}

impl fmt::Debug for LoggedKeySigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedKey")
            .field("key", &self.key)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}
