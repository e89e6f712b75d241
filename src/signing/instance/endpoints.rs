//! Where the services of an instance of Sigstore are.

use sigstore_trust_root::{ServiceConfiguration, ServiceEndpoint, ServiceSelector, SigningConfig};
use thiserror::Error;
use url::Url;

use crate::notices::to_printable;

/// The services of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceEndpoints {
    /// Fulcio, which gives certificates.
    pub fulcio: Url,
    /// Those that say that a signature was made.
    pub logs: LogEndpoints,
}

/// The services of an instance that say that a signature was made, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEndpoints {
    /// Rekor v1.
    pub v1: Option<Url>,
    /// Rekor v2.
    pub v2: Option<Url>,
    /// The timestamp authority: the whole address that requests go to.
    pub authority: Option<Url>,
}

impl InstanceEndpoints {
    /// The addresses of those that show others what is signed.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &Url> {
        let logs = self.logs.v1.iter().chain(&self.logs.v2);
        logs.chain([&self.fulcio])
    }
}

/// Why services cannot be told, or do not do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointsError {
    /// The text is no signing config.
    #[error("is not a Sigstore signing config (v0.2): {0}")]
    Format(String),
    /// It names none that can be used now.
    #[error("names no Fulcio that is in use")]
    NoFulcio,
    /// It names none that can be used now.
    #[error("names no transparency log that is in use")]
    NoLog,
    /// Only Rekor v1 gives what the legacy form holds.
    #[error("no Rekor v1 is configured, and legacy signatures need its signed timestamp")]
    NoLegacyLog,
    /// Rekor v2 gives no time.
    #[error("names a Rekor v2, which needs a timestamp authority, and names none")]
    NoAuthority,
    /// Nothing else gives the time of an attestation that no log holds.
    #[error(
        "no timestamp authority is configured, and transparency-log: attestations leaves the proof of the time to one"
    )]
    NoTimestampAuthority,
    /// It wants more than is done here.
    #[error("asks for each signature {0}, and only one is supported")]
    MoreThanOne(&'static str),
    /// An address is none.
    #[error("names {0:?}, which is not an http or https address")]
    Address(String),
}

/// What a signing config names.
pub trait FromSigningConfig: Sized {
    /// As far as it is in force now.
    ///
    /// # Errors
    /// A service that is missing.
    fn of(config: &SigningConfig) -> Result<Self, EndpointsError>;

    /// Reads Sigstore's signing config (v0.2).
    ///
    /// # Errors
    /// Another format, or a service that is missing.
    fn read(json: &str) -> Result<Self, EndpointsError> {
        let config = SigningConfig::from_json(json)
            .map_err(|error| EndpointsError::Format(to_printable(&error.to_string(), 200)))?;
        Self::of(&config)
    }
}

impl FromSigningConfig for InstanceEndpoints {
    fn of(config: &SigningConfig) -> Result<Self, EndpointsError> {
        Ok(Self {
            fulcio: parse_address(config.fulcio_url())?.ok_or(EndpointsError::NoFulcio)?,
            logs: LogEndpoints::of(config)?,
        })
    }
}

impl FromSigningConfig for LogEndpoints {
    fn of(config: &SigningConfig) -> Result<Self, EndpointsError> {
        at_most_one(&config.rekor_tlog_config, "in several logs")?;
        at_most_one(&config.tsa_config, "with several timestamps")?;
        let logs = Self {
            v1: parse_address(config.rekor_url(Some(1)))?,
            v2: parse_address(config.rekor_url(Some(2)))?,
            authority: parse_address(config.tsa_url())?,
        };
        match (&logs.v1, &logs.v2, &logs.authority) {
            (None, None, _) => Err(EndpointsError::NoLog),
            (_, Some(_), None) => Err(EndpointsError::NoAuthority),
            _ => Ok(logs),
        }
    }
}

fn at_most_one(config: &ServiceConfiguration, what: &'static str) -> Result<(), EndpointsError> {
    match config.selector {
        ServiceSelector::Any => Ok(()),
        ServiceSelector::Exact if config.count == Some(1) => Ok(()),
        _ => Err(EndpointsError::MoreThanOne(what)),
    }
}

fn parse_address(endpoint: Option<&ServiceEndpoint>) -> Result<Option<Url>, EndpointsError> {
    let parsed = endpoint.map(|endpoint| {
        let url = Url::parse(&endpoint.url).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        url.ok_or_else(|| EndpointsError::Address(to_printable(&endpoint.url, 120)))
    });
    parsed.transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use sigstore_trust_root::SigstoreInstance;

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
        let read = InstanceEndpoints::read(&config(logs, stamps).to_string()).unwrap();
        let url = |text: &str| Url::parse(text).ok();
        assert_eq!(Some(read.fulcio), url("https://fulcio.example"));
        assert_eq!(read.logs.v1, url("https://log1.example"));
        assert_eq!(read.logs.v2, url("https://log2.example"));
        assert_eq!(read.logs.authority, url("https://tsa.example/stamp"));
        let public = SigstoreInstance::PublicGood.embedded_signing_config_json();
        assert!(InstanceEndpoints::read(public.unwrap()).is_ok());
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
            (odd, "is not an http or https address"),
            (
                config(vec![log(2)], Vec::new()),
                "needs a timestamp authority",
            ),
            (config(Vec::new(), Vec::new()), "names no transparency log"),
            (json!({}), "is not a Sigstore signing config"),
        ] {
            let reason = InstanceEndpoints::read(&config.to_string())
                .unwrap_err()
                .to_string();
            assert!(reason.contains(part), "{reason}");
        }
    }

    /// A key needs no certificate.
    #[test]
    fn logs_are_read_where_there_is_no_fulcio() {
        let log = service("https://log.example", 1, None);
        let mut config = config(vec![log], Vec::new());
        config["caUrls"] = json!([]);
        let read = LogEndpoints::read(&config.to_string()).unwrap();
        assert_eq!(read.v1, Url::parse("https://log.example").ok());
        assert_eq!((read.v2, read.authority), (None, None));
    }
}
