//! Why GitHub's API gave no usable response.

use reqwest::StatusCode;
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
    /// The response is not JSON, or not the expected JSON.
    #[error("GitHub's API answers invalid JSON to GET {0}")]
    NotJson(String),
}

impl GithubApiError {
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
