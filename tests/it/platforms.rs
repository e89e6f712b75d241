//! Some platforms of an image: a new index of the manifests as they are.

use serde_json::{Value, json};
use shipmark::referrers::ReferrerSelection;
use shipmark::release::{Failure, ReleaseRequest, RequestedPlatforms};
use shipmark::tagging::TagRules;

use crate::registry::{Profile, Registry};
use crate::support::*;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn request(source: &str, to: &str, platforms: &[&str]) -> ReleaseRequest {
    let mut request = push(source, &[to], "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    request.referrers = ReferrerSelection::Known;
    request.platforms = RequestedPlatforms {
        names: platforms.iter().map(|name| name.parse().unwrap()).collect(),
        drop_signatures: false,
    };
    request
}

fn attested() -> String {
    let path = image("buildkit-multi-provenance-max.tar");
    format!("oci-archive:{}", path.display())
}

/// The entries of the index under a reference.
fn entries(registry: &Registry, reference: &str) -> Vec<Value> {
    let (_, bytes) = registry.manifest("web", reference).unwrap();
    let index: Value = serde_json::from_slice(&bytes).unwrap();
    index["manifests"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_subset_keeps_the_images_and_their_attestations_and_says_its_new_digest() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let (context, said) = context_with(settings());
    let asked = request(&attested(), &place, &["linux/amd64"]);
    let outcome = done(asked.clone(), &context).await;
    let subset = outcome.platform_selection.clone().unwrap();
    assert_eq!(
        subset.of.to_string(),
        "sha256:7674676db7b2ca40718eec7b581683075644c51c5ecf2e73da443bd00873b4bd"
    );
    assert_eq!(subset.platforms, ["linux/amd64"]);
    assert_ne!(outcome.root, subset.of);
    assert!(
        said.text()
            .contains(&format!("the new index {}", outcome.root))
    );
    assert_eq!(registry.tags("web")["it"], outcome.root.to_string());
    let digests = entries(&registry, "it").into_iter();
    let digests: Vec<_> = digests.map(|entry| entry["digest"].clone()).collect();
    // The image and the attestation of it, byte for byte those of the source.
    assert_eq!(
        digests,
        [
            "sha256:d7e20a29fb984726614e20887ab463613b90a2ecb7b4e3ab322a6ec6abbeac7d",
            "sha256:4a7c744bdf3aa46b417a3e8bb7570c407180847bd96c00e12c9e3929e8e92f7b",
        ]
    );
    assert_eq!(registry.dangling(), Vec::<String>::new());
    // The same is made again, so nothing has to be written.
    let again = done(asked, &context).await;
    assert!(!again.has_changes());
    // From a registry, for another: both digests are told, and the new one is promoted as it is.
    let mut on = promote(
        &format!("{place}:it"),
        &[&format!("{place}2")],
        "refs/heads/main",
    );
    on.platforms.names = vec!["linux/amd64".parse().unwrap()];
    let on = done(on, &context).await;
    assert_eq!((on.root, on.platform_selection), (outcome.root, None));
}

#[tokio::test]
async fn all_platforms_are_the_image_itself_and_unknown_ones_are_refused() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let all = request(&attested(), &place, &["linux/arm64/v8", "linux/x86_64"]);
    let outcome = done(all, &context()).await;
    assert_eq!(outcome.platform_selection, None);
    registry.clear_log();
    let unknown = request(&attested(), &place, &["linux/amd64", "linux/s390x"]);
    let (failure, text) = failed(unknown, &context()).await;
    assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
    assert!(text.contains("has no image for linux/s390x"), "{text}");
    assert!(
        text.contains("available platforms: linux/amd64, linux/arm64"),
        "{text}"
    );
    let wrote = registry.requests().into_iter();
    assert_eq!(wrote.filter(|line| !line.starts_with("HEAD")).count(), 0);
    // One image that is no index has one platform.
    let single = format!(
        "oci-archive:{}",
        image("buildkit-single-noname.tar").display()
    );
    let outcome = done(request(&single, &place, &["linux/amd64"]), &context()).await;
    assert_eq!(outcome.platform_selection, None);
    let (_, text) = failed(request(&single, &place, &["linux/arm64"]), &context()).await;
    assert!(text.contains("available platforms: linux/amd64"), "{text}");
}

#[tokio::test]
async fn signatures_are_not_lost_by_the_way() {
    let layout = format!("oci:{}:1.4.2", image("regctl-layout-signed").display());
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let mut asked = request(&layout, &place, &["linux/amd64"]);
    asked.referrers = ReferrerSelection::None;
    let (failure, text) = failed(asked.clone(), &context()).await;
    assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
    assert!(text.contains("has 2 signatures"), "{text}");
    assert!(text.contains("platforms-drop-signatures: true"), "{text}");
    assert_eq!(registry.tags("web").len(), 0);
    asked.platforms.drop_signatures = true;
    let (context, said) = context_with(settings());
    let outcome = done(asked, &context).await;
    assert!(
        said.text()
            .contains("2 signatures, which refer to the replaced index")
    );
    assert_eq!(entries(&registry, "it").len(), 2);
    assert_eq!(registry.tags("web")["it"], outcome.root.to_string());
}

#[tokio::test]
async fn indexes_in_an_index_are_cut_too() {
    let layout = format!("oci:{}:top", image("regctl-nested-index").display());
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let outcome = done(request(&layout, &place, &["linux/arm64"]), &context()).await;
    assert!(outcome.platform_selection.is_some());
    let mut images = Vec::new();
    for nested in entries(&registry, "it") {
        let nested = nested["digest"].as_str().unwrap().to_owned();
        images.extend(entries(&registry, &nested));
    }
    assert_eq!(
        images.len(),
        3,
        "twice the image, once its attestation: {images:#?}"
    );
    let arm = "sha256:b4593c79a0abb80d3e796a5643c03f47fbb8d7eafbfb0410ce9b83f606e0d001";
    assert_eq!(
        images.iter().filter(|entry| entry["digest"] == arm).count(),
        2
    );
    assert_eq!(registry.dangling(), Vec::<String>::new());
}

/// An index of images for platforms that differ in their variant or version alone, each with an
/// attestation: one that BuildKit's annotations name, or one that names its subject itself.
fn put_variants(registry: &Registry) -> Vec<String> {
    let put = |manifest: Value| {
        let bytes = manifest.to_string();
        let digest = crate::registry::digest(bytes.as_bytes());
        registry.put_manifest("src", &digest, MANIFEST, bytes.clone());
        (digest, bytes.len())
    };
    let config = registry.put_blob("src", "{}");
    let empty =
        json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2});
    let image = |of: &str| {
        put(json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": [],
            "annotations": {"of": of},
        }))
    };
    let platforms = [
        json!({"os": "windows", "architecture": "amd64", "os.version": "10.0.17763.4974"}),
        json!({"os": "windows", "architecture": "amd64", "os.version": "10.0.20348.2031"}),
        json!({"os": "linux", "architecture": "arm", "variant": "v6"}),
        json!({"os": "linux", "architecture": "arm", "variant": "v7"}),
    ];
    let (mut entries, mut digests) = (Vec::new(), Vec::new());
    for (at, platform) in platforms.into_iter().enumerate() {
        let (digest, size) = image(&platform.to_string());
        let mut said = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": [],
            "artifactType": "application/vnd.docker.attestation.manifest.v1+json",
            "annotations": {"about": digest},
        });
        let mut annotations = json!({});
        match at % 2 {
            0 => said["subject"] = json!({"mediaType": MANIFEST, "digest": digest, "size": size}),
            _ => {
                annotations = json!({
                    "vnd.docker.reference.type": "attestation-manifest",
                    "vnd.docker.reference.digest": digest,
                });
            }
        }
        let (attestation, its_size) = put(said);
        let unknown = json!({"os": "unknown", "architecture": "unknown"});
        entries.push(json!({
            "mediaType": MANIFEST, "digest": attestation, "size": its_size, "platform": unknown,
            "annotations": annotations,
        }));
        entries.push(json!({
            "mediaType": MANIFEST, "digest": digest, "size": size, "platform": platform,
        }));
        digests.push([attestation, digest]);
    }
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    registry.put_manifest("src", "1", INDEX, index.to_string());
    digests.concat()
}

