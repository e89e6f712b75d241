//! Who we are at a registry: the `credentials` input, docker's `config.json`, and the helper programs
//! that this file names.

mod credential_helper;
mod docker_config;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
pub use secrecy::SecretString;
use secrecy::{ExposeSecret, SecretBox};
use thiserror::Error;

use crate::image::{RegistryName, Repository};
use crate::notices::Notices;
pub use credential_helper::HelperEnvironment;
use credential_helper::{CredentialHelpers, HelperFault};
use docker_config::DockerConfig;

/// What is shown to a registry. Its secrets cannot be printed.
#[derive(Clone, Debug)]
pub enum RegistryCredential {
    /// A user name and password (or access token in the password's place).
    Password {
        /// The user name.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// A refresh token, exchanged for access tokens by the OAuth2 flow (`identitytoken`).
    RefreshToken(SecretString),
    /// A bearer token, sent as it is (`registrytoken`).
    Bearer(SecretString),
}

/// One line of the `credentials` input.
#[derive(Clone, Debug)]
pub struct ExplicitCredential {
    /// The registry that the credential is for.
    pub registry: RegistryName,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// One line of the `credentials` input that names a registry and holds no login, as where its secret
/// is one of another environment. It matters only to a run that needs a login there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmptyLogin {
    /// The registry that the line names.
    pub registry: RegistryName,
    /// The input with its line, as the user knows it.
    pub place: String,
}

/// All credentials of a run. What the user gave as input wins over `config.json`.
#[derive(Clone, Debug, Default)]
pub struct CredentialStore {
    explicit: BTreeMap<RegistryName, RegistryCredential>,
    /// The place of each empty login, by its registry.
    empty: BTreeMap<RegistryName, String>,
    config: DockerConfig,
    config_path: Option<PathBuf>,
    /// Without them every helper counts as absent.
    helpers: Option<Arc<CredentialHelpers>>,
}

/// Why credentials could not be read or used. Never holds a value, only its place.
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
    /// The file is no docker configuration.
    #[error("{path}: {reason}")]
    Malformed {
        /// The path of `config.json`.
        path: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// The credential of a registry is kept by a helper program that does not exist here.
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
    /// The input names a registry that wants a login, and holds none for it.
    #[error("{place} has no login for {registry}: the user or the password is empty")]
    Empty {
        /// The registry.
        registry: RegistryName,
        /// The input with its line, as the user knows it.
        place: Box<str>,
    },
    /// The helper program that keeps the credential of a registry gave none.
    #[error("docker-credential-{helper}, which keeps the credentials of {registry}, {reason}")]
    HelperFailed {
        /// The registry.
        registry: RegistryName,
        /// The helper's name, as in `credsStore` or `credHelpers`.
        helper: Box<str>,
        /// What it did instead.
        reason: Box<str>,
    },
}

impl CredentialStore {
    /// No credentials at all.
    pub fn new_anonymous() -> Self {
        Self::default()
    }

    /// The credentials of the input, and those in the `config.json` at `config`, where there is one.
    ///
    /// # Errors
    /// A file that is there but cannot be read or understood. A missing file is no error.
    pub fn load(
        config: Option<&Path>,
        explicit: Vec<ExplicitCredential>,
    ) -> Result<Self, CredentialsError> {
        let explicit = explicit
            .into_iter()
            .map(|e| {
                (
                    e.registry,
                    RegistryCredential::Password {
                        user: e.user,
                        password: e.password,
                    },
                )
            })
            .collect();
        Ok(Self {
            explicit,
            empty: BTreeMap::new(),
            config: config
                .map(DockerConfig::load)
                .transpose()?
                .flatten()
                .unwrap_or_default(),
            config_path: config.map(Path::to_owned),
            helpers: None,
        })
    }

    /// Adds what the input names without a login. Looking one of them up is an error: the user meant a
    /// login, so that neither `config.json` nor none at all takes its place.
    #[must_use]
    pub fn with_empty(mut self, logins: Vec<EmptyLogin>) -> Self {
        self.empty = logins
            .into_iter()
            .map(|login| (login.registry, login.place))
            .collect();
        self
    }

    /// With the helper programs that there are. What one of them gives is told to `notices` as a
    /// secret before it is used.
    #[must_use]
    pub fn with_helpers(mut self, surroundings: HelperEnvironment, notices: Notices) -> Self {
        self.helpers = Some(Arc::new(CredentialHelpers::new(surroundings, notices)));
        self
    }

