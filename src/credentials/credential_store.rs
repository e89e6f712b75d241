//! All credentials of a run, and the lookup of one for a repository.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::credential_helper::{CredentialHelpers, HelperEnvironment, HelperFault};
use super::docker_config::DockerConfig;
use super::error::CredentialsError;
use super::login_scope::{LoginScope, ScopedLogins};
use super::registry_credential::RegistryCredential;
use crate::image::{RegistryName, Repository};
use crate::notices::{Notices, to_printable};

/// Line of the input `credentials`.
#[derive(Clone, Debug)]
pub struct ExplicitCredential {
    /// Repositories that the credential is for.
    pub scope: LoginScope,
    /// User name.
    pub user: String,
    /// Password.
    pub password: SecretString,
}

/// Line of the input `credentials` without a user or password, for example because its secret belongs to
/// another environment. It matters only to a run that needs a login there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmptyLogin {
    /// Repositories that the line is for.
    pub scope: LoginScope,
    /// The input with its line, as the user knows it.
    pub place: String,
}

/// Name of the variable with a configuration in it.
const INLINE_NAME: &str = "DOCKER_AUTH_CONFIG";

/// Where configurations with credentials are.
#[derive(Clone, Debug, Default)]
pub struct CredentialFiles {
    /// Configuration in the variable `DOCKER_AUTH_CONFIG`, which takes precedence, as with docker and GitLab.
    pub inline: Option<SecretString>,
    /// Files: docker's `config.json`, podman's `auth.json`. They may not exist.
    pub files: Vec<PathBuf>,
}

/// All credentials of a run. The input `credentials` takes precedence over `config.json`.
#[derive(Clone, Debug, Default)]
pub struct CredentialStore {
    explicit: ScopedLogins<ExplicitLogin>,
    /// Configurations, the one that takes precedence first.
    configs: Vec<DockerConfig>,
    /// Credential helpers. With `None`, every helper counts as absent.
    helpers: Option<Arc<CredentialHelpers>>,
}

