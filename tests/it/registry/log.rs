//! What was asked and answered, in the order of arrival.

use std::time::Instant;

use hyper::Version;

use super::call::{Call, Presented};
use super::issuer::Issuer;
use super::route::Route;

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub version: Version,
    pub method: String,
    /// Percent-decoded, with the ids of upload sessions replaced by `<upload>`.
    pub path_and_query: String,
    /// Which part of a blob is asked for (`Range`) or sent (`Content-Range`).
    pub range: Option<String>,
    /// `None` while there is no answer, or when there never was one.
    pub status: Option<u16>,
    pub repository: Option<String>,
    pub authorization: Authorization,
    /// The fixture that shows this answer, `assumed`, or `None` where the spec says it all.
    pub known_from: Option<String>,
    pub arrived: Instant,
    pub answered: Option<Instant>,
}

/// The kind of credential that came with a request, never the credential itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Authorization {
    None,
    Basic,
    /// The scopes that the token grants; none for a token that is not (or no longer) valid.
    Bearer(Vec<String>),
}

impl Exchange {
    pub fn begin(call: &Call, issuer: Option<&Issuer>) -> Self {
        Self {
            version: call.version,
            method: call.method.to_string(),
            path_and_query: normalised(call),
            range: call
                .header("range")
                .or(call.header("content-range"))
                .map(str::to_owned),
            status: None,
            repository: Route::parse(&call.path).repository().map(str::to_owned),
            authorization: authorization(call, issuer),
            known_from: None,
            arrived: Instant::now(),
            answered: None,
        }
    }

    /// `HEAD /v2/team/app/manifests/1.4.0 404`; a dash where no answer came.
    pub fn line(&self) -> String {
        let status = self
            .status
            .map_or("-".to_owned(), |status| status.to_string());
        format!("{} {status}", self.request())
    }

    /// The line without the status.
    pub fn request(&self) -> String {
        format!("{} {}", self.method, self.path_and_query)
    }
}

fn authorization(call: &Call, issuer: Option<&Issuer>) -> Authorization {
    match call.presented() {
        Presented::Nothing => Authorization::None,
        Presented::Basic { .. } => Authorization::Basic,
        Presented::Bearer(token) => Authorization::Bearer(
            issuer
                .map(|issuer| issuer.scopes(&token))
                .unwrap_or_default(),
        ),
    }
}

/// The path and the query without what differs from run to run.
fn normalised(call: &Call) -> String {
    let path = match Route::parse(&call.path) {
        Route::Upload { repository, .. } => format!("/v2/{repository}/blobs/uploads/<upload>"),
        _ => call.path.replace("%3A", ":").replace("%3a", ":"),
    };
    let kept = call.query.iter().filter(|(name, _)| name != "_state");
    let query: Vec<String> = kept
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if query.is_empty() {
        path
    } else {
        format!("{path}?{}", query.join("&"))
    }
}
