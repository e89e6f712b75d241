//! One request: its authorization, its redirects, and sending it again.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::addresses;
use super::auth::{self, Scheme};
use super::body::{ERROR_LIMIT, Whole, read_limited, read_whole};
use super::error::{Cause, Error, cause, read_envelope};
use super::http::Lane;
use super::pace::Permit;
use super::upload::Opening;
use super::{Remote, Wire, retry};

/// A request that can be sent again as it is.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    /// What is asked for, for messages: `manifest 1.4.0`.
    pub(super) object: String,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) lane: Lane,
    /// Whether a redirect to another host is an answer of its own, and not followed.
    pub(super) stays: bool,
    /// Held where it may open an upload session: an answer that comes too late is waited for.
    pub(super) opening: Option<Opening>,
}

/// An answer, and what was shown to get it.
struct Answer {
    response: Response,
    authorization: Option<HeaderValue>,
}

/// Why a try did not do, and how long the registry wants to be left alone.
struct Passing {
    cause: Cause,
    pause: Option<Duration>,
}

impl Passing {
    fn of(cause: Cause) -> Self {
        Self { cause, pause: None }
    }
}

const REDIRECTS: usize = 5;
/// How often a request may be refused for want of authorization: once to learn what is wanted, once
/// because a token died early.
const LOGINS: u32 = 2;
impl Call {
    pub(super) fn new(method: Method, object: impl Into<String>, url: Url) -> Self {
        Self {
            method,
            object: object.into(),
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            lane: Lane::Control,
            stays: false,
            opening: None,
        }
    }

    pub(super) fn header(mut self, name: reqwest::header::HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }
}

impl Remote {
    /// An address below this repository's name.
    pub(super) fn url(&self, rest: &str) -> Url {
        let api = self.host.name.api_host();
        let scheme = self.host.wire.get().map_or("https", |wire| wire.scheme());
        // Every part is of a checked type, so this is an address.
        Url::parse(&format!(
            "{scheme}://{api}/v2/{}/{rest}",
            self.repository.path()
        ))
        .expect("a checked registry, path and object make an address")
    }

    pub(super) fn error(&self, call: &Call, cause: Cause) -> Error {
        Error {
            registry: self.host.name.clone(),
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
    pub(super) async fn call(&self, call: &Call) -> Result<Response, Error> {
        self.settle(call, |response| std::future::ready(Ok(response)))
            .await
    }

    /// As [`Remote::call`], with the body of a success: one that breaks off is asked for again. The
    /// answer comes back as it is where it is a refusal.
    pub(super) async fn whole(
        &self,
        call: &Call,
        limit: usize,
    ) -> Result<Result<Whole<'_>, Response>, Error> {
        let (timing, turns) = (self.timing(), self.client.large_answers());
        self.settle(call, |response| async move {
            if !response.status().is_success() {
                return Ok(Err(response));
            }
            read_whole(response, limit, timing, turns).await.map(Ok)
        })
        .await
    }

    async fn settle<T, F>(&self, call: &Call, read: impl Fn(Response) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Cause>>,
    {
        let timing = self.client.0.http.settings.timing;
        let (mut tried, mut logins) = (0, 0);
        loop {
            let outcome = self.attempt(call).await;
            if let Ok(answer) = &outcome
                && self.is_over_scope(answer, logins)
            {
                self.host.auth.go_alone(&self.scopes);
                continue;
            }
            if logins < LOGINS
                && let Ok(answer) = &outcome
                && answer.response.status() == StatusCode::UNAUTHORIZED
                && self.learn_from(call, answer)?
            {
                logins += 1;
                continue;
            }
            tried += 1;
            let last = tried >= timing.attempts;
            let passing = match outcome {
                Ok(answer) => self.judge(call, answer.response, last, &read).await,
                Err(cause) => Err(Passing::of(cause)),
            };
            let Passing { cause, pause } = match passing {
                Ok(value) => return Ok(value),
                Err(passing) => passing,
            };
            let error = self.error(call, cause);
            if last || !error.is_transient() {
                return Err(error);
            }
            let pause = pause.unwrap_or_else(|| retry::delay(timing.retry, tried));
            self.say_retry(call, &error.cause, pause, tried, timing.attempts);
            tokio::time::sleep(pause).await;
        }
    }

    /// Reads an answer, unless it only says "not now" and there is another try.
    async fn judge<T, F>(
        &self,
        call: &Call,
        response: Response,
        last: bool,
        read: impl Fn(Response) -> F,
    ) -> Result<T, Passing>
    where
        F: Future<Output = Result<T, Cause>>,
    {
        let status = response.status();
        if !retry::is_transient(status) {
            self.host.answered(call.lane);
            return read(response).await.map_err(Passing::of);
        }
        let pause = self.host.held_back(status, response.headers());
        if last {
            return read(response).await.map_err(Passing::of);
        }
        let cause = Cause::Status {
            status,
            code: None,
            message: String::new(),
        };
        Err(Passing { cause, pause })
    }

    /// As [`Remote::call`]; any status but success is an error.
    pub(super) async fn succeed(&self, call: &Call) -> Result<Response, Error> {
        let response = self.call(call).await?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(self.refusal(call, response).await)
        }
    }

    /// The error that a refusing answer amounts to.
    pub(super) async fn refusal(&self, call: &Call, response: Response) -> Error {
        let status = response.status();
        let elsewhere = (!self.is_own(response.url())).then(|| auth::host_of(response.url()));
        let body = read_limited(response, ERROR_LIMIT, self.timing())
            .await
            .unwrap_or_default();
        let (code, message) = match elsewhere {
            None => read_envelope(&body),
            // A registry must not have us show what is not for it to see.
            Some(host) => (
                None,
                format!("this is the answer of {host}, where it leads"),
            ),
        };
        self.error(
            call,
            Cause::Status {
                status,
                code,
                message,
            },
        )
    }

    /// Whether an address is the registry's own, so that its authorization may go there.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        let own = self.url("");
        (url.scheme(), url.host_str(), url.port_or_known_default())
            == (own.scheme(), own.host_str(), own.port_or_known_default())
    }

