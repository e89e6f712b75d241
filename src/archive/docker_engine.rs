//! An image of a Docker engine, as `docker save` gets it: over the engine's socket (Docker Engine
//! API, `ImageGet`). Podman answers the same.

use std::error::Error as _;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

use super::engine_fault::DEFAULT_SOCKET;
use super::scratch::Scratch;
use super::{ArchiveFault, EngineFault};
use crate::image::DaemonImageName;
use crate::layout::run_blocking;
use crate::notices::to_printable;

/// How long the engine may say nothing: it gathers the layers before it sends the first byte.
const ENGINE_TIMEOUT: Duration = Duration::from_secs(600);
/// The most that is read of an answer that is no archive, in bytes.
const ANSWER_LIMIT: usize = 64 << 10;

/// The socket that `docker_host`, the variable `DOCKER_HOST`, names.
fn socket(docker_host: Option<&str>) -> Result<PathBuf, EngineFault> {
    match docker_host.filter(|host| !host.is_empty()) {
        None => Ok(DEFAULT_SOCKET.into()),
        Some(host) => host
            .strip_prefix("unix://")
            .map(PathBuf::from)
            .ok_or_else(|| EngineFault::Host(to_printable(host, 200))),
    }
}

/// Fetches the image as a docker-archive, into a nameless file.
pub(super) async fn fetch_image(
    docker_host: Option<&str>,
    image: &DaemonImageName,
    scratch: &Scratch,
) -> Result<File, ArchiveFault> {
    let engine = EngineClient::new(socket(docker_host)?)?;
    // Engines differ in how they say that there is nothing to save, and agree in this.
    engine.get(image, "json").await?;
    let mut answer = engine.get(image, "get").await?;
    let mut file = scratch.file().map_err(|error| scratch.fault(error))?;
    while let Some(bytes) = answer
        .chunk()
        .await
        .map_err(|error| connection_error(&error))?
    {
        let write = move || file.write_all(&bytes).map(|()| file);
        file = run_blocking(write)
            .await
            .map_err(|error| scratch.fault(error))?;
    }
    file.finish().map_err(|error| scratch.fault(error))
}

struct EngineClient {
    client: Client,
    socket: PathBuf,
}

impl EngineClient {
    #[expect(
        clippy::disallowed_methods,
        reason = "a socket of this machine has no proxy and no TLS"
    )]
    fn new(socket: PathBuf) -> Result<Self, EngineFault> {
        let client = Client::builder()
            .unix_socket(socket.as_path())
            // reqwest wants to know how it would speak TLS.
            .tls_backend_preconfigured(no_tls())
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .read_timeout(ENGINE_TIMEOUT)
            .build()
            .map_err(|error| connection_error(&error))?;
        Ok(Self { client, socket })
    }

    async fn get(&self, image: &DaemonImageName, what: &str) -> Result<Response, EngineFault> {
        // The host stands for nothing: the socket decides who is asked. Without a version the
        // engine takes its newest.
        let url = format!("http://docker/images/{image}/{what}");
        let sent = self.client.get(url).send().await;
        let answer = sent.map_err(|error| self.unreachable(&error))?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            StatusCode::NOT_FOUND => Err(EngineFault::NoSuchImage),
            status => Err(EngineFault::Answer {
                status,
                message: error_message(answer).await,
            }),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> EngineFault {
        match io_error(error).map(io::Error::kind) {
            Some(io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                EngineFault::Absent(self.socket.clone())
            }
            Some(io::ErrorKind::PermissionDenied) => EngineFault::Denied(self.socket.clone()),
            _ => connection_error(error),
        }
    }
}

/// TLS that trusts nobody: nothing is spoken with it.
fn no_tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows TLS 1.2 and 1.3")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}

/// The engine's own words, of an answer that is an error.
async fn error_message(mut answer: Response) -> String {
    #[derive(Deserialize)]
    struct EngineErrorJson {
        message: String,
    }
    let mut body = Vec::new();
    while let Ok(Some(bytes)) = answer.chunk().await {
        body.extend_from_slice(&bytes);
        if body.len() > ANSWER_LIMIT {
            break;
        }
    }
    let text = match serde_json::from_slice::<EngineErrorJson>(&body) {
        Ok(wire) => wire.message,
        Err(_) => String::from_utf8_lossy(&body).into_owned(),
    };
    to_printable(&text, 400)
}

fn connection_error(error: &reqwest::Error) -> EngineFault {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    EngineFault::Broken(to_printable(&innermost.to_string(), 200))
}

/// The system's error that a request failed with.
fn io_error(error: &reqwest::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error);
        }
        source = error.source();
    }
    None
}
