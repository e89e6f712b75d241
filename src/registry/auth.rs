//! Authorization of requests to one registry: its scheme, its tokens, and the turn of the first request.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::HeaderValue;
use tokio::sync::{MutexGuard, OnceCell};
use tokio::time::Instant;

use super::access_token::{AccessToken, TokenError, TokenRequest, fetch_token, secret_header};
use super::challenge::AuthScheme;
use super::error::RequestErrorKind;
use super::registry_transport::RegistryTransport;
use super::repository_access::RepositoryAccess;
use super::token_realm::check_realm;
use super::token_scopes::{SharedLogins, TokenScopes};
use crate::credentials::RegistryCredential;
use crate::image::{RegistryName, Repository};

/// Authorization at one registry. The first request finds out its scheme, and all others wait for it.
#[derive(Default)]
pub(super) struct RegistryAuth {
    first_request: tokio::sync::Mutex<Option<UnansweredRequest>>,
    rounds: AtomicU64,
    scheme: Mutex<Option<AuthScheme>>,
    tokens: Mutex<HashMap<TokenScopes, Arc<PendingToken>>>,
    /// Scopes that the run has announced.
    expected: Mutex<SharedLogins>,
    /// Scopes that a repository, named by its own scopes, is not granted with one token.
    ungranted: Mutex<HashSet<(TokenScopes, TokenScopes)>>,
}

/// Token, or the failure to get it. A failure is kept as well: the tasks that waited for it would fail
/// again, and repeated attempts with a wrong password lock an account.
type PendingToken = OnceCell<Result<AccessToken, TokenError>>;

/// First request without a response, with its number.
struct UnansweredRequest {
    round: u64,
    cause: RequestErrorKind,
}

/// Turn to send the first request.
pub(super) struct FirstRequestTurn<'a> {
    last: MutexGuard<'a, Option<UnansweredRequest>>,
    rounds: &'a AtomicU64,
}

impl FirstRequestTurn<'_> {
    /// Reports to the tasks that wait that this request got no response.
    pub(super) fn report_unanswered(mut self, cause: &RequestErrorKind) {
        *self.last = Some(UnansweredRequest {
            round: self.rounds.fetch_add(1, Ordering::Relaxed) + 1,
            cause: cause.clone(),
        });
    }
}

