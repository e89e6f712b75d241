//! Settings of the registry client: credentials, registries without TLS, and connections.

use crate::credentials::CredentialStore;
use crate::http::HttpSettings;
use crate::image::RegistryName;

/// Settings of the registry client.
#[derive(Debug, Clone)]
pub struct RegistrySettings {
    /// Credentials for registries.
    pub credentials: CredentialStore,
    /// Registries to reach over plain HTTP (input `insecure-registries`), in addition to those on
    /// loopback, whose scheme is found out.
    pub insecure: Vec<RegistryName>,
    /// Settings of the connections.
    pub http: HttpSettings,
}
