//! Logging in: what a registry asks for, and tokens, each fetched once however many wait for it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::{MutexGuard, OnceCell};
use tokio::time::Instant;
use url::Url;

use super::body::read_limited;
use super::error::{RequestErrorKind, parse_error_envelope};
use super::http_clients::{ConnectionPool, HttpTransport};
use super::token_scopes::{SharedLogins, TokenScopes};
use super::{RepositoryAccess, addresses};
use crate::credentials::RegistryCredential;
use crate::image::{RegistryName, Repository};

/// How a registry wants to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AuthScheme {
    /// Without authorization.
    Anonymous,
    /// With the user name and password on every request.
    Basic,
    /// With a token from `realm`.
    Bearer { realm: Url, service: Option<String> },
}

/// What is known of a registry's wishes. The first request finds out, and all others wait for it.
#[derive(Default)]
pub(super) struct RegistryAuth {
    first_request: tokio::sync::Mutex<Option<UnansweredRequest>>,
    rounds: AtomicU64,
    scheme: Mutex<Option<AuthScheme>>,
    tokens: Mutex<HashMap<TokenScopes, Arc<PendingToken>>>,
    /// What the run has announced that it needs.
    expected: Mutex<SharedLogins>,
    /// What turned out to need a login of its own.
    own_logins: Mutex<HashSet<TokenScopes>>,
}

/// A login that failed is kept as well: whoever waited for it would only fail again, and a wrong
/// password that is tried many times locks an account.
type PendingToken = OnceCell<Result<AccessToken, TokenError>>;

/// The last first request that was not answered, counted.
struct UnansweredRequest {
    round: u64,
    cause: RequestErrorKind,
}

/// The turn to send the first request.
pub(super) struct FirstRequestTurn<'a> {
    last: MutexGuard<'a, Option<UnansweredRequest>>,
    rounds: &'a AtomicU64,
}

#[derive(Clone)]
struct AccessToken {
    header: HeaderValue,
    expires_at: Instant,
}

/// Why there is no token.
#[derive(Clone)]
enum TokenError {
    /// The token host does not give it for these scopes; others may be another matter.
    Refused(RequestErrorKind),
    /// It gives none at all, or is not there.
    Other(RequestErrorKind),
}

impl TokenError {
    fn into_cause(self) -> RequestErrorKind {
        match self {
            Self::Refused(cause) | Self::Other(cause) => cause,
        }
    }
}

impl From<RequestErrorKind> for TokenError {
    fn from(cause: RequestErrorKind) -> Self {
        Self::Other(cause)
    }
}

/// The most that a token answer may have, in bytes.
const TOKEN_LIMIT: usize = 1 << 20;
/// How long a token is good for where the answer does not say (docker's token specification).
const DEFAULT_EXPIRY: u64 = 60;
/// The longest that a token is taken to be good for, whatever the answer says.
const LONGEST_EXPIRY: u64 = 24 * 60 * 60;
/// The longest token that is used, in bytes: servers take less than that in a header.
const LONGEST_TOKEN: usize = 16 << 10;
/// The most that all tokens of a run may weigh: each is kept, to be hidden.
const ALL_TOKENS: u64 = 8 << 20;
/// What a byte weighs that is not written the same everywhere: it takes several in each of the encodings
/// in which a token is looked for.
const ENCODED_BYTE: u64 = 16;
/// A token of fewer bytes could be guessed, and is hidden from nobody: a registry that gave out `main`
/// would take that word out of the log.
const GUESSABLE: usize = 8;

