//! Where the services of an instance of Sigstore are.

use sigstore_trust_root::{ServiceConfiguration, ServiceEndpoint, ServiceSelector, SigningConfig};
use thiserror::Error;
use url::Url;

use crate::notice::{Notices, printable};
use crate::registry::Client;
use crate::signing::TrustRoot;

use super::KeylessError;

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
        endpoints: Endpoints,
        /// Whom to trust there.
        root: TrustRoot,
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
    ) -> Result<(Endpoints, TrustRoot), KeylessError> {
        match self {
            Self::Public { .. } => {
                let repository = Url::parse("https://tuf-repo-cdn.sigstore.dev")
                    .expect("a constant is an address");
                let web = client.web(&repository);
                let (root, config) = TrustRoot::public(web, notices).await?;
                Ok((Endpoints::of(&config)?, root))
            }
            Self::Own { endpoints, root } => Ok((endpoints.clone(), root.clone())),
        }
    }
}