    /// The credential to use for a repository; `None` means anonymous. Where a helper program keeps
    /// it, that is asked, once for each registry; what it does not know may be in `config.json`.
    ///
    /// # Errors
    /// A helper program that does not exist, or gives no answer; a login that is given and empty.
    pub async fn lookup(
        &self,
        repository: &Repository,
    ) -> Result<Option<RegistryCredential>, CredentialsError> {
        let registry = repository.registry();
        if let Some(place) = self.empty.get(registry) {
            return Err(CredentialsError::Empty {
                registry: registry.clone(),
                place: place.as_str().into(),
            });
        }
        let (Some(helper), None) = (self.config.helper(registry), self.explicit.get(registry))
        else {
            return Ok(self.without_helper(repository).cloned());
        };
        let answer = match &self.helpers {
            Some(helpers) => helpers.get_credential(helper, registry).await,
            None => Err(HelperFault::Absent),
        };
        match answer {
            Ok(Some(credential)) => Ok(Some(credential)),
            Ok(None) => Ok(self.config.credential(repository).cloned()),
            Err(fault) => Err(self.helper_error(registry, helper, fault)),
        }
    }

    /// The credential for a repository that needs no helper program.
    pub fn without_helper(&self, repository: &Repository) -> Option<&RegistryCredential> {
        let registry = repository.registry();
        let in_config = || match self.config.helper(registry) {
            None if self.empty.contains_key(registry) => None,
            None => self.config.credential(repository),
            Some(_) => None,
        };
        self.explicit.get(registry).or_else(in_config)
    }

    /// Whether it is known that there is no credential for a repository.
    pub fn is_anonymous(&self, repository: &Repository) -> bool {
        let registry = repository.registry();
        let unhelped = match (self.config.helper(registry), &self.helpers) {
            (None, _) => true,
            (Some(helper), Some(helpers)) => helpers.has_none(helper, registry),
            (Some(_), None) => false,
        };
        let in_config = || self.config.credential(repository).is_some();
        let given = self.explicit.contains_key(registry) || self.empty.contains_key(registry);
        unhelped && !given && !in_config()
    }

    fn helper_error(
        &self,
        registry: &RegistryName,
        helper: &str,
        fault: HelperFault,
    ) -> CredentialsError {
        let (registry, helper) = (registry.clone(), helper.to_owned());
        match fault {
            HelperFault::Absent => CredentialsError::Helper {
                registry,
                helper,
                path: self
                    .config_path
                    .as_deref()
                    .unwrap_or(Path::new(""))
                    .display()
                    .to_string(),
            },
            HelperFault::Failed(reason) => CredentialsError::HelperFailed {
                registry,
                helper: helper.into(),
                reason: reason.into(),
            },
        }
    }

    /// Whether two repositories of one registry are logged in to in the same way.
    pub fn share_login(&self, one: &Repository, other: &Repository) -> bool {
        let registry = one.registry();
        let by_path = |repository| self.config.credential(repository).map(std::ptr::from_ref);
        self.explicit.contains_key(registry) || by_path(one) == by_path(other)
    }

    /// The `config.json` that was looked for, for messages.
    pub fn config_path(&self) -> Option<&Path> {
        self.config_path.as_deref()
    }

    /// What a person should know of the file: entries that could not be used, or were ambiguous.
    pub fn warnings(&self) -> &[String] {
        &self.config.warnings
    }

    /// Every text that must never be shown: passwords, tokens, and their Basic form.
    pub fn secrets(&self) -> Vec<SecretString> {
        self.explicit
            .values()
            .chain(self.config.credentials())
            .flat_map(RegistryCredential::secrets)
            .collect()
    }
}

impl RegistryCredential {
    /// The base64 form of `user:password`, as a Basic authorization carries it.
    pub(crate) fn to_basic(user: &str, password: &SecretString) -> SecretString {
        let pair = SecretBox::new(Box::new(format!("{user}:{}", password.expose_secret())));
        BASE64_STANDARD
            .encode(pair.expose_secret().as_bytes())
            .into()
    }

    fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Password { user, password } => {
                vec![password.clone(), Self::to_basic(user, password)]
            }
            Self::RefreshToken(token) | Self::Bearer(token) => vec![token.clone()],
        }
    }
}

impl fmt::Display for RegistryCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => write!(f, "user {user}"),
            Self::RefreshToken(_) => f.write_str("an identity token"),
            Self::Bearer(_) => f.write_str("a registry token"),
        }
    }
}
