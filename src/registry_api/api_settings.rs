//! Logins and addresses for registries' own APIs.

use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use crate::credentials::RegistryCredential;
use crate::http::HttpClient;
use crate::image::Repository;

/// Logins and addresses for the API of a repository.
#[derive(Clone)]
pub struct ApiSettings {
    /// Connections.
    pub http: HttpClient,
    /// Login for the repository, of the input `credentials` or of Docker's configuration.
    pub credential: Option<RegistryCredential>,
    /// Logins that registries do not take.
    pub logins: ApiLogins,
    /// Address of the API that the policy names.
    pub address: Option<Url>,
    /// Time of this machine's clock, for signatures.
    pub clock: Timestamp,
}

/// Logins of a run that registries do not take, and their APIs do.
#[derive(Debug, Clone, Default)]
pub struct ApiLogins {
    /// Token of the job (input `github-token`).
    pub github_token: Option<SecretString>,
    /// Address of GitHub's API (`GITHUB_API_URL`).
    pub github_api: Option<Url>,
    /// Keys of Amazon Web Services.
    pub aws: Option<AwsKeys>,
}

/// Keys of Amazon Web Services, as its tools have them in the environment.
#[derive(Debug, Clone)]
pub struct AwsKeys {
    /// `AWS_ACCESS_KEY_ID`
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_access_key: SecretString,
    /// `AWS_SESSION_TOKEN`, of temporary keys.
    pub session_token: Option<SecretString>,
    /// Address of the API of Amazon ECR (`AWS_ENDPOINT_URL_ECR`, `AWS_ENDPOINT_URL`).
    pub endpoint: Option<Url>,
}

impl ApiSettings {
    /// Returns the user name and the password of the login.
    pub(super) fn password(&self) -> Option<(&str, &SecretString)> {
        match &self.credential {
            Some(RegistryCredential::Password { user, password }) => Some((user, password)),
            _ => None,
        }
    }

    /// Returns the address of the policy, else `https://` with the host of the registry.
    pub(super) fn address_or_host(&self, repository: &Repository) -> Option<Url> {
        let host = repository.registry().api_host();
        let of_host = || Url::parse(&format!("https://{host}")).ok();
        self.address.clone().or_else(of_host)
    }
}
