//! Uploading blobs.

use super::{Answer, NOTHING, ask, get, post};
use crate::registry::{Profile, Registry, digest};

const UPLOADS: &str = "/v2/team/app/blobs/uploads/";

/// A location with one more parameter.
fn with_digest(location: &str, digest: &str) -> String {
    let sign = if location.contains('?') { '&' } else { '?' };
    format!("{location}{sign}digest={digest}")
}

async fn patch(registry: &Registry, location: &str, range: &str, body: &'static str) -> Answer {
    let patch = ask(registry, "PATCH", location).header("content-range", range);
    patch.body(body).get().await
}

async fn put(registry: &Registry, location: &str, digest: &str, body: &'static str) -> Answer {
    ask(registry, "PUT", &with_digest(location, digest))
        .body(body)
        .get()
        .await
}

#[tokio::test]
async fn a_blob_is_uploaded_with_one_put() {
    let registry = Registry::start(Profile::plain()).await;
    let blob = digest(b"content");
    let begun = post(&registry, UPLOADS).await;
    assert_eq!(begun.status, 202);
    assert!(begun.header("location").starts_with(UPLOADS));
    assert!(
        begun
            .header("location")
            .contains(begun.header("docker-upload-uuid"))
    );
    assert_eq!(registry.open_uploads(), 1);
    let created = put(&registry, begun.header("location"), &blob, "content").await;
    assert_eq!(
        (created.status, created.header("docker-content-digest")),
        (201, blob.as_str())
    );
    assert_eq!(
        get(&registry, created.header("location")).await.text(),
        "content"
    );
    assert_eq!(registry.open_uploads(), 0);
}

#[tokio::test]
async fn a_blob_is_uploaded_with_one_post() {
    let registry = Registry::start(Profile::plain()).await;
    let blob = digest(b"content");
    let path = format!("{UPLOADS}?digest={blob}");
    assert_eq!(
        ask(&registry, "POST", &path)
            .body("content")
            .get()
            .await
            .status,
        201
    );
    assert!(registry.has_blob("team/app", &blob));
    let refused = ask(&registry, "POST", &path).body("other").get().await;
    assert_eq!(
        (refused.status, refused.code()),
        (400, "DIGEST_INVALID".to_owned())
    );
}

#[tokio::test]
async fn a_blob_is_uploaded_in_chunks() {
    let registry = Registry::start(Profile::distribution()).await;
    let begun = post(&registry, UPLOADS).await;
    assert!(begun.header("location").starts_with(&registry.url()));
    let first = patch(&registry, begun.header("location"), "0-3", "0123").await;
    assert_eq!((first.status, first.header("range")), (202, "0-3"));
    let status = get(&registry, first.header("location")).await;
    assert_eq!((status.status, status.header("range")), (204, "0-3"));
    let wrong = patch(&registry, first.header("location"), "5-6", "56").await;
    assert_eq!((wrong.status, wrong.header("range")), (416, "0-3"));
    let old = patch(&registry, begun.header("location"), "4-6", "456").await;
    assert_eq!(
        (old.status, old.code()),
        (404, "BLOB_UPLOAD_INVALID".to_owned())
    );
    let second = patch(&registry, first.header("location"), "4-6", "456").await;
    assert_eq!(second.status, 202);
    let blob = digest(b"0123456789");
    assert_eq!(
        put(&registry, second.header("location"), &blob, "789")
            .await
            .status,
        201
    );
    assert!(registry.has_blob("team/app", &blob));
}

#[tokio::test]
async fn a_chunk_must_be_of_the_size_it_says() {
    let registry = Registry::start(Profile::plain()).await;
    let begun = post(&registry, UPLOADS).await;
    let wrong = patch(&registry, begun.header("location"), "0-9", "0123").await;
    assert_eq!(
        (wrong.status, wrong.code()),
        (400, "SIZE_INVALID".to_owned())
    );
}

#[tokio::test]
async fn chunks_have_a_least_and_a_greatest_size() {
    let registry = Registry::start(Profile::plain().min_chunk(4).max_chunk(8)).await;
    let begun = post(&registry, UPLOADS).await;
    assert_eq!(begun.header("oci-chunk-min-length"), "4");
    let first = patch(&registry, begun.header("location"), "0-1", "01").await;
    assert_eq!(first.status, 202);
    assert_eq!(
        patch(&registry, first.header("location"), "2-5", "2345")
            .await
            .status,
        416
    );
    let begun = post(&registry, UPLOADS).await;
    assert_eq!(
        patch(&registry, begun.header("location"), "0-8", "012345678")
            .await
            .status,
        416
    );
}

#[tokio::test]
async fn a_wrong_digest_ends_the_upload() {
    let registry = Registry::start(Profile::plain()).await;
    let begun = post(&registry, UPLOADS).await;
    let refused = put(&registry, begun.header("location"), NOTHING, "content").await;
    assert_eq!(
        (refused.status, refused.code()),
        (400, "DIGEST_INVALID".to_owned())
    );
    assert!(!registry.has_blob("team/app", NOTHING));
    assert_eq!(registry.open_uploads(), 0);
}

#[tokio::test]
async fn an_upload_is_cancelled() {
    let registry = Registry::start(Profile::plain()).await;
    let begun = post(&registry, UPLOADS).await;
    let location = begun.header("location").to_owned();
    assert_eq!(super::delete(&registry, &location).await.status, 204);
    assert_eq!(registry.open_uploads(), 0);
    assert_eq!(get(&registry, &location).await.status, 404);
}

#[tokio::test]
async fn an_upload_belongs_to_its_repository() {
    let registry = Registry::start(Profile::plain()).await;
    let begun = post(&registry, UPLOADS).await;
    let elsewhere = begun.header("location").replace("team/app", "team/other");
    assert_eq!(get(&registry, &elsewhere).await.status, 404);
}

#[tokio::test]
async fn a_blob_is_mounted_from_where_it_is() {
    let registry = Registry::start(Profile::plain()).await;
    let blob = registry.put_blob("team/other", "content");
    let mount = format!("{UPLOADS}?mount={blob}&from=team/other");
    let mounted = post(&registry, &mount).await;
    assert_eq!(
        (mounted.status, mounted.header("docker-content-digest")),
        (201, blob.as_str())
    );
    assert!(registry.has_blob("team/app", &blob));
    let absent = post(
        &registry,
        &format!("{UPLOADS}?mount={blob}&from=team/nothing"),
    )
    .await;
    assert_eq!(absent.status, 202);
    let registry = Registry::start(Profile::plain().mounts(false)).await;
    registry.put_blob("team/other", "content");
    assert_eq!(post(&registry, &mount).await.status, 202);
}

#[tokio::test]
async fn only_the_size_of_large_blobs_is_kept_where_that_is_asked_for() {
    let registry = Registry::start(Profile::plain().discard_blob_bodies()).await;
    for (size, status) in [(1024 * 1024, 200), (1024 * 1024 + 1, 500)] {
        let bytes = vec![7; size];
        let blob = digest(&bytes);
        let path = format!("{UPLOADS}?digest={blob}");
        assert_eq!(
            ask(&registry, "POST", &path).body(bytes).get().await.status,
            201
        );
        let path = format!("/v2/team/app/blobs/{blob}");
        let seen = super::head(&registry, &path).await;
        assert_eq!(seen.header("content-length"), size.to_string());
        assert_eq!(get(&registry, &path).await.status, status);
    }
}
