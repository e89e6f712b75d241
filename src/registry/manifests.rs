//! Manifests: asking for, reading and writing them.

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};

use super::body::Whole;
use super::call::Call;
use super::error::{Cause, Error};
use super::{Access, Remote};
use crate::image::{Digest, MANIFEST_LIMIT, Manifest, ManifestError, MediaType, Target};

const CONTENT_DIGEST: &str = "docker-content-digest";
/// The digest of the subject of a manifest that was written: the registry lists it from now on.
const OCI_SUBJECT: &str = "oci-subject";

/// What a registry's answer says of a manifest that it has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vouched {
    /// That it is stored, under its digest or the tag that it was written under.
    pub stored: bool,
    /// That it is listed among the referrers of its subject, where it has one.
    pub listed: bool,
}

/// What a HEAD says of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The manifest's digest.
    pub digest: Digest,
}

impl Remote {
    /// What `target` names; `None` where the registry says that there is nothing (404 alone).
    ///
    /// # Errors
    /// Every other answer: it means unknown, not absent.
    pub async fn head(&self, target: &Target) -> Result<Option<Head>, Error> {
        let call = self.manifest_call(Method::HEAD, target);
        let response = self.call(&call).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => match content_digest(response.headers()) {
                Some(digest) => {
                    self.has_manifests();
                    Ok(Some(Head {
                        digest: self.same(&call, target, digest)?,
                    }))
                }
                // Some leave the header out; the bytes cannot.
                None => Ok(self.manifest(target).await?.map(|manifest| Head {
                    digest: manifest.digest,
                })),
            },
            // Artifactory answers 403 to the HEAD of what is not there, others know no HEAD; a GET
            // says which it is, and if it says 403 too, that is final.
            StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => {
                Ok(self.manifest(target).await?.map(|manifest| Head {
                    digest: manifest.digest,
                }))
            }
            _ => Err(self.refusal(&call, response).await),
        }
    }

    /// The manifest that `target` names; `None` on a 404.
    ///
    /// # Errors
    /// Every other refusal, bytes that are no manifest, or that are not what the digest says.
    pub async fn manifest(&self, target: &Target) -> Result<Option<Manifest>, Error> {
        let call = self.manifest_call(Method::GET, target);
        let too_large = |error: Error| match error.cause {
            Cause::TooLong(_) => self.error(&call, Cause::Manifest(ManifestError::TooLarge)),
            _ => error,
        };
        let Whole {
            headers,
            body: bytes,
            turn: _turn,
            ..
        } = match self.whole(&call, MANIFEST_LIMIT).await.map_err(too_large)? {
            Ok(whole) => whole,
            Err(response) if response.status() == StatusCode::NOT_FOUND => return Ok(None),
            Err(response) => return Err(self.refusal(&call, response).await),
        };
        let served_as = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let promised = content_digest(&headers);
        let held = self.manifest_budget().hold(bytes);
        let bytes = held.map_err(|error| self.error(&call, Cause::Manifest(error)))?;
        let digest = Digest::of(&bytes);
        if let Some(promised) = promised.filter(|promised| *promised != digest) {
            return Err(self.error(
                &call,
                Cause::WrongDigest {
                    expected: promised,
                    actual: digest,
                },
            ));
        }
        self.same(&call, target, digest)?;
        self.has_manifests();
        let manifest = Manifest::parse(bytes, served_as.as_deref());
        manifest
            .map(Some)
            .map_err(|error| self.error(&call, Cause::Manifest(error)))
    }

    /// Writes a manifest, byte for byte, under a tag or its digest.
    ///
    /// # Errors
    /// A refusal, or an answer that names another digest.
    pub async fn put_manifest(
        &self,
        target: &Target,
        manifest: &Manifest,
    ) -> Result<Vouched, Error> {
        let headers = self.put(target, manifest).await?;
        let subject = manifest.subject.as_ref().map(|subject| subject.digest);
        let listed = subject.is_some() && digest_in(&headers, OCI_SUBJECT) == subject;
        if listed {
            self.says_that_it_lists();
        }
        Ok(Vouched {
            stored: content_digest(&headers) == Some(manifest.digest),
            listed,
        })
    }

    /// Writes a manifest. Returns the headers of the answer.
    async fn put(&self, target: &Target, manifest: &Manifest) -> Result<HeaderMap, Error> {
        let mut call = self.manifest_call(Method::PUT, target);
        call.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(manifest.media_type.as_str()),
        );
        call.body = manifest.bytes.clone();
        let response = match self.succeed(&call).await {
            // Sent again after its answer was lost, an immutable tag is refused by some registries
            // though it names just this.
            Err(refusal) if refusal.is_refusal() && !refusal.is_transient() => {
                let there = self.head(target).await;
                return match there {
                    Ok(Some(head)) if head.digest == manifest.digest => Ok(HeaderMap::new()),
                    _ => Err(refusal),
                };
            }
            outcome => outcome?,
        };
        self.has_manifests();
        let headers = response.headers();
        match content_digest(headers).filter(|digest| *digest != manifest.digest) {
            None => Ok(headers.clone()),
            Some(actual) => Err(self.error(
                &call,
                Cause::WrongDigest {
                    expected: manifest.digest,
                    actual,
                },
            )),
        }
    }

    fn manifest_call(&self, method: Method, target: &Target) -> Call {
        debug_assert!(method != Method::PUT || self.access == Access::PullPush);
        let url = self.url(&format!("manifests/{target}"));
        let call = Call::new(method.clone(), format!("manifest {target}"), url);
        if method == Method::PUT {
            call
        } else {
            call.header(ACCEPT, MediaType::ACCEPT)
        }
    }

    /// A digest was asked for, and it is the one that came.
    fn same(&self, call: &Call, target: &Target, actual: Digest) -> Result<Digest, Error> {
        match target {
            Target::Digest(expected) if *expected != actual => Err(self.error(
                call,
                Cause::WrongDigest {
                    expected: *expected,
                    actual,
                },
            )),
            _ => Ok(actual),
        }
    }
}

fn content_digest(headers: &HeaderMap) -> Option<Digest> {
    digest_in(headers, CONTENT_DIGEST)
}

fn digest_in(headers: &HeaderMap, name: &str) -> Option<Digest> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