impl FirstRequestTurn<'_> {
    /// Tells all who wait that this one was not answered.
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
    /// Why a request of others was not answered meanwhile: to wait as long for each of them in turn
    /// would take for ever.
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

    /// The login of the run that is enough for these scopes.
    pub(super) fn shared_login(&self, scopes: &TokenScopes) -> Option<TokenScopes> {
        lock(&self.expected).find_covering(scopes)
    }

    /// Gives up the shared login for these scopes: the registry does not grant it.
    pub(super) fn use_own_login(&self, scopes: &TokenScopes) {
        lock(&self.own_logins).insert(scopes.clone());
    }

    pub(super) fn uses_own_login(&self, scopes: &TokenScopes) -> bool {
        lock(&self.own_logins).contains(scopes)
    }

    /// Forgets a token that the registry did not take; `false` where it was none.
    pub(super) fn forget_token(&self, scopes: &TokenScopes, refused: &HeaderValue) -> bool {
        let mut tokens = lock(&self.tokens);
        // Another request may have fetched a new one meanwhile.
        if tokens
            .get(scopes)
            .and_then(|cell| cell.get()?.as_ref().ok())
            .is_some_and(|token| token.header == refused)
        {
            tokens.remove(scopes);
        }
        refused.as_bytes().starts_with(b"Bearer ")
    }

    /// The `Authorization` header for a request, `None` where the registry wants none. Where a token
    /// for the `shared` scopes is refused, it is for the `own` ones.
    pub(super) async fn authorization_header(
        &self,
        http: &HttpTransport,
        scheme: &AuthScheme,
        repository: &Repository,
        own: &TokenScopes,
        shared: Option<&TokenScopes>,
    ) -> Result<Option<HeaderValue>, RequestErrorKind> {
        let registry = repository.registry();
        let credentials = &http.settings.credentials;
        let credential = match scheme {
            // No helper program is asked for what nobody wants.
            AuthScheme::Anonymous => credentials.without_helper(repository).cloned(),
            _ => credentials
                .lookup(repository)
                .await
                .map_err(RequestErrorKind::Credentials)?,
        };
        let credential = credential.as_ref();
        if let Some(RegistryCredential::Bearer(token)) = credential {
            refuse_plain_http(http, registry)?;
            return secret_header("Bearer", token).map(Some);
        }
        match (scheme, credential) {
            (AuthScheme::Anonymous, _) | (AuthScheme::Basic, None) => Ok(None),
            (AuthScheme::Basic, Some(RegistryCredential::Password { user, password })) => {
                refuse_plain_http(http, registry)?;
                secret_header("Basic", &RegistryCredential::to_basic(user, password)).map(Some)
            }
            (AuthScheme::Basic, Some(other)) => Err(RequestErrorKind::Login(format!(
                "{registry} wants a user name and password, not {other}"
            ))),
            (AuthScheme::Bearer { realm, service }, credential) => {
                if credential.is_some() {
                    refuse_plain_http(http, registry)?;
                }
                addresses::check_realm(registry, http.is_insecure(registry), realm)?;
                let service = service.as_deref();
                let token =
                    |scopes| self.bearer_header(http, registry, realm, service, credential, scopes);
                let token = match shared.filter(|_| !self.uses_own_login(own)) {
                    Some(shared) => match token(shared).await {
                        Err(TokenError::Refused(_)) => {
                            self.use_own_login(own);
                            token(own).await
                        }
                        outcome => outcome,
                    },
                    None => token(own).await,
                };
                token.map(Some).map_err(TokenError::into_cause)
            }
        }
    }

    async fn bearer_header(
        &self,
        http: &HttpTransport,
        registry: &RegistryName,
        realm: &Url,
        service: Option<&str>,
        credential: Option<&RegistryCredential>,
        scopes: &TokenScopes,
    ) -> Result<HeaderValue, TokenError> {
        let cell = {
            let mut tokens = lock(&self.tokens);
            let cell = tokens.entry(scopes.clone()).or_default();
            if let Some(Ok(token)) = cell.get()
                && token.expires_at <= Instant::now()
            {
                *cell = Arc::default();
            }
            cell.clone()
        };
        let login = cell
            .get_or_init(|| fetch_token(http, registry, realm, service, credential, scopes))
            .await;
        login.clone().map(|token| token.header)
    }
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fetches a token: with a refresh token by the OAuth2 flow, else by the older GET (docker's
/// "Token Authentication Specification" and "OAuth2 Token Authentication").
async fn fetch_token(
    http: &HttpTransport,
    registry: &RegistryName,
    realm: &Url,
    service: Option<&str>,
    credential: Option<&RegistryCredential>,
    scopes: &TokenScopes,
) -> Result<AccessToken, TokenError> {
    let client = http.client(realm, ConnectionPool::Control);
    let timing = http.settings.timing;
    let mut tried = 0;
    loop {
        let request = match credential {
            Some(RegistryCredential::RefreshToken(token)) => client
                .post(realm.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(refresh_token_form(token, service, scopes)),
            _ => client.get(token_url(realm, service, scopes)),
        };
        let request = match credential {
            Some(RegistryCredential::Password { user, password }) => request.header(
                AUTHORIZATION,
                secret_header("Basic", &RegistryCredential::to_basic(user, password))?,
            ),
            _ => request,
        };
        tried += 1;
        let sent = match tokio::time::timeout(timing.stall, http.send(request)).await {
            Ok(outcome) => outcome.map_err(|error| super::error::cause(&error)),
            Err(_) => Err(RequestErrorKind::Stalled),
        };
        let failed = match sent {
            Ok(answer)
                if super::retry::is_transient(answer.status()) && tried < timing.attempts =>
            {
                super::retry::retry_after(answer.headers())
            }
            Ok(answer) => return read_token(http, registry, realm, answer).await,
            Err(RequestErrorKind::Connection(_) | RequestErrorKind::Stalled)
                if tried < timing.attempts =>
            {
                None
            }
            Err(cause) => {
                return Err(
                    RequestErrorKind::Login(format!("{}: {cause}", host_and_port(realm))).into(),
                );
            }
        };
        tokio::time::sleep(
            failed.unwrap_or_else(|| super::retry::backoff_delay(timing.retry, tried)),
        )
        .await;
    }
}

/// The answer of a token service.
#[derive(Deserialize)]
struct Answer {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
    refresh_token: Option<SecretString>,
    id_token: Option<SecretString>,
    expires_in: Option<u64>,
}

impl Answer {
    /// Returns everything in it that opens something, each once. What is longer than what is used opens
    /// nothing here.
    fn secrets(&self) -> Vec<&SecretString> {
        let all = [
            &self.token,
            &self.access_token,
            &self.refresh_token,
            &self.id_token,
        ];
        let mut secrets: Vec<&SecretString> = Vec::new();
        for token in all.into_iter().flatten() {
            let text = token.expose_secret();
            let is_known = secrets.iter().any(|known| known.expose_secret() == text);
            if (GUESSABLE..=LONGEST_TOKEN).contains(&text.len()) && !is_known {
                secrets.push(token);
            }
        }
        secrets
    }
}

/// Returns what a token counts for: about what it takes to keep it hidden.
fn weight(token: &SecretString) -> u64 {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let bytes = token.expose_secret().bytes();
    bytes
        .map(|byte| if is_plain(byte) { 1 } else { ENCODED_BYTE })
        .sum()
}

async fn read_token(
    http: &HttpTransport,
    registry: &RegistryName,
    realm: &Url,
    answer: reqwest::Response,
) -> Result<AccessToken, TokenError> {
    let host = host_and_port(realm);
    let status = answer.status();
    let body = read_limited(answer, TOKEN_LIMIT, http.settings.timing)
        .await
        .map_err(|cause| RequestErrorKind::Login(format!("{host}: {cause}")))?;
    if !status.is_success() {
        // Of another host the registry must not have us show what is not for it to see.
        let words = match addresses::is_own(registry, realm) {
            true => parse_error_envelope(&body).1,
            false => String::new(),
        };
        let words = match words.as_str() {
            "" => words,
            _ => format!(": {words}"),
        };
        let cause = RequestErrorKind::Login(format!("{host} answered {status}{words}"));
        // A wrong password is not tried again with other scopes.
        return Err(match status {
            StatusCode::UNAUTHORIZED => TokenError::Other(cause),
            _ => TokenError::Refused(cause),
        });
    }
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| {
        RequestErrorKind::Login(format!("{host} answered something that is no token"))
    })?;
    let secrets = answer.secrets();
    let given = secrets.iter().map(|token| weight(token)).sum();
    if http.tokens.fetch_add(given, Ordering::Relaxed) > ALL_TOKENS {
        let many = format!("{host} answered with more tokens than a run has room for");
        return Err(RequestErrorKind::Login(many).into());
    }
    for token in secrets {
        http.notices.secret(token.clone());
    }
    let token = answer
        .token
        .or(answer.access_token)
        .filter(|token| !token.expose_secret().is_empty())
        .ok_or_else(|| RequestErrorKind::Login(format!("{host} answered without a token")))?;
    if token.expose_secret().len() > LONGEST_TOKEN {
        let long = format!("{host} answered with a token of more than {LONGEST_TOKEN} bytes");
        return Err(RequestErrorKind::Login(long).into());
    }
    // Refreshed at four fifths of its life, so that it does not die under way.
    let life = answer.expires_in.unwrap_or(DEFAULT_EXPIRY);
    let life = Duration::from_secs(life.min(LONGEST_EXPIRY)).mul_f64(0.8);
    Ok(AccessToken {
        header: secret_header("Bearer", &token).map_err(|_| {
            RequestErrorKind::Login(format!("{host} answered something that is no token"))
        })?,
        expires_at: Instant::now() + life,
    })
}

fn token_url(realm: &Url, service: Option<&str>, scopes: &TokenScopes) -> Url {
    let mut url = realm.clone();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = service {
            query.append_pair("service", service);
        }
        for scope in scopes.iter() {
            query.append_pair("scope", &scope);
        }
    }
    url
}

