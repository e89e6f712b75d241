//! GitHub Container Registry, by GitHub's packages API (GitHub REST API, "Packages").
//!
//! A version of a package is one manifest with all of its tags. The API deletes and restores versions, and no tag.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use tokio::sync::OnceCell;
use url::Url;

use super::abilities::{AbilitySource, DeletionRoute, RegistryAbilities};
use super::api_client::ApiClient;
use super::api_deletion::{ApiDeletion, ApiRestore};
use super::api_error::{RegistryApiError, RegistryApiErrorKind};
use super::api_settings::ApiSettings;
use super::deletion_pace::DeletionPace;
use super::repository_listing::{ListedManifest, ListedTag, RepositoryListing};
use crate::github::{API_VERSION, JSON_MEDIA_TYPE};
use crate::http::ServiceResponse;
use crate::image::{Digest, Repository, Tag};
use crate::retention::{DeletionOrder, RegistryDeletion};

const SERVICE: &str = "GitHub's packages API";
const NEEDS: &str = "a token with packages: write (GITHUB_TOKEN, or a classic personal access token with read:packages and delete:packages) as the password for the registry in credentials, and for deletions the role Admin of the repository on the package";
/// API of the service that has `ghcr.io`.
const PUBLIC_API: &str = "https://api.github.com";
/// Versions on a page.
const PAGE_SIZE: &str = "100";
/// Deletions a minute: each costs 5 of 900 points (GitHub REST API, "Rate limits").
const DELETIONS_A_MINUTE: u32 = 180;
/// Most times that the list is read until nothing new is in it.
const READINGS_LIMIT: usize = 5;

/// What the API tells and does.
pub(super) const ABILITIES: RegistryAbilities = RegistryAbilities {
    name: "GHCR",
    hosts: "`ghcr.io`",
    lists_untagged: true,
    times: "push, last change",
    deletes_tag: DeletionRoute::Never,
    deletes_manifest: DeletionRoute::VendorApi,
    deletion: RegistryDeletion {
        deletes_tags_with_manifest: true,
        refuses_last_tagged: true,
        deletes_children_with_index: false,
        order: DeletionOrder::RootsFirst,
    },
    refusals: "the last tagged version; public versions with more than 5,000 downloads",
    undo: "30 days, `restore` without `archive`",
    pace: "180 deletions a minute, 1,000 requests an hour with `GITHUB_TOKEN`",
    login: "`packages: write`, role Admin on the package",
    source: AbilitySource::Assumed(
        "GitHub REST API, \"Packages\"; messages of ghcr-cleanup-action and kairos#4723",
    ),
};

/// Package of GitHub Container Registry.
#[derive(Clone)]
pub struct GhcrPackage {
    client: ApiClient,
    owner: String,
    name: String,
    /// Address of the package, once it is known whether an organization or a user owns it.
    address: OnceCell<Url>,
    pace: DeletionPace,
}

/// Version of a package, as the API lists it.
#[derive(Deserialize)]
struct PackageVersionJson {
    id: u64,
    name: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    metadata: Option<MetadataJson>,
}

#[derive(Deserialize)]
struct MetadataJson {
    container: Option<ContainerJson>,
}

#[derive(Deserialize)]
struct ContainerJson {
    tags: Vec<String>,
}

/// State of the versions of a list.
#[derive(Clone, Copy)]
enum VersionState {
    Active,
    Deleted,
}

impl GhcrPackage {
    pub(super) fn open(
        repository: &Repository,
        settings: &ApiSettings,
    ) -> Result<Self, RegistryApiError> {
        let public = Url::parse(PUBLIC_API).ok();
        let base = settings.address.clone().or(public);
        let base = base.ok_or_else(|| no_repository("the address of the API is none"))?;
        let (owner, name) = repository
            .path()
            .split_once('/')
            .ok_or_else(|| no_repository("expected a repository OWNER/NAME"))?;
        let client = ApiClient::new(&settings.http, SERVICE, NEEDS, base.clone());
        // The token of a job belongs to the API of its own server.
        let own_api = settings.logins.github_api.as_ref();
        let is_own = own_api.is_some_and(|api| api.origin() == base.origin());
        let job_token = settings.logins.github_token.as_ref().filter(|_| is_own);
        let password = settings.password().map(|(_, password)| password);
        let token = password.or(job_token).ok_or_else(|| {
            client.error(RegistryApiErrorKind::NoLogin(
                "expected a password for the registry in credentials, or github-token",
            ))
        })?;
        Ok(Self {
            client: client.with_authorization("Bearer", token),
            owner: owner.to_owned(),
            name: name.to_owned(),
            address: OnceCell::new(),
            pace: DeletionPace::per_minute(DELETIONS_A_MINUTE),
        })
    }

