use thiserror::Error;

use super::{EndpointsError, KeyError, SigstoreServiceError, TufError};

/// Why nothing could be signed.
#[derive(Debug, Clone, Error)]
pub enum SigningError {
    /// The key is not opened.
    #[error("the signing key {0}")]
    Key(#[from] KeyError),
    /// A service did not do its part.
    #[error(transparent)]
    Service(#[from] SigstoreServiceError),
    /// The public instance has no root, or none that can be used.
    #[error("the root of Sigstore's public instance cannot be used: {0}")]
    Root(#[from] TufError),
    /// The services that there are do not do.
    #[error(transparent)]
    Endpoints(#[from] EndpointsError),
    /// The repository is private and the log is public, and nobody said that this is meant.
    #[error("the repository is private, and the log of Sigstore's public instance is public")]
    PrivateRepository,
}
