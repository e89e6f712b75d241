//! An instance of Sigstore: where its services are, and what they say of a signature.

mod endpoints;
mod log;
mod service;
mod timestamp;
mod witnesses;

use std::sync::Arc;
use std::time::Duration;

use sigstore_trust_root::{SigningConfig, SigstoreInstance};
use url::Url;

pub use endpoints::{Configured, Endpoints, EndpointsError, Logs};
pub(super) use service::Service;
pub use service::{ServiceCause, ServiceError};
pub(super) use witnesses::Witnesses;

use super::{SigningError, TrustRoot};
use crate::notice::Notices;
use crate::registry::Client;

pub(super) const TOKENS: &str = "the runner's token service";
pub(super) const FULCIO: &str = "Fulcio";
const REKOR: &str = "Rekor";
const AUTHORITY: &str = "the timestamp authority";

/// How long the public instance's repository may take in all. There is a copy to go on with.
const PATIENCE: Duration = Duration::from_secs(20);

/// An instance of Sigstore, as far as it is needed: all of its services ([`Endpoints`]), or those that a
/// key needs ([`Logs`]).
#[derive(Debug, Clone)]
pub enum Instance<S> {
    /// The public one.
    Public,
    /// One of its own.
    Own {
        /// Its services.
        services: S,
        /// Whom to trust there.
        root: Arc<TrustRoot>,
    },
}

impl<S: Configured + Clone> Instance<S> {
    /// Its services, and whom to trust there.
    pub(super) async fn resolve(
        &self,
        client: &Client,
        notices: &Notices,
    ) -> Result<(S, Arc<TrustRoot>), SigningError> {
        match self {
            Self::Public => {
                let (root, config) = public(client, notices).await?;
                Ok((S::of(&config)?, Arc::new(root)))
            }
            Self::Own { services, root } => Ok((services.clone(), root.clone())),
        }
    }
}

/// The public instance's root and services: by TUF, which shows that they are today's, else the copy
/// in this program. Says which.
async fn public(
    client: &Client,
    notices: &Notices,
) -> Result<(TrustRoot, SigningConfig), SigningError> {
    let repository = Url::parse(TrustRoot::public_address()).expect("a constant is an address");
    let fetched = TrustRoot::fetch_with_services(client.web(&repository));
    let why = match tokio::time::timeout(PATIENCE, fetched).await {
        Ok(Ok(found)) => {
            notices.info("Sigstore's public instance: root and services of today, by TUF");
            return Ok(found);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    notices.warning(format!(
        "Sigstore's public instance: root and services as they were when this program was built, since TUF gives none: {why}"
    ));
    let services = SigstoreInstance::PublicGood.embedded_signing_config_json();
    let services = SigningConfig::from_json(services.unwrap_or_default());
    let services = services.map_err(|error| EndpointsError::Format(error.to_string()))?;
    Ok((TrustRoot::embedded()?, services))
}
