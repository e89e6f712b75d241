//! Hints to errors of requests: what the person at the failed job can do.

use super::error::{RegistryError, RequestErrorKind};
use crate::credentials::CredentialsError;
use crate::http::HttpError;

impl RegistryError {
    /// Returns what the person at the failed job can do.
    pub fn hint(&self) -> Option<String> {
        match &self.cause {
            RequestErrorKind::Status { status, code, message } => {
                self.status_hint(status.as_u16(), code.as_deref(), message)
            }
            RequestErrorKind::Redirected { host, cause } => Some(match **cause {
                RequestErrorKind::Http(_) => format!(
                    "{} keeps its content at {host}: this runner must be able to reach that host too",
                    self.registry
                ),
                _ => format!("{host} refused, not {}: check the storage of the registry", self.registry),
            }),
            RequestErrorKind::UnknownReferrers(_) => Some(format!(
                "if {} has no referrers API (such as Harbor before 2.8), set referrers: none; this is not assumed, because the image could lose its signatures unnoticed",
                self.registry
            )),
            RequestErrorKind::TokenService { host, .. } => Some(format!(
                "{} sends logins to {host}: this runner must be able to reach that host too",
                self.registry
            )),
            RequestErrorKind::LoginRequired(_) => Some(self.missing_login_hint()),
            RequestErrorKind::Login(_) => Some(format!(
                "check the credentials of {} (input credentials, or docker/login-action and DOCKER_CONFIG)",
                self.registry
            )),
            RequestErrorKind::Credentials(CredentialsError::Empty { .. }) => Some(
                "set the secret where this job can read it (its environment, the repository or the organization), or leave the line out"
                    .to_owned(),
            ),
            RequestErrorKind::Credentials(_) => Some(format!(
                "give them as the input credentials: {}=USER:PASSWORD",
                self.registry
            )),
            RequestErrorKind::LoginRejected(_) => Some(format!(
                "check the user and the password, or give another login as the input credentials: {}=USER:PASSWORD",
                self.registry
            )),
            RequestErrorKind::WebPage => Some(format!(
                "does a proxy or a login page stand before {}? Check the name of the registry, and what this runner reaches at that address",
                self.registry
            )),
            RequestErrorKind::Http(error) => self.http_hint(error),
            _ => None,
        }
    }

    fn http_hint(&self, error: &HttpError) -> Option<String> {
        match error {
            HttpError::Connection(_) | HttpError::Stalled(_) => Some(format!(
                "is {} running, and do the firewall and the proxy (HTTPS_PROXY) let this machine reach it?",
                self.registry
            )),
            HttpError::Tls(text) if text.contains("not valid for name") => Some(format!(
                "the certificate is for other names: check how {} is written, and that its name leads to the right server",
                self.registry
            )),
            HttpError::Tls(text) if text.contains("expired") => Some(format!(
                "renew the certificate of {}, or set the clock of this machine",
                self.registry
            )),
            HttpError::Proxy { proxy, status } => Some(match status.as_u16() {
                407 => format!("give the login of {proxy} in HTTPS_PROXY (http://USER:PASSWORD@HOST:PORT), or reach {} directly with NO_PROXY", self.registry),
                _ => format!("let the proxy {proxy} open connections to {}, or reach it directly with NO_PROXY", self.registry),
            }),
            HttpError::Tls(text) if text.contains("fatal alert") => Some(
                "a server that wants a client certificate gets it with client-cert and client-key"
                    .to_owned(),
            ),
            HttpError::Tls(_) => Some(
                "for a private certificate authority give its PEM file as ca-file; a registry without TLS goes into insecure-registries"
                    .to_owned(),
            ),
            HttpError::UnknownHost => {
                Some(format!("is {} spelt right, and can this runner reach it?", self.registry))
            }
            _ => None,
        }
    }

    fn missing_login_hint(&self) -> String {
        let registry = &self.registry;
        format!(
            "no credentials for {registry} were found: log in first with `docker login {registry}`, or give credentials: {registry}=USER:PASSWORD"
        )
    }

    fn quota_hint(&self) -> String {
        let registry = &self.registry;
        let named = self.action.strip_prefix("PUT manifest ");
        // Other tags may have been moved before a tag.
        match named.is_some_and(|named| !named.starts_with("sha256:")) {
            true => format!(
                "raise the quota of the repository at {registry}, or delete tags that nobody needs, and repeat the run"
            ),
            false => format!(
                "raise the quota of the repository at {registry}, or delete images that nobody needs; the tags still point to what they did"
            ),
        }
    }

    fn status_hint(&self, status: u16, code: Option<&str>, message: &str) -> Option<String> {
        let registry = &self.registry;
        let ghcr = registry.as_str() == "ghcr.io";
        match (status, code) {
            _ if self.is_quota_reached() => Some(self.quota_hint()),
            (403, _) if ghcr && message.contains("write_package") => Some(
                "the package exists, but does not give this repository's workflows write access: Package settings, Manage Actions access".to_owned(),
            ),
            (403, _) if ghcr => Some("in a job: packages: write in its permissions, and write access for the repository in the package's settings (Manage Actions access); in a shell: a login with a token that has write:packages".to_owned()),
            (404, Some("NAME_UNKNOWN")) => Some(format!("create the repository first: {registry} does not do so on a push")),
            (401 | 403, _) if self.anonymous => Some(self.missing_login_hint()),
            (401 | 403, _) => Some(format!("the credentials of {registry} are not allowed to do this")),
            (413, _) => Some(format!("{registry}, or a proxy before it, takes less than that at once: raise its limit for a request (nginx: client_max_body_size)")),
            (429, _) => Some("the registry limits how often it may be asked; logging in often raises the limit".to_owned()),
            _ => None,
        }
    }
}
