//! The API of Amazon ECR over a test registry, in the form of its reference (`DescribeImages`, `BatchDeleteImage`, AWS
//! JSON 1.1). It checks the signature of each request by its own computation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_lc_rs::{digest as hash, hmac};
use serde_json::{Value, json};

use super::vendor_server::VendorServer;
use crate::prune::stage::{PruneStage, WEB, days_ago};
use crate::registry::{Answer, Call, Registry};

pub const KEY_ID: &str = "AKIDMADEUP";
pub const SECRET: &str = "made/up+secret";
pub const SESSION: &str = "made-up-session-token";

/// What the API knows beside the registry.
#[derive(Default)]
pub struct Repository {
    /// Images on a page.
    pub page: usize,
    /// Age in days by the digest; others are 30 days old.
    pub days: BTreeMap<String, i64>,
    pub archived: BTreeSet<String>,
    /// Errors of the next requests: their kinds.
    pub errors: Vec<&'static str>,
    /// Difference of its clock, in seconds; it refuses signatures of more than five minutes.
    pub clock: i64,
}

pub type SharedRepository = Arc<Mutex<Repository>>;

pub fn repository_of(stage: &PruneStage, days: &[(&str, i64)]) -> SharedRepository {
    let days = days.iter();
    let days = days.map(|(name, days)| (stage.names[*name].clone(), *days));
    Arc::new(Mutex::new(Repository {
        page: 1000,
        days: days.collect(),
        ..Repository::default()
    }))
}

/// Starts the API.
pub async fn start(registry: Arc<Registry>, repository: SharedRepository) -> VendorServer {
    VendorServer::start(move |_| {
        move |call: &Call, body: &[u8]| {
            answer(&registry, &mut repository.lock().unwrap(), call, body)
        }
    })
    .await
}

fn error(kind: &str, message: &str) -> Answer {
    Answer::new(400).json(&json!({"__type": kind, "message": message}))
}

fn answer(registry: &Registry, repository: &mut Repository, call: &Call, body: &[u8]) -> Answer {
    assert_eq!(
        call.header("content-type"),
        Some("application/x-amz-json-1.1")
    );
    let now = crate::prune::stage::now().to_timestamp().as_second() + repository.clock;
    let dated = |answer: Answer| answer.header("date", http_date(now));
    if let Some(refusal) = check_signature(call, body, now) {
        return dated(refusal);
    }
    if !repository.errors.is_empty() {
        return dated(error(repository.errors.remove(0), "made up"));
    }
    let request: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(request["repositoryName"], WEB);
    dated(match call.header("x-amz-target").unwrap() {
        "AmazonEC2ContainerRegistry_V20150921.DescribeImages" => {
            describe(registry, repository, &request)
        }
        "AmazonEC2ContainerRegistry_V20150921.BatchDeleteImage" => delete(registry, &request),
        _ => error("UnknownOperationException", ""),
    })
}

fn http_date(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap();
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn check_signature(call: &Call, body: &[u8], now: i64) -> Option<Answer> {
    let header = |name: &str| call.header(name).unwrap_or_default();
    let authorization = header("authorization");
    let part = |name: &str| {
        let rest = authorization.split_once(name).unwrap().1;
        rest.split(',').next().unwrap().to_owned()
    };
    let (credential, names) = (part("Credential="), part("SignedHeaders="));
    let time = header("x-amz-date");
    let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", time).unwrap();
    let signed = signed
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap()
        .timestamp();
    if (signed.as_second() - now).abs() > 300 {
        return Some(error(
            "com.amazon.coral.service#InvalidSignatureException",
            "Signature expired",
        ));
    }
    let lines = names
        .split(';')
        .map(|name| format!("{name}:{}\n", header(name)));
    let canonical = format!(
        "POST\n/\n\n{}\n{names}\n{}",
        lines.collect::<String>(),
        hex(hash::digest(&hash::SHA256, body).as_ref())
    );
    let scope = credential.strip_prefix(&format!("{KEY_ID}/")).unwrap();
    let text = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        hex(hash::digest(&hash::SHA256, canonical.as_bytes()).as_ref())
    );
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for step in scope.split('/').chain([text.as_str()]) {
        let step_key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        key = hmac::sign(&step_key, step.as_bytes()).as_ref().to_vec();
    }
    let is_right = part("Signature=") == hex(&key) && header("x-amz-security-token") == SESSION;
    (!is_right).then(|| {
        error(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn describe(registry: &Registry, repository: &Repository, request: &Value) -> Answer {
    assert_eq!(request["filter"]["imageStatus"], "ANY");
    let from: usize = request["nextToken"]
        .as_str()
        .map_or(0, |it| it.parse().unwrap());
    // An archived image is answered with 404 by the registry.
    let mut digests = registry.manifests(WEB);
    digests.extend(repository.archived.iter().cloned());
    let tags = registry.tags(WEB);
    let shown = digests.iter().skip(from).take(repository.page);
    let images = shown.map(|digest| {
        let days = repository.days.get(digest).copied().unwrap_or(30);
        let pushed: jiff::Timestamp = days_ago(days).parse().unwrap();
        let own = tags.iter().filter(|(_, target)| *target == digest);
        let own: Vec<&String> = own.map(|(tag, _)| tag).collect();
        let status = if repository.archived.contains(digest) {
            "ARCHIVED"
        } else {
            "ACTIVE"
        };
        let mut image = json!({
            "registryId": "123456789012", "repositoryName": WEB, "imageDigest": digest,
            "imageSizeInBytes": 1000, "imagePushedAt": pushed.as_second() as f64 + 0.5,
            "imageStatus": status,
        });
        if !own.is_empty() {
            image["imageTags"] = json!(own);
        }
        image
    });
    let mut page = json!({"imageDetails": images.collect::<Vec<_>>()});
    let next = from + repository.page;
    if next < digests.len() {
        page["nextToken"] = next.to_string().into();
    }
    Answer::new(200).json(&page)
}

fn delete(registry: &Registry, request: &Value) -> Answer {
    let ids = request["imageIds"].as_array().unwrap();
    if ids.len() > 100 {
        return error(
            "InvalidParameterException",
            "imageIds has more than 100 members",
        );
    }
    let mut failures = Vec::new();
    let mut deleted = Vec::new();
    for id in ids {
        let digest = id["imageDigest"].as_str().unwrap();
        let failed = |code: &str, reason: &str| json!({"imageId": id, "failureCode": code, "failureReason": reason});
        if !registry.has_manifest(WEB, digest) {
            failures.push(failed("ImageNotFound", "Requested image not found"));
        } else if is_listed(registry, digest) {
            failures.push(failed(
                "ImageReferencedByManifestList",
                "Requested image referenced by manifest list",
            ));
        } else {
            let mut tags = registry.tags(WEB);
            tags.retain(|_, target| target != digest);
            registry.set_tags(WEB, tags);
            registry.remove_manifest(WEB, digest);
            deleted.push(id.clone());
        }
    }
    Answer::new(200).json(&json!({"imageIds": deleted, "failures": failures}))
}

fn is_listed(registry: &Registry, digest: &str) -> bool {
    let manifests = registry.manifests(WEB).into_iter();
    let bodies = manifests.filter_map(|it| registry.manifest(WEB, &it));
    let json = bodies.map(|(_, bytes)| serde_json::from_slice::<Value>(&bytes).unwrap());
    let children = json.filter_map(|it| it["manifests"].as_array().cloned());
    children.flatten().any(|child| child["digest"] == digest)
}
