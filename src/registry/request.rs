//! Request to a registry that can be repeated.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::OwnedRwLockReadGuard;
use url::Url;

use crate::http::ConnectionPool;

/// Guard that is held while a request may open an upload session.
pub(super) type SessionOpeningGuard = Arc<OwnedRwLockReadGuard<()>>;

/// Request to a registry that can be repeated.
#[derive(Clone)]
pub(super) struct RegistryRequest {
    pub(super) method: Method,
    /// Object of the request, for messages: `manifest 1.4.0`.
    pub(super) object: String,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) pool: ConnectionPool,
    /// Whether a redirect to another host is returned instead of followed.
    pub(super) stays_on_host: bool,
    /// Whether another request does as well, so that an internal error of the registry is not waited for.
    pub(super) is_optional: bool,
    /// Guard of a request that may open an upload session: a late response is waited for.
    pub(super) opening: Option<SessionOpeningGuard>,
}

impl RegistryRequest {
    /// Returns a request without headers and body, on the control connections.
    pub(super) fn new(method: Method, object: impl Into<String>, url: Url) -> Self {
        Self {
            method,
            object: object.into(),
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            pool: ConnectionPool::Control,
            stays_on_host: false,
            is_optional: false,
            opening: None,
        }
    }

    /// Adds a header.
    pub(super) fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }
}
