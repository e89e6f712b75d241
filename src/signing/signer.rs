use std::sync::Arc;

use super::{Claim, Detached, Keyless, KeylessError, PrivateKey, Requirement, bundle};
use crate::notice::Notices;
use crate::registry::Client;

/// What signatures are made with.
#[derive(Debug, Clone)]
pub enum Signer {
    /// A key.
    Key(PrivateKey),
    /// A certificate for the job that runs.
    Keyless(Arc<Keyless>),
}

impl Signer {
    /// What a signature made so has to pass.
    ///
    /// # Errors
    /// A trusted root or a token that cannot be had.
    pub async fn requirement(
        &self,
        client: &Client,
        notices: &Notices,
    ) -> Result<Requirement, KeylessError> {
        match self {
            Self::Key(key) => Ok(Requirement::Key {
                key: key.public().clone(),
                log: None,
            }),
            Self::Keyless(keyless) => keyless.requirement(client, notices).await,
        }
    }

    /// Signs a claim as a bundle.
    ///
    /// # Errors
    /// See [`KeylessError`].
    pub async fn sign_bundle(
        &self,
        client: &Client,
        notices: &Notices,
        claim: &Claim,
    ) -> Result<Vec<u8>, KeylessError> {
        match self {
            Self::Key(key) => Ok(key.sign_bundle(claim)),
            Self::Keyless(keyless) => {
                let statement = bundle::statement(claim);
                keyless.sign_bundle(client, notices, statement).await
            }
        }
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
        match self {
            Self::Key(key) => Ok(key.sign_detached(claim)),
            Self::Keyless(keyless) => keyless.sign_detached(client, notices, claim).await,
        }
    }
}
