//! What a handler gives back: a status, headers, a body, and where the form of it is known from.

use std::io;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// The body of every answer. An error in it closes the connection.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Where the form of an answer is known from: a fixture's name or [`ASSUMED`].
#[derive(Clone)]
pub struct Source(pub String);

/// Marks an answer that no fixture shows.
pub const ASSUMED: &str = "assumed";

/// An answer; boxed, since it also travels as the error of a `Result`.
pub struct Answer(Box<Response<Body>>);

impl Answer {
    pub fn new(status: u16) -> Self {
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        Self(Box::new(response))
    }

    /// The errors envelope of the distribution spec.
    pub fn error(status: u16, code: &str, message: &str, detail: impl Into<Value>) -> Self {
        let error = json!({"code": code, "message": message, "detail": detail.into()});
        Self::new(status).json(&json!({ "errors": [error] }))
    }

    pub fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        let value = HeaderValue::from_str(value.as_ref()).expect("a header value");
        self.0.headers_mut().append(name, value);
        self
    }

    pub fn json(self, value: &Value) -> Self {
        self.header(CONTENT_TYPE.as_str(), "application/json")
            .bytes(value.to_string())
    }

    pub fn bytes(self, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        self.sized(
            size,
            Full::new(bytes).map_err(io::Error::other).boxed_unsync(),
        )
    }

    pub fn stream(self, size: u64, bytes: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        self.sized(size, stream_body(bytes.map(Ok)))
    }

    /// Names the fixture that shows this answer, or [`ASSUMED`].
    pub fn known_from(mut self, source: &str) -> Self {
        self.0.extensions_mut().insert(Source(source.to_owned()));
        self
    }

    pub fn into_response(self) -> Response<Body> {
        *self.0
    }

    fn sized(mut self, size: u64, body: Body) -> Self {
        self.0.headers_mut().insert(CONTENT_LENGTH, size.into());
        *self.0.body_mut() = body;
        self
    }
}

pub fn empty() -> Body {
    Empty::new().map_err(io::Error::other).boxed_unsync()
}

/// A body out of a stream of its parts.
pub fn stream_body(parts: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    StreamBody::new(parts.map(|part| part.map(Frame::data))).boxed_unsync()
}
