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
    plain_credentials: Vec<RegistryName>,
    /// Total weight of the tokens that were received.
    pub(super) token_weight: AtomicU64,
}

impl RegistryTransport {
    /// Opens the connections with these settings.
    ///
    /// # Errors
    /// Settings that cannot be used.
    pub(super) fn new(
        mut settings: RegistrySettings,
        notices: Notices,
    ) -> Result<Self, HttpSettingsError> {
        let unverified = settings
            .insecure
            .iter()
            .map(|name| name.api_host().to_owned());
        settings.http.unverified_hosts.extend(unverified);
        Ok(Self {
            plain_credentials: settings.plain_credentials,
            http: HttpClient::new(settings.http, notices)?,
            credentials: settings.credentials,
            insecure: settings.insecure,
            token_weight: AtomicU64::new(0),
        })
    }

    /// Returns whether a registry gets credentials over plain HTTP.
    pub(super) fn allows_plain_credentials(&self, registry: &RegistryName) -> bool {
        registry.is_loopback() || self.plain_credentials.contains(registry)
    }

    /// Returns whether the settings allow plain HTTP with a registry.
    pub(super) fn is_insecure(&self, registry: &RegistryName) -> bool {
        self.insecure.contains(registry)
    }

    /// Returns the scheme of a registry if it follows from its name. For a registry on loopback, and an
    /// insecure one, it is found out by the first request.
    pub(super) fn known_scheme(&self, registry: &RegistryName) -> OnceLock<UrlScheme> {
        match self.is_insecure(registry) || registry.is_loopback() {
            true => OnceLock::new(),
            false => UrlScheme::Https.into(),
        }
    }
}
