//! An instance of Sigstore: where its services are, and what they say of a signature.

mod endpoints;
mod log;
mod service;
mod timestamp;
mod witnesses;

use std::sync::Arc;

use url::Url;

pub use endpoints::{Configured, Endpoints, EndpointsError, Logs};
pub(super) use service::Service;
pub use service::{ServiceCause, ServiceError};
pub(super) use witnesses::Witnesses;

use super::{SigningError, TrustRoot, Tuf};
use crate::notice::Notices;
use crate::registry::Client;

pub(super) const TOKENS: &str = "the runner's token service";
pub(super) const FULCIO: &str = "Fulcio";
const REKOR: &str = "Rekor";
const AUTHORITY: &str = "the timestamp authority";

/// An instance of Sigstore, as far as it is needed: all of its services ([`Endpoints`]), or those that a
/// key needs ([`Logs`]).
#[derive(Debug, Clone)]
pub enum Instance<S> {
    /// The public one, as its repository says it is.
    Public(Box<Tuf>),
    /// One of its own.
    Own {
        /// Its services.
        services: S,
        /// Whom to trust there.
        root: Arc<TrustRoot>,
    },
}

impl Instance<Endpoints> {
    /// Whether everybody can read its logs: those that Sigstore itself runs, however they are named.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Public(_) => true,
            Self::Own { services, .. } => services.addresses().any(is_of_sigstore),
        }
    }
}

/// Whether a service is Sigstore's own.
fn is_of_sigstore(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    ["sigstore.dev", "sigstage.dev"].iter().any(|domain| {
        let below = host.strip_suffix(domain);
        below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
    })
}

impl<S: Configured + Clone> Instance<S> {
    /// Its services, and whom to trust there.
    pub(super) async fn resolve(
        &self,
        client: &Client,
        notices: &Notices,
    ) -> Result<(S, Arc<TrustRoot>), SigningError> {
        match self {
            Self::Public(repository) => {
                let (root, config) = repository.instance(client, notices).await?;
                Ok((S::of(&config)?, Arc::new(root)))
            }
            Self::Own { services, root } => Ok((services.clone(), root.clone())),
        }
    }
}
