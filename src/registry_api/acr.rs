//! Azure Container Registry, by its API of manifests and tags (Azure Container Registry REST API, data plane).

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use url::Url;
use url::form_urlencoded::Serializer;

use super::abilities::{AbilitySource, DeletionRoute, RegistryAbilities};
use super::api_client::ApiClient;
use super::api_error::{RegistryApiError, RegistryApiErrorKind};
use super::api_settings::ApiSettings;
use super::repository_listing::{ListedManifest, ListedTag, RepositoryListing};
use crate::credentials::RegistryCredential;
use crate::image::{Digest, Repository};
use crate::retention::{DeletionOrder, RegistryDeletion};

const SERVICE: &str = "Azure Container Registry's API";
const NEEDS: &str = "the registry's login in credentials with the permissions metadata/read and content/delete (role AcrPull and AcrDelete)";
/// User whose password is a refresh token.
const TOKEN_USER: &str = "00000000-0000-0000-0000-000000000000";
/// Entries on a page.
const PAGE_SIZE: &str = "100";

/// What the API tells and does.
pub(super) const ABILITIES: RegistryAbilities = RegistryAbilities {
    name: "Azure Container Registry",
    hosts: "`NAME.azurecr.io`, `.us`, `.cn`",
    lists_untagged: true,
    times: "push, last change, push of the tag",
    deletes_tag: DeletionRoute::Distribution,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: RegistryDeletion {
        deletes_tags_with_manifest: false,
        refuses_last_tagged: false,
        deletes_children_with_index: false,
        order: DeletionOrder::ReferrersFirst,
    },
    refusals: "locked images and tags, known beforehand",
    undo: "soft delete, where the registry has it on",
    pace: "as it says",
    login: "`metadata/read`, for deletions `content/delete` (AcrPull, AcrDelete)",
    source: AbilitySource::Assumed("Azure Container Registry REST API, data plane; acr-cli"),
};

/// Repository of Azure Container Registry.
#[derive(Clone)]
pub struct AcrRepository {
    client: ApiClient,
    name: String,
    login: AcrLogin,
    /// Client with the access token of a refresh token.
    exchanged: OnceCell<ApiClient>,
}

#[derive(Clone)]
enum AcrLogin {
    /// The client has it.
    Basic,
    RefreshToken(SecretString),
}

#[derive(Deserialize)]
struct AccessTokenJson {
    access_token: SecretString,
}

#[derive(Deserialize)]
struct AcrManifestsJson {
    /// `null` where there is none.
    manifests: Option<Vec<AcrManifestJson>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcrManifestJson {
    digest: String,
    created_time: Option<Timestamp>,
    last_update_time: Option<Timestamp>,
    changeable_attributes: Option<AcrLocksJson>,
}

#[derive(Deserialize)]
struct AcrTagsJson {
    /// `null` where there is none.
    tags: Option<Vec<AcrTagJson>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcrTagJson {
    name: String,
    digest: String,
    last_update_time: Option<Timestamp>,
    changeable_attributes: Option<AcrLocksJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcrLocksJson {
    delete_enabled: Option<bool>,
    write_enabled: Option<bool>,
    read_enabled: Option<bool>,
}

impl AcrRepository {
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
        let (client, login) = match &settings.credential {
            Some(RegistryCredential::Password { user, password }) if user == TOKEN_USER => {
                (client, AcrLogin::RefreshToken(password.clone()))
            }
            Some(RegistryCredential::Password { user, password }) => {
                let basic = RegistryCredential::to_basic(user, password);
                (client.with_authorization("Basic", &basic), AcrLogin::Basic)
            }
            Some(RegistryCredential::RefreshToken(token)) => {
                (client, AcrLogin::RefreshToken(token.clone()))
            }
            Some(RegistryCredential::Bearer(_)) | None => {
                return Err(client.error(RegistryApiErrorKind::NoLogin(
                    "expected a user with a password, or an identity token",
                )));
            }
        };
        Ok(Self {
            client,
            name: repository.path().to_owned(),
            login,
            exchanged: OnceCell::new(),
        })
    }

    pub(super) async fn list_content(&self) -> Result<RepositoryListing, RegistryApiError> {
        let mut listing = RepositoryListing::default();
        let client = self.client().await?;
        let mut next = Some(self.list_url(client, "_manifests"));
        while let Some(url) = next {
            let (page, after): (AcrManifestsJson, _) = read_page(client, &url).await?;
            for manifest in page.manifests.unwrap_or_default() {
                add_manifest(&mut listing, client, &url, manifest)?;
            }
            next = after;
        }
        let mut next = Some(self.list_url(client, "_tags"));
        while let Some(url) = next {
            let (page, after): (AcrTagsJson, _) = read_page(client, &url).await?;
            for tag in page.tags.unwrap_or_default() {
                add_tag(&mut listing, client, &url, tag)?;
            }
            next = after;
        }
        Ok(listing)
    }

    fn list_url(&self, client: &ApiClient, list: &str) -> Url {
        let name = self.name.split('/');
        let mut url = client.url(["acr", "v1"].into_iter().chain(name).chain([list]));
        url.query_pairs_mut().append_pair("n", PAGE_SIZE);
        url
    }

    /// Returns the client with its login. A refresh token is exchanged once.
    async fn client(&self) -> Result<&ApiClient, RegistryApiError> {
        match &self.login {
            AcrLogin::Basic => Ok(&self.client),
            AcrLogin::RefreshToken(token) => {
                let exchanged = self.exchanged.get_or_try_init(|| self.exchange(token));
                exchanged.await
            }
        }
    }

    async fn exchange(&self, token: &SecretString) -> Result<ApiClient, RegistryApiError> {
        let url = self.client.url(["oauth2", "token"]);
        let host = self.client.base().host_str().unwrap_or_default();
        let scope = format!("repository:{}:metadata_read", self.name);
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("service", host)
            .append_pair("scope", &scope)
            .append_pair("refresh_token", token.expose_secret())
            .finish();
        let media_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, media_type)]);
        let sent = self.client.send(Method::POST, &url, headers, form.into());
        let response = sent.await?;
        let answer: AccessTokenJson = self.client.parse(&Method::POST, &url, &response)?;
        self.client.announce_secret(&answer.access_token);
        let client = self.client.clone();
        Ok(client.with_authorization("Bearer", &answer.access_token))
    }
}

