//! Where the services of an instance of Sigstore are.

use std::sync::Arc;
use std::time::Duration;

use sigstore_trust_root::{
    ServiceConfiguration, ServiceEndpoint, ServiceSelector, SigningConfig, SigstoreInstance,
};
use thiserror::Error;
use url::Url;

use crate::notice::{Notices, printable};
use crate::registry::Client;
use crate::signing::TrustRoot;

use super::KeylessError;

/// How long the public instance's repository may take in all. There is a copy to go on with.
const PATIENCE: Duration = Duration::from_secs(20);

/// An instance of Sigstore.
#[derive(Debug, Clone)]
pub enum Instance {
    /// The public one.
    Public {
        /// Whether what is private about the repository may stand in its log.
        private: bool,
    },
    /// One of its own.
    Own {
        /// Its services.
        endpoints: Box<Endpoints>,
        /// Whom to trust there.
        root: Arc<TrustRoot>,
    },
}

/// The services of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Fulcio, which gives certificates.
    pub fulcio: Url,
    /// Rekor v1.
    pub log_v1: Option<Url>,
    /// Rekor v2.
    pub log_v2: Option<Url>,
    /// The timestamp authority: the whole address that requests go to.
    pub authority: Option<Url>,
}

/// Why services cannot be told, or do not do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointsError {
    /// The text is no signing config.
    #[error("is no signing config of Sigstore (v0.2): {0}")]
    Format(String),
    /// It names none that can be used now.
    #[error("names no Fulcio that is in use now")]
    NoFulcio,
    /// It names none that can be used now.
    #[error("names no transparency log that is in use now")]
    NoLog,
    /// Only Rekor v1 gives what the legacy form holds.
    #[error("there is no Rekor v1, whose signed timestamp the legacy form of a signature needs")]
    NoLegacyLog,
    /// Rekor v2 gives no time.
    #[error("names a Rekor v2 and no timestamp authority, which that needs")]
    NoAuthority,
    /// It wants more than is done here.
    #[error("wants each signature {0}, which is not done here: one is")]
    Several(&'static str),
    /// An address is none.
    #[error("names {0:?}, which is no http or https address")]
    Address(String),
}

impl Endpoints {
    /// Reads Sigstore's signing config (v0.2), as far as it is in force now.
    ///
    /// # Errors
    /// Another format, or a service that is missing.
    pub fn read(json: &str) -> Result<Self, EndpointsError> {
        let config = SigningConfig::from_json(json)
            .map_err(|error| EndpointsError::Format(printable(&error.to_string(), 200)))?;
        Self::of(&config)
    }

    fn of(config: &SigningConfig) -> Result<Self, EndpointsError> {
        at_most_one(&config.rekor_tlog_config, "in several logs")?;
        at_most_one(&config.tsa_config, "with several timestamps")?;
        let endpoints = Self {
            fulcio: address(config.fulcio_url())?.ok_or(EndpointsError::NoFulcio)?,
            log_v1: address(config.rekor_url(Some(1)))?,
            log_v2: address(config.rekor_url(Some(2)))?,
            authority: address(config.tsa_url())?,
        };
        endpoints.check()?;
        Ok(endpoints)
    }

    /// That these suffice for a signature.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self) -> Result<(), EndpointsError> {
        match (&self.log_v1, &self.log_v2, &self.authority) {
            (None, None, _) => Err(EndpointsError::NoLog),
            (_, Some(_), None) => Err(EndpointsError::NoAuthority),
            _ => Ok(()),
        }
    }
}

fn at_most_one(config: &ServiceConfiguration, what: &'static str) -> Result<(), EndpointsError> {
    match config.selector {
        ServiceSelector::Any => Ok(()),
        ServiceSelector::Exact if config.count == Some(1) => Ok(()),
        _ => Err(EndpointsError::Several(what)),
    }
}

fn address(endpoint: Option<&ServiceEndpoint>) -> Result<Option<Url>, EndpointsError> {
    let parsed = endpoint.map(|endpoint| {
        let url = Url::parse(&endpoint.url).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        url.ok_or_else(|| EndpointsError::Address(printable(&endpoint.url, 120)))
    });
    parsed.transpose()
}

