//! How often registries are asked for an image with everything that is about it: two platforms of three
//! layers, a signature and an attestation of cosign's older form, two referrers of the index and one of
//! each platform.

use serde_json::{Value, json};
use shipmark::referrers::ReferrerSelection;
use shipmark::release::ReleaseRequest;
use shipmark::tagging::TagRules;

use super::kinds;
use crate::registry::{Auth, Profile, Registry, TokenRules, digest};
use crate::support::*;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const SPDX: &str = "application/spdx+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const REPOSITORY: &str = "dev/web";

/// Puts content in place and gives its descriptor.
fn put_blob(registry: &Registry, kind: &str, content: String) -> Value {
    let size = content.len();
    let digest = registry.put_blob(REPOSITORY, content);
    json!({"mediaType": kind, "digest": digest, "size": size})
}

fn put_manifest(registry: &Registry, tag: Option<&str>, manifest: &Value) -> Value {
    let kind = manifest["mediaType"].as_str().unwrap();
    let text = manifest.to_string();
    let named = digest(text.as_bytes());
    let size = text.len();
    registry.put_manifest(REPOSITORY, tag.unwrap_or(&named), kind, text);
    json!({"mediaType": kind, "digest": named, "size": size})
}

fn image_manifest(config: &Value, layers: &[Value]) -> Value {
    json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers})
}

/// Puts a platform's image in place, for an index.
fn put_platform(registry: &Registry, architecture: &str) -> Value {
    let config = json!({"architecture": architecture, "os": "linux"}).to_string();
    let config = put_blob(registry, CONFIG, config);
    let layers = [1, 2, 3].map(|n| put_blob(registry, LAYER, format!("{architecture} {n}")));
    let mut entry = put_manifest(registry, None, &image_manifest(&config, &layers));
    entry["platform"] = json!({"architecture": architecture, "os": "linux"});
    entry
}

/// Puts an image of cosign's older form in place.
fn put_cosign_image(registry: &Registry, subject: &Value, ending: &str, layer: Value) {
    let config = put_blob(registry, CONFIG, format!("{{\"for\":\"{ending}\"}}"));
    let hex = subject["digest"].as_str().unwrap().replace(':', "-");
    let tag = format!("{hex}.{ending}");
    put_manifest(registry, Some(&tag), &image_manifest(&config, &[layer]));
}

/// Puts referrers of a manifest in place, and the list of them under a tag.
fn put_referrers(registry: &Registry, subject: &Value, kinds: &[&str]) {
    let config = put_blob(registry, "application/vnd.oci.empty.v1+json", "{}".into());
    let about = subject["digest"].as_str().unwrap();
    let entries = kinds.iter().map(|kind| {
        let layer = put_blob(registry, kind, format!("{kind} of {about}"));
        let mut manifest = image_manifest(&config, &[layer]);
        manifest["artifactType"] = json!(kind);
        manifest["subject"] =
            json!({"mediaType": subject["mediaType"], "digest": about, "size": subject["size"]});
        let mut entry = put_manifest(registry, None, &manifest);
        entry["artifactType"] = json!(kind);
        entry
    });
    let entries: Vec<_> = entries.collect();
    let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    put_manifest(registry, Some(&about.replace(':', "-")), &list);
}

/// Puts the image in place as `v1`, with everything about it.
fn put_attached_image(registry: &Registry) {
    let children = ["amd64", "arm64"].map(|architecture| put_platform(registry, architecture));
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children});
    let root = put_manifest(registry, Some("v1"), &index);
    let mut payload = put_blob(
        registry,
        "application/vnd.dev.cosign.simplesigning.v1+json",
        "a payload".into(),
    );
    payload["annotations"] = json!({"dev.cosignproject.cosign/signature": "c2ln"});
    put_cosign_image(registry, &root, "sig", payload);
    let envelope = "application/vnd.dsse.envelope.v1+json";
    let envelope = put_blob(registry, envelope, "an envelope".into());
    put_cosign_image(registry, &root, "att", envelope);
    put_referrers(registry, &root, &[BUNDLE, SPDX]);
    for child in &children {
        put_referrers(registry, child, &[SPDX]);
    }
}

/// A registry that asks for a token, and has a list of referrers under a tag.
async fn registry_with_tokens() -> Registry {
    let rules = TokenRules::new("test").anonymous("*", &["pull", "push"]);
    Registry::start(Profile::distribution().auth(Auth::TokenHost(rules))).await
}

/// All requests, those for tokens among them.
fn count(registries: &[&Registry]) -> usize {
    let counts = registries
        .iter()
        .map(|registry| registry.count() + registry.token_server().count());
    counts.sum()
}

