//! Registry whose own API is used, as the policy names it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use url::{Host, Url};

use crate::image::{RegistryName, RegistryVendor};

/// Registry with an API of its own: `harbor.example.com=harbor`, or with the address of the API
/// `registry.example.com=gitlab https://gitlab.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryApiRule {
    /// Registry.
    pub registry: RegistryName,
    /// Product or service that it is.
    pub vendor: RegistryVendor,
    /// Address of its API; `None` where it follows from the registry.
    pub address: Option<Url>,
}

/// Text that is no such rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegistryApiRuleError {
    /// It has another form.
    #[error("is not of the form REGISTRY=VENDOR or REGISTRY=VENDOR ADDRESS")]
    Form,
    /// It names no registry.
    #[error("{0}")]
    Registry(String),
    /// It names no vendor.
    #[error(
        "names the vendor {0:?}, which is not one of acr, artifactory, docker-hub, ecr, gar, ghcr, gitlab, harbor and quay"
    )]
    Vendor(String),
    /// Others could read what is sent to its address, or it has a login in it.
    #[error("has an address that is not an https address without a login")]
    Address,
}

impl FromStr for RegistryApiRule {
    type Err = RegistryApiRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (registry, rest) = text.split_once('=').ok_or(RegistryApiRuleError::Form)?;
        let registry: RegistryName = registry
            .parse()
            .map_err(|error| RegistryApiRuleError::Registry(format!("{error}")))?;
        let mut words = rest.split_ascii_whitespace();
        let vendor = words.next().ok_or(RegistryApiRuleError::Form)?;
        let address = words.next().map(parse_address).transpose()?;
        if words.next().is_some() {
            return Err(RegistryApiRuleError::Form);
        }
        Ok(Self {
            registry,
            vendor: vendor
                .parse()
                .map_err(|_| RegistryApiRuleError::Vendor(vendor.to_owned()))?,
            address,
        })
    }
}

/// Reads an address to which a login may be sent: plain HTTP stays on this machine.
fn parse_address(text: &str) -> Result<Url, RegistryApiRuleError> {
    let url = Url::parse(text).map_err(|_| RegistryApiRuleError::Address)?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(RegistryApiRuleError::Address),
    };
    let has_login = !url.username().is_empty() || url.password().is_some();
    match url.scheme() {
        "https" if !has_login => Ok(url),
        "http" if is_here && !has_login => Ok(url),
        _ => Err(RegistryApiRuleError::Address),
    }
}

impl fmt::Display for RegistryApiRule {
    /// Writes the rule as the policy does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.registry, self.vendor)?;
        match &self.address {
            Some(address) => write!(f, " {address}"),
            None => Ok(()),
        }
    }
}
