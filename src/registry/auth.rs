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
use super::error::{Cause, read_envelope};
use super::http::{Http, Lane};
use super::scope::{Expected, Scopes};
use super::{Access, addresses};
use crate::credentials::Credential;
use crate::image::{RegistryName, Repository};
use crate::notice::Notices;

/// How a registry wants to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Without authorization.
    Open,
    /// With the user name and password on every request.
    Basic,
    /// With a token from `realm`.
    Bearer { realm: Url, service: Option<String> },
}

/// What is known of a registry's wishes. The first request finds out, and all others wait for it.
#[derive(Default)]
pub(super) struct Auth {
    asking: tokio::sync::Mutex<Option<Unanswered>>,
    rounds: AtomicU64,
    scheme: Mutex<Option<Scheme>>,
    tokens: Mutex<HashMap<Scopes, Arc<Login>>>,
    /// What the run has announced that it needs.
    expected: Mutex<Expected>,
    /// What turned out to need a login of its own.
    alone: Mutex<HashSet<Scopes>>,
}

/// A login that failed is kept as well: whoever waited for it would only fail again, and a wrong
/// password that is tried many times locks an account.
type Login = OnceCell<Result<Token, Failed>>;

/// The last first request that was not answered, counted.
struct Unanswered {
    round: u64,
    cause: Cause,
}

/// The turn to send the first request.
pub(super) struct Turn<'a> {
    last: MutexGuard<'a, Option<Unanswered>>,
    rounds: &'a AtomicU64,
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    stale: Instant,
}

/// Why there is no token.
#[derive(Clone)]
enum Failed {
    /// The token host does not give it for these scopes; others may be another matter.
    Refused(Cause),
    /// It gives none at all, or is not there.
    Other(Cause),
}

impl Failed {
    fn into_cause(self) -> Cause {
        match self {
            Self::Refused(cause) | Self::Other(cause) => cause,
        }
    }
}

impl From<Cause> for Failed {
    fn from(cause: Cause) -> Self {
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
/// The most that all tokens of a run may have, in bytes: each is kept, to be hidden.
const ALL_TOKENS: u64 = 8 << 20;
/// A token of fewer bytes could be guessed, and is hidden from nobody: a registry that gave out `main`
/// would take that word out of the log.
const GUESSABLE: usize = 8;

impl Turn<'_> {
    /// Tells all who wait that this one was not answered.
    pub(super) fn unanswered(mut self, cause: &Cause) {
        *self.last = Some(Unanswered {
            round: self.rounds.fetch_add(1, Ordering::Relaxed) + 1,
            cause: cause.clone(),
        });
    }
}

impl Auth {
    /// Waits for the turn to send the first request.
    ///
    /// # Errors
    /// Why a request of others was not answered meanwhile: to wait as long for each of them in turn
    /// would take for ever.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, Cause> {
        let round = self.rounds.load(Ordering::Relaxed);
        let last = self.asking.lock().await;
        match &*last {
            Some(last) if last.round > round => Err(last.cause.clone()),
            _ => Ok(Turn {
                last,
                rounds: &self.rounds,
            }),
        }
    }

    pub(super) fn scheme(&self) -> Option<Scheme> {
        lock(&self.scheme).clone()
    }

    pub(super) fn learn(&self, scheme: Scheme) {
        *lock(&self.scheme) = Some(scheme);
    }

    pub(super) fn expect(&self, needed: Vec<(String, Access)>) {
        lock(&self.expected).add(needed);
    }

    /// The login of the run that is enough for these scopes.
    pub(super) fn shared(&self, scopes: &Scopes) -> Option<Scopes> {
        lock(&self.expected).covering(scopes)
    }

    /// Gives up the shared login for these scopes: the registry does not grant it.
    pub(super) fn go_alone(&self, scopes: &Scopes) {
        lock(&self.alone).insert(scopes.clone());
    }

    pub(super) fn goes_alone(&self, scopes: &Scopes) -> bool {
        lock(&self.alone).contains(scopes)
    }

