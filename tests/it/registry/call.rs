//! One request, as the handlers read it.

use std::collections::BTreeMap;
use std::future::pending;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, Method, Request, Version};
use url::form_urlencoded;

use super::connection::Connection;

/// A request whose body is still to be read.
pub struct Call {
    pub version: Version,
    pub method: Method,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Incoming,
    cut: Option<Cut>,
}

/// Where a body breaks off.
struct Cut {
    left: u64,
    connection: Connection,
}

impl Call {
    pub fn new(request: Request<Incoming>) -> Self {
        let (head, body) = request.into_parts();
        Self {
            version: head.version,
            method: head.method,
            path: head.uri.path().to_owned(),
            query: pairs(head.uri.query().unwrap_or_default().as_bytes()),
            headers: head.headers,
            body,
            cut: None,
        }
    }

    /// Resets the connection once so many bytes of the body were read.
    pub fn cut_after(&mut self, bytes: u64, connection: &Connection) {
        self.cut = Some(Cut {
            left: bytes,
            connection: connection.clone(),
        });
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next part of the body; `None` at its end.
    pub async fn part(&mut self) -> Result<Option<Bytes>, hyper::Error> {
        if let Some(cut) = self.cut.as_ref().filter(|cut| cut.left == 0) {
            cut.connection.reset();
            return pending().await;
        }
        while let Some(frame) = self.body.frame().await {
            if let Ok(mut data) = frame?.into_data() {
                if let Some(cut) = &mut self.cut {
                    data.truncate(data.len().min(cut.left as usize));
                    cut.left -= data.len() as u64;
                }
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// Reads the body up to a limit; `None` when it is longer or breaks off.
    pub async fn read(&mut self, limit: usize) -> Option<Bytes> {
        let mut bytes = Vec::new();
        while let Some(part) = self.part().await.ok()? {
            bytes.extend_from_slice(&part);
            if bytes.len() > limit {
                return None;
            }
        }
        Some(bytes.into())
    }

    /// Reads what nobody has read, at most `limit` bytes: an answer sent over unread data
    /// would be lost with the connection.
    pub async fn drain(&mut self, limit: u64) {
        let mut read = 0;
        while read < limit {
            match self.part().await {
                Ok(Some(part)) => read += part.len() as u64,
                Ok(None) | Err(_) => return,
            }
        }
    }

    pub async fn form(&mut self) -> BTreeMap<String, String> {
        let body = self.read(64 * 1024).await.unwrap_or_default();
        pairs(&body).into_iter().collect()
    }

    pub fn presented(&self) -> Presented {
        Presented::read(&self.headers)
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

/// What the `Authorization` header holds.
pub enum Presented {
    Nothing,
    Basic { user: String, password: String },
    Bearer(String),
}

impl Presented {
    pub fn read(headers: &HeaderMap) -> Self {
        let text = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        match text.and_then(|text| text.split_once(' ')) {
            Some(("Bearer", token)) => Self::Bearer(token.to_owned()),
            Some(("Basic", encoded)) => basic(encoded).unwrap_or(Self::Nothing),
            _ => Self::Nothing,
        }
    }
}

fn basic(encoded: &str) -> Option<Presented> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Presented::Basic {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}
