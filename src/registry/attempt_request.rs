//! Makes one attempt of a request: waits for its turn, adds the authorization, and follows
//! redirects.

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::challenge::{AuthScheme, parse_challenge};
use super::error::RequestErrorKind;
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use super::url_scheme::UrlScheme;
use crate::http::{
    ConnectionPool, HttpError, RequestPermit, host_and_port, is_transient, redirect_target,
};

/// Response, with the authorization of its request.
pub(super) struct AuthorizedResponse {
    pub(super) response: Response,
    pub(super) authorization: Option<HeaderValue>,
}

const REDIRECTS_LIMIT: usize = 5;

impl RepositoryClient {
    /// Returns the authorization for an address of this registry under `scheme`.
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
                &self.client.0.transport,
                scheme,
                &self.repository,
                url.scheme() == UrlScheme::Http.as_str(),
                &self.scopes,
                self.login_candidates(),
            )
            .await
    }

    /// Waits until a request may be sent. A bulk transfer has a slot for all its requests instead.
    pub(super) async fn acquire_permit(&self, pool: ConnectionPool) -> Option<RequestPermit> {
        match pool {
            ConnectionPool::Control => Some(self.registry.control_limit.acquire().await),
            ConnectionPool::Bulk => None,
        }
    }

    /// Sends a request once: with the authorization that the registry wants, and after its redirects.
    pub(super) async fn attempt_request(
        &self,
        call: &RegistryRequest,
    ) -> Result<AuthorizedResponse, RequestErrorKind> {
        let _permit = self.acquire_permit(call.pool).await;
        // Requests that wait for their turn are delayed as well.
        self.registry.gate.wait().await;
        if let Some(scheme) = self.registry.auth.scheme() {
            return self.follow_redirects(call, &scheme).await;
        }
        // The scheme is unknown: one request finds it out, and the others wait.
        let turn = self.registry.auth.turn().await?;
        if let Some(scheme) = self.registry.auth.scheme() {
            drop(turn);
            return self.follow_redirects(call, &scheme).await;
        }
        let answer = match self.send_first_request(call).await {
            Err(
                cause @ RequestErrorKind::Http(
                    HttpError::Connection(_) | HttpError::Tls(_) | HttpError::Stalled(_),
                ),
            ) => {
                turn.report_unanswered(&cause);
                return Err(cause);
            }
            outcome => outcome?,
        };
        let status = answer.response.status();
        if is_transient(status) {
            // The response tells nothing about the scheme.
        } else if status != StatusCode::UNAUTHORIZED || !self.is_own_url(answer.response.url()) {
            self.registry.auth.set_scheme(AuthScheme::Anonymous);
        } else if let Ok(scheme) = parse_challenge(answer.response.headers()) {
            self.registry.auth.set_scheme(scheme);
        }
        Ok(answer)
    }

    /// Sends the first request to a registry, without authorization. A registry on this machine, and an
    /// insecure one, may use TLS or plain HTTP; all others use TLS.
    async fn send_first_request(
        &self,
        call: &RegistryRequest,
    ) -> Result<AuthorizedResponse, RequestErrorKind> {
        let anonymous = AuthScheme::Anonymous;
        if self.registry.scheme.get().is_some() {
            return self.follow_redirects(call, &anonymous).await;
        }
        let is_insecure = self.client.0.transport.is_insecure(&self.registry.name);
        match self.follow_redirects(call, &anonymous).await {
            Err(RequestErrorKind::Http(HttpError::Tls(text))) if !speaks_tls(&text) => {
                self.record_scheme(UrlScheme::Http);
                self.follow_redirects(call, &anonymous).await
            }
            // Nothing need listen on the port of TLS.
            Err(RequestErrorKind::Http(error @ HttpError::Connection(_))) if is_insecure => {
                let plain = UrlScheme::Http;
                let answer = self
                    .follow_redirects_from(call, &anonymous, Some(plain))
                    .await;
                let answer = answer.map_err(|_| RequestErrorKind::from(error))?;
                self.record_scheme(plain);
                Ok(answer)
            }
            // Without a response the scheme stays unknown.
            Err(RequestErrorKind::Http(error)) if error.is_transient() => Err(error.into()),
            outcome => {
                self.record_scheme(UrlScheme::Https);
                outcome
            }
        }
    }

    /// Records the scheme of the registry, and says how an insecure one is reached.
    fn record_scheme(&self, scheme: UrlScheme) {
        let (state, transport) = (&self.registry, &self.client.0.transport);
        if state.scheme.set(scheme).is_ok() && transport.is_insecure(&state.name) {
            let how = match scheme {
                UrlScheme::Http => "plain HTTP",
                UrlScheme::Https => "TLS without verification of its certificate",
            };
            let text = format!("insecure-registries: {} is reached by {how}", state.name);
            self.client.notices().warning(text);
        }
    }

    /// Sends a request and follows its redirects. The authorization goes to the registry only.
    async fn follow_redirects(
        &self,
        call: &RegistryRequest,
        scheme: &AuthScheme,
    ) -> Result<AuthorizedResponse, RequestErrorKind> {
        let known = self.registry.scheme.get().copied();
        self.follow_redirects_from(call, scheme, known).await
    }

    async fn follow_redirects_from(
        &self,
        call: &RegistryRequest,
        scheme: &AuthScheme,
        url_scheme: Option<UrlScheme>,
    ) -> Result<AuthorizedResponse, RequestErrorKind> {
        let mut url = call.url.clone();
        if url_scheme == Some(UrlScheme::Http) && url.scheme() == "https" {
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
        let http = self.client.http();
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
        let timing = self.timing();
        let mut sending = Box::pin(http.send(request));
        match tokio::time::timeout(timing.stall, &mut sending).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => {
                let error = HttpError::from_reqwest(&error, timing);
                return Err(self.blame(url, http.name_proxy(url, error).await));
            }
            Err(_) => {}
        }
        if call.opening.is_some() {
            self.cancel_late_session(call.clone(), sending);
        }
        Err(self.blame(url, HttpError::Stalled(timing.stall)))
    }

    /// Returns the failure of a request to an address, with the host if it is not the registry's.
    fn blame(&self, url: &Url, error: HttpError) -> RequestErrorKind {
        match self.is_own_url(url) {
            true => error.into(),
            false => RequestErrorKind::Redirected {
                host: host_and_port(url),
                cause: Box::new(error.into()),
            },
        }
    }
}

/// Returns whether a failed TLS connection shows a server that uses TLS: it was about a certificate, or the
/// server sent an alert.
fn speaks_tls(failure: &str) -> bool {
    failure.contains("certificate") || failure.contains("fatal alert")
}
