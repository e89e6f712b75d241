use std::sync::Arc;

use super::{
    Claim, Detached, Keyless, LoggedKey, OpeningKey, Predicate, Requirement, SigningError,
};
use crate::image::Digest;
use crate::notice::Notices;
use crate::registry::Client;

/// What signatures are made with.
#[derive(Debug, Clone)]
pub enum Signer {
    /// A key alone.
    Key(OpeningKey),
    /// A key, with a log that holds what it signs.
    LoggedKey(Arc<LoggedKey>),
    /// A certificate for the job that runs.
    Keyless(Arc<Keyless>),
}

/// Something that is attested of an image.
pub struct Attestation<'a> {
    /// The repository that it is made for.
    pub repository: &'a str,
    /// The image.
    pub image: Digest,
    /// What is attested.
    pub predicate: &'a Predicate,
}

impl Attestation<'_> {
    fn statement(&self) -> Vec<u8> {
        self.predicate.statement(self.repository, self.image)
    }
}

impl Signer {
    /// What a signature made so has to pass.
    ///
    /// # Errors
    /// A key that is not opened, a trusted root or a token that cannot be had.
    pub async fn requirement(
        &self,
        client: &Client,
        notices: &Notices,
    ) -> Result<Requirement, SigningError> {
        match self {
            Self::Key(key) => Ok(Requirement::Key {
                key: key.opened().await?.public().clone(),
                log: None,
            }),
            Self::LoggedKey(key) => key.requirement(client, notices).await,
            Self::Keyless(keyless) => keyless.requirement(client, notices).await,
        }
    }

    /// Signs a claim as a bundle.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn sign_bundle(
        &self,
        client: &Client,
        notices: &Notices,
        claim: &Claim,
    ) -> Result<Vec<u8>, SigningError> {
        self.sign_statement(client, notices, claim.statement())
            .await
    }

    /// Signs an attestation of an image as a bundle.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn attest_bundle(
        &self,
        client: &Client,
        notices: &Notices,
        attestation: &Attestation<'_>,
    ) -> Result<Vec<u8>, SigningError> {
        self.sign_statement(client, notices, attestation.statement())
            .await
    }

    /// Signs an attestation of an image in the legacy form.
    ///
    /// # Errors
    /// See [`SigningError`].
    pub async fn attest_detached(
        &self,
        client: &Client,
        notices: &Notices,
        attestation: &Attestation<'_>,
    ) -> Result<Detached, SigningError> {
        let statement = attestation.statement();
        match self {
            Self::Key(key) => Ok(key.opened().await?.sign_envelope(statement)),
            Self::LoggedKey(key) => key.sign_envelope(client, notices, statement).await,
            Self::Keyless(keyless) => keyless.sign_envelope(client, notices, statement).await,
        }
    }

    async fn sign_statement(
        &self,
        client: &Client,
        notices: &Notices,
        statement: Vec<u8>,
    ) -> Result<Vec<u8>, SigningError> {
        match self {
            Self::Key(key) => Ok(key.opened().await?.sign_statement(statement)),
            Self::LoggedKey(key) => key.sign_statement(client, notices, statement).await,
            Self::Keyless(keyless) => keyless.sign_statement(client, notices, statement).await,
        }
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
        match self {
            Self::Key(key) => Ok(key.opened().await?.sign_detached(claim)),
            Self::LoggedKey(key) => key.sign_detached(client, notices, claim).await,
            Self::Keyless(keyless) => keyless.sign_detached(client, notices, claim).await,
        }
    }
}
