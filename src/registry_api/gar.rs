//! Google Artifact Registry, by its API (Artifact Registry REST API v1, `packages.versions.list`).

use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use super::abilities::{AbilitySource, DeletionRoute, RegistryAbilities};
use super::api_client::ApiClient;
use super::api_error::{RegistryApiError, RegistryApiErrorKind};
use super::api_settings::ApiSettings;
use super::repository_listing::{ListedManifest, ListedTag, RepositoryListing};
use crate::image::{Digest, Repository};
use crate::retention::{DeletionOrder, RegistryDeletion};

const SERVICE: &str = "Artifact Registry's API";
const NEEDS: &str = "an access token as the password of the user oauth2accesstoken in credentials, of an account with the role roles/artifactregistry.reader; deletions need roles/artifactregistry.repoAdmin";
const ADDRESS: &str = "https://artifactregistry.googleapis.com/";
/// User whose password is an access token.
const TOKEN_USER: &str = "oauth2accesstoken";
/// Versions on a page: the most that the API gives.
const PAGE_SIZE: &str = "1000";

/// What the API tells and does.
pub(super) const ABILITIES: RegistryAbilities = RegistryAbilities {
    name: "Google Artifact Registry",
    hosts: "`LOCATION-docker.pkg.dev`, `docker.LOCATION.rep.pkg.dev`",
    lists_untagged: true,
    times: "push, last change",
    deletes_tag: DeletionRoute::Distribution,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: RegistryDeletion {
        deletes_tags_with_manifest: false,
        refuses_last_tagged: false,
        deletes_children_with_index: false,
        order: DeletionOrder::IndexesFirst,
    },
    refusals: "what a tag, an index or a referrer names (400)",
    undo: "none",
    pace: "300,000 deletions a day",
    login: "`roles/artifactregistry.reader`, for deletions `roles/artifactregistry.repoAdmin`",
    source: AbilitySource::Assumed(
        "Artifact Registry REST API, `packages.versions`; kube-image-keeper#636",
    ),
};

/// Image of a repository of Artifact Registry.
#[derive(Clone)]
pub struct GarRepository {
    client: ApiClient,
    versions: Url,
}

/// Version of a package: a manifest with its tags.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GarVersionJson {
    /// `projects/P/locations/L/repositories/R/packages/IMAGE/versions/sha256:…`
    name: String,
    create_time: Option<Timestamp>,
    update_time: Option<Timestamp>,
    #[serde(default)]
    related_tags: Vec<GarTagJson>,
}

#[derive(Deserialize)]
struct GarTagJson {
    /// `projects/P/…/tags/TAG`
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GarVersionsJson {
    /// Absent where there is none.
    #[serde(default)]
    versions: Vec<GarVersionJson>,
    next_page_token: Option<String>,
}

impl GarRepository {
    pub(super) fn open(
        repository: &Repository,
        settings: &ApiSettings,
    ) -> Result<Self, RegistryApiError> {
        let default = Url::parse(ADDRESS).ok();
        let base = settings.address.clone().or(default);
        let base = base.ok_or_else(|| no_repository("the address of the API is none"))?;
        let client = ApiClient::new(&settings.http, SERVICE, NEEDS, base);
        let token = match settings.password() {
            Some((TOKEN_USER, token)) => token,
            _ => {
                return Err(client.error(RegistryApiErrorKind::NoLogin(
                    "expected the user oauth2accesstoken with an access token",
                )));
            }
        };
        let place = GarPlace::parse(repository).ok_or_else(|| {
            no_repository("expected a repository LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE")
        })?;
        let segments = [
            "v1",
            "projects",
            &place.project,
            "locations",
            &place.location,
            "repositories",
            &place.repository,
            "packages",
            &place.image,
            "versions",
        ];
        let client = client.with_authorization("Bearer", token);
        Ok(Self {
            versions: client.url(segments),
            client,
        })
    }