fn refresh_token_form(token: &SecretString, service: Option<&str>, scopes: &TokenScopes) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", "shipmark")
        .append_pair("service", service.unwrap_or_default())
        .append_pair("scope", &scopes.joined())
        .append_pair("refresh_token", token.expose_secret())
        .finish()
}

/// Whether a 401 says that the token does not reach so far.
pub(super) fn wants_other_scope(headers: &HeaderMap) -> bool {
    headers.get_all(WWW_AUTHENTICATE).iter().any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.contains("insufficient_scope")
    })
}

/// What a 401 asks for. Of several challenges a token is preferred, since it says less about us.
pub(super) fn parse_challenge(headers: &HeaderMap) -> Result<AuthScheme, String> {
    let mut basic = false;
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let text = value
            .to_str()
            .map_err(|_| "its WWW-Authenticate is no text")?;
        let challenges =
            http_auth::parse_challenges(text).map_err(|_| "its WWW-Authenticate is malformed")?;
        for challenge in challenges {
            if challenge.scheme.eq_ignore_ascii_case("bearer") {
                let parameter = |name: &str| {
                    let found = challenge
                        .params
                        .iter()
                        .find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.to_unescaped())
                };
                let realm = parameter("realm").ok_or("its challenge names no realm")?;
                let realm =
                    Url::parse(&realm).map_err(|_| "its challenge's realm is no address")?;
                return Ok(AuthScheme::Bearer {
                    realm,
                    service: parameter("service"),
                });
            }
            basic |= challenge.scheme.eq_ignore_ascii_case("basic");
        }
    }
    if basic {
        Ok(AuthScheme::Basic)
    } else {
        Err("it does not say how to log in".to_owned())
    }
}

