//! docker's `config.json`, after docker/cli (cli/config/configfile) with the per-path keys of
//! containers-auth.json(5).

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::error::CredentialsError;
use super::login_scope::{LoginScope, ScopedLogins};
use super::registry_credential::RegistryCredential;
use crate::image::{RegistryName, Repository};

/// Padding is often lost when a value is pasted; what it decodes to is the same.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The parts of the file that say who we are.
#[derive(Clone, Debug, Default)]
pub(super) struct DockerConfig {
    /// Path of the file, or name of the variable.
    pub(super) name: String,
    auths: ScopedLogins<RegistryCredential>,
    helpers: BTreeMap<RegistryName, String>,
    store: Option<String>,
    pub(super) warnings: Vec<String>,
}

#[derive(Deserialize)]
struct DockerConfigJson {
    auths: Option<BTreeMap<String, Option<AuthEntryJson>>>,
    #[serde(rename = "credHelpers")]
    cred_helpers: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore")]
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct AuthEntryJson {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl DockerConfig {
    /// Reads the file; `None` where there is none.
    pub(super) fn load(path: &Path) -> Result<Option<Self>, CredentialsError> {
        match std::fs::read(path) {
            Ok(bytes) => Self::parse_named(&path.display().to_string(), &bytes).map(Some),
            Err(error) if is_missing_file(&error) => Ok(None),
            Err(error) => Err(CredentialsError::Unreadable {
                path: path.display().to_string(),
                reason: error.to_string(),
            }),
        }
    }

    /// Reads the text of a variable.
    pub(super) fn parse_text(name: &str, text: &str) -> Result<Self, CredentialsError> {
        Self::parse_named(name, text.as_bytes())
    }

    fn parse_named(name: &str, bytes: &[u8]) -> Result<Self, CredentialsError> {
        let parsed = Self::parse(bytes).map_err(|reason| CredentialsError::Malformed {
            path: name.to_owned(),
            reason,
        })?;
        Ok(Self {
            name: name.to_owned(),
            ..parsed
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err("is UTF-16 (written by PowerShell's `>`?); it must be UTF-8".to_owned());
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let file: DockerConfigJson =
            serde_json::from_slice(bytes).map_err(|error| error_position(&error))?;
        let mut config = Self {
            store: file.creds_store.filter(|name| !name.is_empty()),
            ..Self::default()
        };
        for (key, helper) in file.cred_helpers.unwrap_or_default() {
            if let Some(scope) = config.parse_key(&key) {
                config.helpers.insert(scope.registry().clone(), helper);
            }
        }
        for (key, entry) in file.auths.unwrap_or_default() {
            if let Some(entry) = entry {
                config.add_entry(&key, &entry)?;
            }
        }
        Ok(config)
    }

    fn add_entry(&mut self, key: &str, entry: &AuthEntryJson) -> Result<(), String> {
        let Some(credential) = entry
            .to_credential()
            .map_err(|why| format!("auths, {}: {why}", shown_key(key)))?
        else {
            return Ok(());
        };
        let Some(scope) = self.parse_key(key) else {
            return Ok(());
        };
        // docker itself reads only this key for Docker Hub, so it wins over the other spellings.
        let canonical = key.starts_with("https://index.docker.io/v1");
        if self.auths.has(&scope) {
            self.warnings.push(format!(
                "config.json has several entries for {}: the one for {} is {}",
                scope.registry(),
                shown_key(key),
                if canonical { "used" } else { "left alone" }
            ));
            if !canonical {
                return Ok(());
            }
        }
        self.auths.insert(scope, credential);
        Ok(())
    }

    /// Parses a key such as `ghcr.io`, `ghcr.io/acme` or `https://index.docker.io/v1/`. A key with a
    /// scheme, or with an API version for a path, means the whole registry, as in docker.
    fn parse_key(&mut self, key: &str) -> Option<LoginScope> {
        let bare = key
            .strip_prefix("https://")
            .or_else(|| key.strip_prefix("http://"));
        let (host, path) = bare
            .unwrap_or(key)
            .split_once('/')
            .unwrap_or((bare.unwrap_or(key), ""));
        let path = path.trim_end_matches('/');
        let whole = bare.is_some() || matches!(path, "v1" | "v2");
        match host.parse() {
            Ok(registry) => Some(LoginScope::new(registry, if whole { "" } else { path })),
            Err(_) => {
                self.warnings.push(format!(
                    "config.json: {:?} names no registry and is left alone",
                    shown_key(key)
                ));
                None
            }
        }
    }

    /// Whether the file names a helper for this very registry.
    pub(super) fn names_helper(&self, registry: &RegistryName) -> bool {
        self.helpers.contains_key(registry)
    }

    /// The helper that keeps the credential of `registry`.
    pub(super) fn helper(&self, registry: &RegistryName) -> Option<&str> {
        self.helpers
            .get(registry)
            .or(self.store.as_ref())
            .map(String::as_str)
    }

    pub(super) fn credential(&self, repository: &Repository) -> Option<&RegistryCredential> {
        self.auths.find(repository)
    }

    pub(super) fn credentials(&self) -> impl Iterator<Item = &RegistryCredential> {
        self.auths.values()
    }
}

impl AuthEntryJson {
    /// In docker's order: a registry token is sent as it is, an identity token is exchanged, `auth`
    /// wins over `username` and `password`.
    fn to_credential(&self) -> Result<Option<RegistryCredential>, &'static str> {
        let filled = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        if let Some(token) = filled(&self.registrytoken) {
            return Ok(Some(RegistryCredential::Bearer(token.into())));
        }
        if let Some(token) = filled(&self.identitytoken) {
            return Ok(Some(RegistryCredential::RefreshToken(token.into())));
        }
        if let Some(auth) = filled(&self.auth) {
            return decode_auth(&auth).map(Some);
        }
        Ok(match (filled(&self.username), filled(&self.password)) {
            (Some(user), Some(password)) => Some(RegistryCredential::Password {
                user,
                password: password.into(),
            }),
            _ => None,
        })
    }
}

/// `auth` is base64 of `user:password`; line breaks, as a paste leaves them, do not count.
fn decode_auth(auth: &str) -> Result<RegistryCredential, &'static str> {
    let compact: String = auth.split_ascii_whitespace().collect();
    let bytes = BASE64
        .decode(compact)
        .map_err(|_| "its auth is not base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "its auth is not base64 of a text")?;
    let text = text.trim_end_matches(['\n', '\r', '\0']);
    let (user, password) = text
        .split_once(':')
        .ok_or("its auth is not base64 of user:password")?;
    Ok(RegistryCredential::Password {
        user: user.to_owned(),
        password: password.to_owned().into(),
    })
}

/// Returns a key as it may be shown. Some write an address with a login there
/// (`https://user:password@host/`), or with a token behind a `?`.
fn shown_key(key: &str) -> String {
    let (login, address) = match key.rsplit_once('@') {
        Some((login, address)) => (Some(login), address),
        None => (None, key),
    };
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let scheme = login.and_then(|login| {
        let (scheme, _) = login.split_once("://")?;
        matches!(scheme, "http" | "https").then_some(scheme)
    });
    match (login, scheme) {
        (None, _) => address.to_owned(),
        (Some(_), None) => format!("***@{address}"),
        (Some(_), Some(scheme)) => format!("{scheme}://***@{address}"),
    }
}

/// serde's own messages quote the value at fault, which here may be a password.
fn error_position(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "ends too early",
        serde_json::error::Category::Data => "has a value of the wrong type",
        _ => "is not JSON",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

fn is_missing_file(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory)
}

#[cfg(test)]
mod tests;