/// A request to tag the image of `from` as `tag` in `repository` of `to`.
fn promotion(from: &Registry, to: &Registry, repository: &str, tag: &str) -> ReleaseRequest {
    let source = format!("{}/{REPOSITORY}:v1", from.host());
    let place = format!("{}/{repository}", to.host());
    let mut request = promote(&source, &[&place], "refs/heads/main");
    request.rules = TagRules::parse([tag]).unwrap();
    request
}

/// Login, the source and the tag, which a report has to tell from a moved one.
#[tokio::test]
async fn a_new_tag_in_the_same_repository_lists_no_tags() {
    let registry = registry_with_tokens().await;
    put_attached_image(&registry);
    let request = promotion(&registry, &registry, REPOSITORY, "t2");
    done(request, &context()).await;
    insta::assert_snapshot!(kinds(&registry), @r"
    1 x GET manifests 200
    1 x GET manifests 401
    1 x HEAD manifests 404
    1 x PUT manifests 201
    ");
    assert_eq!(count(&[&registry]), 5);
}

/// As that, and the root, since no tag may name an image that is not there: some registries take a
/// manifest whose content they lack.
#[tokio::test]
async fn a_new_tag_of_an_image_that_is_there_lists_no_tags() {
    let (from, to) = (registry_with_tokens().await, registry_with_tokens().await);
    put_attached_image(&from);
    put_attached_image(&to);
    done(promotion(&from, &to, REPOSITORY, "t2"), &context()).await;
    insta::assert_snapshot!(kinds(&from), @r"
    1 x GET manifests 200
    1 x GET manifests 401
    ");
    insta::assert_snapshot!(kinds(&to), @r"
    1 x HEAD manifests 200
    1 x HEAD manifests 401
    1 x HEAD manifests 404
    1 x PUT manifests 201
    ");
    assert_eq!(count(&[&from, &to]), 8);
}

async fn promote_with_six_referrers(from: &Registry, to: &Registry) {
    let mut request = promotion(from, to, "prod/web", "v1");
    request.referrers = ReferrerSelection::Known;
    let outcome = done(request, &context()).await;
    let copied = &outcome.destinations[0].referrers.copied;
    assert_eq!(copied.values().sum::<u64>(), 6);
}

/// The least is 83 requests. Three find out what the destination has: the tag, the root and the
/// repository. One lists the source's tags in place of 24 that each ask for one. One writes the root
/// before its referrers. One asks whether the destination lists referrers. Two read the tags of cosign
/// before they are written, and five read all appended tags again after: without these, two runs at the
/// same time lose each other's entries.
#[tokio::test]
async fn a_cold_copy_with_six_referrers() {
    let (from, to) = (registry_with_tokens().await, registry_with_tokens().await);
    put_attached_image(&from);
    promote_with_six_referrers(&from, &to).await;
    insta::assert_snapshot!(kinds(&from), @r"
    17 x GET blobs 200
    12 x GET manifests 200
    1 x GET manifests 401
    1 x GET referrers 404
    1 x GET tags 200
    ");
    insta::assert_snapshot!(kinds(&to), @r"
    5 x GET manifests 200
    5 x GET manifests 404
    1 x GET referrers 404
    1 x GET tags 404
    1 x HEAD manifests 401
    2 x HEAD manifests 404
    17 x POST blobs/uploads 202
    17 x PUT blobs/uploads 201
    13 x PUT manifests 201
    ");
    assert_eq!(count(&[&from, &to]), 96);
}

#[tokio::test]
async fn a_cold_copy_with_six_referrers_between_registries_that_list_them() {
    let rules = || TokenRules::new("test").anonymous("*", &["pull", "push"]);
    let start = || Registry::start(Profile::plain().auth(Auth::TokenHost(rules())));
    let (from, to) = (start().await, start().await);
    put_attached_image(&from);
    // The lists under tags are of another client.
    let mut tags = from.tags(REPOSITORY);
    tags.retain(|tag, _| tag == "v1" || tag.contains('.'));
    from.set_tags(REPOSITORY, tags);
    promote_with_six_referrers(&from, &to).await;
    insta::assert_snapshot!(kinds(&from), @r"
    17 x GET blobs 200
    9 x GET manifests 200
    1 x GET manifests 401
    7 x GET referrers 200
    1 x GET tags 200
    ");
    insta::assert_snapshot!(kinds(&to), @r"
    2 x GET manifests 200
    5 x GET manifests 404
    1 x GET referrers 200
    1 x GET tags 404
    1 x HEAD manifests 401
    2 x HEAD manifests 404
    17 x POST blobs/uploads 202
    17 x PUT blobs/uploads 201
    10 x PUT manifests 201
    ");
    assert_eq!(count(&[&from, &to]), 93);
}
