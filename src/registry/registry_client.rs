//! Client of all registries of a run: connections, logins and limits that its repositories share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::registry_settings::RegistrySettings;
use super::registry_state::RegistryState;
use super::registry_transport::RegistryTransport;
use super::repository_access::RepositoryAccess;
use crate::credentials::{CredentialsError, RegistryCredential};
use crate::http::{HttpClient, HttpSettingsError, LARGE_AT_ONCE};
use crate::image::{ManifestBudget, RegistryName, Repository};
use crate::notices::Notices;

/// Client of all registries of a run. Its clones share connections, logins and limits.
#[derive(Clone)]
pub struct RegistryClient(pub(super) Arc<ClientState>);

pub(super) struct ClientState {
    pub(super) transport: RegistryTransport,
    pub(super) hosts: Mutex<HashMap<RegistryName, Arc<RegistryState>>>,
    /// Turns to read a large response.
    large_answers: Semaphore,
    /// Memory budget for manifests.
    pub(super) manifests: ManifestBudget,
}

impl RegistryClient {
    /// Returns a client with these settings, which reports to `notices`.
    ///
    /// # Errors
    /// A certificate file that cannot be used, or a malformed address of a proxy.
    pub fn new(settings: RegistrySettings, notices: Notices) -> Result<Self, HttpSettingsError> {
        Ok(Self(Arc::new(ClientState {
            transport: RegistryTransport::new(settings, notices)?,
            hosts: Mutex::default(),
            large_answers: Semaphore::new(LARGE_AT_ONCE),
            manifests: ManifestBudget::default(),
        })))
    }

    /// Announces the repositories of the run before [`RegistryClient::open_repository`] opens them.
    /// Repositories of one registry then share a login if the registry grants it, and can mount from
    /// each other. Repeated calls add repositories.
    pub fn expect<'a>(&self, needed: impl IntoIterator<Item = (&'a Repository, RepositoryAccess)>) {
        let credentials = &self.0.transport.credentials;
        let mut logins: Vec<(&Repository, Vec<(String, RepositoryAccess)>)> = Vec::new();
        for (repository, access) in needed {
            let need = (repository.path().to_owned(), access);
            let alike = logins.iter_mut().find(|(first, _)| {
                first.registry() == repository.registry()
                    && credentials.share_login(first, repository)
            });
            match alike {
                Some((_, needs)) => needs.push(need),
                None => logins.push((repository, vec![need])),
            }
        }
        for (first, needs) in logins {
            self.registry_state(first.registry()).auth.expect(needs);
        }
    }

    pub(super) fn registry_state(&self, registry: &RegistryName) -> Arc<RegistryState> {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(registry.clone()).or_insert_with(|| {
            let scheme = self.0.transport.known_scheme(registry);
            Arc::new(RegistryState::new(registry.clone(), scheme))
        });
        host.clone()
    }

    /// Returns how many requests were sent so far, including requests for tokens.
    pub fn request_count(&self) -> u64 {
        self.http().sent_count()
    }

    /// Returns the credential for a repository; `None` means anonymous.
    ///
    /// # Errors
    /// A credential helper that is missing or fails, and a line of the input without a login.
    pub async fn lookup_credential(
        &self,
        repository: &Repository,
    ) -> Result<Option<RegistryCredential>, CredentialsError> {
        self.0.transport.credentials.lookup(repository).await
    }

    /// Returns the HTTP client, for services that are not registries.
    pub fn http(&self) -> &HttpClient {
        &self.0.transport.http
    }

    pub(super) fn notices(&self) -> &Notices {
        self.http().notices()
    }

    pub(super) fn large_answers(&self) -> &Semaphore {
        &self.0.large_answers
    }
}
