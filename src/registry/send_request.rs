//! Sends requests to a registry: logins, retries, and errors of refusals.

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{Response, StatusCode};
use url::Url;

use super::attempt_request::AuthorizedResponse;
use super::challenge::{AuthScheme, parse_challenge, wants_other_scope};
use super::error::{RegistryError, RequestErrorKind};
use super::error_envelope::parse_error_envelope;
use super::repository_client::RepositoryClient;
use super::request::RegistryRequest;
use super::token_scopes::TokenScopes;
use crate::http::{
    Attempt, AttemptError, BufferedResponse, ERROR_LIMIT, host_and_port, is_transient, is_web_page,
    read_buffered, read_limited, retry,
};

/// Most logins for one request: one to learn the scheme, one because a token expired early.
const LOGINS_LIMIT: u32 = 2;

impl RepositoryClient {
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
        let credentials = &self.client.0.transport.credentials;
        credentials.is_anonymous(&self.repository)
    }

    /// Sends a request: logs in, follows redirects, and retries transient failures. The status of the
    /// response may still be a refusal.
    pub(super) async fn send(&self, call: &RegistryRequest) -> Result<Response, RegistryError> {
        self.send_with_retry(call, |response| std::future::ready(Ok(response)))
            .await
    }

    /// Sends a request as [`RepositoryClient::send`] does, and reads the body of a success. A broken body
    /// is requested again. A refusal is returned as it is.
    pub(super) async fn send_buffered(
        &self,
        call: &RegistryRequest,
        limit: usize,
    ) -> Result<Result<BufferedResponse<'_>, Response>, RegistryError> {
        let (timing, turns) = (self.timing(), self.client.large_answers());
        self.send_with_retry(call, |response| async move {
            if !response.status().is_success() {
                return Ok(Err(response));
            }
            if is_web_page(response.headers()) {
                return Err(RequestErrorKind::WebPage);
            }
            let buffered = read_buffered(response, limit, timing, turns).await;
            Ok(Ok(buffered?))
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
        let (read, logins) = (&read, &AtomicU32::new(0));
        let describe = |error: &RegistryError| match &error.cause {
            // All requests in flight fail alike: one of them says so.
            RequestErrorKind::Http(unanswered) if unanswered.is_transient() => {
                let is_first = self.registry.mark_unanswered();
                is_first.then(|| format!("{}: {unanswered}", error.registry))
            }
            cause => {
                let (method, object) = (&call.method, &call.object);
                Some(format!("{}: {method} {object}: {cause}", error.registry))
            }
        };
        let send = |attempt: Attempt| async move {
            match self.send_authorized(call, logins).await {
                Ok(response) => self.read_response(call, response, attempt, read).await,
                Err(error) => {
                    let is_transient = error.is_transient();
                    Err(AttemptError::new(error, is_transient))
                }
            }
        };
        let sending = retry(self.timing(), self.client.notices(), describe, send);
        // Boxed, since the futures of a release nest deeper than the compiler follows.
        let sent: Result<T, RegistryError> = Box::pin(sending).await;
        sent.map_err(|error| error.after_attempts(self.timing().attempts))
    }

    /// Sends a request, and logs in as its responses require. `logins` counts the logins of all attempts.
    async fn send_authorized(
        &self,
        call: &RegistryRequest,
        logins: &AtomicU32,
    ) -> Result<Response, RegistryError> {
        loop {
            let outcome = self.attempt_request(call).await;
            let answer = outcome.map_err(|cause| self.error(call, cause))?;
            let count = logins.load(Ordering::Relaxed);
            if let Some(wider) = self.exceeded_scopes(&answer, count) {
                self.registry.auth.record_ungranted(&self.scopes, &wider);
                continue;
            }
            if count < LOGINS_LIMIT
                && answer.response.status() == StatusCode::UNAUTHORIZED
                && self.learn_auth_scheme(call, &answer)?
            {
                logins.store(count + 1, Ordering::Relaxed);
                continue;
            }
            return Ok(answer.response);
        }
    }

    /// Reads a response, unless it says "not now" and another attempt follows.
    async fn read_response<T, F>(
        &self,
        call: &RegistryRequest,
        response: Response,
        attempt: Attempt,
        read: impl Fn(Response) -> F,
    ) -> Result<T, AttemptError<RegistryError>>
    where
        F: Future<Output = Result<T, RequestErrorKind>>,
    {
        let status = response.status();
        if self.is_own_url(response.url()) {
            self.registry.note_server_time(response.headers());
        }
        if is_transient(status)
            && !(call.is_optional && status == StatusCode::INTERNAL_SERVER_ERROR)
        {
            let pause = self.registry.back_off(status, response.headers());
            if !attempt.is_last {
                let cause = RequestErrorKind::Status {
                    status,
                    code: None,
                    message: String::new(),
                };
                return Err(AttemptError::new_transient(self.error(call, cause), pause));
            }
        } else {
            self.registry.record_answer(call.pool);
        }
        read(response).await.map_err(|cause| {
            let error = self.error(call, cause);
            let is_transient = error.is_transient();
            AttemptError::new(error, is_transient)
        })
    }

    /// Sends a request as [`RepositoryClient::send`] does, and makes every refusal an error.
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

    /// Returns the error for a refusal.
    pub(super) async fn error_from_response(
        &self,
        call: &RegistryRequest,
        response: Response,
    ) -> RegistryError {
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED && self.shows_password(response.url()) {
            let credentials = &self.client.0.transport.credentials;
            let login = credentials.describe_login(&self.repository);
            let login = format!("{login} is rejected: {status}");
            return self.error(call, RequestErrorKind::LoginRejected(login));
        }
        let at = response.url();
        let elsewhere = (!self.is_own_url(at)).then(|| host_and_port(at));
        let body = read_limited(response, ERROR_LIMIT, self.timing())
            .await
            .unwrap_or_default();
        let (code, message) = match elsewhere {
            None => parse_error_envelope(&body),
            // The registry may lead to a host whose responses it must not see.
            Some(_) => (None, String::new()),
        };
        let refusal = RequestErrorKind::Status {
            status,
            code,
            message,
        };
        let cause = match elsewhere {
            None => refusal,
            Some(host) => RequestErrorKind::Redirected {
                host,
                cause: Box::new(refusal),
            },
        };
        self.error(call, cause)
    }

    /// Returns whether a request to `url` shows a user name and password itself.
    fn shows_password(&self, url: &Url) -> bool {
        let is_basic = self.registry.auth.scheme() == Some(AuthScheme::Basic);
        is_basic && self.is_own_url(url) && !self.is_anonymous()
    }

    /// Returns the scopes of a token for several repositories that is valid but lacks this one: some token
    /// services grant several scopes in one token, some the last alone, and some not all.
    fn exceeded_scopes(&self, answer: &AuthorizedResponse, logins: u32) -> Option<TokenScopes> {
        let is_refused = match answer.response.status() {
            StatusCode::FORBIDDEN => true,
            // Not all registries say so. An expired token is replaced first.
            StatusCode::UNAUTHORIZED => {
                logins >= LOGINS_LIMIT || wants_other_scope(answer.response.headers())
            }
            _ => false,
        };
        let shown = answer.authorization.as_ref().filter(|_| is_refused)?;
        let shown = shown.as_bytes().starts_with(b"Bearer ").then_some(shown)?;
        let scopes = self.registry.auth.scopes_of(shown);
        let scopes = scopes.unwrap_or_else(|| self.login_scopes().clone());
        (scopes != self.single_scope).then_some(scopes)
    }

    /// Learns the scheme from a 401. Returns `false` if a repeated request would be refused again.
    fn learn_auth_scheme(
        &self,
        call: &RegistryRequest,
        answer: &AuthorizedResponse,
    ) -> Result<bool, RegistryError> {
        let at = answer.response.url();
        if !self.is_own_url(at) {
            // The challenge of another host tells nothing about the registry, whose credential stays here.
            let asks = format!("redirect to {}, which requires a login", host_and_port(at));
            return Err(self.error(call, RequestErrorKind::Protocol(asks)));
        }
        let challenge = parse_challenge(answer.response.headers());
        if let Some(refused) = &answer.authorization {
            self.registry.auth.forget_token(refused);
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
            // A 401 without a challenge is a plain refusal.
            Err(_) if !answer.response.headers().contains_key(WWW_AUTHENTICATE) => Ok(false),
            Err(reason) => Err(self.error(call, RequestErrorKind::Protocol(reason))),
        }
    }
}