/// What a line of the input `credentials` has.
#[derive(Clone, Debug)]
enum ExplicitLogin {
    Credential(RegistryCredential),
    /// Nothing: the place of the line.
    Empty(String),
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
        let files = CredentialFiles {
            files: config.map(Path::to_owned).into_iter().collect(),
            ..CredentialFiles::default()
        };
        Self::load_from(&files, explicit)
    }

    /// Loads the credentials of the input, and those of configurations, the first of which takes precedence.
    ///
    /// # Errors
    /// A configuration that cannot be read or parsed. A missing file is not an error.
    pub fn load_from(
        files: &CredentialFiles,
        explicit: Vec<ExplicitCredential>,
    ) -> Result<Self, CredentialsError> {
        let mut configs = Vec::new();
        if let Some(text) = &files.inline {
            configs.push(DockerConfig::parse_text(INLINE_NAME, text.expose_secret())?);
        }
        for file in &files.files {
            configs.extend(DockerConfig::load(file)?);
        }
        let mut logins = ScopedLogins::default();
        for login in explicit {
            let credential = RegistryCredential::Password {
                user: login.user,
                password: login.password,
            };
            logins.insert(login.scope, ExplicitLogin::Credential(credential));
        }
        Ok(Self {
            explicit: logins,
            configs,
            helpers: None,
        })
    }

    /// Adds the lines of the input without a login. Looking up one of their repositories is an error: the
    /// user meant a login, so that neither `config.json` nor anonymous access replaces it.
    #[must_use]
    pub fn with_empty(mut self, logins: Vec<EmptyLogin>) -> Self {
        for login in logins {
            if !self.explicit.has(&login.scope) {
                self.explicit
                    .insert(login.scope, ExplicitLogin::Empty(login.place));
            }
        }
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
        let explicit = self.explicit.find(repository);
        if let Some(ExplicitLogin::Empty(place)) = explicit {
            return Err(CredentialsError::Empty {
                registry: registry.clone(),
                place: place.as_str().into(),
            });
        }
        let config = self.config_for(repository);
        let helper = config.and_then(|config| Some((config, config.helper(registry)?)));
        let (Some((config, helper)), None) = (helper, explicit) else {
            return Ok(self.without_helper(repository).cloned());
        };
        let answer = match &self.helpers {
            Some(helpers) => helpers.get_credential(helper, registry).await,
            None => Err(HelperFault::Absent),
        };
        match answer {
            Ok(Some(credential)) => Ok(Some(credential)),
            Ok(None) => Ok(self.stored_credential(repository).cloned()),
            Err(fault) => Err(helper_error(registry, config, helper, fault)),
        }
    }

    /// Returns the credential for a repository that needs no credential helper.
    pub fn without_helper(&self, repository: &Repository) -> Option<&RegistryCredential> {
        let registry = repository.registry();
        match self.explicit.find(repository) {
            Some(ExplicitLogin::Credential(credential)) => Some(credential),
            Some(ExplicitLogin::Empty(_)) => None,
            None => {
                let config = self.config_for(repository)?;
                let is_usable = config.helper(registry).is_none();
                config.credential(repository).filter(|_| is_usable)
            }
        }
    }

    /// Returns who logs in to a repository, and where that is written: `login as robot (from the input
    /// credentials)`.
    pub fn describe_login(&self, repository: &Repository) -> String {
        let registry = repository.registry();
        let is_explicit = self.explicit.find(repository).is_some();
        let config = self.config_for(repository);
        let helper = config.and_then(|config| config.helper(registry));
        let origin = match (is_explicit, helper, config) {
            (true, ..) => "the input credentials".to_owned(),
            (false, Some(helper), _) => format!("docker-credential-{helper}"),
            (false, None, Some(config)) => config.name.clone(),
            (false, None, None) => "the configuration".to_owned(),
        };
        match self.without_helper(repository) {
            Some(RegistryCredential::Password { user, .. }) => {
                format!("login as {} (from {origin})", to_printable(user, 80))
            }
            Some(other) => format!("login with {other} (from {origin})"),
            None => format!("login from {origin}"),
        }
    }

    /// Returns whether a repository is known to have no credential.
    pub fn is_anonymous(&self, repository: &Repository) -> bool {
        let registry = repository.registry();
        let config = self.config_for(repository);
        let helper = config.and_then(|config| config.helper(registry));
        let unhelped = match (helper, &self.helpers) {
            (None, _) => true,
            (Some(helper), Some(helpers)) => helpers.has_none(helper, registry),
            (Some(_), None) => false,
        };
        let in_config = || self.stored_credential(repository).is_some();
        let given = self.explicit.find(repository).is_some();
        unhelped && !given && !in_config()
    }

    /// Returns the first configuration that has a credential for a repository, or names a helper for its
    /// registry.
    fn config_for(&self, repository: &Repository) -> Option<&DockerConfig> {
        let registry = repository.registry();
        let has_login = |config: &&DockerConfig| {
            config.names_helper(registry) || config.credential(repository).is_some()
        };
        let mut configs = self.configs.iter();
        let by_store = || {
            self.configs
                .iter()
                .find(|config| config.helper(registry).is_some())
        };
        configs.find(has_login).or_else(by_store)
    }

    /// Returns the credential that the configurations themselves contain for a repository.
    fn stored_credential(&self, repository: &Repository) -> Option<&RegistryCredential> {
        self.configs
            .iter()
            .find_map(|config| config.credential(repository))
    }

    /// Returns whether two repositories of one registry use the same credential.
    pub fn share_login(&self, one: &Repository, other: &Repository) -> bool {
        let explicit = |repository| self.explicit.find(repository).map(std::ptr::from_ref);
        let stored = |repository| self.stored_credential(repository).map(std::ptr::from_ref);
        match (explicit(one), explicit(other)) {
            (None, None) => stored(one) == stored(other),
            (one, other) => one == other,
        }
    }

    /// Returns warnings about the file: entries that are unusable or ambiguous.
    pub fn warnings(&self) -> impl Iterator<Item = &String> {
        self.configs.iter().flat_map(|config| &config.warnings)
    }

    /// Returns every text that must not be shown: passwords, tokens, and their Basic form.
    pub fn secrets(&self) -> Vec<SecretString> {
        let explicit = self.explicit.values().filter_map(|login| match login {
            ExplicitLogin::Credential(credential) => Some(credential),
            ExplicitLogin::Empty(_) => None,
        });
        explicit
            .chain(self.configs.iter().flat_map(DockerConfig::credentials))
            .flat_map(RegistryCredential::secrets)
            .collect()
    }
}

/// Returns the error of a helper that `config` names.
fn helper_error(
    registry: &RegistryName,
    config: &DockerConfig,
    helper: &str,
    fault: HelperFault,
) -> CredentialsError {
    let (registry, helper) = (registry.clone(), helper.to_owned());
    match fault {
        HelperFault::Absent => CredentialsError::Helper {
            registry,
            helper,
            path: config.name.clone(),
        },
        HelperFault::Failed(reason) => CredentialsError::HelperFailed {
            registry,
            helper: helper.into(),
            reason: reason.into(),
        },
    }
}
