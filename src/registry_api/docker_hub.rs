//! Docker Hub, by its API (Docker Hub API, repositories' tags). Manifests are deleted by the distribution API, and
//! tags by this one (Docker Registry API reference, "Delete image manifest").

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;
use url::Url;

use super::abilities::{AbilitySource, DeletionRoute, RegistryAbilities};
use super::api_client::ApiClient;
use super::api_deletion::ApiDeletion;
use super::api_error::{RegistryApiError, RegistryApiErrorKind};
use super::api_settings::ApiSettings;
use super::repository_listing::{ListedTag, RepositoryListing};
use crate::image::{Digest, Repository, Tag};
use crate::retention::{DeletionOrder, RegistryDeletion};

const SERVICE: &str = "Docker Hub's API";
const NEEDS: &str = "a user with a personal access token, or an organization with an access token, in credentials, with the permissions Read, Write and Delete";
const ADDRESS: &str = "https://hub.docker.com/";
/// Tags on a page: the most that the API gives.
const PAGE_SIZE: &str = "100";

/// What the API tells and does.
pub(super) const ABILITIES: RegistryAbilities = RegistryAbilities {
    name: "Docker Hub",
    hosts: "`docker.io`",
    lists_untagged: false,
    times: "push of the tag",
    deletes_tag: DeletionRoute::VendorApi,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: RegistryDeletion {
        deletes_tags_with_manifest: false,
        refuses_last_tagged: false,
        deletes_children_with_index: false,
        order: DeletionOrder::IndexesFirst,
    },
    refusals: "what a tag or an index names (403)",
    undo: "none",
    pace: "as it says",
    login: "access token with Read, Write and Delete",
    source: AbilitySource::Assumed(
        "Docker Hub API; Docker registry API, \"Delete image manifest\"",
    ),
};

/// Repository of Docker Hub.
#[derive(Clone)]
pub struct DockerHubRepository {
    client: ApiClient,
    namespace: String,
    name: String,
    user: String,
    password: SecretString,
    /// Client with the token of the login.
    logged_in: OnceCell<ApiClient>,
}

#[derive(Deserialize)]
struct HubTokenJson {
    access_token: SecretString,
}

#[derive(Deserialize)]
struct HubTagsJson {
    count: usize,
    next: Option<String>,
    results: Vec<HubTagJson>,
}

#[derive(Deserialize)]
struct HubTagJson {
    name: String,
    /// Absent for tags of old schemas.
    digest: Option<String>,
    tag_last_pushed: Option<Timestamp>,
}

impl DockerHubRepository {
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
        let default = Url::parse(ADDRESS).ok();
        let base = settings.address.clone().or(default);
        let base = base.ok_or_else(|| no_repository("the address of the API is none"))?;
        let (namespace, name) = repository
            .path()
            .split_once('/')
            .ok_or_else(|| no_repository("expected a repository NAMESPACE/NAME"))?;
        let client = ApiClient::new(&settings.http, SERVICE, NEEDS, base);
        let (user, password) = settings.password().ok_or_else(|| {
            client.error(RegistryApiErrorKind::NoLogin(
                "expected a user with an access token",
            ))
        })?;
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            user: user.to_owned(),
            password: password.clone(),
            client,
            logged_in: OnceCell::new(),
        })
    }

    /// Lists the tags. The API lists no manifest without one.
    pub(super) async fn list_content(&self) -> Result<RepositoryListing, RegistryApiError> {
        let mut listing = RepositoryListing::default();
        let client = self.client().await?;
        let path = [
            "v2",
            "namespaces",
            &self.namespace,
            "repositories",
            &self.name,
            "tags",
        ];
        let mut url = client.url(path);
        url.query_pairs_mut().append_pair("page_size", PAGE_SIZE);
        let mut count = 0;
        loop {
            let (page, _): (HubTagsJson, _) = client.get(&url).await?;
            count += page.results.len();
            for tag in page.results {
                add_tag(&mut listing, client, &url, tag)?;
            }
            let Some(next) = page.next else {
                return match count == page.count {
                    true => Ok(listing),
                    false => {
                        let reason = format!("the list has {} tags, got {count}", page.count);
                        Err(client.malformed(&url, reason))
                    }
                };
            };
            let next = url
                .join(&next)
                .ok()
                .filter(|next| next.origin() == client.base().origin() && *next != url);
            url = next.ok_or_else(|| {
                client.malformed(&url, "the next page of the list cannot be found".to_owned())
            })?;
        }
    }

    /// Deletes a tag; its manifest stays.
    pub(super) async fn delete_tag(&self, tag: &Tag) -> Result<ApiDeletion, RegistryApiError> {
        let client = self.client().await?;
        let path = [
            "v2",
            "repositories",
            &self.namespace,
            &self.name,
            "tags",
            tag.as_str(),
            "",
        ];
        let url = client.url(path);
        let sent = client.send(Method::DELETE, &url, HeaderMap::new(), Bytes::new());
        let response = sent.await?;
        match response.status {
            status if status.is_success() => Ok(ApiDeletion::Deleted),
            StatusCode::NOT_FOUND => Ok(ApiDeletion::Absent),
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT => {
                Ok(ApiDeletion::Refused(client.message(&response)))
            }
            _ => Err(client.status_error(&Method::DELETE, &url, &response)),
        }
    }

    /// Returns the client with the token of the login, which is made once.
    async fn client(&self) -> Result<&ApiClient, RegistryApiError> {
        self.logged_in.get_or_try_init(|| self.log_in()).await
    }

    async fn log_in(&self) -> Result<ApiClient, RegistryApiError> {
        let url = self.client.url(["v2", "auth", "token"]);
        let body = json!({"identifier": self.user, "secret": self.password.expose_secret()});
        let answer: HubTokenJson = self.client.post(&url, &body).await?;
        self.client.announce_secret(&answer.access_token);
        let client = self.client.clone();
        Ok(client.with_authorization("Bearer", &answer.access_token))
    }
}

fn add_tag(
    listing: &mut RepositoryListing,
    client: &ApiClient,
    url: &Url,
    tag: HubTagJson,
) -> Result<(), RegistryApiError> {
    let name = tag.name.parse();
    let name = name.map_err(|_| client.malformed(url, format!("{:?} is no tag", tag.name)))?;
    let Some(digest) = tag.digest else {
        return Ok(());
    };
    let digest: Digest = digest
        .parse()
        .map_err(|_| client.malformed(url, format!("{digest:?} is no digest")))?;
    let pushed = tag.tag_last_pushed;
    listing.tags.insert(name, ListedTag { digest, pushed });
    Ok(())
}