    /// The authorization for an address of this registry, once it is known what the registry wants.
    pub(super) async fn authorization(
        &self,
        url: &Url,
        scheme: &Scheme,
    ) -> Result<Option<HeaderValue>, Cause> {
        if !self.is_own(url) {
            return Ok(None);
        }
        self.host
            .auth
            .header(
                &self.client.0.http,
                scheme,
                &self.repository,
                &self.scopes,
                self.shared.as_ref(),
            )
            .await
    }

    /// A place among the requests in flight. Who moves bulk has one for all that it takes: a slot.
    pub(super) async fn enter(&self, lane: Lane) -> Option<Permit> {
        match lane {
            Lane::Control => Some(self.host.control.enter().await),
            Lane::Bulk => None,
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Answer, Cause> {
        let _permit = self.enter(call.lane).await;
        // Those that queue for their turn are held back as well.
        self.host.gate.wait().await;
        if let Some(scheme) = self.host.auth.scheme() {
            return self.follow(call, &scheme).await;
        }
        // Nobody knows yet what the registry wants: one request finds out, the others wait for it.
        let turn = self.host.auth.turn().await?;
        if let Some(scheme) = self.host.auth.scheme() {
            drop(turn);
            return self.follow(call, &scheme).await;
        }
        let answer = match self.first(call).await {
            Err(cause @ (Cause::Connection(_) | Cause::Tls(_) | Cause::Stalled)) => {
                turn.unanswered(&cause);
                return Err(cause);
            }
            outcome => outcome?,
        };
        let status = answer.response.status();
        if retry::is_transient(status) {
            // It says nothing of what is wanted.
        } else if status != StatusCode::UNAUTHORIZED || !self.is_own(answer.response.url()) {
            self.host.auth.learn(Scheme::Open);
        } else if let Ok(scheme) = auth::challenge(answer.response.headers()) {
            self.host.auth.learn(scheme);
        }
        Ok(answer)
    }

    /// The first request to a registry, without authorization. A registry on this machine may speak
    /// TLS or not; all others speak it unless the user said otherwise.
    async fn first(&self, call: &Call) -> Result<Answer, Cause> {
        if self.host.wire.get().is_some() || !self.host.name.is_loopback() {
            return self.follow(call, &Scheme::Open).await;
        }
        match self.follow(call, &Scheme::Open).await {
            Err(Cause::Tls(text)) if !text.contains("certificate") => {
                let _ = self.host.wire.set(Wire::Plain);
                self.follow(call, &Scheme::Open).await
            }
            // Nobody answered, so nothing is known.
            Err(cause @ (Cause::Connection(_) | Cause::Stalled)) => Err(cause),
            outcome => {
                let _ = self.host.wire.set(Wire::Tls);
                outcome
            }
        }
    }

    /// Sends a request where it leads. The authorization goes to the registry itself alone.
    async fn follow(&self, call: &Call, scheme: &Scheme) -> Result<Answer, Cause> {
        let mut url = call.url.clone();
        if self.host.wire.get() == Some(&Wire::Plain) && url.scheme() == "https" {
            let _ = url.set_scheme("http");
        }
        for _ in 0..=REDIRECTS {
            let authorization = self.authorization(&url, scheme).await?;
            let response = self.send(call, &url, authorization.as_ref()).await?;
            if !response.status().is_redirection()
                || !matches!(call.method, Method::GET | Method::HEAD)
            {
                return Ok(Answer {
                    response,
                    authorization,
                });
            }
            let to = redirect(&url, response.headers())?;
            if call.stays && !self.is_own(&to) {
                return Ok(Answer {
                    response,
                    authorization,
                });
            }
            url = to;
        }
        Err(Cause::Protocol(format!("more than {REDIRECTS} redirects")))
    }

    async fn send(
        &self,
        call: &Call,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Cause> {
        let http = &self.client.0.http;
        let mut request = http
            .client(url, call.lane)
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
            self.close_late(call.clone(), sending);
        }
        Err(Cause::Stalled)
    }

    /// Whether a token of the shared login was good, and not for this repository: some registries
    /// grant several scopes at once, some one, and some not all.
    fn is_over_scope(&self, answer: &Answer, logins: u32) -> bool {
        let is_shared = answer.authorization.as_ref().is_some_and(|shown| {
            shown.as_bytes().starts_with(b"Bearer ") && self.login() != &self.scopes
        });
        is_shared
            && match answer.response.status() {
                StatusCode::FORBIDDEN => true,
                // Not all say so. A token that merely died is replaced first.
                StatusCode::UNAUTHORIZED => {
                    logins >= LOGINS || auth::wants_other_scope(answer.response.headers())
                }
                _ => false,
            }
    }

    /// Takes a 401 to heart; `false` where the same request would only be refused again.
    fn learn_from(&self, call: &Call, answer: &Answer) -> Result<bool, Error> {
        let at = answer.response.url();
        if !self.is_own(at) {
            // What another host asks for says nothing of the registry, whose login stays here.
            let asks = format!("it leads to {}, which asks for a login", auth::host_of(at));
            return Err(self.error(call, Cause::Protocol(asks)));
        }
        let challenge = auth::challenge(answer.response.headers());
        if let Some(refused) = &answer.authorization {
            self.host.auth.forget(self.login(), refused);
            if matches!(challenge, Ok(Scheme::Basic)) {
                return Ok(false);
            }
        }
        match challenge {
            Ok(scheme) => {
                let hopeless = scheme == Scheme::Basic && self.is_anonymous();
                self.host.auth.learn(scheme);
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
            Err(reason) => Err(self.error(call, Cause::Protocol(reason))),
        }
    }

    fn say_retry(&self, call: &Call, why: &Cause, pause: Duration, tried: u32, attempts: u32) {
        self.client.notices().info(format!(
            "{}: {} {}: {why}; trying again in {:.1} s ({tried} of {} tries)",
            self.host.name,
            call.method,
            call.object,
            pause.as_secs_f64(),
            attempts,
        ));
    }
}

/// Where an answer's `Location` points.
pub(super) fn redirect(from: &Url, headers: &HeaderMap) -> Result<Url, Cause> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let location =
        location.ok_or_else(|| Cause::Protocol("it has no Location to go on to".to_owned()))?;
    redirect_to(from, location)
}

/// Returns the address that `location` is, seen from `from`. From https it never goes down to http,
/// and never to an address that only this machine can reach, unless it is there already.
pub(super) fn redirect_to(from: &Url, location: &str) -> Result<Url, Cause> {
    let to = from
        .join(location)
        .map_err(|_| Cause::Protocol("a Location that is no address".to_owned()))?;
    match (from.scheme(), to.scheme()) {
        (_, "https") | ("http", "http") => {}
        (from, to) => {
            return Err(Cause::Protocol(format!("it leads from {from} to {to}")));
        }
    }
    match addresses::is_out_of_bounds(&to, addresses::is_this_machine(from)) {
        true => Err(Cause::Protocol(format!(
            "it leads to {}, which only this machine can reach",
            auth::host_of(&to)
        ))),
        false => Ok(to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(from: &str, to: &str) -> Result<String, String> {
        let headers = [(LOCATION, to.parse().unwrap())].into_iter().collect();
        redirect(&from.parse().unwrap(), &headers)
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
        let led = |from: &str, to: &str| redirect_to(&from.parse().unwrap(), to);
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
