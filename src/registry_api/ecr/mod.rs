//! Amazon ECR, private registries, by its API (Amazon ECR API Reference: `DescribeImages`, `BatchDeleteImage`).

mod endpoint;
mod signature_v4;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use self::endpoint::EcrEndpoint;
use self::signature_v4::{SigningScope, sign_request};
use super::abilities::{AbilitySource, DeletionRoute, RegistryAbilities};
use super::api_client::ApiClient;
use super::api_deletion::ApiDeletion;
use super::api_error::{RegistryApiError, RegistryApiErrorKind};
use super::api_settings::{ApiSettings, AwsKeys};
use super::repository_listing::{ListedManifest, ListedTag, RepositoryListing};
use crate::http::{ServiceResponse, server_time};
use crate::image::{Digest, Repository};
use crate::retention::{DeletionOrder, RegistryDeletion};

const SERVICE: &str = "Amazon ECR's API";
const NEEDS: &str = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) in the environment, as aws-actions/configure-aws-credentials leaves them, with the permissions ecr:DescribeImages and ecr:BatchDeleteImage on the repository";
const SIGNED_SERVICE: &str = "ecr";
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const TARGET_PREFIX: &str = "AmazonEC2ContainerRegistry_V20150921";
/// Images on a page (`maxResults` of `DescribeImages`).
const PAGE_SIZE: u64 = 1000;
/// The most images that one request deletes (`imageIds` of `BatchDeleteImage`).
pub(super) const BATCH_LIMIT: usize = 100;
/// Errors that say "not now", with status 400.
const THROTTLED: [&str; 3] = [
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
];
/// Errors about the time of a signature.
const WRONG_TIME: [&str; 4] = [
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "RequestExpired",
    "RequestTimeTooSkewed",
];
/// Errors about the keys or their permissions, with status 400.
const REFUSED: [&str; 6] = [
    "AccessDeniedException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "MissingAuthenticationTokenException",
    "InvalidSignatureException",
];

/// What the API tells and does.
pub(super) const ABILITIES: RegistryAbilities = RegistryAbilities {
    name: "Amazon ECR",
    hosts: "`ACCOUNT.dkr.ecr.REGION.amazonaws.com` and those of other partitions, FIPS and dual stack",
    lists_untagged: true,
    times: "push",
    deletes_tag: DeletionRoute::Never,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: RegistryDeletion {
        deletes_tags_with_manifest: true,
        refuses_last_tagged: false,
        deletes_children_with_index: false,
        order: DeletionOrder::RootsFirst,
    },
    refusals: "an image that an index lists; archived images cannot be read and stay",
    undo: "none",
    pace: "100 images a request, waits where it throttles",
    login: "`ecr:DescribeImages`, `ecr:BatchDeleteImage`; without the API `ecr:BatchDeleteImage` and the registry's login",
    source: AbilitySource::Assumed("Amazon ECR API reference; containers-roadmap#1229"),
};

/// Repository of Amazon ECR.
#[derive(Clone)]
pub struct EcrRepository {
    client: ApiClient,
    keys: AwsKeys,
    region: String,
    /// Account of the registry; `None`: that of the keys.
    account: Option<String>,
    name: String,
    clock: ServerClock,
}

/// Clock of the service: that of this machine, corrected once the service says that it differs.
#[derive(Clone)]
struct ServerClock {
    start: Timestamp,
    started: Instant,
    difference: Arc<Mutex<SignedDuration>>,
}

