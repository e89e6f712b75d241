//! What the road works with, from inputs and environment.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use super::facts::checkout;
use super::{Given, logins};
use crate::actions::{Environment, Secrets};
use crate::credentials::Store;
use crate::registry::{Client, Proxies, Settings, Timing};
use crate::release::{Context, Failure};

pub(super) fn context(given: &Given) -> Result<Context, Failure> {
    let notices = given.log.notices();
    let settings = settings(given)?;
    let registry = Client::new(settings, notices.clone())
        .map_err(|error| Failure::input(error.to_string()))?;
    Ok(Context {
        registry,
        notices,
        ancestry: checkout().ok().map(|checkout| checkout.ancestry()),
        scratch: scratch(&given.environment),
    })
}

fn settings(given: &Given) -> Result<Settings, Failure> {
    let environment = &given.environment;
    let path = |name| environment.path(name).map(Path::to_owned);
    let variable = |names: &[&str]| environment.first(names).map(str::to_owned);
    Ok(Settings {
        credentials: credentials(given)?,
        ca_file: given.arguments.text("ca-file").map(PathBuf::from),
        ssl_cert_file: path("SSL_CERT_FILE"),
        ssl_cert_dir: path("SSL_CERT_DIR"),
        insecure: given.arguments.values("insecure-registries")?,
        proxies: Proxies {
            // As curl has it: a request's header Proxy can become HTTP_PROXY in a CGI program.
            http: variable(&["http_proxy", "HTTP_PROXY"]),
            https: variable(&["HTTPS_PROXY", "https_proxy"]),
            no_proxy: variable(&["NO_PROXY", "no_proxy"]),
        },
        timing: Timing::default(),
    })
}

/// Everything secret is hidden from the log before anything more can be written to it.
fn credentials(given: &Given) -> Result<Store, Failure> {
    let file = docker_config(&given.environment);
    let store = Store::load(file.as_deref(), logins::read(given)?)
        .map_err(|error| Failure::input(error.to_string()))?;
    let mut secrets = Secrets::default();
    for secret in store.secrets() {
        secrets.add(secret.expose_secret());
    }
    given.log.hide(&secrets);
    for remark in store.remarks() {
        given.log.info(remark);
    }
    Ok(store)
}

/// Where docker keeps its logins.
pub(super) fn docker_config(environment: &Environment) -> Option<PathBuf> {
    let folder = match environment.path("DOCKER_CONFIG") {
        Some(folder) => folder.to_owned(),
        None => environment.path("HOME")?.join(".docker"),
    };
    Some(folder.join("config.json"))
}

/// The runner's folder for a job's files, else the system's. An image from scratch has no /tmp.
fn scratch(environment: &Environment) -> Option<PathBuf> {
    let named = ["RUNNER_TEMP", "TMPDIR"].map(|name| environment.path(name));
    named
        .into_iter()
        .flatten()
        .chain([Path::new("/tmp")])
        .find(|folder| folder.is_dir())
        .map(Path::to_owned)
}
