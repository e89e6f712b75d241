//! The abilities of all registries. A test makes the table in docs/retention.md from them.

use super::abilities::RegistryAbilities;
use super::{acr, distribution_only, docker_hub, ecr, gar, ghcr, harbor, quay};
use crate::image::RegistryVendor;

impl RegistryAbilities {
    /// Returns what the API of a vendor tells and does.
    pub fn from_vendor(vendor: RegistryVendor) -> &'static Self {
        match vendor {
            RegistryVendor::Acr => &acr::ABILITIES,
            RegistryVendor::Artifactory => &distribution_only::ARTIFACTORY,
            RegistryVendor::DockerHub => &docker_hub::ABILITIES,
            RegistryVendor::Ecr => &ecr::ABILITIES,
            RegistryVendor::Gar => &gar::ABILITIES,
            RegistryVendor::Ghcr => &ghcr::ABILITIES,
            RegistryVendor::Gitlab => &distribution_only::GITLAB,
            RegistryVendor::Harbor => &harbor::ABILITIES,
            RegistryVendor::Quay => &quay::ABILITIES,
        }
    }

    /// Returns all entries: of the vendors, then of what has no API of its own.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        let others = [
            &distribution_only::DISTRIBUTION,
            &distribution_only::ZOT,
            &distribution_only::LAYOUT,
        ];
        let vendors = RegistryVendor::ALL.into_iter().map(Self::from_vendor);
        vendors.chain(others)
    }
}
