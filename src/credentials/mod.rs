//! Credentials for registries: the input `credentials`, Docker's `config.json`, and the credential helpers
//! that this file names.

mod credential_helper;
mod credential_store;
mod docker_config;
mod error;
mod login_scope;
mod registry_credential;

pub use credential_helper::HelperEnvironment;
pub use credential_store::{CredentialFiles, CredentialStore, EmptyLogin, ExplicitCredential};
pub use error::CredentialsError;
pub use login_scope::LoginScope;
pub use registry_credential::RegistryCredential;
pub use secrecy::SecretString;
