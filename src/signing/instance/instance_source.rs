//! Chooses an instance of Sigstore: the public one, or a private one with its own services.

use std::sync::Arc;

use url::Url;

use super::endpoints::{FromSigningConfig, InstanceEndpoints};
use crate::http::HttpClient;
use crate::notices::Notices;
use crate::signing::{SigningError, TrustRoot, TufRepository};

/// An instance of Sigstore, as far as it is needed: all of its services ([`InstanceEndpoints`]), or those that a
/// key needs ([`super::LogEndpoints`]).
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
    pub(crate) async fn resolve(
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