/// Image, as `DescribeImages` has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageDetailJson {
    image_digest: String,
    #[serde(default)]
    image_tags: Vec<String>,
    /// Seconds since 1970.
    image_pushed_at: Option<f64>,
    image_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeImagesJson {
    image_details: Vec<ImageDetailJson>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchDeleteJson {
    #[serde(default)]
    failures: Vec<ImageFailureJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageFailureJson {
    image_id: Option<ImageIdJson>,
    failure_code: Option<String>,
    failure_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImageIdJson {
    image_digest: Option<String>,
}

#[derive(Deserialize)]
struct ErrorJson {
    #[serde(rename = "__type")]
    kind: String,
}

impl EcrRepository {
    pub(super) fn open(
        repository: &Repository,
        settings: &ApiSettings,
    ) -> Result<Self, RegistryApiError> {
        let endpoint = EcrEndpoint::from_repository(repository);
        let keys = settings.logins.aws.clone();
        let named = settings.address.clone();
        let replaced = keys.as_ref().and_then(|keys| keys.endpoint.clone());
        let of_host = endpoint.as_ref().map(|endpoint| endpoint.address.clone());
        let base = named.or(replaced).or(of_host).ok_or_else(no_registry)?;
        let client = ApiClient::new(&settings.http, SERVICE, NEEDS, base);
        let keys = keys.ok_or_else(|| {
            client.error(RegistryApiErrorKind::NoLogin(
                "AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set",
            ))
        })?;
        let region = endpoint.as_ref().map(|endpoint| endpoint.region.clone());
        Ok(Self {
            client,
            keys,
            region: region.unwrap_or_else(|| "us-east-1".to_owned()),
            account: endpoint.map(|endpoint| endpoint.account),
            name: repository.path().to_owned(),
            clock: ServerClock {
                start: settings.clock,
                started: Instant::now(),
                difference: Arc::default(),
            },
        })
    }

    pub(super) async fn list_content(&self) -> Result<RepositoryListing, RegistryApiError> {
        let mut listing = RepositoryListing::default();
        let mut token: Option<String> = None;
        loop {
            let mut request = self.request();
            request["maxResults"] = PAGE_SIZE.into();
            request["filter"] = json!({"imageStatus": "ANY"});
            if let Some(token) = &token {
                request["nextToken"] = token.as_str().into();
            }
            let page: DescribeImagesJson = self.call("DescribeImages", &request).await?;
            for image in page.image_details {
                self.add_image(&mut listing, image)?;
            }
            match page.next_token.filter(|it| !it.is_empty()) {
                None => return Ok(listing),
                next if next == token => {
                    return Err(self.malformed("a page of the list leads to itself".to_owned()));
                }
                next => token = next,
            }
        }
    }

    /// Deletes images by their digests, at most [`BATCH_LIMIT`].
    pub(super) async fn delete_manifests(
        &self,
        digests: &[Digest],
    ) -> Result<Vec<ApiDeletion>, RegistryApiError> {
        let ids = digests
            .iter()
            .map(|digest| json!({"imageDigest": digest.to_string()}));
        let mut request = self.request();
        request["imageIds"] = ids.collect();
        let answer: BatchDeleteJson = self.call("BatchDeleteImage", &request).await?;
        let mut ends = vec![ApiDeletion::Deleted; digests.len()];
        for failure in answer.failures {
            let id = failure.image_id.and_then(|id| id.image_digest);
            let digest: Option<Digest> = id.and_then(|id| id.parse().ok());
            let at = digests.iter().position(|it| Some(*it) == digest);
            let at = at.ok_or_else(|| {
                self.malformed("a failure names an image that was not asked for".to_owned())
            })?;
            let code = failure.failure_code.unwrap_or_default();
            ends[at] = match code.as_str() {
                "ImageNotFound" => ApiDeletion::Absent,
                _ => {
                    let reason = failure.failure_reason.unwrap_or_default();
                    ApiDeletion::Refused(format!("{code}: {reason}"))
                }
            };
        }
        Ok(ends)
    }

    fn add_image(
        &self,
        listing: &mut RepositoryListing,
        image: ImageDetailJson,
    ) -> Result<(), RegistryApiError> {
        let digest: Digest = image
            .image_digest
            .parse()
            .map_err(|_| self.malformed(format!("{:?} is no digest", image.image_digest)))?;
        for tag in image.image_tags {
            let parsed = tag
                .parse()
                .map_err(|_| self.malformed(format!("{tag:?} is no tag")))?;
            let pushed = None;
            listing.tags.insert(parsed, ListedTag { digest, pushed });
        }
        let status = image.image_status.filter(|status| status != "ACTIVE");
        let listed = ListedManifest {
            pushed: image.image_pushed_at.and_then(from_seconds),
            // Until it is restored, a pull answers 404.
            unreadable: status.map(|status| format!("Amazon ECR has archived it ({status})")),
            ..ListedManifest::default()
        };
        listing.manifests.insert(digest, listed);
        Ok(())
    }

    fn request(&self) -> Value {
        match &self.account {
            Some(account) => json!({"registryId": account, "repositoryName": self.name}),
            None => json!({"repositoryName": self.name}),
        }
    }

    /// Calls an operation; waits where it is throttled, and signs again if the clocks differ.
    async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        request: &Value,
    ) -> Result<T, RegistryApiError> {
        let url = self.client.base();
        let mut tried = 0;
        let mut is_corrected = false;
        loop {
            tried += 1;
            let response = self.send(operation, url, request).await?;
            if response.status.is_success() {
                return self.client.parse(&Method::POST, url, &response);
            }
            let kind = error_kind(&response);
            let is_one_of = |kinds: &[&str]| kinds.contains(&kind.as_str());
            if is_one_of(&THROTTLED) && self.client.pause(tried).await {
                continue;
            }
            if is_one_of(&WRONG_TIME) && !is_corrected && self.clock.correct(&response) {
                is_corrected = true;
                continue;
            }
            return Err(self.failed(operation, &kind, is_one_of(&REFUSED), &response));
        }
    }

    async fn send(
        &self,
        operation: &str,
        url: &Url,
        request: &Value,
    ) -> Result<ServiceResponse, RegistryApiError> {
        let body = Bytes::from(request.to_string());
        let target = HeaderValue::try_from(format!("{TARGET_PREFIX}.{operation}"));
        let mut headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
            (
                TARGET,
                target.unwrap_or_else(|_| HeaderValue::from_static("")),
            ),
        ]);
        let scope = SigningScope {
            service: SIGNED_SERVICE,
            region: &self.region,
        };
        let now = self.clock.now();
        sign_request(&self.keys, &scope, url, &mut headers, &body, now);
        self.client.send(Method::POST, url, headers, body).await
    }

    fn failed(
        &self,
        operation: &str,
        kind: &str,
        is_refused: bool,
        response: &ServiceResponse,
    ) -> RegistryApiError {
        let (method, path) = ("POST".into(), operation.into());
        let (status, message) = (response.status, self.client.message(response));
        let message = format!("{kind} {message}").trim().into();
        self.client.error(match is_refused {
            true => RegistryApiErrorKind::Refused {
                method,
                path,
                status,
                message,
            },
            false => RegistryApiErrorKind::Status {
                method,
                path,
                status,
                message,
            },
        })
    }

    fn malformed(&self, reason: String) -> RegistryApiError {
        self.client.malformed(self.client.base(), reason)
    }
}