/// Promise 7: no credential goes over plain HTTP, but to this machine itself.
fn refuse_plain_http(
    http: &HttpTransport,
    registry: &RegistryName,
) -> Result<(), RequestErrorKind> {
    if http.is_insecure(registry) && !registry.is_loopback() {
        return Err(RequestErrorKind::Login(format!(
            "{registry} is reached over plain HTTP, and credentials are never sent that way"
        )));
    }
    Ok(())
}

/// The host of an address, with its port where it has one.
pub(super) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or(host.to_owned(), |port| format!("{host}:{port}"))
}

fn secret_header(scheme: &str, secret: &SecretString) -> Result<HeaderValue, RequestErrorKind> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", secret.expose_secret()))
        .map_err(|_| {
            RequestErrorKind::Login("the credential holds characters that no header can".to_owned())
        })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_challenges(values: &[&str]) -> Result<AuthScheme, String> {
        let headers = values
            .iter()
            .map(|value| (WWW_AUTHENTICATE, value.parse().unwrap()))
            .collect();
        parse_challenge(&headers)
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let bearer = |realm: &str, service: Option<&str>| {
            Ok(AuthScheme::Bearer {
                realm: realm.parse().unwrap(),
                service: service.map(str::to_owned),
            })
        };
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="insufficient_scope""#;
        assert_eq!(
            parse_challenges(&[hub]),
            bearer("https://auth.docker.io/token", Some("registry.docker.io"))
        );
        assert_eq!(
            parse_challenges(&[r#"bearer realm="https://a.example/t""#]),
            bearer("https://a.example/t", None)
        );
        assert_eq!(
            parse_challenges(&[r#"Basic realm="Artifactory Realm""#]),
            Ok(AuthScheme::Basic)
        );
        let ecr = r#"Basic realm="https://1.dkr.ecr.eu-central-1.amazonaws.com/",service="ecr.amazonaws.com""#;
        assert_eq!(parse_challenges(&[ecr]), Ok(AuthScheme::Basic));
        assert_eq!(
            parse_challenges(&["Basic realm=x", r#"Bearer realm="https://a.example/t""#]),
            bearer("https://a.example/t", None)
        );
    }

    #[test]
    fn challenges_that_make_no_sense_are_refused() {
        for values in [
            &[][..],
            &["Negotiate"],
            &["Bearer service=\"x\""],
            &["Bearer realm=\"no address\""],
            &["=,="],
        ] {
            assert!(parse_challenges(values).is_err(), "{values:?}");
        }
    }

    #[test]
    fn promise_7_everything_in_an_answer_that_opens_something_counts_and_is_hidden() {
        let long = "x".repeat(LONGEST_TOKEN + 1);
        let answer: Answer = serde_json::from_value(serde_json::json!({
            "token": "made-up-1", "access_token": "made-up-1", "refresh_token": "made-up-22",
            "id_token": long,
        }))
        .unwrap();
        let secrets = answer.secrets();
        let texts: Vec<&str> = secrets.iter().map(|token| token.expose_secret()).collect();
        assert_eq!(texts, ["made-up-1", "made-up-22"]);
        assert_eq!(secrets.iter().map(|token| weight(token)).sum::<u64>(), 19);
        // What takes several characters in every encoding is not as cheap.
        let quotes = SecretString::from("\"".repeat(LONGEST_TOKEN));
        assert!(ALL_TOKENS / weight(&quotes) <= 32);
    }
}