impl Instance {
    pub(super) async fn resolve(
        &self,
        client: &Client,
        notices: &Notices,
    ) -> Result<(Endpoints, Arc<TrustRoot>), KeylessError> {
        match self {
            Self::Public { .. } => {
                let (root, config) = public(client, notices).await?;
                Ok((Endpoints::of(&config)?, Arc::new(root)))
            }
            Self::Own { endpoints, root } => Ok((*endpoints.clone(), root.clone())),
        }
    }
}

/// The public instance's root and services: by TUF, which shows that they are today's, else the copy
/// in this program. Says which.
async fn public(
    client: &Client,
    notices: &Notices,
) -> Result<(TrustRoot, SigningConfig), KeylessError> {
    let repository = Url::parse(TrustRoot::public_address()).expect("a constant is an address");
    let fetched = TrustRoot::fetch_with_services(client.web(&repository));
    let why = match tokio::time::timeout(PATIENCE, fetched).await {
        Ok(Ok(found)) => {
            notices.info("Sigstore's public instance: root and services of today, by TUF");
            return Ok(found);
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    notices.warning(format!(
        "Sigstore's public instance: root and services as they were when this program was built, since TUF gives none: {why}"
    ));
    let services = SigstoreInstance::PublicGood.embedded_signing_config_json();
    let services = SigningConfig::from_json(services.unwrap_or_default());
    let services = services.map_err(|error| EndpointsError::Format(error.to_string()))?;
    Ok((TrustRoot::embedded()?, services))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn service(url: &str, version: u32, end: Option<&str>) -> Value {
        let mut valid = json!({"start": "2020-01-01T00:00:00Z"});
        if let Some(end) = end {
            valid["end"] = json!(end);
        }
        json!({"url": url, "majorApiVersion": version, "validFor": valid, "operator": "test"})
    }

    fn config(logs: Vec<Value>, authorities: Vec<Value>) -> Value {
        json!({
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [
                service("https://old.example", 1, Some("2021-01-01T00:00:00Z")),
                service("https://fulcio.example", 1, None),
            ],
            "rekorTlogUrls": logs,
            "tsaUrls": authorities,
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaConfig": {"selector": "EXACT", "count": 1},
        })
    }

    #[test]
    fn a_signing_config_is_read_as_it_is_in_force() {
        let logs = vec![
            service("https://log2.example", 2, None),
            service("https://log1.example", 1, None),
        ];
        let stamps = vec![service("https://tsa.example/stamp", 1, None)];
        let read = Endpoints::read(&config(logs, stamps).to_string()).unwrap();
        let url = |text: &str| Url::parse(text).ok();
        assert_eq!(Some(read.fulcio), url("https://fulcio.example"));
        assert_eq!(read.log_v1, url("https://log1.example"));
        assert_eq!(read.log_v2, url("https://log2.example"));
        assert_eq!(read.authority, url("https://tsa.example/stamp"));
        let public = SigstoreInstance::PublicGood.embedded_signing_config_json();
        assert!(Endpoints::read(public.unwrap()).is_ok());
    }

    #[test]
    fn a_signing_config_that_does_not_do_says_why() {
        let log = |version| service("https://log.example", version, None);
        let mut several = config(vec![log(1)], Vec::new());
        several["rekorTlogConfig"] = json!({"selector": "ALL"});
        let mut none = config(vec![log(1)], Vec::new());
        none["caUrls"] = json!([]);
        let mut odd = config(vec![log(1)], Vec::new());
        odd["caUrls"][1]["url"] = json!("ftp://fulcio.example");
        for (config, part) in [
            (several, "in several logs"),
            (none, "names no Fulcio"),
            (odd, "is no http or https address"),
            (config(vec![log(2)], Vec::new()), "no timestamp authority"),
            (config(Vec::new(), Vec::new()), "names no transparency log"),
            (json!({}), "is no signing config"),
        ] {
            let reason = Endpoints::read(&config.to_string())
                .unwrap_err()
                .to_string();
            assert!(reason.contains(part), "{reason}");
        }
    }
}
