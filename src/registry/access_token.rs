//! Tokens of a registry's token service (Docker token authentication).

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::error::RequestErrorKind;
use super::error_envelope::parse_error_envelope;
use super::registry_transport::RegistryTransport;
use super::token_realm::is_own;
use super::token_scopes::TokenScopes;
use crate::credentials::RegistryCredential;
use crate::http::{
    Attempt, AttemptError, ConnectionPool, HttpClient, HttpError, host_and_port, is_transient,
    is_web_page, read_limited, retry, retry_after,
};
use crate::image::{RegistryName, Repository};

/// Longest response of a token service, in bytes.
const TOKEN_LIMIT: usize = 1 << 20;
/// Lifetime of a token without `expires_in`, in seconds (Docker's token specification).
const DEFAULT_EXPIRY: u64 = 60;
/// Longest lifetime that is used, in seconds.
const LONGEST_EXPIRY: u64 = 24 * 60 * 60;
/// Longest token that is used, in bytes: servers accept less in a header.
const LONGEST_TOKEN: usize = 16 << 10;
/// Most weight of all tokens of a run: each is kept, so that the log masks it.
const ALL_TOKENS: u64 = 8 << 20;
/// Weight of a byte that encodings write differently: it takes several bytes in each of the encodings in
/// which the log looks for a token.
const ENCODED_BYTE: u64 = 16;
/// Shortest token that the log masks, in bytes: a registry that gave out `main` would otherwise remove
/// that word from the log.
const GUESSABLE: usize = 8;

/// Token, as the header that carries it.
#[derive(Clone)]
pub(super) struct AccessToken {
    pub(super) header: HeaderValue,
    pub(super) expires_at: Instant,
}

/// Reason why a token service gave no token.
#[derive(Clone)]
pub(super) enum TokenError {
    /// The service refused these scopes, and may grant others.
    Refused(RequestErrorKind),
    /// The service gives no token at all, or does not respond.
    Other(RequestErrorKind),
}

impl TokenError {
    /// Returns the cause.
    pub(super) fn into_cause(self) -> RequestErrorKind {
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

/// Fetches a token: with a refresh token by a POST, otherwise by a GET (Docker's "OAuth2 Token
/// Authentication" and "Token Authentication Specification").
pub(super) async fn fetch_token(
    transport: &RegistryTransport,
    request: TokenRequest<'_>,
) -> Result<AccessToken, TokenError> {
    let TokenRequest {
        registry, realm, ..
    } = request;
    let host = host_and_port(realm);
    let authorization = match request.credential {
        Some(RegistryCredential::Password { user, password }) => {
            let basic = RegistryCredential::to_basic(user, password);
            Some(secret_header("Basic", &basic)?)
        }
        _ => None,
    };
    let authorization = authorization.as_ref();
    let send = |attempt: Attempt| async move {
        let response = request.send(&transport.http, authorization).await;
        match response {
            Ok(response) if !attempt.is_last && is_transient(response.status()) => {
                let pause = retry_after(response.headers());
                let error = HttpError::Connection(format!("answered {}", response.status()));
                Err(AttemptError::new_transient(error, pause))
            }
            Ok(response) => Ok(response),
            Err(error) => {
                let is_transient = error.is_transient();
                Err(AttemptError::new(error, is_transient))
            }
        }
    };
    let describe = |error: &HttpError| Some(format!("{registry}: token from {host}: {error}"));
    let http = &transport.http;
    let response = retry(http.timing(), http.notices(), describe, send).await;
    let response = response.map_err(|cause| RequestErrorKind::TokenService {
        host: host.clone(),
        cause,
    })?;
    read_token(transport, request, response).await
}

/// Request for a token.
#[derive(Clone, Copy)]
pub(super) struct TokenRequest<'a> {
    pub(super) registry: &'a RegistryName,
    /// Repository, by which a login is looked up.
    pub(super) repository: &'a Repository,
    /// Token service, and the name that it has for the registry.
    pub(super) realm: &'a Url,
    pub(super) service: Option<&'a str>,
    pub(super) credential: Option<&'a RegistryCredential>,
    pub(super) scopes: &'a TokenScopes,
}

impl TokenRequest<'_> {
    /// Sends the request once.
    async fn send(
        self,
        http: &HttpClient,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, HttpError> {
        let client = http.client(self.realm, ConnectionPool::Control);
        let mut request = match self.credential {
            Some(RegistryCredential::RefreshToken(token)) => client
                .post(self.realm.clone())
                .header("content-type", "application/x-www-form-urlencoded")
                .body(refresh_token_form(token, self.service, self.scopes)),
            _ => client.get(token_url(self.realm, self.service, self.scopes)),
        };
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let timing = http.timing();
        match tokio::time::timeout(timing.stall, http.send(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                let error = HttpError::from_reqwest(&error, timing);
                Err(http.name_proxy(self.realm, error).await)
            }
            Err(_) => Err(HttpError::Stalled(timing.stall)),
        }
    }
}

/// Response of a token service.
#[derive(Deserialize)]
struct TokenResponse {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
    refresh_token: Option<SecretString>,
    id_token: Option<SecretString>,
    #[serde(default, deserialize_with = "lifetime")]
    expires_in: Option<u64>,
}

/// Reads `expires_in` as servers write it: a number, a fraction or its text. One that is negative, zero or
/// no number says nothing.
fn lifetime<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(value)?;
    let seconds = value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok());
    let seconds = seconds.filter(|seconds| *seconds >= 1.0);
    Ok(seconds.map(|seconds| {
        Duration::try_from_secs_f64(seconds).map_or(u64::MAX, |life| life.as_secs())
    }))
}

