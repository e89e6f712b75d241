//! Listing what refers to a manifest.

use hyper::Method;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::flavor::name_unknown;
use super::page::page;
use super::service::{Outcome, Service, check_digest, check_method};
use super::store::{Manifest, Repository};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Service {
    pub fn referrers(&self, call: &Call, repository: &str, digest: &str) -> Outcome {
        check_method(call, &[Method::GET])?;
        if !self.profile.referrers {
            return Err(self.profile.flavor.no_referrers(digest, &self.host));
        }
        let is_new = self
            .store
            .lock()
            .repository(repository)
            .manifests
            .is_empty();
        if self.profile.late_referrers && is_new {
            return Err(name_unknown(repository));
        }
        check_digest(digest)?;
        let filter = call.query("artifactType");
        let all = of(self.store.lock().repository(repository), digest, filter);
        let name = |descriptor: &Value| -> String { text(&descriptor["digest"]) };
        let named: Vec<(String, Value)> = all.into_iter().map(|one| (name(&one), one)).collect();
        let limit = self.profile.page_size;
        let (named, last) = page(named, call.query("last"), limit, |(digest, _)| digest);
        let manifests: Vec<Value> = named
            .into_iter()
            .map(|(_, descriptor)| descriptor)
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let mut answer = Answer::new(200)
            .header("content-type", INDEX)
            .bytes(index.to_string());
        if filter.is_some() {
            answer = answer.header("oci-filters-applied", "artifactType");
        }
        if let Some(last) = last {
            let filter = filter
                .map(|filter| format!("&artifactType={filter}"))
                .unwrap_or_default();
            let next = format!("/v2/{repository}/referrers/{digest}?last={last}{filter}");
            answer = answer.header("link", format!("<{next}>; rel=\"next\""));
        }
        Ok(answer)
    }
}

/// The descriptors of the manifests with this subject, in the order of their digests.
pub fn of(repository: &Repository, subject: &str, filter: Option<&str>) -> Vec<Value> {
    let about = repository.referrers.get(subject).into_iter().flatten();
    let descriptors = about.filter_map(|digest| {
        let manifest = repository.manifests.get(digest)?;
        Some(descriptor(digest, manifest, &manifest.json()))
    });
    let wanted = |one: &Value| filter.is_none_or(|filter| one["artifactType"] == filter);
    descriptors.filter(wanted).collect()
}

fn descriptor(digest: &str, manifest: &Manifest, json: &Value) -> Value {
    let mut descriptor = json!({
        "mediaType": manifest.media_type,
        "digest": digest,
        "size": manifest.bytes.len(),
    });
    let config = &json["config"]["mediaType"];
    let artifact_type = if json["artifactType"].is_null() {
        config
    } else {
        &json["artifactType"]
    };
    for (name, value) in [
        ("artifactType", artifact_type),
        ("annotations", &json["annotations"]),
    ] {
        if !value.is_null() {
            descriptor[name] = value.clone();
        }
    }
    descriptor
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
