//! Settings of the registry client: credentials, registries without TLS, and connections.

use crate::credentials::CredentialStore;
use crate::http::HttpSettings;
use crate::image::RegistryName;

/// Settings of the registry client.
#[derive(Debug, Clone)]
pub struct RegistrySettings {
    /// Credentials for registries.
    pub credentials: CredentialStore,
    /// Registries to reach by TLS without verification, or over plain HTTP if they do not use TLS (input
    /// `insecure-registries`), as Docker does.
    pub insecure: Vec<RegistryName>,
    /// Registries that get credentials over plain HTTP too (input `credentials-over-http`).
    pub plain_credentials: Vec<RegistryName>,
    /// Settings of the connections.
    pub http: HttpSettings,
}