impl TokenResponse {
    /// Returns every secret of the response once. A token longer than [`LONGEST_TOKEN`] is not used, so that
    /// it is no secret here.
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

/// Returns the weight of a token: about the bytes that it takes to mask it.
fn token_weight(token: &SecretString) -> u64 {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let bytes = token.expose_secret().bytes();
    bytes
        .map(|byte| if is_plain(byte) { 1 } else { ENCODED_BYTE })
        .sum()
}

async fn read_token(
    transport: &RegistryTransport,
    request: TokenRequest<'_>,
    answer: reqwest::Response,
) -> Result<AccessToken, TokenError> {
    let TokenRequest {
        registry, realm, ..
    } = request;
    let host = host_and_port(realm);
    let (status, is_page) = (answer.status(), is_web_page(answer.headers()));
    let body = read_limited(answer, TOKEN_LIMIT, transport.http.timing())
        .await
        .map_err(|cause| RequestErrorKind::Login(format!("{host}: {cause}")))?;
    if !status.is_success() {
        // The registry may name a host whose responses it must not see.
        let words = match is_own(registry, realm) {
            true => parse_error_envelope(&body).1,
            false => String::new(),
        };
        let words = match words.as_str() {
            "" => words,
            _ => format!(": {words}"),
        };
        let answered = format!("{host} answered {status}{words}");
        // A wrong password is not tried again with other scopes.
        return Err(match (status, request.credential) {
            (StatusCode::UNAUTHORIZED, Some(_)) => {
                let login = transport.credentials.describe_login(request.repository);
                let rejected = format!("{login} is rejected: {answered}");
                TokenError::Other(RequestErrorKind::LoginRejected(rejected))
            }
            (StatusCode::UNAUTHORIZED, None) => {
                TokenError::Other(RequestErrorKind::LoginRequired(answered))
            }
            _ => TokenError::Refused(RequestErrorKind::Login(answered)),
        });
    }
    if is_page {
        return Err(RequestErrorKind::Login(format!("{host} answered with a web page, expected a token: does a proxy or a login page stand before it?")).into());
    }
    let answer: TokenResponse = serde_json::from_slice(&body)
        .map_err(|_| RequestErrorKind::Login(format!("{host} answered without a valid token")))?;
    report_secrets(transport, &host, &answer)?;
    let mut tokens = [answer.token, answer.access_token].into_iter().flatten();
    let token = tokens
        .find(|token| !token.expose_secret().is_empty())
        .ok_or_else(|| RequestErrorKind::Login(format!("{host} answered without a token")))?;
    if token.expose_secret().len() > LONGEST_TOKEN {
        let long = format!("{host} answered with a token of more than {LONGEST_TOKEN} bytes");
        return Err(RequestErrorKind::Login(long).into());
    }
    // Refreshed after four fifths of its lifetime, so that it does not expire during a request.
    let life = answer.expires_in.unwrap_or(DEFAULT_EXPIRY);
    let life = Duration::from_secs(life.min(LONGEST_EXPIRY)).mul_f64(0.8);
    Ok(AccessToken {
        header: secret_header("Bearer", &token).map_err(|_| {
            RequestErrorKind::Login(format!("{host} answered without a valid token"))
        })?,
        expires_at: Instant::now() + life,
    })
}

/// Reports every secret of a response, so that the log masks it.
///
/// # Errors
/// The tokens of the run weigh more than [`ALL_TOKENS`].
fn report_secrets(
    transport: &RegistryTransport,
    host: &str,
    response: &TokenResponse,
) -> Result<(), RequestErrorKind> {
    let secrets = response.secrets();
    let weight = secrets.iter().map(|token| token_weight(token)).sum();
    if transport.token_weight.fetch_add(weight, Ordering::Relaxed) > ALL_TOKENS {
        let many = format!("{host} answered with more tokens than a run accepts");
        return Err(RequestErrorKind::Login(many));
    }
    for token in secrets {
        transport.http.notices().secret(token.clone());
    }
    Ok(())
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

/// Returns an `Authorization` header that is marked as sensitive.
pub(super) fn secret_header(
    scheme: &str,
    secret: &SecretString,
) -> Result<HeaderValue, RequestErrorKind> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", secret.expose_secret()))
        .map_err(|_| {
            RequestErrorKind::Login(
                "the credential contains characters that a header cannot".to_owned(),
            )
        })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_read_as_servers_write_it() {
        for (expires_in, seconds) in [
            ("300", Some(300)),
            ("300.5", Some(300)),
            (r#""300""#, Some(300)),
            ("1e300", Some(u64::MAX)),
            ("-1", None),
            ("0", None),
            ("null", None),
            (r#""soon""#, None),
        ] {
            let body = format!(r#"{{"token":"","access_token":"t","expires_in":{expires_in}}}"#);
            let answer: TokenResponse = serde_json::from_str(&body).unwrap();
            assert_eq!(answer.expires_in, seconds, "{expires_in}");
        }
    }

    #[test]
    fn promise_7_everything_in_an_answer_that_opens_something_counts_and_is_hidden() {
        let long = "x".repeat(LONGEST_TOKEN + 1);
        let answer: TokenResponse = serde_json::from_value(serde_json::json!({
            "token": "made-up-1", "access_token": "made-up-1", "refresh_token": "made-up-22",
            "id_token": long,
        }))
        .unwrap();
        let secrets = answer.secrets();
        let texts: Vec<&str> = secrets.iter().map(|token| token.expose_secret()).collect();
        assert_eq!(texts, ["made-up-1", "made-up-22"]);
        assert_eq!(
            secrets.iter().map(|token| token_weight(token)).sum::<u64>(),
            19
        );
        // What takes several characters in every encoding is not as cheap.
        let quotes = SecretString::from("\"".repeat(LONGEST_TOKEN));
        assert!(ALL_TOKENS / token_weight(&quotes) <= 32);
    }
}
