//! One request: its authorization, its redirects, and sending it again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::addresses;
use super::auth::{self, AuthScheme};
use super::body::{ERROR_LIMIT, Whole, read_limited, read_whole};
use super::concurrency_limit::RequestPermit;
use super::error::{RegistryError, RequestErrorKind, cause, parse_error_envelope};
use super::http_clients::ConnectionPool;
use super::upload_session::SessionOpeningGuard;
use super::{RepositoryClient, UrlScheme, retry};

/// A request that can be sent again as it is.
#[derive(Clone)]
pub(super) struct RegistryRequest {
    pub(super) method: Method,
    /// What is asked for, for messages: `manifest 1.4.0`.
    pub(super) object: String,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) pool: ConnectionPool,
    /// Whether a redirect to another host is an answer of its own, and not followed.
    pub(super) stays_on_host: bool,
    /// Held where it may open an upload session: an answer that comes too late is waited for.
    pub(super) opening: Option<SessionOpeningGuard>,
}

/// An answer, and what was shown to get it.
struct AuthorizedResponse {
    response: Response,
    authorization: Option<HeaderValue>,
}

/// Why a try did not do, and how long the registry wants to be left alone.
struct AttemptError {
    cause: RequestErrorKind,
    pause: Option<Duration>,
}

impl AttemptError {
    fn from_kind(cause: RequestErrorKind) -> Self {
        Self { cause, pause: None }
    }
}

const REDIRECTS_LIMIT: usize = 5;
/// How often a request may be refused for want of authorization: once to learn what is wanted, once
/// because a token died early.
const LOGINS_LIMIT: u32 = 2;
impl RegistryRequest {
    pub(super) fn new(method: Method, object: impl Into<String>, url: Url) -> Self {
        Self {
            method,
            object: object.into(),
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            pool: ConnectionPool::Control,
            stays_on_host: false,
            opening: None,
        }
    }

    pub(super) fn header(mut self, name: reqwest::header::HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }
}

impl RepositoryClient {
    /// An address below this repository's name.
    pub(super) fn url(&self, rest: &str) -> Url {
        let api = self.registry.name.api_host();
        let scheme = self
            .registry
            .scheme
            .get()
            .map_or("https", |wire| wire.as_str());
        // Every part is of a checked type, so this is an address.
        Url::parse(&format!(
            "{scheme}://{api}/v2/{}/{rest}",
            self.repository.path()
        ))
        .expect("a checked registry, path and object make an address")
    }

    pub(super) fn error(&self, call: &RegistryRequest, cause: RequestErrorKind) -> RegistryError {
        RegistryError {
            registry: self.registry.name.clone(),
            action: format!(
                "{} {} of {}",
                call.method,
                call.object,
                self.repository.path()
            )
            .into(),
            cause,
            anonymous: self.is_anonymous(),
        }
    }

    fn is_anonymous(&self) -> bool {
        let credentials = &self.client.0.http.settings.credentials;
        credentials.is_anonymous(&self.repository)
    }

    /// Sends a request until it is answered for good: after logging in, following redirects and
    /// waiting out what passes. The status may still be a refusal.
    pub(super) async fn send(&self, call: &RegistryRequest) -> Result<Response, RegistryError> {
        self.send_with_retry(call, |response| std::future::ready(Ok(response)))
            .await
    }

