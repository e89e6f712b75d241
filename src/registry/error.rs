//! Errors of requests to a registry, with hints.

use std::fmt;

use reqwest::StatusCode;

use crate::credentials::CredentialsError;
use crate::http::{HttpError, is_transient};
use crate::image::{Digest, ManifestError, RegistryName};

/// Error of a request to a registry.
#[derive(Debug, Clone)]
pub struct RegistryError {
    /// The registry.
    pub registry: RegistryName,
    /// What was asked: `PUT manifest 1.4.0 of team/web`.
    pub action: Box<str>,
    /// What came instead.
    pub cause: RequestErrorKind,
    /// Whether there is no credential to show.
    pub anonymous: bool,
}

/// Problem with access that facts about the runner may explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessProblem {
    /// The registry wants a login, and there is none for it.
    NoLogin(RegistryName),
    /// A helper program keeps the login, which is not run.
    CredentialHelper {
        /// The registry.
        registry: RegistryName,
        /// The helper's name, as in `credsStore` or `credHelpers`.
        helper: String,
    },
    /// The login for the registry is given and empty.
    EmptyLogin(RegistryName),
    /// The login may not do what was asked.
    Denied(RegistryName),
    /// Nothing answers there.
    Unreachable(RegistryName),
    /// Its name leads nowhere.
    UnknownHost(RegistryName),
}

/// Reason why a request failed.
#[derive(Debug, Clone)]
pub enum RequestErrorKind {
    /// The registry refused.
    Status {
        /// The HTTP status.
        status: StatusCode,
        /// The first error code of the answer (`DENIED`), where it has one.
        code: Option<String>,
        /// The answer's own words, made printable.
        message: String,
    },
    /// The registry sent no usable response.
    Http(HttpError),
    /// The response breaks the distribution protocol.
    Protocol(String),
    /// The response is not a valid manifest.
    Manifest(ManifestError),
    /// The bytes are not what their digest says.
    WrongDigest {
        /// The digest that was asked for or promised.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
    /// A blob has another size than its descriptor says.
    WrongSize {
        /// Size of the blob, in bytes.
        is: u64,
        /// Size that the descriptor says, in bytes.
        expected: u64,
    },
    /// A host to which the registry redirects failed.
    Redirected {
        /// Name of that host, with its port.
        host: String,
        /// What failed there.
        cause: Box<RequestErrorKind>,
    },
    /// The response does not say whether the registry lists referrers.
    UnknownReferrers(String),
    /// The token service cannot be reached.
    TokenService {
        /// Name of its host, with its port.
        host: String,
        /// What failed there.
        cause: HttpError,
    },
    /// The login failed.
    Login(String),
    /// The token service wants a login, and none is given.
    LoginRequired(String),
    /// The user name and password, or what takes their place, are wrong: who is rejected, and where that is written.
    LoginRejected(String),
    /// The response is a page for people.
    WebPage,
    /// The token was refused in the middle of an upload, and forgotten.
    TokenExpired,
    /// So much of a blob at once was refused, as the answer says; the next time it is less.
    ChunkTooLarge(String),
    /// The upload session is not what it was taken to be, as the answer says.
    SessionLost(String),
    /// The credential cannot be had.
    Credentials(CredentialsError),
}

impl From<HttpError> for RequestErrorKind {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl RegistryError {
    /// Returns whether another attempt may help.
    pub fn is_transient(&self) -> bool {
        self.cause.is_transient()
    }

    /// Returns the error with the count of tries, where the registry answered none of them.
    pub(super) fn after_attempts(mut self, attempts: u32) -> Self {
        if let RequestErrorKind::Http(HttpError::Connection(text)) = &mut self.cause
            && attempts > 1
        {
            text.push_str(&format!(" ({attempts} tries)"));
        }
        self
    }

    /// Returns whether the request must be repeated in smaller chunks. That cannot happen often.
    pub fn wants_smaller_chunk(&self) -> bool {
        matches!(self.cause, RequestErrorKind::ChunkTooLarge(_))
    }

