//! Some platforms of an image: a new index of the manifests as they are.

use serde_json::Value;
use shipmark::referrers::Selection;
use shipmark::release::{Failure, Platforms, Request};
use shipmark::tagging::TagRules;

use crate::registry::{Profile, Registry};
use crate::support::*;

fn request(source: &str, to: &str, platforms: &[&str]) -> Request {
    let mut request = push(source, &[to], "refs/heads/main");
    request.rules = TagRules::read(["it"]).unwrap();
    request.referrers = Selection::Known;
    request.platforms = Platforms {
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
    let subset = outcome.subset.clone().unwrap();
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
    assert!(!again.released());
    // From a registry, for another: both digests are told, and the new one is promoted as it is.
    let mut on = promote(
        &format!("{place}:it"),
        &[&format!("{place}2")],
        "refs/heads/main",
    );
    on.platforms.names = vec!["linux/amd64".parse().unwrap()];
    let on = done(on, &context).await;
    assert_eq!((on.root, on.subset), (outcome.root, None));
}

#[tokio::test]
async fn all_platforms_are_the_image_itself_and_unknown_ones_are_refused() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let all = request(&attested(), &place, &["linux/arm64/v8", "linux/x86_64"]);
    let outcome = done(all, &context()).await;
    assert_eq!(outcome.subset, None);
    registry.clear_log();
    let unknown = request(&attested(), &place, &["linux/amd64", "linux/s390x"]);
    let (failure, text) = failed(unknown, &context()).await;
    assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
    assert!(text.contains("is not for linux/s390x"), "{text}");
    assert!(
        text.contains("it is for linux/amd64, linux/arm64"),
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
    assert_eq!(outcome.subset, None);
    let (_, text) = failed(request(&single, &place, &["linux/arm64"]), &context()).await;
    assert!(text.contains("it is for linux/amd64"), "{text}");
}

#[tokio::test]
async fn signatures_are_not_lost_by_the_way() {
    let layout = format!("oci:{}:1.4.2", image("regctl-layout-signed").display());
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let mut asked = request(&layout, &place, &["linux/amd64"]);
    asked.referrers = Selection::None;
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
            .contains("2 signatures, about the index that is replaced")
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
    assert!(outcome.subset.is_some());
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