impl ServerClock {
    fn now(&self) -> Timestamp {
        let difference = self
            .difference
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let elapsed = SignedDuration::try_from(self.started.elapsed()).unwrap_or_default();
        self.start
            .saturating_add(elapsed)
            .unwrap_or(self.start)
            .saturating_add(*difference)
            .unwrap_or(self.start)
    }

    /// Takes the time of a response. Returns `false` if it has none.
    fn correct(&self, response: &ServiceResponse) -> bool {
        let Some(time) = server_time(&response.headers) else {
            return false;
        };
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok();
        let seconds = since.and_then(|since| i64::try_from(since.as_secs()).ok());
        let Some(there) = seconds.and_then(|it| Timestamp::from_second(it).ok()) else {
            return false;
        };
        let here = self.now();
        let mut difference = self
            .difference
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *difference += there.duration_since(here);
        true
    }
}

/// Returns the kind of an error: `com.amazonaws.ecr#ThrottlingException` without its namespace.
fn error_kind(response: &ServiceResponse) -> String {
    let error: Option<ErrorJson> = serde_json::from_slice(&response.body).ok();
    let kind = error.map(|error| error.kind).unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    crate::notices::to_printable(kind, 80)
}

/// Returns a time of the API, in seconds with a fraction.
fn from_seconds(seconds: f64) -> Option<Timestamp> {
    let milliseconds = (seconds * 1000.0).round();
    let is_in_range = milliseconds.abs() < 1e15;
    is_in_range
        .then(|| Timestamp::from_millisecond(milliseconds as i64).ok())
        .flatten()
}

fn no_registry() -> RegistryApiError {
    RegistryApiError {
        service: SERVICE,
        host: Box::default(),
        kind: RegistryApiErrorKind::Repository(
            "the host is no private registry of Amazon ECR, and the policy names no address"
                .to_owned(),
        ),
        needs: NEEDS,
    }
}
