//! Why GitHub's API gave no usable response.

use reqwest::{Method, StatusCode};
use serde_json::Value;
use thiserror::Error;

use crate::http::HttpError;
use crate::notices::to_printable;

/// Limit on a message of the API, in characters.
const MESSAGE_LIMIT: usize = 200;

/// Answer of the API to a call that needs a permission.
#[derive(Debug, Error)]
#[error("GitHub's API answers {status} to {method} {path}{}", with_message(.message))]
pub struct RefusedCall {
    /// HTTP status.
    pub status: StatusCode,
    /// HTTP method.
    pub method: Method,
    /// Path of the request.
    pub path: String,
    /// Message of the API, made printable.
    pub message: String,
    /// Permission that the call needs.
    pub permission: &'static str,
}

fn with_message(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

/// Returns the message of a response's body, made printable.
pub(super) fn message_of(body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    to_printable(json["message"].as_str().unwrap_or_default(), MESSAGE_LIMIT)
}

/// Returns whether a message is about the number of requests. The status of such a refusal can be that of a missing
/// permission (GitHub REST API, "Rate limits for the REST API").
pub(super) fn names_rate_limit(message: &str) -> bool {
    message.to_lowercase().contains("rate limit")
}

/// Why GitHub's API gave no usable response.
#[derive(Debug, Error)]
pub enum GithubApiError {
    /// The API's address and the repository's name do not form a valid URL.
    #[error("{0} is not a valid address of an API")]
    Address(String),
    /// No usable response.
    #[error("GitHub's API does not answer: {0}")]
    Unreachable(HttpError),
    /// The response is longer than the limit.
    #[error("GitHub's API answers more than {limit} bytes to GET {path}")]
    TooLong {
        /// Limit in bytes.
        limit: usize,
        /// Path of the request.
        path: String,
    },
    /// The status is not a success.
    #[error("GitHub's API answers {status} to GET {path}")]
    Status {
        /// HTTP status.
        status: StatusCode,
        /// Path of the request.
        path: String,
    },
    /// The status of a call that needs a permission is not a success.
    #[error(transparent)]
    Refused(Box<RefusedCall>),
    /// No usable response within the time for all attempts.
    #[error("GitHub's API gave no usable answer to GET {path} for {seconds} s")]
    TimedOut {
        /// Time for all attempts, in seconds.
        seconds: u64,
        /// Path of the request.
        path: String,
    },
    /// The token has no requests left, or sent too many at once.
    #[error("GitHub's API answers {status} to GET {path}: the rate limit of the token is exceeded")]
    RateLimited {
        /// HTTP status.
        status: StatusCode,
        /// Path of the request.
        path: String,
    },
    /// A list ends before its last item: no page says where the next one is, or none is the last.
    #[error("GitHub's API names no usable next page in answer to GET {0}")]
    BrokenList(String),
    /// A list has more items than the limit.
    #[error("GitHub's API lists more than {limit} items in answer to GET {path}")]
    TooManyItems {
        /// Limit.
        limit: usize,
        /// Path of the request.
        path: String,
    },
    /// The response is not JSON, or not the expected JSON.
    #[error("GitHub's API answers invalid JSON to GET {0}")]
    NotJson(String),
}

impl GithubApiError {
    /// Returns the error of a call that needs `permission`, with the message of the response's body.
    pub(super) fn refused(
        method: &Method,
        status: StatusCode,
        path: &str,
        body: &[u8],
        permission: &'static str,
    ) -> Self {
        Self::Refused(Box::new(RefusedCall {
            status,
            method: method.clone(),
            path: path.to_owned(),
            message: message_of(body),
            permission,
        }))
    }

    /// Returns the error as one of a call that needs `permission`.
    #[must_use]
    pub(super) fn with_permission(self, permission: &'static str) -> Self {
        match self {
            Self::Status { status, path } => {
                Self::refused(&Method::GET, status, &path, &[], permission)
            }
            error => error,
        }
    }

    /// Returns the permission that the token seems to lack, as YAML such as `deployments: write`; `None` if the API
    /// refused for another reason, such as a rate limit.
    pub fn permission(&self) -> Option<&'static str> {
        match self {
            Self::Refused(call) if !names_rate_limit(&call.message) => {
                matches!(call.status.as_u16(), 401 | 403 | 404).then_some(call.permission)
            }
            _ => None,
        }
    }

    /// Returns whether the API does not know the artifact that a record is about: an attestation that was stored a
    /// moment ago may not be known everywhere.
    pub fn is_unknown_artifact(&self) -> bool {
        match self {
            Self::Refused(call) => call.message.to_lowercase().contains("no artifacts found"),
            _ => false,
        }
    }

    /// Returns whether the API answered that it did not take the request.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused(call) => call.status.is_client_error(),
            _ => false,
        }
    }

    /// Returns what the reader can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Status { status, .. } if status.as_u16() == 404 || status.as_u16() == 403 => {
                "give github-token the permission contents: read, or set offline: true"
            }
            _ => "set offline: true to release without the facts that the event does not contain",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limit_names_no_permission() {
        for (status, message, permission) in [
            (
                403,
                "Resource not accessible by integration",
                Some("deployments: write"),
            ),
            (404, "Not Found", Some("deployments: write")),
            (403, "You have exceeded a secondary rate limit.", None),
            (403, "API Rate Limit exceeded", None),
            (422, "Validation Failed", None),
        ] {
            let body = serde_json::json!({ "message": message }).to_string();
            let status = StatusCode::from_u16(status).expect("a status");
            let body = body.as_bytes();
            let error =
                GithubApiError::refused(&Method::POST, status, "/x", body, "deployments: write");
            assert_eq!(error.permission(), permission, "{message}");
        }
    }
}
