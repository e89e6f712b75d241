//! Why credentials could not be read or used.

use thiserror::Error;

use crate::image::RegistryName;

/// Why credentials could not be read or used. Contains no secret, only its place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {reason}")]
    Unreadable {
        /// The path of `config.json`.
        path: String,
        /// The operating system's reason.
        reason: String,
    },
    /// The file is not a valid Docker configuration.
    #[error("{path}: {reason}")]
    Malformed {
        /// The path of `config.json`.
        path: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// The credential helper that stores the credential of a registry does not exist here.
    #[error(
        "the credentials of {registry} are kept by docker-credential-{helper} ({path}), which is not available here"
    )]
    Helper {
        /// The registry.
        registry: RegistryName,
        /// The helper's name, as in `credsStore` or `credHelpers`.
        helper: String,
        /// The path of `config.json`.
        path: String,
    },
    /// The input names a registry without a user or password, and the registry requires a login.
    #[error("{place} has no login for {registry}: the user or the password is empty")]
    Empty {
        /// The registry.
        registry: RegistryName,
        /// The input with its line, as the user knows it.
        place: Box<str>,
    },
    /// The credential helper failed.
    #[error("docker-credential-{helper}, which keeps the credentials of {registry}, {reason}")]
    HelperFailed {
        /// The registry.
        registry: RegistryName,
        /// The helper's name, as in `credsStore` or `credHelpers`.
        helper: Box<str>,
        /// What failed.
        reason: Box<str>,
    },
}