    /// Returns whether the registry understood the request and refused it.
    pub fn is_refusal(&self) -> bool {
        matches!(&self.cause, RequestErrorKind::Status { status, .. } if status.is_client_error())
    }

    /// Returns whether the registry refused a manifest for its form.
    pub fn is_refused_manifest(&self) -> bool {
        match &self.cause {
            RequestErrorKind::Status { status, .. } => {
                matches!(status.as_u16(), 400 | 405 | 415 | 422)
            }
            _ => false,
        }
    }

    /// Returns whether the login failed. Access to less may still be granted.
    pub fn lacks_login(&self) -> bool {
        matches!(
            self.cause,
            RequestErrorKind::Login(_)
                | RequestErrorKind::LoginRequired(_)
                | RequestErrorKind::LoginRejected(_)
        )
    }

    /// Returns whether the registry rejected the login.
    pub fn is_rejected_login(&self) -> bool {
        matches!(self.cause, RequestErrorKind::LoginRejected(_))
    }

    /// Returns whether the registry wants a login and no usable one is given.
    pub fn is_missing_login(&self) -> bool {
        match &self.cause {
            RequestErrorKind::LoginRequired(_) => true,
            RequestErrorKind::Status { status, .. } => self.anonymous && status.as_u16() == 401,
            RequestErrorKind::Credentials(error) => matches!(error, CredentialsError::Empty { .. }),
            _ => false,
        }
    }

    /// Returns whether the registry answered with a status or a form that does not fit the request.
    /// Then another request may do instead.
    pub fn is_unusable_answer(&self) -> bool {
        match &self.cause {
            RequestErrorKind::Status { status, .. } => {
                status.is_client_error() || status.is_server_error()
            }
            RequestErrorKind::Http(HttpError::InvalidResponse(_))
            | RequestErrorKind::Protocol(_)
            | RequestErrorKind::WrongSize { .. }
            | RequestErrorKind::WebPage => true,
            _ => false,
        }
    }

    /// Returns whether the registry may have refused to move an immutable tag. Some registries say
    /// so, some use other words, and some say nothing: then only the digest that the tag points to
    /// tells.
    pub fn may_be_immutable_tag(&self) -> bool {
        let RequestErrorKind::Status {
            status,
            code,
            message,
            ..
        } = &self.cause
        else {
            return false;
        };
        let message = message.to_ascii_lowercase();
        let says = |words: &str| message.contains(words);
        match (status.as_u16(), code.as_deref()) {
            // Amazon ECR, Google Artifact Registry, Harbor (412), and whoever says it so.
            (400..500, code)
                if says("immutab") || code.is_some_and(|code| code.contains("IMMUTABLE")) =>
            {
                true
            }
            // Google Artifact Registry, whose code means a broken manifest elsewhere.
            (400, Some("MANIFEST_INVALID")) => says("cannot update tag"),
            (400, Some("TAG_INVALID")) => says("cannot be overwritten"),
            // Artifactory, whose code means a missing login elsewhere.
            (403, Some("UNAUTHORIZED")) => says("delete/overwrite"),
            // Docker Hub, as far as is known.
            (403, None) => message.is_empty(),
            // Azure: a locked tag, but a locked or full registry too.
            (405, Some("REGISTRY_DISALLOWED_OPERATION")) => true,
            _ => false,
        }
    }

    /// Returns whether the registry has no such content, or has content that can never be read: beyond a limit,
    /// or of another size than its descriptor says.
    pub fn is_unusable_content(&self) -> bool {
        match &self.cause {
            RequestErrorKind::Status { status, .. } => *status == StatusCode::NOT_FOUND,
            RequestErrorKind::Manifest(error) => error.is_lasting(),
            RequestErrorKind::WrongSize { .. } => true,
            _ => false,
        }
    }