/// Windows has an image for each of its versions: all of them were kept, whatever was asked for.
#[tokio::test]
async fn variants_and_versions_are_told_apart_and_keep_their_attestations() {
    let registry = Registry::start(Profile::plain()).await;
    let digests = put_variants(&registry);
    let source = format!("{}/src:1", registry.host());
    let place = format!("{}/web", registry.host());
    for (asked, images, told) in [
        (
            "windows(10.0.17763)/amd64",
            &[0][..],
            "windows(10.0.17763.4974)/amd64",
        ),
        (
            "windows(10.0.20348.2031)/amd64",
            &[1],
            "windows(10.0.20348.2031)/amd64",
        ),
        (
            "windows/amd64",
            &[0, 1],
            "windows(10.0.17763.4974)/amd64, windows(10.0.20348.2031)/amd64",
        ),
        ("linux/arm/v7", &[3], "linux/arm/v7"),
        ("linux/arm", &[2, 3], "linux/arm/v6, linux/arm/v7"),
    ] {
        let outcome = done(request(&source, &place, &[asked]), &context()).await;
        assert_eq!(
            outcome.platform_selection.unwrap().platforms.join(", "),
            told
        );
        let kept = entries(&registry, "it").into_iter();
        let kept: Vec<String> = kept
            .map(|it| it["digest"].as_str().unwrap().to_owned())
            .collect();
        let expected = images.iter().flat_map(|at| digests[at * 2..][..2].to_vec());
        assert_eq!(kept, expected.collect::<Vec<_>>(), "{asked}");
        assert_eq!(registry.dangling(), Vec::<String>::new());
    }
    let asked = request(&source, &place, &["windows(10.0.1776)/amd64"]);
    let (_, text) = failed(asked, &context()).await;
    assert!(
        text.contains("has no image for windows(10.0.1776)/amd64"),
        "{text}"
    );
    assert!(!text.contains("unknown"), "{text}");
}