async fn read_page<T: DeserializeOwned>(
    client: &ApiClient,
    url: &Url,
) -> Result<(T, Option<Url>), RegistryApiError> {
    let (page, headers) = client.get(url).await?;
    Ok((page, client.next_page(url, &headers)?))
}

fn add_manifest(
    listing: &mut RepositoryListing,
    client: &ApiClient,
    url: &Url,
    manifest: AcrManifestJson,
) -> Result<(), RegistryApiError> {
    let digest = parse_digest(client, url, &manifest.digest)?;
    let locks = manifest.changeable_attributes.as_ref();
    let is_readable = locks.and_then(|locks| locks.read_enabled) != Some(false);
    let unreadable = (!is_readable).then(|| "readEnabled is false".to_owned());
    let listed = ListedManifest {
        pushed: manifest.created_time,
        updated: manifest.last_update_time,
        refusal: locks.and_then(|locks| locks.refusal("the image")),
        unreadable,
        ..ListedManifest::default()
    };
    listing.manifests.insert(digest, listed);
    Ok(())
}

/// Adds a tag. The deletion of an image with a locked tag is refused.
fn add_tag(
    listing: &mut RepositoryListing,
    client: &ApiClient,
    url: &Url,
    tag: AcrTagJson,
) -> Result<(), RegistryApiError> {
    let digest = parse_digest(client, url, &tag.digest)?;
    let parsed = tag.name.parse();
    let parsed = parsed.map_err(|_| client.malformed(url, format!("{:?} is no tag", tag.name)))?;
    let pushed = tag.last_update_time;
    listing.tags.insert(parsed, ListedTag { digest, pushed });
    let locks = tag.changeable_attributes.as_ref();
    let refusal = locks.and_then(|locks| locks.refusal(&format!("the tag {}", tag.name)));
    if let (Some(refusal), Some(manifest)) = (refusal, listing.manifests.get_mut(&digest)) {
        manifest.refusal.get_or_insert(refusal);
    }
    Ok(())
}

impl AcrLocksJson {
    fn refusal(&self, what: &str) -> Option<String> {
        let locks = [
            ("deleteEnabled", self.delete_enabled),
            ("writeEnabled", self.write_enabled),
        ];
        let mut locked = locks
            .iter()
            .filter(|(_, is_enabled)| *is_enabled == Some(false));
        let (name, _) = locked.next()?;
        Some(format!("{what} is locked: {name} is false"))
    }
}

fn parse_digest(client: &ApiClient, url: &Url, text: &str) -> Result<Digest, RegistryApiError> {
    text.parse()
        .map_err(|_| client.malformed(url, format!("{text:?} is no digest")))
}
