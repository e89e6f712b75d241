//! Product or service that a registry is, as far as its host tells.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::canonical::CanonicalRegistry;
use super::reference::RegistryName;

/// Product or service that a registry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegistryVendor {
    /// Azure Container Registry.
    Acr,
    /// JFrog Artifactory.
    Artifactory,
    /// Docker Hub.
    DockerHub,
    /// Amazon ECR, private registries.
    Ecr,
    /// Google Artifact Registry.
    Gar,
    /// GitHub Container Registry.
    Ghcr,
    /// GitLab container registry.
    Gitlab,
    /// Harbor.
    Harbor,
    /// Red Hat Quay.
    Quay,
}

/// Text that names no vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not one of acr, artifactory, docker-hub, ecr, gar, ghcr, gitlab, harbor and quay")]
pub struct RegistryVendorError;

/// Hosts of services, each as a whole.
const HOSTS: [(&str, RegistryVendor); 3] = [
    ("ghcr.io", RegistryVendor::Ghcr),
    ("quay.io", RegistryVendor::Quay),
    ("registry.gitlab.com", RegistryVendor::Gitlab),
];
/// What follows the name in a host of Azure, in each cloud.
const ACR_SUFFIXES: [&str; 3] = [".azurecr.io", ".azurecr.us", ".azurecr.cn"];
/// What follows the name in a host of JFrog's service.
const ARTIFACTORY_SUFFIX: &str = ".jfrog.io";
/// What follows the location in a host of Artifact Registry.
const GAR_SUFFIX: &str = "-docker.pkg.dev";
/// Parts around the location in a regional host of Artifact Registry.
const GAR_REGIONAL: (&str, &str) = ("docker.", ".rep.pkg.dev");
/// What follows the account in a host of Amazon ECR (amazon-ecr-credential-helper 0.12, SDK endpoint rules).
const ECR_SERVICES: [&str; 4] = ["dkr.ecr.", "dkr.ecr-fips.", "dkr-ecr.", "dkr-ecr-fips."];
/// What follows the region, in each partition.
const ECR_SUFFIXES: [&str; 9] = [
    "amazonaws.com",
    "on.aws",
    "amazonaws.com.cn",
    "on.amazonwebservices.com.cn",
    "amazonaws.eu",
    "c2s.ic.gov",
    "sc2s.sgov.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

impl RegistryVendor {
    /// All vendors, by name.
    pub const ALL: [Self; 9] = [
        Self::Acr,
        Self::Artifactory,
        Self::DockerHub,
        Self::Ecr,
        Self::Gar,
        Self::Ghcr,
        Self::Gitlab,
        Self::Harbor,
        Self::Quay,
    ];

    /// Returns the word for it in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Acr => "acr",
            Self::Artifactory => "artifactory",
            Self::DockerHub => "docker-hub",
            Self::Ecr => "ecr",
            Self::Gar => "gar",
            Self::Ghcr => "ghcr",
            Self::Gitlab => "gitlab",
            Self::Harbor => "harbor",
            Self::Quay => "quay",
        }
    }

    /// Returns the vendor of a registry whose host tells it. Hosts are compared as a whole: a host that only begins
    /// like one of a vendor belongs to somebody else.
    pub fn from_registry(registry: &RegistryName) -> Option<Self> {
        if registry.is_docker_hub() {
            return Some(Self::DockerHub);
        }
        let canonical = CanonicalRegistry::from_name(registry);
        let host = canonical.host_name()?;
        let known = HOSTS.iter().find(|(name, _)| *name == host);
        let by_form = || {
            let forms = [
                (is_private_ecr(host), Self::Ecr),
                (has_one_label(host, &ACR_SUFFIXES), Self::Acr),
                (
                    has_one_label(host, &[ARTIFACTORY_SUFFIX]),
                    Self::Artifactory,
                ),
                (is_gar(host), Self::Gar),
            ];
            let mut forms = forms.into_iter();
            forms.find_map(|(is_so, vendor)| is_so.then_some(vendor))
        };
        known.map(|(_, vendor)| *vendor).or_else(by_form)
    }
}

impl FromStr for RegistryVendor {
    type Err = RegistryVendorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        all.find(|vendor| vendor.as_str() == text)
            .ok_or(RegistryVendorError)
    }
}

impl fmt::Display for RegistryVendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns whether a host is one label before one of the suffixes.
fn has_one_label(host: &str, suffixes: &[&str]) -> bool {
    let mut names = suffixes.iter().filter_map(|it| host.strip_suffix(it));
    names.any(|name| !name.is_empty() && !name.contains('.'))
}

/// Returns whether a host is one of Artifact Registry: `LOCATION-docker.pkg.dev` or `docker.LOCATION.rep.pkg.dev`.
fn is_gar(host: &str) -> bool {
    let regional = host.strip_prefix(GAR_REGIONAL.0);
    let location = regional.and_then(|rest| rest.strip_suffix(GAR_REGIONAL.1));
    let is_regional = location.is_some_and(|it| !it.is_empty() && !it.contains('.'));
    is_regional || has_one_label(host, &[GAR_SUFFIX])
}

/// Returns whether a host is that of a private registry of Amazon ECR: `ACCOUNT.dkr.ecr.REGION.SUFFIX` as a whole.
fn is_private_ecr(host: &str) -> bool {
    let Some((account, rest)) = host.split_once('.') else {
        return false;
    };
    let mut services = ECR_SERVICES.iter();
    let place = services.find_map(|service| rest.strip_prefix(service));
    let parts = place.and_then(|place| place.split_once('.'));
    parts.is_some_and(|(region, suffix)| {
        !account.is_empty() && !region.is_empty() && ECR_SUFFIXES.contains(&suffix)
    })
}
