//! An instance of Sigstore: where its services are, and what they say of a signature.

mod endpoints;
mod log_and_timestamp;
mod sigstore_service;
mod timestamp_authority;
mod transparency_log;

use std::sync::Arc;

use url::Url;

pub use endpoints::{EndpointsError, FromSigningConfig, InstanceEndpoints, LogEndpoints};
pub(super) use log_and_timestamp::LogAndTimestampClients;
pub(super) use sigstore_service::SigstoreService;
pub use sigstore_service::{SigstoreErrorKind, SigstoreServiceError};

use super::{SigningError, TrustRoot, TufRepository};
use crate::http::HttpClient;
use crate::notices::Notices;

pub(super) const ID_TOKEN_SERVICE: &str = "the runner's token service";
pub(super) const FULCIO_SERVICE: &str = "Fulcio";
const REKOR_SERVICE: &str = "Rekor";
const TIMESTAMP_SERVICE: &str = "the timestamp authority";

/// An instance of Sigstore, as far as it is needed: all of its services ([`InstanceEndpoints`]), or those that a
/// key needs ([`LogEndpoints`]).
#[derive(Debug, Clone)]
pub enum InstanceSource<S> {
    /// The public one, as its repository says it is.
    Public(Box<TufRepository>),
    /// One of its own.
    Private {
        /// Its services.
        services: S,
        /// Whom to trust there.
        root: Arc<TrustRoot>,
    },
}

impl InstanceSource<InstanceEndpoints> {
    /// Whether everybody can read its logs: those that Sigstore itself runs, however they are named.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Public(_) => true,
            Self::Private { services, .. } => services.addresses().any(is_of_sigstore),
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

impl<S: FromSigningConfig + Clone> InstanceSource<S> {
    /// Its services, and whom to trust there.
    pub(super) async fn resolve(
        &self,
        client: &HttpClient,
        notices: &Notices,
    ) -> Result<(S, Arc<TrustRoot>), SigningError> {
        match self {
            Self::Public(repository) => {
                let (root, config) = repository.load_instance(client, notices).await?;
                Ok((S::of(&config)?, Arc::new(root)))
            }
            Self::Private { services, root } => Ok((services.clone(), root.clone())),
        }
    }
}
