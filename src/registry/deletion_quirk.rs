//! How registries delete that are known by their host, and that do so in another way than the specification says.

use crate::image::{CanonicalRegistry, RegistryName};

/// Way to delete that differs from the specification's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionQuirk {
    /// An image goes with its last tag (Amazon ECR).
    ImageGoesWithLastTag,
    /// Every deletion is refused with status 405 (GitHub Container Registry).
    RefusesAll,
}

/// Host of GitHub's registry.
const GITHUB: &str = "ghcr.io";
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

/// Returns the way in which a registry deletes, as far as its host tells; `None`: as the specification says.
pub fn find_deletion_quirk(registry: &RegistryName) -> Option<DeletionQuirk> {
    let canonical = CanonicalRegistry::from_name(registry);
    match canonical.host_name()? {
        GITHUB => Some(DeletionQuirk::RefusesAll),
        host if is_private_ecr(host) => Some(DeletionQuirk::ImageGoesWithLastTag),
        _ => None,
    }
}

/// Whether a host is that of a private registry of Amazon ECR: `ACCOUNT.dkr.ecr.REGION.SUFFIX` as a whole.
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
