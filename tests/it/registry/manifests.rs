//! Reading, pushing and deleting manifests.

use hyper::Method;
use serde_json::Value;

use super::answer::{ASSUMED, Answer};
use super::call::Call;
use super::content::digest;
use super::flavor::{delete_disabled, digest_invalid, manifest_blob_unknown};
use super::glob;
use super::links::missing;
use super::route::{is_digest, is_tag};
use super::service::{Outcome, Service, not_allowed};
use super::store::{Manifest, Repository};

impl Service {
    pub async fn manifest(&self, call: &mut Call, repository: &str, reference: &str) -> Outcome {
        if !is_digest(reference) && !is_tag(reference) {
            return Err(invalid("not a tag or digest"));
        }
        match call.method {
            Method::GET | Method::HEAD => self.read_manifest(call, repository, reference),
            Method::PUT => self.push(call, repository, reference).await,
            Method::DELETE => self.delete_manifest(repository, reference),
            _ => Err(not_allowed()),
        }
    }

    fn read_manifest(&self, call: &Call, repository: &str, reference: &str) -> Outcome {
        let mut state = self.store.lock();
        let repository_here = state.repository(repository);
        let found = repository_here.find(reference).or_else(|| {
            let subject = reference.replacen("sha256-", "sha256:", 1);
            let resolves = self.profile.flavor.resolves_fallback_tag();
            resolves.then(|| repository_here.find(&subject)).flatten()
        });
        let Some((digest, manifest)) = found else {
            let head = call.method == Method::HEAD;
            return Err(self
                .profile
                .flavor
                .missing_manifest(repository, reference, head));
        };
        Ok(Answer::new(200)
            .header("content-type", &manifest.media_type)
            .header("docker-content-digest", digest)
            .bytes(manifest.bytes.clone()))
    }

    async fn push(&self, call: &mut Call, repository: &str, reference: &str) -> Outcome {
        let media_type = call.header("content-type").unwrap_or_default().to_owned();
        let Some(bytes) = call.read(self.profile.manifest_limit).await else {
            let message = "the manifest is too large";
            return Err(Answer::error(413, "SIZE_INVALID", message, ()).known_from(ASSUMED));
        };
        let manifest = Manifest { media_type, bytes };
        let json = check_form(&manifest)?;
        if is_digest(reference) && digest(&manifest.bytes) != reference {
            return Err(digest_invalid("the manifest has another digest"));
        }
        let mut state = self.store.lock();
        let here = state.repository(repository);
        if let Some(absent) = missing(here, &json).first() {
            return Err(manifest_blob_unknown(absent));
        }
        self.check_immutable(here, repository, reference, &manifest)?;
        let digest = here.put(reference, manifest);
        Ok(self.pushed(repository, reference, &digest, &json))
    }

    /// Refuses to move a tag that is immutable and taken.
    fn check_immutable(
        &self,
        here: &Repository,
        repository: &str,
        tag: &str,
        manifest: &Manifest,
    ) -> Result<(), Answer> {
        let (Some(pattern), Some(taken)) = (&self.profile.immutable, here.tags.get(tag)) else {
            return Ok(());
        };
        let flavor = self.profile.flavor;
        let moves = *taken != digest(&manifest.bytes) || flavor.refuses_same_digest();
        if moves && glob::matches(pattern, tag) {
            return Err(flavor.immutable_tag(repository, tag));
        }
        Ok(())
    }

    fn pushed(&self, repository: &str, reference: &str, digest: &str, manifest: &Value) -> Answer {
        let mut answer = Answer::new(201)
            .header("docker-content-digest", digest)
            .bytes("");
        if !is_digest(reference) || self.profile.flavor.locates_digests() {
            let path = format!("/v2/{repository}/manifests/{digest}");
            answer = answer.header("location", self.location(&path));
        }
        match manifest["subject"]["digest"].as_str() {
            Some(subject) if self.profile.oci_subject => answer.header("oci-subject", subject),
            _ => answer,
        }
    }

    /// By tag only the tag goes; by digest the manifest, and every tag that names it.
    fn delete_manifest(&self, repository: &str, reference: &str) -> Outcome {
        if !self.profile.deletes {
            return Err(delete_disabled());
        }
        let mut state = self.store.lock();
        let here = state.repository(repository);
        let found = if is_digest(reference) {
            here.tags.retain(|_, digest| digest != reference);
            here.manifests.remove(reference).is_some()
        } else {
            here.tags.remove(reference).is_some()
        };
        if found {
            Ok(Answer::new(202))
        } else {
            Err(self
                .profile
                .flavor
                .missing_manifest(repository, reference, false))
        }
    }
}

/// The manifest as JSON, if it is some and of the type that the request says.
fn check_form(manifest: &Manifest) -> Result<Value, Answer> {
    if manifest.media_type.is_empty() {
        return Err(invalid("Content-Type is missing"));
    }
    let json: Value = serde_json::from_slice(&manifest.bytes).map_err(|_| invalid("not JSON"))?;
    match json["mediaType"].as_str() {
        Some(inside) if inside != manifest.media_type => {
            Err(invalid("Content-Type and mediaType differ"))
        }
        _ => Ok(json),
    }
}

fn invalid(why: &str) -> Answer {
    Answer::error(400, "MANIFEST_INVALID", "manifest invalid", why).known_from(ASSUMED)
}