    pub(super) async fn list_content(&self) -> Result<RepositoryListing, RegistryApiError> {
        let mut listing = RepositoryListing::default();
        let mut token: Option<String> = None;
        loop {
            let mut url = self.versions.clone();
            url.query_pairs_mut()
                .append_pair("view", "FULL")
                .append_pair("pageSize", PAGE_SIZE);
            if let Some(token) = &token {
                url.query_pairs_mut().append_pair("pageToken", token);
            }
            let (page, _): (GarVersionsJson, _) = self.client.get(&url).await?;
            for version in page.versions {
                self.add_version(&mut listing, version)?;
            }
            match page.next_page_token.filter(|it| !it.is_empty()) {
                None => return Ok(listing),
                next if next == token => {
                    let reason = "a page of the list leads to itself".to_owned();
                    return Err(self.client.malformed(&self.versions, reason));
                }
                next => token = next,
            }
        }
    }

    fn add_version(
        &self,
        listing: &mut RepositoryListing,
        version: GarVersionJson,
    ) -> Result<(), RegistryApiError> {
        let malformed = |text: &str, what: &str| {
            let reason = format!("{text:?} is the name of no {what}");
            self.client.malformed(&self.versions, reason)
        };
        let digest: Digest = last_segment(&version.name)
            .parse()
            .map_err(|_| malformed(&version.name, "version"))?;
        for tag in &version.related_tags {
            let parsed = last_segment(&tag.name).parse();
            let parsed = parsed.map_err(|_| malformed(&tag.name, "tag"))?;
            let pushed = None;
            listing.tags.insert(parsed, ListedTag { digest, pushed });
        }
        let listed = ListedManifest {
            pushed: version.create_time,
            updated: version.update_time,
            ..ListedManifest::default()
        };
        listing.manifests.insert(digest, listed);
        Ok(())
    }
}

/// Place of an image, in the terms of the API.
#[derive(Debug, PartialEq, Eq)]
struct GarPlace {
    project: String,
    location: String,
    repository: String,
    image: String,
}

impl GarPlace {
    /// Reads a repository. A project of a domain is written `example.com/project` there.
    fn parse(repository: &Repository) -> Option<Self> {
        let host = repository.registry().as_str().to_ascii_lowercase();
        let host = host.split_once(':').map_or(host.as_str(), |(host, _)| host);
        let regional = host.strip_prefix("docker.");
        let regional = regional.and_then(|rest| rest.strip_suffix(".rep.pkg.dev"));
        let location = regional.or_else(|| host.strip_suffix("-docker.pkg.dev"));
        let parts: Vec<&str> = repository.path().split('/').collect();
        let (project, rest) = match parts.as_slice() {
            [domain, project, rest @ ..] if domain.contains('.') => {
                (format!("{domain}:{project}"), rest)
            }
            [project, rest @ ..] => ((*project).to_owned(), rest),
            [] => return None,
        };
        let (name, image) = rest.split_first().filter(|(_, image)| !image.is_empty())?;
        Some(Self {
            project,
            // An address of the policy may be for a registry under another name.
            location: location.unwrap_or("-").to_owned(),
            repository: (*name).to_owned(),
            image: image.join("/"),
        })
    }
}

fn last_segment(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

fn no_repository(reason: &str) -> RegistryApiError {
    RegistryApiError {
        service: SERVICE,
        host: Box::default(),
        kind: RegistryApiErrorKind::Repository(reason.to_owned()),
        needs: NEEDS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_read_in_the_terms_of_the_api() {
        let place = |text: &str| GarPlace::parse(&text.parse().unwrap());
        let found = |project: &str, location: &str, image: &str| {
            Some(GarPlace {
                project: project.to_owned(),
                location: location.to_owned(),
                repository: "images".to_owned(),
                image: image.to_owned(),
            })
        };
        assert_eq!(
            place("europe-west3-docker.pkg.dev/acme/images/web"),
            found("acme", "europe-west3", "web")
        );
        assert_eq!(
            place("docker.europe-west3.rep.pkg.dev/acme/images/team/web"),
            found("acme", "europe-west3", "team/web")
        );
        assert_eq!(
            place("us-docker.pkg.dev/example.com/acme/images/web"),
            found("example.com:acme", "us", "web")
        );
        assert_eq!(place("us-docker.pkg.dev/acme/images"), None);
    }
}
