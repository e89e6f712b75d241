//! Reading, pushing and deleting manifests, and the search for holes.

use serde_json::json;

use super::{
    INDEX, MANIFEST, NOTHING, ask, delete, digest_of, get, head, image, put_manifest, tagged,
};
use crate::registry::{Profile, Registry};

const TAG: &str = "/v2/team/app/manifests/1.4.0";

#[tokio::test]
async fn a_manifest_is_pushed_and_read_as_the_bytes_it_came_as() {
    let registry = Registry::start(Profile::plain()).await;
    let manifest = image(&registry, "team/app", "one");
    let digest = digest_of(&manifest);
    let pushed = put_manifest(&registry, TAG, &manifest).await;
    assert_eq!(
        (pushed.status, pushed.header("docker-content-digest")),
        (201, digest.as_str())
    );
    assert_eq!(
        pushed.header("location"),
        format!("/v2/team/app/manifests/{digest}")
    );
    for path in [TAG, pushed.header("location")] {
        let read = get(&registry, path).await;
        assert_eq!(
            (read.status, read.text()),
            (200, manifest.to_string().as_str())
        );
        assert_eq!(
            (
                read.header("content-type"),
                read.header("docker-content-digest")
            ),
            (MANIFEST, digest.as_str())
        );
        let seen = head(&registry, path).await;
        assert_eq!(
            (seen.status, seen.header("docker-content-digest")),
            (200, digest.as_str())
        );
        assert_eq!(
            seen.header("content-length"),
            manifest.to_string().len().to_string()
        );
    }
    assert_eq!(registry.tags("team/app")["1.4.0"], digest);
}

#[tokio::test]
async fn a_manifest_needs_what_it_names() {
    let registry = Registry::start(Profile::plain()).await;
    let mut manifest = image(&registry, "team/app", "one");
    manifest["layers"][0]["digest"] = NOTHING.into();
    let refused = put_manifest(&registry, TAG, &manifest).await;
    assert_eq!(
        (refused.status, refused.code()),
        (400, "MANIFEST_BLOB_UNKNOWN".to_owned())
    );
    let index = json!({"mediaType": INDEX, "manifests": [{"digest": NOTHING}]});
    let refused = put_manifest(&registry, TAG, &index).await;
    assert_eq!(
        (refused.status, refused.code()),
        (400, "MANIFEST_BLOB_UNKNOWN".to_owned())
    );
    manifest["layers"][0]["urls"] = json!(["https://elsewhere.example/layer"]);
    assert_eq!(put_manifest(&registry, TAG, &manifest).await.status, 201);
    assert!(registry.dangling().is_empty());
}

#[tokio::test]
async fn a_manifest_must_be_what_the_request_says() {
    let registry = Registry::start(Profile::plain().manifest_limit(1000)).await;
    let manifest = image(&registry, "team/app", "one");
    let refused = put_manifest(
        &registry,
        &format!("/v2/team/app/manifests/{NOTHING}"),
        &manifest,
    )
    .await;
    assert_eq!(
        (refused.status, refused.code()),
        (400, "DIGEST_INVALID".to_owned())
    );
    let untyped = ask(&registry, "PUT", TAG)
        .body(manifest.to_string())
        .get()
        .await;
    assert_eq!(
        (untyped.status, untyped.code()),
        (400, "MANIFEST_INVALID".to_owned())
    );
    let typed = ask(&registry, "PUT", TAG).header("content-type", INDEX);
    let mistyped = typed.body(manifest.to_string()).get().await;
    assert_eq!(
        (mistyped.status, mistyped.code()),
        (400, "MANIFEST_INVALID".to_owned())
    );
    let large = ask(&registry, "PUT", TAG)
        .header("content-type", MANIFEST)
        .body(" ".repeat(1001));
    assert_eq!(large.get().await.status, 413);
    assert!(registry.tags("team/app").is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_answered_with_404() {
    let registry = Registry::start(Profile::plain()).await;
    let absent = get(&registry, TAG).await;
    assert_eq!(
        (absent.status, absent.code()),
        (404, "MANIFEST_UNKNOWN".to_owned())
    );
    assert_eq!(head(&registry, TAG).await.status, 404);
    assert_eq!(get(&registry, "/v2/Team/app/manifests/1").await.status, 404);
    assert_eq!(get(&registry, "/v2/_catalog").await.status, 404);
    assert_eq!(get(&registry, "/").await.status, 404);
    assert_eq!(get(&registry, "/v2/").await.status, 200);
    assert_eq!(
        get(&registry, "/v2/team/app/manifests/-bad").await.status,
        400
    );
    assert_eq!(super::post(&registry, TAG).await.status, 405);
}

#[tokio::test]
async fn a_tag_goes_alone_and_a_digest_with_its_tags() {
    let registry = Registry::start(Profile::plain()).await;
    let digest = tagged(&registry, "team/app", "1.4.0");
    let by_digest = format!("/v2/team/app/manifests/{digest}");
    assert_eq!(delete(&registry, TAG).await.status, 202);
    assert!(
        registry.has_manifest("team/app", &digest) && !registry.has_manifest("team/app", "1.4.0")
    );
    assert_eq!(delete(&registry, TAG).await.status, 404);
    tagged(&registry, "team/app", "1.4.0");
    assert_eq!(delete(&registry, &by_digest).await.status, 202);
    assert!(registry.tags("team/app").is_empty());
    assert_eq!(delete(&registry, &by_digest).await.status, 404);
    let registry = Registry::start(Profile::plain().deletes(false)).await;
    assert_eq!(delete(&registry, &by_digest).await.status, 405);
}

#[tokio::test]
async fn holes_below_tags_are_found() {
    let registry = Registry::start(Profile::plain()).await;
    let mut manifest = image(&registry, "team/app", "one");
    let child = registry.put_manifest("team/app", "one", MANIFEST, manifest.to_string());
    let index = |digest: &str| json!({"manifests": [{"digest": digest}]}).to_string();
    registry.put_manifest("team/app", "whole", INDEX, index(&child));
    assert!(registry.dangling().is_empty());
    registry.put_manifest("team/app", "childless", INDEX, index(NOTHING));
    manifest["config"]["digest"] = NOTHING.into();
    let holed = digest_of(&manifest);
    registry.put_manifest("team/app", &holed, MANIFEST, manifest.to_string());
    assert_eq!(
        registry.dangling(),
        [format!("team/app:childless lacks {NOTHING}")]
    );
    registry.put_manifest("team/app", "deep", INDEX, index(&holed));
    assert_eq!(registry.dangling().len(), 2);
    assert_eq!(
        registry
            .manifest("team/app", "whole")
            .map(|found| found.0)
            .as_deref(),
        Some(INDEX)
    );
}
