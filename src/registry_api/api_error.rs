//! Errors of registries' own APIs.

use jiff::Timestamp;
use reqwest::StatusCode;
use thiserror::Error;

use crate::http::HttpError;

/// Reason why a registry's own API could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{service}{}: {kind}", at_host(host))]
pub struct RegistryApiError {
    /// Name of the API: `GitHub's packages API`.
    pub service: &'static str,
    /// Host that failed, with its port.
    pub host: Box<str>,
    /// What failed.
    pub kind: RegistryApiErrorKind,
    /// Login that the API wants, with its permissions.
    pub needs: &'static str,
}

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegistryApiErrorKind {
    /// There is no login that the API takes.
    #[error("there is no login for it: {0}")]
    NoLogin(&'static str),
    /// It refuses the login.
    #[error("{method} {path} answered {status}: {message}")]
    Refused {
        /// HTTP method.
        method: Box<str>,
        /// Path of the request.
        path: Box<str>,
        /// Status.
        status: StatusCode,
        /// Words of the service, made printable; empty if it has none.
        message: Box<str>,
    },
    /// It is not available, or does not have what was asked for.
    #[error("{method} {path} answered {status}{}", with_colon(message))]
    Status {
        /// HTTP method.
        method: Box<str>,
        /// Path of the request.
        path: Box<str>,
        /// Status.
        status: StatusCode,
        /// Words of the service, made printable; empty if it has none.
        message: Box<str>,
    },
    /// No request is left until this time; `None`: it does not say until when.
    #[error("the limit on its requests is reached{}", until_text(until))]
    LimitReached {
        /// Time from which it takes requests again.
        until: Option<Timestamp>,
    },
    /// There is no usable response.
    #[error("{0}")]
    Http(HttpError),
    /// The answer is not what its documentation says.
    #[error("{path}: {reason}")]
    Malformed {
        /// Path of the request.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The repository cannot be one of this API.
    #[error("{0}")]
    Repository(String),
}

fn at_host(host: &str) -> String {
    match host.is_empty() {
        true => String::new(),
        false => format!(" at {host}"),
    }
}

fn until_text(until: &Option<Timestamp>) -> String {
    until.map_or_else(String::new, |time| format!(" until {time}"))
}

fn with_colon(message: &str) -> String {
    match message.is_empty() {
        true => String::new(),
        false => format!(": {message}"),
    }
}

impl RegistryApiError {
    /// Returns whether the login, its permissions or its absence are the reason.
    pub fn is_login(&self) -> bool {
        matches!(
            self.kind,
            RegistryApiErrorKind::NoLogin(_) | RegistryApiErrorKind::Refused { .. }
        )
    }
}
