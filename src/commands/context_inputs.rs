//! What the road works with, from inputs and environment.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::ExposeSecret;

use super::event_inputs::open_checkout;
use super::invocation::Invocation;
use super::{credential_inputs, recorded_texts};
use crate::actions::{ProcessEnvironment, RunnerMounts, SecretTexts};
use crate::archive::{ScratchLimit, Unpacking};
use crate::cli::{Input, InputValues};
use crate::credentials::{CredentialFiles, CredentialStore, HelperEnvironment, SecretString};
use crate::http::{
    ClientCertificateFiles, HttpClient, HttpSettings, HttpSettingsError, ProxySettings, RetryTiming,
};
use crate::image::RegistryName;
use crate::notices::FileLocation;
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
    let registry = open_registries(invocation)?;
    // The logins of this machine are known by now.
    recorded_texts::refuse_secrets(invocation)?;
    Ok(ReleaseContext {
        registry,
        blob_index: BlobIndex::default(),
        meter: ProgressMeter::new(notices.clone()),
        notices,
        ancestry: open_checkout().ok().map(|checkout| checkout.ancestry()),
        unpacking: Unpacking {
            directory: choose_scratch_folder(&invocation.environment),
            limit: scratch_limit.map(ScratchLimit::bytes),
        },
        docker_host: invocation.environment.get("DOCKER_HOST").map(str::to_owned),
        github: None,
        service: None,
    })
}

fn open_registries(invocation: &Invocation) -> Result<RegistryClient, Failure> {
    let arguments = &invocation.arguments;
    let mut http = http_settings(invocation)?;
    for registry in arguments.values::<UnverifiedRegistry>(Input::TlsVerify)? {
        let UnverifiedRegistry(registry) = registry;
        let text = format!("tls-verify: the certificate of {registry} is not verified");
        invocation.log.warning(&text);
        http.unverified_hosts.push(registry.api_host().to_owned());
    }
    let settings = RegistrySettings {
        credentials: load_credentials(invocation)?,
        insecure: arguments.values(Input::InsecureRegistries)?,
        plain_credentials: arguments.values(Input::CredentialsOverHttp)?,
        http,
    };
    RegistryClient::new(settings, invocation.log.notices())
        .map_err(|error| settings_failure(&error))
}

/// Opens connections to services that are not registries.
pub(super) fn open_connections(invocation: &Invocation) -> Result<HttpClient, Failure> {
    HttpClient::new(http_settings(invocation)?, invocation.log.notices())
        .map_err(|error| settings_failure(&error))
}

fn settings_failure(error: &HttpSettingsError) -> Failure {
    let failure = Failure::input(error.to_string());
    match error {
        HttpSettingsError::Certificates { path, .. } => {
            failure.at_file(FileLocation::new(path.display().to_string()))
        }
        _ => failure,
    }
}

/// Line of the input `tls-verify`.
struct UnverifiedRegistry(RegistryName);

impl FromStr for UnverifiedRegistry {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let registry = match line.split_once('=') {
            Some((registry, "off" | "false")) => registry,
            _ => return Err("is not of the form REGISTRY=off".to_owned()),
        };
        let registry = registry.trim().parse::<RegistryName>();
        registry.map(Self).map_err(|error| error.to_string())
    }
}

/// Returns the client certificate of the inputs.
fn client_certificate(arguments: &InputValues) -> Result<Option<ClientCertificateFiles>, Failure> {
    match (
        arguments.text(Input::ClientCert),
        arguments.text(Input::ClientKey),
    ) {
        (Some(certificate), Some(key)) => Ok(Some(ClientCertificateFiles {
            certificate: certificate.into(),
            key: key.into(),
        })),
        (None, None) => Ok(None),
        _ => Err(Failure::input(
            "client-cert and client-key are used together",
        )),
    }
}

/// Returns the folders in which docker and podman look for the certificates of registries.
fn certs_folders(environment: &ProcessEnvironment) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(home) = environment.path("HOME") {
        folders.push(home.join(".docker/certs.d"));
        folders.push(home.join(".config/docker/certs.d"));
        folders.push(home.join(".config/containers/certs.d"));
    }
    if let Some(config) = docker_config(environment) {
        folders.insert(0, config.with_file_name("certs.d"));
    }
    folders.extend(["/etc/containers/certs.d", "/etc/docker/certs.d"].map(PathBuf::from));
    folders
}

fn http_settings(invocation: &Invocation) -> Result<HttpSettings, Failure> {
    let environment = &invocation.environment;
    let path = |name| environment.path(name).map(Path::to_owned);
    let variable = |names: &[&str]| environment.get_first(names).map(str::to_owned);
    Ok(HttpSettings {
        client_certificate: client_certificate(&invocation.arguments)?,
        certs_folders: certs_folders(environment),
        unverified_hosts: Vec::new(),
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
    })
}

/// Everything secret is hidden from the log before anything more can be written to it.
fn load_credentials(invocation: &Invocation) -> Result<CredentialStore, Failure> {
    let files = credential_files(&invocation.environment);
    let logins = credential_inputs::parse_credentials(invocation)?;
    for empty in &logins.empty {
        invocation.log.info(&format!(
            "{} has no login for {}: it counts only if this run needs one there",
            empty.place, empty.scope
        ));
    }
    let store = CredentialStore::load_from(&files, logins.credentials)
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

/// Where docker, podman and GitLab keep logins, in the order in which they are looked at.
fn credential_files(environment: &ProcessEnvironment) -> CredentialFiles {
    let mut files: Vec<PathBuf> = docker_config(environment).into_iter().collect();
    match environment.path("REGISTRY_AUTH_FILE") {
        Some(file) => files.push(file.to_owned()),
        None => {
            let runtime = environment.path("XDG_RUNTIME_DIR");
            files.extend(runtime.map(|folder| folder.join("containers/auth.json")));
            let home = environment.path("HOME").map(|home| home.join(".config"));
            let config = environment
                .path("XDG_CONFIG_HOME")
                .map(Path::to_owned)
                .or(home);
            files.extend(config.map(|folder| folder.join("containers/auth.json")));
        }
    }
    let inline = environment.get("DOCKER_AUTH_CONFIG");
    CredentialFiles {
        inline: inline
            .filter(|text| !text.is_empty())
            .map(SecretString::from),
        files,
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
