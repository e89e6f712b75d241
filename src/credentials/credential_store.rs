//! All credentials of a run, and the lookup of one for a repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use super::credential_helper::{CredentialHelpers, HelperEnvironment, HelperFault};
use super::docker_config::DockerConfig;
use super::error::CredentialsError;
use super::registry_credential::RegistryCredential;
use crate::image::{RegistryName, Repository};
use crate::notices::Notices;

/// Line of the input `credentials`.
#[derive(Clone, Debug)]
pub struct ExplicitCredential {
    /// Registry of the credential.
    pub registry: RegistryName,
    /// User name.
    pub user: String,
    /// Password.
    pub password: SecretString,
}

/// Line of the input `credentials` without a user or password, for example because its secret belongs to
/// another environment. It matters only to a run that needs a login there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmptyLogin {
    /// The registry that the line names.
    pub registry: RegistryName,
    /// The input with its line, as the user knows it.
    pub place: String,
}

/// All credentials of a run. The input `credentials` takes precedence over `config.json`.
#[derive(Clone, Debug, Default)]
pub struct CredentialStore {
    explicit: BTreeMap<RegistryName, RegistryCredential>,
    /// The place of each empty login, by its registry.
    empty: BTreeMap<RegistryName, String>,
    config: DockerConfig,
    config_path: Option<PathBuf>,
    /// Credential helpers. With `None`, every helper counts as absent.
    helpers: Option<Arc<CredentialHelpers>>,
}

impl CredentialStore {
    /// Returns a store without credentials.
    pub fn new_anonymous() -> Self {
        Self::default()
    }

    /// Loads the credentials of the input, and those in the `config.json` at `config` if it exists.
    ///
    /// # Errors
    /// A file that cannot be read or parsed. A missing file is not an error.
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

    /// Adds the lines of the input without a login. Looking up one of their registries is an error: the
    /// user meant a login, so that neither `config.json` nor anonymous access replaces it.
    #[must_use]
    pub fn with_empty(mut self, logins: Vec<EmptyLogin>) -> Self {
        self.empty = logins
            .into_iter()
            .map(|login| (login.registry, login.place))
            .collect();
        self
    }

    /// Adds credential helpers. Each secret of a helper is reported to `notices` before it is used.
    #[must_use]
    pub fn with_helpers(mut self, environment: HelperEnvironment, notices: Notices) -> Self {
        self.helpers = Some(Arc::new(CredentialHelpers::new(environment, notices)));
        self
    }

    /// Returns the credential for a repository; `None` means anonymous. Runs a credential helper if
    /// `config.json` names one, once per registry; if the helper has no credential, `config.json` may.
    ///
    /// # Errors
    /// A credential helper that is missing or fails, and a line of the input without a login.
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

    /// Returns the credential for a repository that needs no credential helper.
    pub fn without_helper(&self, repository: &Repository) -> Option<&RegistryCredential> {
        let registry = repository.registry();
        let in_config = || match self.config.helper(registry) {
            None if self.empty.contains_key(registry) => None,
            None => self.config.credential(repository),
            Some(_) => None,
        };
        self.explicit.get(registry).or_else(in_config)
    }

    /// Returns whether a repository is known to have no credential.
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

    /// Returns whether two repositories of one registry use the same credential.
    pub fn share_login(&self, one: &Repository, other: &Repository) -> bool {
        let registry = one.registry();
        let by_path = |repository| self.config.credential(repository).map(std::ptr::from_ref);
        self.explicit.contains_key(registry) || by_path(one) == by_path(other)
    }

    /// Returns the path of `config.json`, for messages. The file may not exist.
    pub fn config_path(&self) -> Option<&Path> {
        self.config_path.as_deref()
    }

    /// Returns warnings about the file: entries that are unusable or ambiguous.
    pub fn warnings(&self) -> &[String] {
        &self.config.warnings
    }

    /// Returns every text that must not be shown: passwords, tokens, and their Basic form.
    pub fn secrets(&self) -> Vec<SecretString> {
        self.explicit
            .values()
            .chain(self.config.credentials())
            .flat_map(RegistryCredential::secrets)
            .collect()
    }
}
