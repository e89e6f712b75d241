//! API of one repository, whichever vendor it is of.

use super::acr::AcrRepository;
use super::api_deletion::{ApiDeletion, ApiRestore};
use super::api_error::RegistryApiError;
use super::api_settings::ApiSettings;
use super::docker_hub::DockerHubRepository;
use super::ecr::{self, EcrRepository};
use super::gar::GarRepository;
use super::ghcr::GhcrPackage;
use super::harbor::HarborRepository;
use super::quay::QuayRepository;
use super::repository_listing::RepositoryListing;
use crate::image::{Digest, RegistryVendor, Repository, Tag};

/// API of one repository.
#[derive(Clone)]
pub enum RepositoryApi {
    /// Azure Container Registry.
    Acr(AcrRepository),
    /// Docker Hub.
    DockerHub(DockerHubRepository),
    /// Amazon ECR.
    Ecr(EcrRepository),
    /// Google Artifact Registry.
    Gar(GarRepository),
    /// GitHub Container Registry.
    Ghcr(GhcrPackage),
    /// Harbor.
    Harbor(HarborRepository),
    /// Quay.
    Quay(QuayRepository),
}

impl RepositoryApi {
    /// Opens the API of a repository. Sends nothing. `None` where the distribution API alone is used.
    ///
    /// # Errors
    /// No login that the API takes, and a repository that cannot be one of it.
    pub fn open(
        vendor: RegistryVendor,
        repository: &Repository,
        settings: &ApiSettings,
    ) -> Result<Option<Self>, RegistryApiError> {
        Ok(Some(match vendor {
            RegistryVendor::Acr => Self::Acr(AcrRepository::open(repository, settings)?),
            RegistryVendor::Artifactory | RegistryVendor::Gitlab => return Ok(None),
            RegistryVendor::DockerHub => {
                Self::DockerHub(DockerHubRepository::open(repository, settings)?)
            }
            RegistryVendor::Ecr => Self::Ecr(EcrRepository::open(repository, settings)?),
            RegistryVendor::Gar => Self::Gar(GarRepository::open(repository, settings)?),
            RegistryVendor::Ghcr => Self::Ghcr(GhcrPackage::open(repository, settings)?),
            RegistryVendor::Harbor => Self::Harbor(HarborRepository::open(repository, settings)?),
            RegistryVendor::Quay => Self::Quay(QuayRepository::open(repository, settings)?),
        }))
    }

    /// Lists all manifests and tags.
    ///
    /// # Errors
    /// A list that the API does not give as a whole, and a login that it refuses.
    pub async fn list_content(&self) -> Result<RepositoryListing, RegistryApiError> {
        match self {
            Self::Acr(api) => api.list_content().await,
            Self::DockerHub(api) => api.list_content().await,
            Self::Ecr(api) => api.list_content().await,
            Self::Gar(api) => api.list_content().await,
            Self::Ghcr(api) => api.list_content().await,
            Self::Harbor(api) => api.list_content().await,
            Self::Quay(api) => api.list_content().await,
        }
    }

    /// Deletes a manifest that has these tags and no other; `id` is that of the listing. `None` where the vendor
    /// deletes by the distribution API.
    ///
    /// # Errors
    /// A login that is refused, and an answer that may be another one later.
    pub async fn delete_manifest(
        &self,
        digest: Digest,
        id: Option<&str>,
        tags: &[Tag],
    ) -> Option<Result<ApiDeletion, RegistryApiError>> {
        match self {
            Self::Ghcr(api) => Some(api.delete_manifest(digest, id, tags).await),
            _ => None,
        }
    }

    /// Returns the most manifests that one request deletes; `None` where each needs its own.
    pub fn batch_limit(&self) -> Option<usize> {
        match self {
            Self::Ecr(_) => Some(ecr::BATCH_LIMIT),
            _ => None,
        }
    }

    /// Deletes at most [`RepositoryApi::batch_limit`] manifests with all of their tags. `None` where each needs a
    /// request of its own.
    ///
    /// # Errors
    /// A login that is refused, and an answer that may be another one later: none of them is known to be deleted.
    pub async fn delete_manifests(
        &self,
        digests: &[Digest],
    ) -> Option<Result<Vec<ApiDeletion>, RegistryApiError>> {
        match self {
            Self::Ecr(api) => Some(api.delete_manifests(digests).await),
            _ => None,
        }
    }

    /// Deletes a tag alone. `None` where the vendor deletes tags by the distribution API, or never alone.
    ///
    /// # Errors
    /// A login that is refused, and an answer that may be another one later.
    pub async fn delete_tag(&self, tag: &Tag) -> Option<Result<ApiDeletion, RegistryApiError>> {
        match self {
            Self::DockerHub(api) => Some(api.delete_tag(tag).await),
            Self::Harbor(api) => Some(api.delete_tag(tag).await),
            Self::Quay(api) => Some(api.delete_tag(tag).await),
            _ => None,
        }
    }

    /// Lists the manifests that can be restored, with the tags that they had. `None` where the API undoes nothing.
    ///
    /// # Errors
    /// A list that the API does not give as a whole, and a login that it refuses.
    pub async fn list_deleted(&self) -> Option<Result<RepositoryListing, RegistryApiError>> {
        match self {
            Self::Ghcr(api) => Some(api.list_deleted().await),
            _ => None,
        }
    }

    /// Brings a deleted manifest back, with its tags; `id` is that of the list. `None` where the API undoes nothing.
    ///
    /// # Errors
    /// A login that is refused, and an answer that may be another one later.
    pub async fn restore_manifest(&self, id: &str) -> Option<Result<ApiRestore, RegistryApiError>> {
        match self {
            Self::Ghcr(api) => Some(api.restore_manifest(id).await),
            _ => None,
        }
    }
}
