//! Quay, by its API (Quay API, tags of a repository).

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
use super::repository_listing::{ListedTag, RepositoryListing};
use crate::image::{Digest, Repository, Tag};
use crate::retention::{DeletionOrder, RegistryDeletion};

const SERVICE: &str = "Quay's API";
const NEEDS: &str = "an OAuth access token as the password of the user $oauthtoken in credentials, with the scopes repo:read and repo:write; robot accounts have no access to it";
/// User whose password is an access token.
const TOKEN_USER: &str = "$oauthtoken";
/// Tags on a page: the most that the API gives.
const PAGE_SIZE: &str = "100";
/// The most pages that are read.
const PAGES_LIMIT: u32 = 10_000;

/// What the API tells and does.
pub(super) const ABILITIES: RegistryAbilities = RegistryAbilities {
    name: "Quay",
    hosts: "`quay.io`",
    lists_untagged: false,
    times: "push of the tag",
    deletes_tag: DeletionRoute::VendorApi,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: RegistryDeletion {
        deletes_tags_with_manifest: false,
        refuses_last_tagged: false,
        deletes_children_with_index: false,
        order: DeletionOrder::ReferrersFirst,
    },
    refusals: "nothing that is known",
    undo: "time machine, two weeks by default, in its own interface",
    pace: "as it says",
    login: "OAuth token of `$oauthtoken` with `repo:read` and `repo:write`",
    source: AbilitySource::Assumed("Quay API"),
};

/// Repository of Quay.
#[derive(Clone)]
pub struct QuayRepository {
    client: ApiClient,
    path: String,
}

#[derive(Deserialize)]
struct QuayTagsJson {
    tags: Vec<QuayTagJson>,
    has_additional: bool,
}

#[derive(Deserialize)]
struct QuayTagJson {
    name: String,
    manifest_digest: String,
    /// Seconds since 1970 at which the tag began to name the manifest.
    start_ts: Option<i64>,
}

impl QuayRepository {
    pub(super) fn open(
        repository: &Repository,
        settings: &ApiSettings,
    ) -> Result<Self, RegistryApiError> {
        let base = settings.address_or_host(repository);
        let base = base.ok_or_else(|| RegistryApiError {
            service: SERVICE,
            host: repository.registry().to_string().into(),
            kind: RegistryApiErrorKind::Repository("the host is none of an address".to_owned()),
            needs: NEEDS,
        })?;
        let client = ApiClient::new(&settings.http, SERVICE, NEEDS, base);
        match settings.password() {
            Some((TOKEN_USER, token)) => Ok(Self {
                client: client.with_authorization("Bearer", token),
                path: repository.path().to_owned(),
            }),
            _ => Err(client.error(RegistryApiErrorKind::NoLogin(
                "expected the user $oauthtoken with an OAuth access token",
            ))),
        }
    }

    /// Lists the tags. The API lists no manifest without one.
    pub(super) async fn list_content(&self) -> Result<RepositoryListing, RegistryApiError> {
        let mut listing = RepositoryListing::default();
        for number in 1..=PAGES_LIMIT {
            let mut url = self.tags(&[""]);
            url.query_pairs_mut()
                .append_pair("onlyActiveTags", "true")
                .append_pair("limit", PAGE_SIZE)
                .append_pair("page", &number.to_string());
            let (page, _): (QuayTagsJson, _) = self.client.get(&url).await?;
            let is_empty = page.tags.is_empty();
            for tag in page.tags {
                self.add_tag(&mut listing, &url, tag)?;
            }
            match page.has_additional {
                false => return Ok(listing),
                true if is_empty => {
                    let reason = "a page without tags says that more follow".to_owned();
                    return Err(self.client.malformed(&url, reason));
                }
                true => {}
            }
        }
        let reason = format!("the list has more than {PAGES_LIMIT} pages");
        Err(self.client.malformed(&self.tags(&[""]), reason))
    }

    /// Deletes a tag; its manifest stays.
    pub(super) async fn delete_tag(&self, tag: &Tag) -> Result<ApiDeletion, RegistryApiError> {
        let url = self.tags(&[tag.as_str()]);
        let sent = self
            .client
            .send(Method::DELETE, &url, HeaderMap::new(), Bytes::new());
        let response = sent.await?;
        match response.status {
            status if status.is_success() => Ok(ApiDeletion::Deleted),
            StatusCode::NOT_FOUND => Ok(ApiDeletion::Absent),
            StatusCode::BAD_REQUEST | StatusCode::CONFLICT => {
                Ok(ApiDeletion::Refused(self.client.message(&response)))
            }
            _ => Err(self.client.status_error(&Method::DELETE, &url, &response)),
        }
    }

    fn tags(&self, more: &[&str]) -> Url {
        let path = ["api", "v1", "repository"].into_iter();
        let path = path.chain(self.path.split('/')).chain(["tag"]);
        self.client.url(path.chain(more.iter().copied()))
    }

    fn add_tag(
        &self,
        listing: &mut RepositoryListing,
        url: &Url,
        tag: QuayTagJson,
    ) -> Result<(), RegistryApiError> {
        let name = tag.name.parse();
        let name = name.map_err(|_| {
            self.client
                .malformed(url, format!("{:?} is no tag", tag.name))
        })?;
        let digest: Digest = tag.manifest_digest.parse().map_err(|_| {
            let reason = format!("{:?} is no digest", tag.manifest_digest);
            self.client.malformed(url, reason)
        })?;
        let pushed = tag
            .start_ts
            .and_then(|seconds| Timestamp::from_second(seconds).ok());
        listing.tags.insert(name, ListedTag { digest, pushed });
        Ok(())
    }
}