    /// Returns whether the registry refused the length of a page that was asked for: Quay with 413, others with a
    /// code of their own.
    pub fn is_refused_page_length(&self) -> bool {
        let RequestErrorKind::Status { status, code, .. } = &self.cause else {
            return false;
        };
        let is_code = code.as_deref() == Some("PAGINATION_NUMBER_INVALID");
        status.as_u16() == 413 || (status.as_u16() == 400 && is_code)
    }

    /// Returns whether the registry refused content because a quota or limit of the repository is reached.
    pub fn is_quota_reached(&self) -> bool {
        match &self.cause {
            RequestErrorKind::Status {
                status, message, ..
            } => is_quota_refusal(status.as_u16(), message),
            _ => false,
        }
    }

    /// Returns whether the registry refused a manifest because it lacks content that the manifest
    /// names.
    pub fn lacks_content(&self) -> bool {
        let RequestErrorKind::Status { code, message, .. } = &self.cause else {
            return false;
        };
        matches!(
            code.as_deref(),
            Some("MANIFEST_BLOB_UNKNOWN" | "BLOB_UNKNOWN" | "MANIFEST_UNKNOWN")
        ) || message.contains("; MANIFEST_BLOB_UNKNOWN")
            || message.contains("; BLOB_UNKNOWN")
    }

    /// Returns whether the registry refused a manifest for its media type or form.
    pub fn is_rejected_manifest(&self) -> bool {
        let RequestErrorKind::Status { status, .. } = &self.cause else {
            return false;
        };
        matches!(status.as_u16(), 400 | 405 | 406 | 415 | 422) && !self.lacks_content()
    }

