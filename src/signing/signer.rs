use std::sync::Arc;

use super::{Checker, Claim, Detached, Identity, Keyless, KeylessError, PrivateKey, bundle};
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
    /// What checks the signatures that are made.
    ///
    /// # Errors
    /// A trusted root that cannot be had.
    pub async fn checker(
        &self,
        client: &Client,
        notices: &Notices,
    ) -> Result<Checker, KeylessError> {
        Ok(match self {
            Self::Key(key) => Checker::Key(key.public().clone()),
            Self::Keyless(keyless) => Checker::Root(keyless.root(client, notices).await?.clone()),
        })
    }

    /// Whether a good signature, by `identity` where a certificate tells, is one of this signer.
    ///
    /// # Errors
    /// A token that cannot be had.
    pub async fn is_own(
        &self,
        client: &Client,
        identity: Option<&Identity>,
    ) -> Result<bool, KeylessError> {
        match (self, identity) {
            (Self::Keyless(keyless), Some(identity)) => keyless.is_own(client, identity).await,
            (Self::Keyless(_), None) => Ok(false),
            (Self::Key(_), _) => Ok(true),
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
