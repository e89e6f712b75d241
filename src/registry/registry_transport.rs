//! Connections and credentials that all registries of a run share.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

use super::registry_settings::RegistrySettings;
use super::url_scheme::UrlScheme;
use crate::credentials::CredentialStore;
use crate::http::{HttpClient, HttpSettingsError};
use crate::image::RegistryName;
use crate::notices::Notices;

/// Connections and credentials that all registries of a run share.
pub(super) struct RegistryTransport {
    pub(super) http: HttpClient,
    pub(super) credentials: CredentialStore,
    insecure: Vec<RegistryName>,
    /// Total weight of the tokens that were received.
    pub(super) token_weight: AtomicU64,
}

impl RegistryTransport {
    /// Opens the connections with these settings.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub(super) fn new(
        settings: RegistrySettings,
        notices: Notices,
    ) -> Result<Self, HttpSettingsError> {
        Ok(Self {
            http: HttpClient::new(settings.http, notices)?,
            credentials: settings.credentials,
            insecure: settings.insecure,
            token_weight: AtomicU64::new(0),
        })
    }

    /// Returns whether the settings allow plain HTTP with a registry.
    pub(super) fn is_insecure(&self, registry: &RegistryName) -> bool {
        self.insecure.contains(registry)
    }

    /// Returns the scheme of a registry if it follows from its name. For a registry on loopback it is
    /// found out by the first request.
    pub(super) fn known_scheme(&self, registry: &RegistryName) -> OnceLock<UrlScheme> {
        match (self.is_insecure(registry), registry.is_loopback()) {
            (true, _) => UrlScheme::Http.into(),
            (false, false) => UrlScheme::Https.into(),
            (false, true) => OnceLock::new(),
        }
    }
}