    /// As [`RepositoryClient::call`], with the body of a success: one that breaks off is asked for again. The
    /// answer comes back as it is where it is a refusal.
    pub(super) async fn whole(
        &self,
        call: &RegistryRequest,
        limit: usize,
    ) -> Result<Result<Whole<'_>, Response>, RegistryError> {
        let (timing, turns) = (self.timing(), self.client.large_answers());
        self.send_with_retry(call, |response| async move {
            if !response.status().is_success() {
                return Ok(Err(response));
            }
            read_whole(response, limit, timing, turns).await.map(Ok)
        })
        .await
    }

    async fn send_with_retry<T, F>(
        &self,
        call: &RegistryRequest,
        read: impl Fn(Response) -> F,
    ) -> Result<T, RegistryError>
    where
        F: Future<Output = Result<T, RequestErrorKind>>,
    {
        let timing = self.client.0.http.settings.timing;
        let (mut tried, mut logins) = (0, 0);
        loop {
            let outcome = self.attempt_request(call).await;
            if let Ok(answer) = &outcome
                && self.exceeds_shared_scopes(answer, logins)
            {
                self.registry.auth.use_own_login(&self.scopes);
                continue;
            }
            if logins < LOGINS_LIMIT
                && let Ok(answer) = &outcome
                && answer.response.status() == StatusCode::UNAUTHORIZED
                && self.learn_auth_scheme(call, answer)?
            {
                logins += 1;
                continue;
            }
            tried += 1;
            let last = tried >= timing.attempts;
            let attempt = match outcome {
                Ok(answer) => {
                    self.classify_response(call, answer.response, last, &read)
                        .await
                }
                Err(cause) => Err(AttemptError::from_kind(cause)),
            };
            let AttemptError { cause, pause } = match attempt {
                Ok(value) => return Ok(value),
                Err(attempt) => attempt,
            };
            let error = self.error(call, cause);
            if last || !error.is_transient() {
                return Err(error);
            }
            let pause = pause.unwrap_or_else(|| retry::backoff_delay(timing.retry, tried));
            self.report_retry(call, &error.cause, pause, tried, timing.attempts);
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads an answer, unless it only says "not now" and there is another try.
    async fn classify_response<T, F>(
        &self,
        call: &RegistryRequest,
        response: Response,
        last: bool,
        read: impl Fn(Response) -> F,
    ) -> Result<T, AttemptError>
    where
        F: Future<Output = Result<T, RequestErrorKind>>,
    {
        let status = response.status();
        if self.is_own_url(response.url())
            && let Some(time) = retry::server_time(response.headers())
        {
            self.registry.server_time.store(time, Ordering::Relaxed);
        }
        if !retry::is_transient(status) {
            self.registry.record_answer(call.pool);
            return read(response).await.map_err(AttemptError::from_kind);
        }
        let pause = self.registry.back_off(status, response.headers());
        if last {
            return read(response).await.map_err(AttemptError::from_kind);
        }
        let cause = RequestErrorKind::Status {
            status,
            code: None,
            message: String::new(),
        };
        Err(AttemptError { cause, pause })
    }

    /// As [`RepositoryClient::call`]; any status but success is an error.
    pub(super) async fn send_expecting_success(
        &self,
        call: &RegistryRequest,
    ) -> Result<Response, RegistryError> {
        let response = self.send(call).await?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(self.error_from_response(call, response).await)
        }
    }

    /// The error that a refusing answer amounts to.
    pub(super) async fn error_from_response(
        &self,
        call: &RegistryRequest,
        response: Response,
    ) -> RegistryError {
        let status = response.status();
        let elsewhere =
            (!self.is_own_url(response.url())).then(|| auth::host_and_port(response.url()));
        let body = read_limited(response, ERROR_LIMIT, self.timing())
            .await
            .unwrap_or_default();
        let (code, message) = match elsewhere {
            None => parse_error_envelope(&body),
            // A registry must not have us show what is not for it to see.
            Some(host) => (
                None,
                format!("this is the answer of {host}, where it leads"),
            ),
        };
        self.error(
            call,
            RequestErrorKind::Status {
                status,
                code,
                message,
            },
        )
    }

    /// Whether an address is the registry's own, so that its authorization may go there.
    pub(super) fn is_own_url(&self, url: &Url) -> bool {
        let own = self.url("");
        (url.scheme(), url.host_str(), url.port_or_known_default())
            == (own.scheme(), own.host_str(), own.port_or_known_default())
    }

    /// The authorization for an address of this registry, once it is known what the registry wants.
    pub(super) async fn authorization(
        &self,
        url: &Url,
        scheme: &AuthScheme,
    ) -> Result<Option<HeaderValue>, RequestErrorKind> {
        if !self.is_own_url(url) {
            return Ok(None);
        }
        self.registry
            .auth
            .authorization_header(
                &self.client.0.http,
                scheme,
                &self.repository,
                &self.scopes,
                self.shared_scopes.as_ref(),
            )
            .await
    }

    /// A place among the requests in flight. Who moves bulk has one for all that it takes: a slot.
    pub(super) async fn acquire_permit(&self, pool: ConnectionPool) -> Option<RequestPermit> {
        match pool {
            ConnectionPool::Control => Some(self.registry.control_limit.acquire().await),
            ConnectionPool::Bulk => None,
        }
    }

    async fn attempt_request(
        &self,
        call: &RegistryRequest,
    ) -> Result<AuthorizedResponse, RequestErrorKind> {
        let _permit = self.acquire_permit(call.pool).await;
        // Those that queue for their turn are held back as well.
        self.registry.gate.wait().await;
        if let Some(scheme) = self.registry.auth.scheme() {
            return self.follow_redirects(call, &scheme).await;
        }
        // Nobody knows yet what the registry wants: one request finds out, the others wait for it.
        let turn = self.registry.auth.turn().await?;
        if let Some(scheme) = self.registry.auth.scheme() {
            drop(turn);
            return self.follow_redirects(call, &scheme).await;
        }
        let answer = match self.send_first_request(call).await {
            Err(
                cause @ (RequestErrorKind::Connection(_)
                | RequestErrorKind::Tls(_)
                | RequestErrorKind::Stalled),
            ) => {
                turn.report_unanswered(&cause);
                return Err(cause);
            }
            outcome => outcome?,
        };
        let status = answer.response.status();
        if retry::is_transient(status) {
            // It says nothing of what is wanted.
        } else if status != StatusCode::UNAUTHORIZED || !self.is_own_url(answer.response.url()) {
            self.registry.auth.set_scheme(AuthScheme::Anonymous);
        } else if let Ok(scheme) = auth::parse_challenge(answer.response.headers()) {
            self.registry.auth.set_scheme(scheme);
        }
        Ok(answer)
    }

    /// The first request to a registry, without authorization. A registry on this machine may speak
    /// TLS or not; all others speak it unless the user said otherwise.
    async fn send_first_request(
        &self,
        call: &RegistryRequest,
    ) -> Result<AuthorizedResponse, RequestErrorKind> {
        if self.registry.scheme.get().is_some() || !self.registry.name.is_loopback() {
            return self.follow_redirects(call, &AuthScheme::Anonymous).await;
        }
        match self.follow_redirects(call, &AuthScheme::Anonymous).await {
            Err(RequestErrorKind::Tls(text)) if !text.contains("certificate") => {
                let _ = self.registry.scheme.set(UrlScheme::Http);
                self.follow_redirects(call, &AuthScheme::Anonymous).await
            }
            // Nobody answered, so nothing is known.
            Err(cause @ (RequestErrorKind::Connection(_) | RequestErrorKind::Stalled)) => {
                Err(cause)
            }
            outcome => {
                let _ = self.registry.scheme.set(UrlScheme::Https);
                outcome
            }
        }
    }

    /// Sends a request where it leads. The authorization goes to the registry itself alone.
    async fn follow_redirects(
        &self,
        call: &RegistryRequest,
        scheme: &AuthScheme,
    ) -> Result<AuthorizedResponse, RequestErrorKind> {
        let mut url = call.url.clone();
        if self.registry.scheme.get() == Some(&UrlScheme::Http) && url.scheme() == "https" {
            let _ = url.set_scheme("http");
        }
        for _ in 0..=REDIRECTS_LIMIT {
            let authorization = self.authorization(&url, scheme).await?;
            let response = self.send_once(call, &url, authorization.as_ref()).await?;
            if !response.status().is_redirection()
                || !matches!(call.method, Method::GET | Method::HEAD)
            {
                return Ok(AuthorizedResponse {
                    response,
                    authorization,
                });
            }
            let to = redirect_target(&url, response.headers())?;
            if call.stays_on_host && !self.is_own_url(&to) {
                return Ok(AuthorizedResponse {
                    response,
                    authorization,
                });
            }
            url = to;
        }
        Err(RequestErrorKind::Protocol(format!(
            "more than {REDIRECTS_LIMIT} redirects"
        )))
    }

    async fn send_once(
        &self,
        call: &RegistryRequest,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, RequestErrorKind> {
        let http = &self.client.0.http;
        let mut request = http
            .client(url, call.pool)
            .request(call.method.clone(), url.clone())
            .headers(call.headers.clone());
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if !call.body.is_empty() || call.method == Method::POST {
            request = request.body(call.body.clone());
        }
        let mut sending = Box::pin(http.send(request));
        if let Ok(outcome) = tokio::time::timeout(self.timing().stall, &mut sending).await {
            return outcome.map_err(|error| cause(&error));
        }
        if call.opening.is_some() {
            self.cancel_late_session(call.clone(), sending);
        }
        Err(RequestErrorKind::Stalled)
    }

    /// Whether a token of the shared login was good, and not for this repository: some registries
    /// grant several scopes at once, some one, and some not all.
    fn exceeds_shared_scopes(&self, answer: &AuthorizedResponse, logins: u32) -> bool {
        let is_shared = answer.authorization.as_ref().is_some_and(|shown| {
            shown.as_bytes().starts_with(b"Bearer ") && self.login_scopes() != &self.scopes
        });
        is_shared
            && match answer.response.status() {
                StatusCode::FORBIDDEN => true,
                // Not all say so. A token that merely died is replaced first.
                StatusCode::UNAUTHORIZED => {
                    logins >= LOGINS_LIMIT || auth::wants_other_scope(answer.response.headers())
                }
                _ => false,
            }
    }

    /// Takes a 401 to heart; `false` where the same request would only be refused again.
    fn learn_auth_scheme(
        &self,
        call: &RegistryRequest,
        answer: &AuthorizedResponse,
    ) -> Result<bool, RegistryError> {
        let at = answer.response.url();
        if !self.is_own_url(at) {
            // What another host asks for says nothing of the registry, whose login stays here.
            let asks = format!(
                "it leads to {}, which asks for a login",
                auth::host_and_port(at)
            );
            return Err(self.error(call, RequestErrorKind::Protocol(asks)));
        }
        let challenge = auth::parse_challenge(answer.response.headers());
        if let Some(refused) = &answer.authorization {
            self.registry
                .auth
                .forget_token(self.login_scopes(), refused);
            if matches!(challenge, Ok(AuthScheme::Basic)) {
                return Ok(false);
            }
        }
        match challenge {
            Ok(scheme) => {
                let hopeless = scheme == AuthScheme::Basic && self.is_anonymous();
                self.registry.auth.set_scheme(scheme);
                Ok(!hopeless)
            }
            // An answer without a challenge is a plain refusal.
            Err(_)
                if !answer
                    .response
                    .headers()
                    .contains_key(reqwest::header::WWW_AUTHENTICATE) =>
            {
                Ok(false)
            }
            Err(reason) => Err(self.error(call, RequestErrorKind::Protocol(reason))),
        }
    }

    fn report_retry(
        &self,
        call: &RegistryRequest,
        why: &RequestErrorKind,
        pause: Duration,
        tried: u32,
        attempts: u32,
    ) {
        self.client.notices().info(format!(
            "{}: {} {}: {why}; trying again in {:.1} s ({tried} of {} tries)",
            self.registry.name,
            call.method,
            call.object,
            pause.as_secs_f64(),
            attempts,
        ));
    }
}

/// Where an answer's `Location` points.
pub(super) fn redirect_target(from: &Url, headers: &HeaderMap) -> Result<Url, RequestErrorKind> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location
        .ok_or_else(|| RequestErrorKind::Protocol("it has no Location to go on to".to_owned()))?;
    resolve_redirect(from, location)
}

