//! Connection to GitHub's API: octocrab's requests, over the connections of `http/`.
//!
//! octocrab has a client of its own, which would bound no response, know no stall and repeat POSTs. It takes a service
//! in its place: this one sends each request as every other service's is sent, with the program's roots, proxies, limits
//! and retries.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use octocrab::{AuthState, OctoBody, Octocrab};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tower_service::Service;
use url::Url;

use crate::http::{HttpClient, HttpError, ServiceRequest, ServiceResponse};

/// Connection to GitHub's API. Its clones share it.
#[derive(Clone)]
pub(super) struct ApiConnection {
    client: HttpClient,
    octocrab: Arc<OnceLock<Octocrab>>,
}

/// Request to GitHub's API.
pub(super) struct ApiRequest<'a> {
    /// HTTP method.
    pub(super) method: Method,
    /// Address.
    pub(super) url: &'a Url,
    /// Headers, with the token.
    pub(super) headers: HeaderMap,
    /// JSON; `None`: no body.
    pub(super) body: Option<&'a Value>,
    /// Longest response, in bytes.
    pub(super) limit: usize,
    /// Whether transient failures repeat the request.
    pub(super) is_repeated: bool,
}

/// What the caller tells the service of a request.
#[derive(Clone, Copy)]
struct SendOptions {
    /// Longest response, in bytes.
    limit: usize,
    is_repeated: bool,
}

/// Failure of a request, from the service to the caller: octocrab's own error would hide what it was.
#[derive(Clone)]
struct FailedRequest(HttpError);

/// Options of a request without any.
const ONE_SHORT: SendOptions = SendOptions {
    limit: 0,
    is_repeated: false,
};

impl ApiConnection {
    /// Returns a connection by the connections of a client.
    pub(super) fn new(client: HttpClient) -> Self {
        Self {
            client,
            octocrab: Arc::default(),
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// No response, or a longer one.
    pub(super) async fn send(&self, request: ApiRequest<'_>) -> Result<ServiceResponse, HttpError> {
        let octocrab = self.octocrab.get_or_init(|| self.open());
        let mut builder = http::Request::builder()
            .method(request.method)
            .uri(request.url.as_str())
            .extension(SendOptions {
                limit: request.limit,
                is_repeated: request.is_repeated,
            });
        if let Some(headers) = builder.headers_mut() {
            headers.extend(request.headers);
        }
        let request = octocrab.build_request(builder, request.body);
        let request = request.map_err(|error| invalid(&error))?;
        let response = octocrab
            .execute(request)
            .await
            .map_err(|error| invalid(&error))?;
        if let Some(FailedRequest(error)) = response.extensions().get() {
            return Err(error.clone());
        }
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| invalid(&error))?;
        Ok(ServiceResponse {
            status: parts.status,
            headers: parts.headers,
            body: body.to_bytes(),
        })
    }

    fn open(&self) -> Octocrab {
        let service = ApiService(self.client.clone());
        let octocrab = octocrab::OctocrabBuilder::new_empty()
            .with_service(service)
            .with_auth(AuthState::None)
            .build();
        match octocrab {
            Ok(octocrab) => octocrab,
            Err(never) => match never {},
        }
    }
}

fn invalid(error: &octocrab::Error) -> HttpError {
    HttpError::InvalidResponse(error.to_string())
}

/// What octocrab sends its requests by.
struct ApiService(HttpClient);

impl Service<http::Request<OctoBody>> for ApiService {
    type Response = http::Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<OctoBody>) -> Self::Future {
        let client = self.0.clone();
        async move {
            let sent = send_by(&client, request).await;
            Ok(match sent {
                Ok(response) => to_http(response),
                Err(error) => {
                    let mut failed = http::Response::new(Full::default());
                    failed.extensions_mut().insert(FailedRequest(error));
                    failed
                }
            })
        }
        .boxed()
    }
}

async fn send_by(
    client: &HttpClient,
    request: http::Request<OctoBody>,
) -> Result<ServiceResponse, HttpError> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|error| invalid(&error))?;
    let uri = parts.uri.to_string();
    let url = uri.parse();
    let SendOptions { limit, is_repeated } = parts.extensions.get().copied().unwrap_or(ONE_SHORT);
    let request = ServiceRequest {
        service: "GitHub's API",
        url: url.map_err(|_| HttpError::InvalidResponse(format!("{uri} is no address")))?,
        headers: parts.headers,
        body: body.to_bytes(),
        method: parts.method,
    };
    match is_repeated {
        true => client.send_to_service_within(&request, limit).await,
        false => client.send_to_service_once(&request, limit).await,
    }
}

fn to_http(response: ServiceResponse) -> http::Response<Full<Bytes>> {
    let mut answer = http::Response::new(Full::new(response.body));
    *answer.status_mut() = response.status;
    *answer.headers_mut() = response.headers;
    answer
}
