//! Requests about manifests: checks their existence, reads and writes them.

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};

use super::RepositoryClient;
use super::error::{RegistryError, RequestErrorKind};
use super::request::RegistryRequest;
use crate::http::{AttemptError, BufferedResponse, HttpError, retry};
use crate::image::{Digest, MANIFEST_LIMIT, Manifest, ManifestError, MediaType, TagOrDigest};

const CONTENT_DIGEST_HEADER: &str = "docker-content-digest";
/// The digest of the subject of a manifest that was written: the registry lists it from now on.
const OCI_SUBJECT_HEADER: &str = "oci-subject";

/// Receipt of a registry for a manifest that it stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PutManifestReceipt {
    /// That it is stored, under its digest or the tag that it was written under.
    pub stored: bool,
    /// That it is listed among the referrers of its subject, where it has one.
    pub listed: bool,
}

/// Facts about a manifest from the response to a HEAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestHead {
    /// The manifest's digest.
    pub digest: Digest,
}

impl RepositoryClient {
    /// Returns the digest that `target` names; `None` on a 404 only.
    ///
    /// # Errors
    /// Every other answer: it means unknown, not absent.
    pub async fn head_manifest(
        &self,
        target: &TagOrDigest,
    ) -> Result<Option<ManifestHead>, RegistryError> {
        let call = self.manifest_request(Method::HEAD, target);
        let response = self.send(&call).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => match content_digest_header(response.headers()) {
                Some(digest) => {
                    self.mark_has_manifests();
                    Ok(Some(ManifestHead {
                        digest: self.check_digest(&call, target, digest)?,
                    }))
                }
                // Some leave the header out; the bytes cannot.
                None => Ok(self
                    .get_manifest(target)
                    .await?
                    .map(|manifest| ManifestHead {
                        digest: manifest.digest,
                    })),
            },
            // Artifactory answers 403 to the HEAD of what is not there, others know no HEAD; a GET
            // says which it is, and if it says 403 too, that is final.
            StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => Ok(self
                .get_manifest(target)
                .await?
                .map(|manifest| ManifestHead {
                    digest: manifest.digest,
                })),
            _ => Err(self.error_from_response(&call, response).await),
        }
    }

    /// Returns the manifest that `target` names; `None` on a 404 only.
    ///
    /// # Errors
    /// Every other refusal, bytes that are no manifest, or that are not what the digest says.
    pub async fn get_manifest(
        &self,
        target: &TagOrDigest,
    ) -> Result<Option<Manifest>, RegistryError> {
        let call = self.manifest_request(Method::GET, target);
        let too_large = |error: RegistryError| match error.cause {
            RequestErrorKind::Http(HttpError::TooLong(_)) => {
                self.error(&call, RequestErrorKind::Manifest(ManifestError::TooLarge))
            }
            _ => error,
        };
        let BufferedResponse {
            headers,
            body: bytes,
            turn: _turn,
            ..
        } = match self
            .send_buffered(&call, MANIFEST_LIMIT)
            .await
            .map_err(too_large)?
        {
            Ok(whole) => whole,
            Err(response) if response.status() == StatusCode::NOT_FOUND => return Ok(None),
            Err(response) => return Err(self.error_from_response(&call, response).await),
        };
        let served_as = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let promised = content_digest_header(&headers);
        let reserved = self.manifest_budget().hold(bytes);
        let bytes =
            reserved.map_err(|error| self.error(&call, RequestErrorKind::Manifest(error)))?;
        let digest = Digest::from_bytes(&bytes);
        if let Some(promised) = promised.filter(|promised| *promised != digest) {
            return Err(self.error(
                &call,
                RequestErrorKind::WrongDigest {
                    expected: promised,
                    actual: digest,
                },
            ));
        }
        self.check_digest(&call, target, digest)?;
        self.mark_has_manifests();
        let manifest = Manifest::parse(bytes, served_as.as_deref());
        manifest
            .map(Some)
            .map_err(|error| self.error(&call, RequestErrorKind::Manifest(error)))
    }

    /// Writes a manifest, byte for byte, under a tag or its digest.
    ///
    /// # Errors
    /// A refusal, or an answer that names another digest.
    pub async fn put_manifest(
        &self,
        target: &TagOrDigest,
        manifest: &Manifest,
    ) -> Result<PutManifestReceipt, RegistryError> {
        let headers = self.send_manifest(target, manifest).await?;
        let subject = manifest.subject.as_ref().map(|subject| subject.digest);
        let listed = subject.is_some() && digest_header(&headers, OCI_SUBJECT_HEADER) == subject;
        if listed {
            self.record_confirmed_listing();
        }
        Ok(PutManifestReceipt {
            stored: content_digest_header(&headers) == Some(manifest.digest),
            listed,
        })
    }

    /// Writes a manifest of which all content was written just before. A registry that says that it lacks
    /// some of it may take a moment to see it, and is asked again as after other passing failures.
    ///
    /// # Errors
    /// As [`RepositoryClient::put_manifest`].
    pub async fn put_complete_manifest(
        &self,
        target: &TagOrDigest,
        manifest: &Manifest,
    ) -> Result<PutManifestReceipt, RegistryError> {
        let put = |_| async {
            let written = self.put_manifest(target, manifest).await;
            written.map_err(|error| {
                let is_transient = error.lacks_content();
                AttemptError::new(error, is_transient)
            })
        };
        let describe = |error: &RegistryError| Some(error.to_string());
        retry(self.timing(), self.client.notices(), describe, put).await
    }

    /// Writes a manifest. Returns the headers of the answer.
    async fn send_manifest(
        &self,
        target: &TagOrDigest,
        manifest: &Manifest,
    ) -> Result<HeaderMap, RegistryError> {
        let mut call = self.manifest_request(Method::PUT, target);
        call.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(manifest.media_type.as_str()),
        );
        call.body = manifest.bytes.clone();
        let response = match self.send_expecting_success(&call).await {
            // Sent again after its answer was lost, an immutable tag is refused by some registries
            // though it names just this.
            Err(refusal) if refusal.is_refusal() && !refusal.is_transient() => {
                let there = self.head_manifest(target).await;
                return match there {
                    Ok(Some(head)) if head.digest == manifest.digest => Ok(HeaderMap::new()),
                    _ => Err(refusal),
                };
            }
            outcome => outcome?,
        };
        self.mark_has_manifests();
        let headers = response.headers();
        match content_digest_header(headers).filter(|digest| *digest != manifest.digest) {
            None => Ok(headers.clone()),
            Some(actual) => Err(self.error(
                &call,
                RequestErrorKind::WrongDigest {
                    expected: manifest.digest,
                    actual,
                },
            )),
        }
    }

    fn manifest_request(&self, method: Method, target: &TagOrDigest) -> RegistryRequest {
        debug_assert!(method != Method::PUT || self.access.writes());
        let url = self.url(&format!("manifests/{target}"));
        let call = RegistryRequest::new(method.clone(), format!("manifest {target}"), url);
        if method == Method::PUT {
            call
        } else {
            call.header(ACCEPT, MediaType::ACCEPT)
        }
    }

    /// A digest was asked for, and it is the one that came.
    fn check_digest(
        &self,
        call: &RegistryRequest,
        target: &TagOrDigest,
        actual: Digest,
    ) -> Result<Digest, RegistryError> {
        match target {
            TagOrDigest::Digest(expected) if *expected != actual => Err(self.error(
                call,
                RequestErrorKind::WrongDigest {
                    expected: *expected,
                    actual,
                },
            )),
            _ => Ok(actual),
        }
    }
}

fn content_digest_header(headers: &HeaderMap) -> Option<Digest> {
    digest_header(headers, CONTENT_DIGEST_HEADER)
}

fn digest_header(headers: &HeaderMap, name: &str) -> Option<Digest> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
