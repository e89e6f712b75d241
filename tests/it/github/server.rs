//! The test server: GitHub's API for one repository, over real HTTP.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::permission::{message, refusal};
use super::state::{GithubContent, GithubState};
use super::{actions, checks, comments, contents, deployments, metadata, pulls};
use crate::registry::{Answer, Bound, Call, Exchange, Fault, Handler, Host, Issuer, TestCa};

/// GitHub's API for `acme/web`, until it is dropped. Everything is permitted at first.
pub struct GithubServer {
    host: Host,
    state: GithubState,
    ca: Option<String>,
}

impl GithubServer {
    /// Starts it over TLS, with a certificate of an authority of its own: see [`GithubServer::ca_pem`].
    pub async fn start() -> Self {
        Self::start_signed_by(&TestCa::new()).await
    }

    /// Starts it over TLS, with a certificate of this authority.
    pub async fn start_signed_by(ca: &TestCa) -> Self {
        let bound = Bound::new(Some(&ca.valid())).await;
        Self::serve(bound, Some(ca.pem()))
    }

    /// Starts it without TLS: no client sends it a token.
    pub async fn start_plain() -> Self {
        Self::serve(Bound::new(None).await, None)
    }

    fn serve(bound: Bound, ca: Option<String>) -> Self {
        let state = GithubState::default();
        let api = GithubApiHandler {
            state: state.clone(),
            url: bound.url(),
        };
        let host = bound.serve(Arc::new(api));
        Self { host, state, ca }
    }

    /// `https://127.0.0.1:PORT`, for `GITHUB_API_URL`.
    pub fn url(&self) -> String {
        self.host.url.clone()
    }

    /// The authority of its certificate, for the client's trust store.
    pub fn ca_pem(&self) -> &str {
        self.ca.as_deref().expect("a server with TLS")
    }

    /// Looks into it, or changes it.
    pub fn with<T>(&self, change: impl FnOnce(&mut GithubContent) -> T) -> T {
        change(&mut self.state.lock())
    }

    pub fn log(&self) -> Vec<Exchange> {
        self.host.front.log()
    }

    /// Lines such as `POST /repos/acme/web/deployments 201`, in the order of arrival.
    pub fn requests(&self) -> Vec<String> {
        self.log().iter().map(Exchange::line).collect()
    }

    pub fn count(&self) -> usize {
        self.log().len()
    }

    pub fn clear_log(&self) {
        self.host.front.clear_log();
    }

    pub fn fault(&self, fault: Fault) {
        self.host.front.fault(fault);
    }

    pub fn clear_faults(&self) {
        self.host.front.clear_faults();
    }

    /// Waits until a fault has stopped it for good.
    pub async fn stopped(&self) {
        self.host.front.stopped().await;
    }

    /// Ends a stop.
    pub fn resume(&self) {
        self.host.front.resume();
    }

    /// Takes a permission such as `checks: read` from the token.
    pub fn forbid(&self, permission: &str) {
        self.with(|content| {
            let was_there = content.permissions.remove(permission);
            assert!(was_there, "{permission} is no permission of the token");
        });
    }

    /// Leaves the permission's name out of refusals.
    pub fn hide_permissions(&self) {
        self.with(|content| content.names_permissions = false);
    }
}

struct GithubApiHandler {
    state: GithubState,
    url: String,
}

impl Handler for GithubApiHandler {
    fn handle<'a>(&'a self, call: &'a mut Call) -> BoxFuture<'a, Answer> {
        async move {
            let body = call.read(32 << 20).await.unwrap_or_default();
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            self.answer(call, &body)
        }
        .boxed()
    }

    fn issuer(&self) -> Option<&Issuer> {
        None
    }
}

impl GithubApiHandler {
    fn answer(&self, call: &Call, body: &Value) -> Answer {
        let segments: Vec<String> = call.path.split('/').skip(1).map(decoded).collect();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let mut content = self.state.lock();
        if let Some(refusal) = refusal(&content, call, &path) {
            return refusal;
        }
        let request = ApiRequest {
            call,
            body,
            method: call.method.as_str(),
            url: &self.url,
        };
        let repository = content.repository.clone();
        let found = match path.as_slice() {
            ["repos", owner, name, rest @ ..] if format!("{owner}/{name}") == repository => {
                answer_repository(&mut content, &request, rest)
            }
            ["orgs", owner, rest @ ..] if *owner == content.owner() => {
                metadata::answer(&mut content, &request, rest)
            }
            _ => None,
        };
        found.unwrap_or_else(|| message(404, "Not Found"))
    }
}

/// A request that is read whole.
pub struct ApiRequest<'a> {
    pub call: &'a Call,
    pub body: &'a Value,
    pub method: &'a str,
    /// The server's own address, for links.
    pub url: &'a str,
}

impl ApiRequest<'_> {
    /// A member of the body that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body[name].as_str()
    }
}

fn answer_repository(
    content: &mut GithubContent,
    request: &ApiRequest<'_>,
    path: &[&str],
) -> Option<Answer> {
    match (request.method, path) {
        ("POST", ["attestations"]) => {
            content.attestations.push(request.body["bundle"].clone());
            let id = content.next_id();
            Some(Answer::new(201).json(&json!({ "id": id })))
        }
        ("GET", [] | ["contents", ..] | ["commits", _]) => contents::answer(content, request, path),
        ("GET", ["commits", sha, "pulls"]) => Some(pulls::list(content, request, sha)),
        ("GET", ["commits", ..]) => checks::answer(content, request, path),
        ("GET", ["actions", ..]) => actions::answer(content, request, path),
        (_, ["issues", ..]) => comments::answer(content, request, path),
        (_, ["deployments", ..]) => deployments::answer(content, request, path),
        _ => None,
    }
}

/// A segment of a path without percent-encoding.
fn decoded(segment: &str) -> String {
    let text = segment.replace('+', "%2B");
    let pair = url::form_urlencoded::parse(text.as_bytes()).next();
    pair.map(|(name, _)| name.into_owned()).unwrap_or_default()
}
