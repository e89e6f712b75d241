//! What the road works with, from inputs and environment.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use super::facts::checkout;
use super::{Given, logins};
use crate::actions::{Environment, Mounts, Secrets};
use crate::archive::{ScratchLimit, Unpacking};
use crate::cli::Verb;
use crate::credentials::{Store, Surroundings};
use crate::image::RegistryName;
use crate::registry::{Client, Proxies, Settings, Timing};
use crate::release::{Context, Failure};
use crate::transfer::{Known, Meter};

pub(super) fn context(given: &Given) -> Result<Context, Failure> {
    let notices = given.log.notices();
    let scratch_limit: Option<ScratchLimit> = match given.arguments.verb {
        Verb::Push | Verb::Promote => given.arguments.value("scratch-limit")?,
        // These unpack nothing.
        Verb::Tags | Verb::Verify | Verb::SignBundle | Verb::VerifyBundle => None,
    };
    Ok(Context {
        registry: registries(given)?,
        known: Known::default(),
        meter: Meter::new(notices.clone()),
        notices,
        ancestry: checkout().ok().map(|checkout| checkout.ancestry()),
        unpacking: Unpacking {
            directory: scratch(&given.environment),
            limit: scratch_limit.map(ScratchLimit::bytes),
        },
        docker_host: given.environment.get("DOCKER_HOST").map(str::to_owned),
    })
}

fn registries(given: &Given) -> Result<Client, Failure> {
    let insecure = given.arguments.values("insecure-registries")?;
    client(given, settings(given, credentials(given)?, insecure))
}

/// Connections to services that are no registries: they need no login.
pub(super) fn connections(given: &Given) -> Result<Client, Failure> {
    client(given, settings(given, Store::default(), Vec::new()))
}

fn client(given: &Given, settings: Settings) -> Result<Client, Failure> {
    Client::new(settings, given.log.notices()).map_err(|error| Failure::input(error.to_string()))
}

fn settings(given: &Given, credentials: Store, insecure: Vec<RegistryName>) -> Settings {
    let environment = &given.environment;
    let path = |name| environment.path(name).map(Path::to_owned);
    let variable = |names: &[&str]| environment.first(names).map(str::to_owned);
    Settings {
        credentials,
        ca_file: given.arguments.text("ca-file").map(PathBuf::from),
        ssl_cert_file: path("SSL_CERT_FILE"),
        ssl_cert_dir: path("SSL_CERT_DIR"),
        insecure,
        proxies: Proxies {
            // As curl has it: a request's header Proxy can become HTTP_PROXY in a CGI program.
            http: variable(&["http_proxy", "HTTP_PROXY"]),
            https: variable(&["HTTPS_PROXY", "https_proxy"]),
            no_proxy: variable(&["NO_PROXY", "no_proxy"]),
        },
        timing: Timing::default(),
    }
}

/// Everything secret is hidden from the log before anything more can be written to it.
fn credentials(given: &Given) -> Result<Store, Failure> {
    let file = docker_config(&given.environment);
    let logins = logins::read(given)?;
    for empty in &logins.empty {
        given.log.info(&format!(
            "{} has no login for {}: it counts only if this run needs one there",
            empty.place, empty.registry
        ));
    }
    let store = Store::load(file.as_deref(), logins.given)
        .map_err(|error| Failure::input(error.to_string()))?
        .with_empty(logins.empty)
        .with_helpers(helpers(&given.environment), given.log.notices());
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

/// Helper programs may need whatever a step before has set, but nothing that is meant for us.
fn helpers(environment: &Environment) -> Surroundings {
    let path = environment.get("PATH").unwrap_or_default();
    Surroundings {
        folders: std::env::split_paths(path).collect(),
        variables: environment.for_others(),
    }
}

/// Where docker keeps its logins. The runner does not know the names that a job's own container has
/// for its folders, and hands them over as they are.
pub(super) fn docker_config(environment: &Environment) -> Option<PathBuf> {
    let folder = match environment.get("DOCKER_CONFIG") {
        Some(folder) => {
            let here = Mounts::of(environment).and_then(|mounts| mounts.here(folder));
            here.unwrap_or_else(|| folder.to_owned()).into()
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_configuration_is_looked_for_where_it_is_mounted() {
        let contained = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_WORKSPACE", "/github/workspace"),
            ("GITHUB_REPOSITORY", "acme/web"),
            ("RUNNER_TEMP", "/github/runner_temp"),
            ("HOME", "/github/home"),
        ];
        for (folder, expected) in [
            ("", "/github/home/.docker/config.json"),
            (
                "/__w/_temp/docker",
                "/github/runner_temp/docker/config.json",
            ),
            ("/github/workspace/x", "/github/workspace/x/config.json"),
        ] {
            let said = [("DOCKER_CONFIG", folder)];
            let environment = contained.into_iter().chain(said).collect();
            let found = docker_config(&environment).unwrap();
            assert_eq!(found, Path::new(expected));
        }
    }
}
