//! Harbor, by its API (Harbor API v2.0, artifacts of a repository).

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use super::abilities::{AbilitySource, DeletionRoute, RegistryAbilities};
use super::api_client::ApiClient;
use super::api_deletion::ApiDeletion;
use super::api_error::{RegistryApiError, RegistryApiErrorKind};
use super::api_settings::ApiSettings;
use super::repository_listing::{ListedManifest, ListedTag, RepositoryListing};
use crate::credentials::RegistryCredential;
use crate::image::{Digest, Repository, Tag};
use crate::retention::{DeletionOrder, RegistryDeletion};

const SERVICE: &str = "Harbor's API";
const NEEDS: &str = "the login of a user or robot account in credentials, with the permissions list and read artifact, list tag, delete artifact and delete tag";
/// Artifacts on a page: the most that the API gives.
const PAGE_SIZE: &str = "100";
/// Header with the number of all artifacts.
const TOTAL: &str = "x-total-count";

/// What the API tells and does.
pub(super) const ABILITIES: RegistryAbilities = RegistryAbilities {
    name: "Harbor",
    hosts: "`retention.apis` alone",
    lists_untagged: true,
    times: "push, push of the tag",
    deletes_tag: DeletionRoute::VendorApi,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: RegistryDeletion {
        deletes_tags_with_manifest: false,
        refuses_last_tagged: false,
        deletes_children_with_index: true,
        order: DeletionOrder::IndexesFirst,
    },
    refusals: "images with immutable tags, known beforehand; what an index lists. An index goes with its children that nothing else names: one with a child that stays is kept",
    undo: "none",
    pace: "as it says",
    login: "list and read artifact, list tag, delete artifact, delete tag",
    source: AbilitySource::Assumed("Harbor API v2.0, and its source for `base=*`"),
};

/// Repository of Harbor.
#[derive(Clone)]
pub struct HarborRepository {
    client: ApiClient,
    project: String,
    /// Name below the project, with `%2F` for slashes: the API decodes it twice.
    name: String,
}

#[derive(Deserialize)]
struct HarborArtifactJson {
    digest: String,
    push_time: Option<Timestamp>,
    /// `null` where there is none.
    tags: Option<Vec<HarborTagJson>>,
}

#[derive(Deserialize)]
struct HarborTagJson {
    name: String,
    push_time: Option<Timestamp>,
    #[serde(default)]
    immutable: bool,
}

impl HarborRepository {
    pub(super) fn open(
        repository: &Repository,
        settings: &ApiSettings,
    ) -> Result<Self, RegistryApiError> {
        let no_repository = |reason: &str| RegistryApiError {
            service: SERVICE,
            host: repository.registry().to_string().into(),
            kind: RegistryApiErrorKind::Repository(reason.to_owned()),
            needs: NEEDS,
        };
        let base = settings.address_or_host(repository);
        let base = base.ok_or_else(|| no_repository("the host is none of an address"))?;
        let (project, name) = repository
            .path()
            .split_once('/')
            .ok_or_else(|| no_repository("expected a repository PROJECT/NAME"))?;
        let client = ApiClient::new(&settings.http, SERVICE, NEEDS, base);
        let (user, password) = settings.password().ok_or_else(|| {
            client.error(RegistryApiErrorKind::NoLogin(
                "expected a user with a password",
            ))
        })?;
        let basic = RegistryCredential::to_basic(user, password);
        Ok(Self {
            client: client.with_authorization("Basic", &basic),
            project: project.to_owned(),
            name: name.replace('/', "%2F"),
        })
    }

    /// Lists all artifacts, also those that an index lists (`base=*`).
    pub(super) async fn list_content(&self) -> Result<RepositoryListing, RegistryApiError> {
        let mut listing = RepositoryListing::default();
        let mut next = self.artifacts(&[]);
        next.query_pairs_mut()
            .append_pair("q", "base=*")
            .append_pair("page", "1")
            .append_pair("page_size", PAGE_SIZE)
            .append_pair("with_tag", "true")
            .append_pair("with_immutable_status", "true");
        let mut count = 0;
        loop {
            let url = next;
            let (page, headers): (Vec<HarborArtifactJson>, _) = self.client.get(&url).await?;
            count += page.len();
            for artifact in page {
                self.add_artifact(&mut listing, &url, artifact)?;
            }
            match self.client.next_page(&url, &headers)? {
                Some(after) => next = after,
                None => {
                    self.require_total(&url, &headers, count)?;
                    return Ok(listing);
                }
            }
        }
    }

    /// Takes a tag off its artifact.
    pub(super) async fn delete_tag(&self, tag: &Tag) -> Result<ApiDeletion, RegistryApiError> {
        let url = self.artifacts(&[tag.as_str(), "tags", tag.as_str()]);
        let sent = self
            .client
            .send(Method::DELETE, &url, HeaderMap::new(), Bytes::new());
        let response = sent.await?;
        match response.status {
            status if status.is_success() => Ok(ApiDeletion::Deleted),
            StatusCode::NOT_FOUND => Ok(ApiDeletion::Absent),
            StatusCode::PRECONDITION_FAILED | StatusCode::METHOD_NOT_ALLOWED => {
                Ok(ApiDeletion::Refused(self.client.message(&response)))
            }
            _ => Err(self.client.status_error(&Method::DELETE, &url, &response)),
        }
    }

    fn artifacts(&self, more: &[&str]) -> Url {
        let path = [
            "api",
            "v2.0",
            "projects",
            &self.project,
            "repositories",
            &self.name,
            "artifacts",
        ];
        self.client
            .url(path.into_iter().chain(more.iter().copied()))
    }

    fn add_artifact(
        &self,
        listing: &mut RepositoryListing,
        url: &Url,
        artifact: HarborArtifactJson,
    ) -> Result<(), RegistryApiError> {
        let digest: Digest = artifact.digest.parse().map_err(|_| {
            let reason = format!("{:?} is no digest", artifact.digest);
            self.client.malformed(url, reason)
        })?;
        let mut listed = ListedManifest {
            pushed: artifact.push_time,
            ..ListedManifest::default()
        };
        for tag in artifact.tags.unwrap_or_default() {
            let parsed = tag.name.parse();
            let parsed = parsed.map_err(|_| {
                self.client
                    .malformed(url, format!("{:?} is no tag", tag.name))
            })?;
            let pushed = tag.push_time;
            listing.tags.insert(parsed, ListedTag { digest, pushed });
            if tag.immutable {
                let refusal = format!("the tag {} is immutable", tag.name);
                listed.refusal.get_or_insert(refusal);
            }
        }
        listing.manifests.insert(digest, listed);
        Ok(())
    }

    /// Requires that as many artifacts were read as there are: what moved to a page that was read is missing else.
    fn require_total(
        &self,
        url: &Url,
        headers: &HeaderMap,
        count: usize,
    ) -> Result<(), RegistryApiError> {
        let total = headers.get(TOTAL).and_then(|value| value.to_str().ok());
        let total: Option<usize> = total.and_then(|text| text.parse().ok());
        match total {
            Some(total) if total == count => Ok(()),
            Some(total) => {
                let reason = format!("the list has {total} artifacts, got {count}");
                Err(self.client.malformed(url, reason))
            }
            None => Err(self
                .client
                .malformed(url, "the list has no total".to_owned())),
        }
    }
}
