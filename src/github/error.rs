//! Why GitHub's API gave no usable response.

use reqwest::{Method, StatusCode};
use thiserror::Error;

use crate::http::HttpError;

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
    /// The status of a request for a feature is not a success.
    #[error("GitHub's API answers {status} to {method} {path}")]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// HTTP method.
        method: Method,
        /// Path of the request.
        path: String,
        /// Permission that the request needs.
        permission: &'static str,
    },
    /// A list is longer than what is read.
    #[error("GitHub's API has more than {limit} entries at {path}")]
    TooManyItems {
        /// Most entries that are read.
        limit: usize,
        /// Path of the request.
        path: String,
    },
    /// The response is not JSON, or not the expected JSON.
    #[error("GitHub's API answers invalid JSON to GET {0}")]
    NotJson(String),
}

impl GithubApiError {
    /// Returns the permission that the token lacks, as a workflow has it; `None` if that is not the reason.
    pub fn permission(&self) -> Option<&'static str> {
        match self {
            Self::Refused {
                status, permission, ..
            } if matches!(status.as_u16(), 401 | 403 | 404) => Some(permission),
            _ => None,
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