    /// Lists the versions of the package. Pages have no fixed order, and a version that is deleted meanwhile moves
    /// others to pages that were read: the list is read again until nothing new is in it.
    pub(super) async fn list_content(&self) -> Result<RepositoryListing, RegistryApiError> {
        let mut listing = RepositoryListing::default();
        for _ in 0..READINGS_LIMIT {
            let known = listing.manifests.len();
            let pages = self
                .add_versions(&mut listing, VersionState::Active)
                .await?;
            if pages == 1 || known == listing.manifests.len() {
                return Ok(listing);
            }
        }
        let url = self.versions(&self.address().await?);
        Err(self.client.malformed(
            &url,
            format!("the list changed {READINGS_LIMIT} times while it was read"),
        ))
    }

    /// Lists the versions that can be restored.
    pub(super) async fn list_deleted(&self) -> Result<RepositoryListing, RegistryApiError> {
        let mut listing = RepositoryListing::default();
        self.add_versions(&mut listing, VersionState::Deleted)
            .await?;
        Ok(listing)
    }

    /// Deletes a version, if it has none but `tags`.
    pub(super) async fn delete_manifest(
        &self,
        digest: Digest,
        id: Option<&str>,
        tags: &[Tag],
    ) -> Result<ApiDeletion, RegistryApiError> {
        let Some(id) = id else {
            let reason = "the packages API does not list it";
            return Ok(ApiDeletion::Refused(reason.to_owned()));
        };
        self.pace.wait().await;
        let url = self.version(id).await?;
        let Some(version) = self.get_version(&url).await? else {
            return Ok(ApiDeletion::Absent);
        };
        self.require_digest(&url, &version, digest)?;
        let new = version.tags(&self.client, &url)?.into_iter();
        let new: Vec<Tag> = new.filter(|tag| !tags.contains(tag)).collect();
        if !new.is_empty() {
            return Ok(ApiDeletion::Changed(new));
        }
        let response = self.send(Method::DELETE, &url).await?;
        match response.status {
            status if status.is_success() => Ok(ApiDeletion::Deleted),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                Ok(ApiDeletion::Refused(self.client.message(&response)))
            }
            // A deletion whose answer was lost; else GitHub hides what the token may not do.
            StatusCode::NOT_FOUND => match self.get_version(&url).await? {
                None => Ok(ApiDeletion::Absent),
                Some(_) => Err(self.refused(&Method::DELETE, &url, &response)),
            },
            _ => Err(self.failed(&Method::DELETE, &url, &response)),
        }
    }

    /// Brings a deleted version back.
    pub(super) async fn restore_manifest(&self, id: &str) -> Result<ApiRestore, RegistryApiError> {
        let mut url = self.version(id).await?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push("restore");
        }
        self.pace.wait().await;
        let response = self.send(Method::POST, &url).await?;
        match response.status {
            status if status.is_success() => Ok(ApiRestore::Restored),
            StatusCode::NOT_FOUND => Ok(ApiRestore::Unknown),
            _ => Err(self.failed(&Method::POST, &url, &response)),
        }
    }

    /// Adds the versions of all pages. Returns the number of pages.
    async fn add_versions(
        &self,
        listing: &mut RepositoryListing,
        state: VersionState,
    ) -> Result<usize, RegistryApiError> {
        let mut url = self.versions(&self.address().await?);
        let state = match state {
            VersionState::Active => "active",
            VersionState::Deleted => "deleted",
        };
        url.query_pairs_mut()
            .append_pair("state", state)
            .append_pair("per_page", PAGE_SIZE);
        let mut read = BTreeSet::new();
        loop {
            if !read.insert(url.to_string()) {
                return Err(self
                    .client
                    .malformed(&url, "a page leads to itself".to_owned()));
            }
            let response = self.send(Method::GET, &url).await?;
            if !response.status.is_success() {
                return Err(self.failed(&Method::GET, &url, &response));
            }
            let versions: Vec<PackageVersionJson> =
                self.client.parse(&Method::GET, &url, &response)?;
            for version in versions {
                self.add_version(listing, &url, version)?;
            }
            match self.client.next_page(&url, &response.headers)? {
                Some(next) => url = next,
                None => return Ok(read.len()),
            }
        }
    }

    fn add_version(
        &self,
        listing: &mut RepositoryListing,
        url: &Url,
        version: PackageVersionJson,
    ) -> Result<(), RegistryApiError> {
        let digest = version.digest(&self.client, url)?;
        for tag in version.tags(&self.client, url)? {
            let pushed = None;
            listing.tags.insert(tag, ListedTag { digest, pushed });
        }
        let listed = ListedManifest {
            id: Some(version.id.to_string()),
            pushed: Some(version.created_at),
            updated: Some(version.updated_at),
            ..ListedManifest::default()
        };
        listing.manifests.insert(digest, listed);
        Ok(())
    }

    /// Returns the address of the package: below its organization, else below its user.
    async fn address(&self) -> Result<Url, RegistryApiError> {
        let found = self.address.get_or_try_init(|| self.find_address()).await;
        found.cloned()
    }

    async fn find_address(&self) -> Result<Url, RegistryApiError> {
        let package = ["packages", "container", self.name.as_str()];
        let mut refusal = None;
        for owners in ["orgs", "users"] {
            let owner = [owners, self.owner.as_str()];
            let url = self.client.url(owner.into_iter().chain(package));
            let response = self.send(Method::GET, &url).await?;
            match response.status {
                status if status.is_success() => return Ok(url),
                StatusCode::NOT_FOUND => {
                    refusal = Some(self.refused(&Method::GET, &url, &response))
                }
                _ => return Err(self.failed(&Method::GET, &url, &response)),
            }
        }
        let none = || no_repository("the API has neither organizations nor users");
        Err(refusal.unwrap_or_else(none))
    }

    fn versions(&self, package: &Url) -> Url {
        let mut url = package.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push("versions");
        }
        url
    }

    async fn version(&self, id: &str) -> Result<Url, RegistryApiError> {
        let mut url = self.versions(&self.address().await?);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(id);
        }
        Ok(url)
    }

    /// Returns a version; `None` if it is deleted.
    async fn get_version(&self, url: &Url) -> Result<Option<PackageVersionJson>, RegistryApiError> {
        let response = self.send(Method::GET, url).await?;
        match response.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                self.client.parse(&Method::GET, url, &response).map(Some)
            }
            _ => Err(self.failed(&Method::GET, url, &response)),
        }
    }

    fn require_digest(
        &self,
        url: &Url,
        version: &PackageVersionJson,
        digest: Digest,
    ) -> Result<(), RegistryApiError> {
        match version.digest(&self.client, url)? == digest {
            true => Ok(()),
            false => Err(self.client.malformed(
                url,
                format!(
                    "expected the version of {digest}, got that of {}",
                    version.name
                ),
            )),
        }
    }

    async fn send(&self, method: Method, url: &Url) -> Result<ServiceResponse, RegistryApiError> {
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static(JSON_MEDIA_TYPE)),
            (
                HeaderName::from_static(API_VERSION.0),
                HeaderValue::from_static(API_VERSION.1),
            ),
        ]);
        self.client.send(method, url, headers, Bytes::new()).await
    }

    /// Returns the error of a response that is no success: GitHub says with 403 too that no request is left.
    fn failed(&self, method: &Method, url: &Url, response: &ServiceResponse) -> RegistryApiError {
        let header = |name| response.headers.get(name)?.to_str().ok();
        let is_limited = response.status == StatusCode::TOO_MANY_REQUESTS
            || header("x-ratelimit-remaining") == Some("0");
        if !is_limited {
            return self.client.status_error(method, url, response);
        }
        let reset = header("x-ratelimit-reset").and_then(|text| text.parse().ok());
        let reset = reset.and_then(|seconds| Timestamp::from_second(seconds).ok());
        self.client
            .error(RegistryApiErrorKind::LimitReached { until: reset })
    }

    /// Returns the error of a 404 to what a package has: GitHub answers so where the token may not see it.
    fn refused(&self, method: &Method, url: &Url, response: &ServiceResponse) -> RegistryApiError {
        self.client.error(RegistryApiErrorKind::Refused {
            method: method.as_str().into(),
            path: url.path().into(),
            status: response.status,
            message: self.client.message(response).into(),
        })
    }
}

impl PackageVersionJson {
    fn digest(&self, client: &ApiClient, url: &Url) -> Result<Digest, RegistryApiError> {
        let digest = self.name.parse();
        digest.map_err(|_| client.malformed(url, format!("{:?} is no digest", self.name)))
    }

    fn tags(&self, client: &ApiClient, url: &Url) -> Result<Vec<Tag>, RegistryApiError> {
        let container = self.metadata.as_ref().and_then(|it| it.container.as_ref());
        let container = container.ok_or_else(|| {
            let reason = format!("the version {} has no tags in its metadata", self.id);
            client.malformed(url, reason)
        })?;
        let tags = container.tags.iter().map(|tag| {
            tag.parse()
                .map_err(|_| client.malformed(url, format!("{tag:?} is no tag")))
        });
        tags.collect()
    }
}

fn no_repository(reason: &str) -> RegistryApiError {
    RegistryApiError {
        service: SERVICE,
        host: Box::default(),
        kind: RegistryApiErrorKind::Repository(reason.to_owned()),
        needs: NEEDS,
    }
}