    /// Forgets a token that the registry did not take; `false` where it was none.
    pub(super) fn forget(&self, scopes: &Scopes, refused: &HeaderValue) -> bool {
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
    pub(super) async fn header(
        &self,
        http: &Http,
        scheme: &Scheme,
        repository: &Repository,
        own: &Scopes,
        shared: Option<&Scopes>,
    ) -> Result<Option<HeaderValue>, Cause> {
        let registry = repository.registry();
        let credentials = &http.settings.credentials;
        let credential = match scheme {
            // No helper program is asked for what nobody wants.
            Scheme::Open => credentials.held(repository).cloned(),
            _ => credentials
                .lookup(repository)
                .await
                .map_err(Cause::Credentials)?,
        };
        let credential = credential.as_ref();
        if let Some(Credential::Bearer(token)) = credential {
            refuse_plain(http, registry)?;
            return secret_header("Bearer", token).map(Some);
        }
        match (scheme, credential) {
            (Scheme::Open, _) | (Scheme::Basic, None) => Ok(None),
            (Scheme::Basic, Some(Credential::Password { user, password })) => {
                refuse_plain(http, registry)?;
                secret_header("Basic", &Credential::basic(user, password)).map(Some)
            }
            (Scheme::Basic, Some(other)) => Err(Cause::Login(format!(
                "{registry} wants a user name and password, not {other}"
            ))),
            (Scheme::Bearer { realm, service }, credential) => {
                if credential.is_some() {
                    refuse_plain(http, registry)?;
                }
                addresses::check_realm(registry, http.is_insecure(registry), realm)?;
                let service = service.as_deref();
                let token = |scopes| self.token(http, registry, realm, service, credential, scopes);
                let token = match shared.filter(|_| !self.goes_alone(own)) {
                    Some(shared) => match token(shared).await {
                        Err(Failed::Refused(_)) => {
                            self.go_alone(own);
                            token(own).await
                        }
                        outcome => outcome,
                    },
                    None => token(own).await,
                };
                token.map(Some).map_err(Failed::into_cause)
            }
        }
    }

    async fn token(
        &self,
        http: &Http,
        registry: &RegistryName,
        realm: &Url,
        service: Option<&str>,
        credential: Option<&Credential>,
        scopes: &Scopes,
    ) -> Result<HeaderValue, Failed> {
        let cell = {
            let mut tokens = lock(&self.tokens);
            let cell = tokens.entry(scopes.clone()).or_default();
            if let Some(Ok(token)) = cell.get()
                && token.stale <= Instant::now()
            {
                *cell = Arc::default();
            }
            cell.clone()
        };
        let login = cell
            .get_or_init(|| fetch(http, registry, realm, service, credential, scopes))
            .await;
        login.clone().map(|token| token.header)
    }
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fetches a token: with a refresh token by the OAuth2 flow, else by the older GET (docker's
/// "Token Authentication Specification" and "OAuth2 Token Authentication").
async fn fetch(
    http: &Http,
    registry: &RegistryName,
    realm: &Url,
    service: Option<&str>,
    credential: Option<&Credential>,
    scopes: &Scopes,
) -> Result<Token, Failed> {
    let client = http.client(realm, Lane::Control);
    let timing = http.settings.timing;
    let mut tried = 0;
    loop {
        let request = match credential {
            Some(Credential::RefreshToken(token)) => client
                .post(realm.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(refresh_form(token, service, scopes)),
            _ => client.get(with_query(realm, service, scopes)),
        };
        let request = match credential {
            Some(Credential::Password { user, password }) => request.header(
                AUTHORIZATION,
                secret_header("Basic", &Credential::basic(user, password))?,
            ),
            _ => request,
        };
        tried += 1;
        let sent = match tokio::time::timeout(timing.stall, http.send(request)).await {
            Ok(outcome) => outcome.map_err(|error| super::error::cause(&error)),
            Err(_) => Err(Cause::Stalled),
        };
        let failed = match sent {
            Ok(answer)
                if super::retry::is_transient(answer.status()) && tried < timing.attempts =>
            {
                super::retry::retry_after(answer.headers())
            }
            Ok(answer) => return read_token(http, registry, realm, answer).await,
            Err(Cause::Connection(_) | Cause::Stalled) if tried < timing.attempts => None,
            Err(cause) => {
                return Err(Cause::Login(format!("{}: {cause}", host_of(realm))).into());
            }
        };
        tokio::time::sleep(failed.unwrap_or_else(|| super::retry::delay(timing.retry, tried)))
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
    /// Has everything in it hidden that opens something.
    fn hide(&self, notices: &Notices) {
        let all = [
            &self.token,
            &self.access_token,
            &self.refresh_token,
            &self.id_token,
        ];
        let secret = |token: &&SecretString| {
            (GUESSABLE..=LONGEST_TOKEN).contains(&token.expose_secret().len())
        };
        let secrets = all.into_iter().flatten().filter(secret);
        secrets.for_each(|token| notices.secret(token.clone()));
    }
}

async fn read_token(
    http: &Http,
    registry: &RegistryName,
    realm: &Url,
    answer: reqwest::Response,
) -> Result<Token, Failed> {
    let host = host_of(realm);
    let status = answer.status();
    let body = read_limited(answer, TOKEN_LIMIT, http.settings.timing)
        .await
        .map_err(|cause| Cause::Login(format!("{host}: {cause}")))?;
    if !status.is_success() {
        // Of another host the registry must not have us show what is not for it to see.
        let words = match addresses::is_own(registry, realm) {
            true => read_envelope(&body).1,
            false => String::new(),
        };
        let words = match words.as_str() {
            "" => words,
            _ => format!(": {words}"),
        };
        let cause = Cause::Login(format!("{host} answered {status}{words}"));
        // A wrong password is not tried again with other scopes.
        return Err(match status {
            StatusCode::UNAUTHORIZED => Failed::Other(cause),
            _ => Failed::Refused(cause),
        });
    }
    let answer: Answer = serde_json::from_slice(&body)
        .map_err(|_| Cause::Login(format!("{host} answered something that is no token")))?;
    answer.hide(&http.notices);
    let token = answer
        .token
        .or(answer.access_token)
        .filter(|token| !token.expose_secret().is_empty())
        .ok_or_else(|| Cause::Login(format!("{host} answered without a token")))?;
    if token.expose_secret().len() > LONGEST_TOKEN {
        let long = format!("{host} answered with a token of more than {LONGEST_TOKEN} bytes");
        return Err(Cause::Login(long).into());
    }
    let given = token.expose_secret().len() as u64;
    if http.tokens.fetch_add(given, Ordering::Relaxed) > ALL_TOKENS {
        let many = format!("{host} answered with more tokens than a run has room for");
        return Err(Cause::Login(many).into());
    }
    // Refreshed at four fifths of its life, so that it does not die under way.
    let life = answer.expires_in.unwrap_or(DEFAULT_EXPIRY);
    let life = Duration::from_secs(life.min(LONGEST_EXPIRY)).mul_f64(0.8);
    Ok(Token {
        header: secret_header("Bearer", &token)
            .map_err(|_| Cause::Login(format!("{host} answered something that is no token")))?,
        stale: Instant::now() + life,
    })
}

fn with_query(realm: &Url, service: Option<&str>, scopes: &Scopes) -> Url {
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

fn refresh_form(token: &SecretString, service: Option<&str>, scopes: &Scopes) -> String {
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
pub(super) fn challenge(headers: &HeaderMap) -> Result<Scheme, String> {
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
                return Ok(Scheme::Bearer {
                    realm,
                    service: parameter("service"),
                });
            }
            basic |= challenge.scheme.eq_ignore_ascii_case("basic");
        }
    }
    if basic {
        Ok(Scheme::Basic)
    } else {
        Err("it does not say how to log in".to_owned())
    }
}

/// Promise 7: no credential goes over plain HTTP, but to this machine itself.
fn refuse_plain(http: &Http, registry: &RegistryName) -> Result<(), Cause> {
    if http.is_insecure(registry) && !registry.is_loopback() {
        return Err(Cause::Login(format!(
            "{registry} is reached over plain HTTP, and credentials are never sent that way"
        )));
    }
    Ok(())
}

/// The host of an address, with its port where it has one.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or(host.to_owned(), |port| format!("{host}:{port}"))
}

fn secret_header(scheme: &str, secret: &SecretString) -> Result<HeaderValue, Cause> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", secret.expose_secret()))
        .map_err(|_| {
            Cause::Login("the credential holds characters that no header can".to_owned())
        })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(values: &[&str]) -> Result<Scheme, String> {
        let headers = values
            .iter()
            .map(|value| (WWW_AUTHENTICATE, value.parse().unwrap()))
            .collect();
        challenge(&headers)
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let bearer = |realm: &str, service: Option<&str>| {
            Ok(Scheme::Bearer {
                realm: realm.parse().unwrap(),
                service: service.map(str::to_owned),
            })
        };
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="insufficient_scope""#;
        assert_eq!(
            asked(&[hub]),
            bearer("https://auth.docker.io/token", Some("registry.docker.io"))
        );
        assert_eq!(
            asked(&[r#"bearer realm="https://a.example/t""#]),
            bearer("https://a.example/t", None)
        );
        assert_eq!(
            asked(&[r#"Basic realm="Artifactory Realm""#]),
            Ok(Scheme::Basic)
        );
        let ecr = r#"Basic realm="https://1.dkr.ecr.eu-central-1.amazonaws.com/",service="ecr.amazonaws.com""#;
        assert_eq!(asked(&[ecr]), Ok(Scheme::Basic));
        assert_eq!(
            asked(&["Basic realm=x", r#"Bearer realm="https://a.example/t""#]),
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
            assert!(asked(values).is_err(), "{values:?}");
        }
    }
}
