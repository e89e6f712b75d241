use std::fmt;

use tokio::sync::OnceCell;

use super::bundle::Signatory;
use super::instance::Witnesses;
use super::{Claim, Detached, Instance, Logs, OpeningKey, PrivateKey, Requirement, SigningError};
use crate::notice::Notices;
use crate::registry::Client;

/// A key, and the transparency log that holds all that it signs. The first use opens it.
pub struct LoggedKey {
    key: OpeningKey,
    instance: Instance<Logs>,
    opened: OnceCell<(PrivateKey, Witnesses)>,
}

impl LoggedKey {
    /// Signing with `key`, logged by `instance`.
    pub fn new(key: OpeningKey, instance: Instance<Logs>) -> Self {
        Self {
            key,
            instance,
            opened: OnceCell::new(),
        }
    }

    /// What a signature made here has to pass: a log has it.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn requirement(
        &self,
        client: &Client,
        notices: &Notices,
    ) -> Result<Requirement, SigningError> {
        let (key, witnesses) = self.open(client, notices).await?;
        Ok(Requirement::Key {
            key: key.public().clone(),
            log: Some(witnesses.root.clone()),
        })
    }

    /// Signs an in-toto statement as a bundle.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_statement(
        &self,
        client: &Client,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Vec<u8>, SigningError> {
        let (key, witnesses) = self.open(client, notices).await?;
        let _turn = witnesses.turn().await;
        let by = Signatory::Key(key.public());
        Ok(witnesses.bundle(client, key, statement, &by).await?)
    }

    /// Signs an in-toto statement in the legacy form of attestations: an envelope by itself.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_envelope(
        &self,
        client: &Client,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Detached, SigningError> {
        let (key, witnesses) = self.open(client, notices).await?;
        let _turn = witnesses.turn().await;
        let by = Signatory::Key(key.public());
        witnesses.envelope(client, key, statement, &by).await
    }

    /// Signs a claim in the legacy form.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_detached(
        &self,
        client: &Client,
        notices: &Notices,
        claim: &Claim,
    ) -> Result<Detached, SigningError> {
        let (key, witnesses) = self.open(client, notices).await?;
        let _turn = witnesses.turn().await;
        let by = Signatory::Key(key.public());
        witnesses.payload(client, key, claim.payload(), &by).await
    }

    async fn open(
        &self,
        client: &Client,
        notices: &Notices,
    ) -> Result<&(PrivateKey, Witnesses), SigningError> {
        let open = || async {
            let key = self.key.opened().await?;
            let (logs, root) = self.instance.resolve(client, notices).await?;
            Ok::<_, SigningError>((key, Witnesses::new(logs, root)?))
        };
        self.opened.get_or_try_init(open).await
    }
}

impl fmt::Debug for LoggedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedKey")
            .field("key", &self.key)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}
