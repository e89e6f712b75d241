//! What the road works with, from inputs and environment.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;

use super::credential_inputs;
use super::event_inputs::open_checkout;
use super::invocation::Invocation;
use crate::actions::{ProcessEnvironment, RunnerMounts, SecretTexts};
use crate::archive::{ScratchLimit, Unpacking};
use crate::cli::Input;
use crate::credentials::{CredentialStore, HelperEnvironment};
use crate::http::{HttpClient, HttpSettings, ProxySettings, RetryTiming};
use crate::registry::{RegistryClient, RegistrySettings};
use crate::release::{Failure, ReleaseContext};
use crate::transfer::{BlobIndex, ProgressMeter};

pub(super) fn build_context(invocation: &Invocation) -> Result<ReleaseContext, Failure> {
    let notices = invocation.log.notices();
    let arguments = &invocation.arguments;
    let scratch_limit: Option<ScratchLimit> = match arguments.is_accepted(Input::ScratchLimit) {
        true => arguments.value(Input::ScratchLimit)?,
        false => None,
    };
    Ok(ReleaseContext {
        registry: open_registries(invocation)?,
        blob_index: BlobIndex::default(),
        meter: ProgressMeter::new(notices.clone()),
        notices,
        ancestry: open_checkout().ok().map(|checkout| checkout.ancestry()),
        unpacking: Unpacking {
            directory: choose_scratch_folder(&invocation.environment),
            limit: scratch_limit.map(ScratchLimit::bytes),
        },
        docker_host: invocation.environment.get("DOCKER_HOST").map(str::to_owned),
    })
}

fn open_registries(invocation: &Invocation) -> Result<RegistryClient, Failure> {
    let insecure = invocation.arguments.values(Input::InsecureRegistries)?;
    let settings = RegistrySettings {
        credentials: load_credentials(invocation)?,
        insecure,
        http: http_settings(invocation),
    };
    RegistryClient::new(settings, invocation.log.notices())
        .map_err(|error| Failure::input(error.to_string()))
}

/// Opens connections to services that are not registries.
pub(super) fn open_connections(invocation: &Invocation) -> Result<HttpClient, Failure> {
    HttpClient::new(http_settings(invocation), invocation.log.notices())
        .map_err(|error| Failure::input(error.to_string()))
}

fn http_settings(invocation: &Invocation) -> HttpSettings {
    let environment = &invocation.environment;
    let path = |name| environment.path(name).map(Path::to_owned);
    let variable = |names: &[&str]| environment.get_first(names).map(str::to_owned);
    HttpSettings {
        ca_file: invocation.arguments.text(Input::CaFile).map(PathBuf::from),
        ssl_cert_file: path("SSL_CERT_FILE"),
        ssl_cert_dir: path("SSL_CERT_DIR"),
        proxies: ProxySettings {
            // As curl has it: a request's header Proxy can become HTTP_PROXY in a CGI program.
            http: variable(&["http_proxy", "HTTP_PROXY"]),
            https: variable(&["HTTPS_PROXY", "https_proxy"]),
            no_proxy: variable(&["NO_PROXY", "no_proxy"]),
        },
        timing: RetryTiming::default(),
    }
}

/// Everything secret is hidden from the log before anything more can be written to it.
fn load_credentials(invocation: &Invocation) -> Result<CredentialStore, Failure> {
    let file = docker_config(&invocation.environment);
    let logins = credential_inputs::parse_credentials(invocation)?;
    for empty in &logins.empty {
        invocation.log.info(&format!(
            "{} has no login for {}: it counts only if this run needs one there",
            empty.place, empty.registry
        ));
    }
    let store = CredentialStore::load(file.as_deref(), logins.credentials)
        .map_err(|error| Failure::input(error.to_string()))?
        .with_empty(logins.empty)
        .with_helpers(
            helper_environment(&invocation.environment),
            invocation.log.notices(),
        );
    let mut secrets = SecretTexts::default();
    for secret in store.secrets() {
        secrets.add(secret.expose_secret());
    }
    invocation.log.add_secrets(&secrets);
    for remark in store.warnings() {
        invocation.log.info(remark);
    }
    Ok(store)
}

/// Helper programs may need whatever a step before has set, but nothing that is meant for us.
fn helper_environment(environment: &ProcessEnvironment) -> HelperEnvironment {
    let path = environment.get("PATH").unwrap_or_default();
    HelperEnvironment {
        folders: std::env::split_paths(path).collect(),
        variables: environment.inheritable_variables(),
    }
}

/// Where docker keeps its logins. The runner does not know the names that a job's own container has
/// for its folders, and hands them over as they are.
pub(super) fn docker_config(environment: &ProcessEnvironment) -> Option<PathBuf> {
    let folder = match environment.get("DOCKER_CONFIG") {
        Some(folder) => {
            let here = RunnerMounts::from_environment(environment)
                .and_then(|mounts| mounts.to_container_path(folder));
            here.unwrap_or_else(|| folder.to_owned()).into()
        }
        None => environment.path("HOME")?.join(".docker"),
    };
    Some(folder.join("config.json"))
}

/// The runner's folder for a job's files, else the system's. An image from scratch has no /tmp.
fn choose_scratch_folder(environment: &ProcessEnvironment) -> Option<PathBuf> {
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
            let variables = [("DOCKER_CONFIG", folder)];
            let environment = contained.into_iter().chain(variables).collect();
            let found = docker_config(&environment).unwrap();
            assert_eq!(found, Path::new(expected));
        }
    }
}
