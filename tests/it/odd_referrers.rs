//! Referrers that a destination does not take, or that cannot be read: by default they stay behind with a warning
//! and do not keep the image from being released.

use serde_json::{Value, json};
use shipmark::referrers::{ReferrerKind, ReferrerSelection, SkipReason};
use shipmark::release::ReleaseRequest;
use shipmark::tagging::TagRules;

use crate::registry::{Effect, Fault, Profile, Registry, digest};
use crate::support::*;

const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const NOTATION: &str = "application/vnd.cncf.notary.signature";
const REFUSAL: &str = r#"{"errors":[{"code":"MANIFEST_INVALID","message":"unknown media type"}]}"#;

/// Puts a signature of notation before 1.0 in place: an artifact manifest. Tells its digest.
fn put_artifact(registry: &Registry) -> String {
    let blob = registry.put_blob("dev/web", "a signature");
    let manifest = json!({
        "mediaType": ARTIFACT, "artifactType": NOTATION,
        "blobs": [{"mediaType": "application/jose+json", "digest": blob, "size": 11}],
        "subject": {
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "digest": example_root().to_string(), "size": 1,
        },
    })
    .to_string();
    let named = digest(manifest.as_bytes());
    registry.put_manifest("dev/web", &named, ARTIFACT, manifest);
    named
}

/// The image with that signature and one of today, and a request to promote it.
async fn stage(to: &Registry, referrers: ReferrerSelection) -> (Registry, ReleaseRequest, String) {
    let from = Registry::start(Profile::plain()).await;
    put_example(&from, "dev/web", "it");
    let artifact = put_artifact(&from);
    attach::signed(&from, "dev/web", &example_root().to_string(), "of today");
    let source = format!("{}/dev/web:it", from.host());
    let place = format!("{}/prod/web", to.host());
    let mut request = promote(&source, &[&place], "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    request.referrers = referrers;
    (from, request, artifact)
}

fn refuse(registry: &Registry, digest: &str, status: u16) {
    let path = format!("/manifests/{digest}");
    let effect = Effect::status_with(status, &[], REFUSAL);
    registry.fault(Fault::on("PUT", &path, effect).always());
}

#[tokio::test]
async fn a_signature_as_an_artifact_manifest_is_copied_as_bytes() {
    let to = Registry::start(Profile::plain()).await;
    let (from, request, artifact) = stage(&to, ReferrerSelection::Known).await;
    let outcome = done(request, &context()).await;
    let copied = &outcome.destinations[0].referrers.copied;
    assert_eq!(copied[&ReferrerKind::Signature], 2);
    let [there, here] = [(&to, "prod/web"), (&from, "dev/web")]
        .map(|(registry, repository)| registry.manifest(repository, &artifact).unwrap());
    assert_eq!(there, here);
}

#[tokio::test]
async fn a_referrer_that_the_destination_refuses_stays_behind_with_a_warning() {
    for (profile, status) in [
        (Profile::plain(), 400),
        (Profile::plain(), 415),
        (Profile::distribution(), 400),
        (Profile::distribution(), 405),
    ] {
        let to = Registry::start(profile).await;
        let (_from, request, artifact) = stage(&to, ReferrerSelection::Known).await;
        refuse(&to, &artifact, status);
        let (context, said) = context_with(settings());
        let outcome = done(request.clone(), &context).await;
        assert_eq!(to.tags("prod/web")["it"], example_root().to_string());
        assert!(!to.has_manifest("prod/web", &artifact));
        let referrers = &outcome.destinations[0].referrers;
        assert_eq!(referrers.copied[&ReferrerKind::Signature], 1);
        let skipped = &referrers.skipped[0];
        assert_eq!(
            (&skipped.kind, skipped.count, skipped.reason),
            (&ReferrerKind::Signature, 1, SkipReason::Rejected)
        );
        assert!(
            said.warnings()
                .contains("skipped referrer: 1 signature, refused: "),
            "{}",
            said.warnings()
        );
        assert!(
            said.warnings().contains("unknown media type"),
            "{}",
            said.warnings()
        );
        // A list that is kept under a tag names what is there alone.
        let list = example_root().to_string().replace(':', "-");
        if let Some((_, list)) = to.manifest("prod/web", &list) {
            let list: Value = serde_json::from_slice(&list).unwrap();
            assert_eq!(list["manifests"].as_array().unwrap().len(), 1, "{list}");
        }
        assert!(to.dangling().is_empty(), "{:?}", to.dangling());
    }
}

#[tokio::test]
async fn a_list_that_would_name_refused_referrers_alone_is_not_written() {
    let to = Registry::start(Profile::distribution()).await;
    let (from, request, artifact) = stage(&to, ReferrerSelection::Known).await;
    let others = from.manifests("dev/web").into_iter();
    let of_today = others.filter(|digest| {
        let (_, manifest) = from.manifest("dev/web", digest).unwrap();
        String::from_utf8_lossy(&manifest).contains("sigstore.bundle")
    });
    for refused in of_today.chain([artifact]) {
        refuse(&to, &refused, 400);
    }
    let outcome = done(request, &context()).await;
    let referrers = &outcome.destinations[0].referrers;
    assert!(referrers.copied.is_empty(), "{referrers:?}");
    assert_eq!(to.tags("prod/web").len(), 1, "{:?}", to.tags("prod/web"));
}

#[tokio::test]
async fn a_refused_referrer_fails_the_release_where_all_are_wanted() {
    let to = Registry::start(Profile::plain()).await;
    let (_from, request, artifact) = stage(&to, ReferrerSelection::All).await;
    refuse(&to, &artifact, 400);
    let (_, text) = failed(request, &context()).await;
    assert!(text.contains("unknown media type"), "{text}");
    assert!(to.tags("prod/web").is_empty());
}

/// A login that may not write, or a registry that is down, says nothing of the referrer.
#[tokio::test]
async fn promise_3_only_a_refusal_of_the_manifest_itself_skips_it() {
    for status in [401, 403, 404, 500, 503] {
        let to = Registry::start(Profile::plain()).await;
        let (_from, request, artifact) = stage(&to, ReferrerSelection::Known).await;
        let path = format!("/manifests/{artifact}");
        to.fault(Fault::on("PUT", &path, Effect::status(status)).always());
        failed(request, &context()).await;
        assert!(to.tags("prod/web").is_empty(), "{status}");
    }
}