    /// Returns the problem with access, where more than the registry's response can explain it.
    pub fn access_problem(&self) -> Option<AccessProblem> {
        let registry = self.registry.clone();
        if self.is_quota_reached() {
            return None;
        }
        match &self.cause {
            RequestErrorKind::LoginRequired(_) => Some(AccessProblem::NoLogin(registry)),
            RequestErrorKind::Login(_) if self.anonymous => Some(AccessProblem::NoLogin(registry)),
            RequestErrorKind::Status { status, .. }
                if self.anonymous && matches!(status.as_u16(), 401 | 403) =>
            {
                Some(AccessProblem::NoLogin(registry))
            }
            RequestErrorKind::Status { status, .. } if matches!(status.as_u16(), 401 | 403) => {
                Some(AccessProblem::Denied(registry))
            }
            RequestErrorKind::LoginRejected(_) => Some(AccessProblem::Denied(registry)),
            RequestErrorKind::Credentials(CredentialsError::Empty { .. }) => {
                Some(AccessProblem::EmptyLogin(registry))
            }
            RequestErrorKind::Credentials(CredentialsError::Helper { helper, .. }) => {
                Some(AccessProblem::CredentialHelper {
                    registry,
                    helper: helper.clone(),
                })
            }
            RequestErrorKind::Http(
                HttpError::Connection(_) | HttpError::Stalled(_) | HttpError::Slow(_),
            ) => Some(AccessProblem::Unreachable(registry)),
            RequestErrorKind::Http(HttpError::UnknownHost) => {
                Some(AccessProblem::UnknownHost(registry))
            }
            _ => None,
        }
    }
}

/// Returns whether an answer says that a quota is reached: Quay ("Quota has been exceeded on namespace"), Harbor
/// ("adding 2.1 MiB of storage resource, which … will exceed the configured upper limit of 10.0 MiB"), Amazon ECR
/// ("exceeded the maximum number of images", "exceeds the maximum allowed number of tags per image"), storage that is
/// full. A quota of requests is none of these: it passes.
fn is_quota_refusal(status: u16, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let says = |words: &str| message.contains(words);
    let says_number = says("maximum") && says("number");
    match status {
        507 => true,
        400 | 403 | 412 | 413 => {
            says("quota") || (says("exceed") && (says("limit") || says_number))
        }
        429 => says("storage") && (says("quota") || says("limit")),
        _ => false,
    }
}

impl RequestErrorKind {
    /// Whether trying again may help.
    fn is_transient(&self) -> bool {
        match self {
            Self::Status {
                status, message, ..
            } => is_transient(*status) && !is_quota_refusal(status.as_u16(), message),
            Self::Http(error) => error.is_transient(),
            Self::Redirected { cause, .. } => cause.is_transient(),
            Self::TokenExpired | Self::ChunkTooLarge(_) | Self::SessionLost(_) => true,
            _ => false,
        }
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.registry, self.action, self.cause)
    }
}

impl std::error::Error for RegistryError {}

impl fmt::Display for RequestErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status {
                status,
                code,
                message,
                ..
            } => {
                write!(f, "answered {status}")?;
                if let Some(code) = code {
                    write!(f, ", {code}")?;
                }
                if !message.is_empty() {
                    write!(f, ": {message}")?;
                }
                Ok(())
            }
            Self::Http(error) => write!(f, "{error}"),
            Self::Redirected { host, cause } => {
                write!(f, "{host}, to which the registry redirects: {cause}")
            }
            Self::UnknownReferrers(text) => {
                write!(f, "{text}, which does not say whether it lists referrers")
            }
            Self::TokenService { host, cause } => write!(f, "token from {host}: {cause}"),
            Self::Protocol(text) => write!(f, "invalid response: {text}"),
            Self::Manifest(error) => write!(f, "the manifest {error}"),
            Self::WrongDigest { expected, actual } => {
                write!(f, "the content is {actual}, not {expected} as it should be")
            }
            Self::WrongSize { is, expected } => write!(
                f,
                "invalid response: the blob has {is} bytes, its manifest says {expected}"
            ),
            Self::Login(text) | Self::LoginRequired(text) => write!(f, "the login failed: {text}"),
            Self::LoginRejected(login) => f.write_str(login),
            Self::WebPage => {
                f.write_str("answered with a web page, expected the API of a registry")
            }
            Self::TokenExpired => f.write_str("the registry no longer accepted the token"),
            Self::ChunkTooLarge(text) | Self::SessionLost(text) => f.write_str(text),
            Self::Credentials(error) => write!(f, "{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::error_envelope::parse_error_envelope;
    use super::*;

    /// A recorded answer as the error that it becomes.
    fn recorded(path: &Path) -> RegistryError {
        let value: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let (code, message) = parse_error_envelope(value["body"].as_str().unwrap().as_bytes());
        let status = u16::try_from(value["status"].as_u64().unwrap()).unwrap();
        RegistryError {
            registry: "registry.example".parse().unwrap(),
            action: "PUT manifest 1.4.0 of team/web".into(),
            cause: RequestErrorKind::Status {
                status: StatusCode::from_u16(status).unwrap(),
                code,
                message,
            },
            anonymous: false,
        }
    }

    #[test]
    fn of_all_recorded_answers_those_about_kept_tags_are_known() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/registries");
        let (mut about_tags, mut seen) = (Vec::new(), 0);
        for registry in std::fs::read_dir(folder).unwrap() {
            let registry = registry.unwrap().path();
            for answer in std::fs::read_dir(&registry).into_iter().flatten() {
                let path = answer.unwrap().path();
                seen += 1;
                if recorded(&path).may_be_immutable_tag() {
                    let name = path.strip_prefix(registry.parent().unwrap()).unwrap();
                    about_tags.push(name.display().to_string());
                }
            }
        }
        about_tags.sort();
        assert!(seen > 50, "only {seen} answers");
        assert_eq!(
            about_tags,
            [
                "acr/405_locked.json",
                "artifactory/403_overwrite.json",
                "dockerhub/403_immutable_tag.json",
                "ecr/400_immutable_tag.json",
                "gar/400_immutable_tag.json",
                // The HEAD of a blob, and no answer to a write.
                "ghcr/403_head_blob.json",
                "harbor/412_immutable_tag.json",
            ]
        );
    }
}
