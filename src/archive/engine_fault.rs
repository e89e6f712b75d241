//! Reasons why a Docker engine gave no image.

use std::path::PathBuf;

use reqwest::StatusCode;
use thiserror::Error;

/// Where the engine listens unless `DOCKER_HOST` says otherwise; the runner mounts it there in an
/// action's container.
pub(super) const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// Why a Docker engine gave no image.
#[derive(Debug, Error)]
pub enum EngineFault {
    /// `DOCKER_HOST` names something else than a socket of this machine.
    #[error("DOCKER_HOST is {0}, expected the socket of an engine on this machine, unix:///PATH")]
    Host(String),
    /// Nothing listens there.
    #[error("no Docker engine listens at {}", .0.display())]
    Absent(PathBuf),
    /// The socket may not be used.
    #[error("this user has no permission for the Docker engine's socket {}", .0.display())]
    Denied(PathBuf),
    /// It does not have the image.
    #[error("the Docker engine has no such image")]
    NoSuchImage,
    /// It refused otherwise.
    #[error("the Docker engine answered {status}: {message}")]
    Answer {
        /// The HTTP status.
        status: StatusCode,
        /// The engine's words, made printable.
        message: String,
    },
    /// It broke off.
    #[error("the connection to the Docker engine broke: {0}")]
    Broken(String),
}

impl EngineFault {
    /// How to go on.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Host(_) => format!("set DOCKER_HOST to unix://{DEFAULT_SOCKET}, or {TO_FILE}"),
            Self::Absent(_) => format!(
                "start one, or set DOCKER_HOST to its socket; an action's container has \
                 only {DEFAULT_SOCKET}, where the runner's machine has it; else {TO_FILE}"
            ),
            Self::Denied(_) => format!("add the user to the group docker, or {TO_FILE}"),
            Self::NoSuchImage => {
                "docker images lists the images; docker buildx build stores an image there only \
                 with --load"
                    .to_owned()
            }
            Self::Answer { .. } | Self::Broken(_) => {
                format!("read the engine's log; or {TO_FILE}")
            }
        }
    }
}

const TO_FILE: &str = "save the image into the workspace in an earlier step (docker save -o image.tar NAME) and use docker-archive:image.tar";