/// Returns the address that `location` is, seen from `from`. From https it never goes down to http,
/// and never to an address that only this machine can reach, unless it is there already.
pub(super) fn resolve_redirect(from: &Url, location: &str) -> Result<Url, RequestErrorKind> {
    let to = from
        .join(location)
        .map_err(|_| RequestErrorKind::Protocol("a Location that is no address".to_owned()))?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => {}
        (from, to) => {
            return Err(RequestErrorKind::Protocol(format!(
                "it leads from {from} to {to}"
            )));
        }
    }
    match addresses::is_out_of_bounds(&to, addresses::is_this_machine(from)) {
        true => Err(RequestErrorKind::Protocol(format!(
            "it leads to {}, which only this machine can reach",
            auth::host_and_port(&to)
        ))),
        false => Ok(to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(from: &str, to: &str) -> Result<String, String> {
        let headers = [(LOCATION, to.parse().unwrap())].into_iter().collect();
        redirect_target(&from.parse().unwrap(), &headers)
            .map(|url| url.to_string())
            .map_err(|cause| cause.to_string())
    }

    #[test]
    fn a_redirect_never_goes_down_to_http() {
        assert_eq!(
            led("https://a.example/v2/x", "/y?z=1").unwrap(),
            "https://a.example/y?z=1"
        );
        assert_eq!(
            led("https://a.example/v2/x", "https://b.example/y").unwrap(),
            "https://b.example/y"
        );
        assert_eq!(
            led("http://127.0.0.1:1/x", "http://127.0.0.1:2/y").unwrap(),
            "http://127.0.0.1:2/y"
        );
        for bad in ["http://a.example/y", "file:///etc/passwd", "https://"] {
            assert!(led("https://a.example/v2/x", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn promise_7_a_redirect_never_leads_to_what_only_this_machine_can_reach() {
        let led = |from: &str, to: &str| resolve_redirect(&from.parse().unwrap(), to);
        let mut tried = 0;
        for from in ["https://a.example/v2/x", "http://10.0.0.5:5000/v2/x"] {
            let scheme = from.split("//").next().unwrap();
            for host in addresses::tests::ONLY_FROM_HERE {
                assert!(led(from, &format!("https://{host}/y")).is_err(), "{host}");
                assert!(led(from, &format!("{scheme}//{host}/y")).is_err(), "{host}");
                assert!(led(from, &format!("//{host}/y")).is_err(), "{host}");
                tried += 3;
            }
        }
        for host in addresses::tests::OF_THE_CLOUD {
            let led = led("http://127.0.0.1:5000/x", &format!("http://{host}/y"));
            assert!(led.is_err(), "{host}");
            tried += 1;
        }
        assert!(tried > 250, "only {tried}");
        for host in ["10.0.0.6:9000", "minio.example", "[fd12::1]"] {
            assert!(led("http://10.0.0.5/x", &format!("http://{host}/y")).is_ok());
            assert!(led("https://a.example/x", &format!("https://{host}/y")).is_ok());
        }
    }
}