/// What the source's index says of an entry does not bring an image along that was not asked for.
#[tokio::test]
async fn promise_6_no_image_of_another_platform_stays_as_an_attestation() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let image = |architecture: &str| {
        let config = json!({"os": "linux", "architecture": architecture}).to_string();
        let size = config.len();
        let digest = registry.put_blob("web", config);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": [],
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest, "size": size,
            },
        });
        let manifest = manifest.to_string();
        let digest = crate::registry::digest(manifest.as_bytes());
        registry.put_manifest("web", &digest, MANIFEST, manifest.clone());
        json!({"mediaType": MANIFEST, "digest": digest, "size": manifest.len()})
    };
    let mut asked = image("arm64");
    asked["platform"] = json!({"os": "linux", "architecture": "arm64"});
    let mut wrong = image("amd64");
    wrong["annotations"] = json!({
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": asked["digest"],
    });
    for platform in [
        None,
        Some(json!({"os": "linux", "architecture": "amd64"})),
        Some(json!({"os": "unknown", "architecture": "amd64"})),
        Some(json!({"os": "linux", "architecture": "unknown"})),
    ] {
        if let Some(platform) = platform {
            wrong["platform"] = platform;
        }
        let entries = json!([wrong, asked]);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
        registry.put_manifest("web", "it", INDEX, index.to_string());
        let to = format!("{place}-{}", fastrand::u64(..));
        let outcome = done(
            request(&format!("{place}:it"), &to, &["linux/arm64"]),
            &context(),
        )
        .await;
        let (_, repository) = to.split_once('/').unwrap();
        let (_, made) = registry
            .manifest(repository, &outcome.root.to_string())
            .unwrap();
        let made: Value = serde_json::from_slice(&made).unwrap();
        assert_eq!(made["manifests"], json!([asked]), "{wrong}");
    }
}