impl RegistryAuth {
    /// Waits for the turn to send the first request.
    ///
    /// # Errors
    /// The failure of another task's first request meanwhile: if each task waited as long in turn, the run
    /// would never end.
    pub(super) async fn turn(&self) -> Result<FirstRequestTurn<'_>, RequestErrorKind> {
        let round = self.rounds.load(Ordering::Relaxed);
        let last = self.first_request.lock().await;
        match &*last {
            Some(last) if last.round > round => Err(last.cause.clone()),
            _ => Ok(FirstRequestTurn {
                last,
                rounds: &self.rounds,
            }),
        }
    }

    pub(super) fn scheme(&self) -> Option<AuthScheme> {
        lock(&self.scheme).clone()
    }

    pub(super) fn set_scheme(&self, scheme: AuthScheme) {
        *lock(&self.scheme) = Some(scheme);
    }

    pub(super) fn expect(&self, needed: Vec<(String, RepositoryAccess)>) {
        lock(&self.expected).announce(needed);
    }

    /// Returns the scopes of the announced shared login that include these.
    pub(super) fn shared_login(&self, scopes: &TokenScopes) -> Option<TokenScopes> {
        lock(&self.expected).find_covering(scopes)
    }

    /// Records that a token for the `wider` scopes does not include the `own` ones of a repository.
    pub(super) fn record_ungranted(&self, own: &TokenScopes, wider: &TokenScopes) {
        lock(&self.ungranted).insert((own.clone(), wider.clone()));
    }

    pub(super) fn is_ungranted(&self, own: &TokenScopes, wider: &TokenScopes) -> bool {
        lock(&self.ungranted).contains(&(own.clone(), wider.clone()))
    }

    /// Returns the scopes for which a token was fetched, while it is kept.
    pub(super) fn scopes_of(&self, token: &HeaderValue) -> Option<TokenScopes> {
        let tokens = lock(&self.tokens);
        let found = tokens.iter().find(|(_, cell)| is_token(cell, token));
        found.map(|(scopes, _)| scopes.clone())
    }

    /// Forgets a token that the registry refused. Returns `false` if the credential was not a token.
    pub(super) fn forget_token(&self, refused: &HeaderValue) -> bool {
        // Another request may have fetched a new one meanwhile, which stays.
        lock(&self.tokens).retain(|_, cell| !is_token(cell, refused));
        refused.as_bytes().starts_with(b"Bearer ")
    }

    /// Returns the `Authorization` header for a request, `None` if the registry wants none. If the token
    /// service refuses a token for the first of the `scopes`, the header has one for the next.
    pub(super) async fn authorization_header(
        &self,
        transport: &RegistryTransport,
        scheme: &AuthScheme,
        repository: &Repository,
        is_plain: bool,
        own: &TokenScopes,
        scopes: impl Iterator<Item = &TokenScopes>,
    ) -> Result<Option<HeaderValue>, RequestErrorKind> {
        let registry = repository.registry();
        let credentials = &transport.credentials;
        let credential = match scheme {
            // No credential helper runs for a registry that wants no credential.
            AuthScheme::Anonymous => credentials.without_helper(repository).cloned(),
            _ => credentials
                .lookup(repository)
                .await
                .map_err(RequestErrorKind::Credentials)?,
        };
        let credential = credential.as_ref();
        if let Some(RegistryCredential::Bearer(token)) = credential {
            refuse_plain_http(transport, registry, is_plain)?;
            return secret_header("Bearer", token).map(Some);
        }
        match (scheme, credential) {
            (AuthScheme::Anonymous, _) | (AuthScheme::Basic, None) => Ok(None),
            (AuthScheme::Basic, Some(RegistryCredential::Password { user, password })) => {
                refuse_plain_http(transport, registry, is_plain)?;
                secret_header("Basic", &RegistryCredential::to_basic(user, password)).map(Some)
            }
            (AuthScheme::Basic, Some(other)) => Err(RequestErrorKind::Login(format!(
                "{registry} expects a user name and password, got {other}"
            ))),
            (AuthScheme::Bearer { realm, service }, credential) => {
                let has_credential = credential.is_some();
                refuse_plain_http(transport, registry, is_plain && has_credential)?;
                check_realm(registry, transport.is_insecure(registry), realm)?;
                let is_plain = realm.scheme() == "http";
                refuse_plain_http(transport, registry, is_plain && has_credential)?;
                let mut scopes = scopes.peekable();
                while let Some(candidate) = scopes.next() {
                    let request = TokenRequest {
                        registry,
                        repository,
                        realm,
                        service: service.as_deref(),
                        credential,
                        scopes: candidate,
                    };
                    match self.bearer_header(transport, request).await {
                        Err(TokenError::Refused(_)) if scopes.peek().is_some() => {
                            self.record_ungranted(own, candidate);
                        }
                        outcome => return outcome.map(Some).map_err(TokenError::into_cause),
                    }
                }
                Ok(None)
            }
        }
    }

    async fn bearer_header(
        &self,
        transport: &RegistryTransport,
        request: TokenRequest<'_>,
    ) -> Result<HeaderValue, TokenError> {
        let cell = {
            let mut tokens = lock(&self.tokens);
            let cell = tokens.entry(request.scopes.clone()).or_default();
            if let Some(Ok(token)) = cell.get()
                && token.expires_at <= Instant::now()
            {
                *cell = Arc::default();
            }
            cell.clone()
        };
        let login = cell.get_or_init(|| fetch_token(transport, request)).await;
        login.clone().map(|token| token.header)
    }
}

fn is_token(cell: &PendingToken, header: &HeaderValue) -> bool {
    let token = cell.get().and_then(|token| token.as_ref().ok());
    token.is_some_and(|token| token.header == header)
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses to send a credential over plain HTTP, except on loopback and where the user says so (promise 7).
fn refuse_plain_http(
    transport: &RegistryTransport,
    registry: &RegistryName,
    is_plain: bool,
) -> Result<(), RequestErrorKind> {
    if is_plain && !transport.allows_plain_credentials(registry) {
        return Err(RequestErrorKind::Login(format!(
            "{registry} uses plain HTTP, and credentials are sent over plain HTTP only to registries in credentials-over-http"
        )));
    }
    Ok(())
}
