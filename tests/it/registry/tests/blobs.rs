//! Reading and deleting blobs.

use super::{NOTHING, ask, delete, get, head};
use crate::registry::{Authorization, Profile, Registry, digest};

#[tokio::test]
async fn a_blob_is_read_whole_and_in_parts() {
    let registry = Registry::start(Profile::plain()).await;
    let path = format!(
        "/v2/team/app/blobs/{}",
        registry.put_blob("team/app", "0123456789")
    );
    assert_eq!(get(&registry, &path).await.text(), "0123456789");
    let seen = head(&registry, &path).await;
    assert_eq!((seen.status, seen.header("content-length")), (200, "10"));
    for (range, expected, shown) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
    ] {
        let part = ask(&registry, "GET", &path)
            .header("range", range)
            .get()
            .await;
        assert_eq!(
            (part.status, part.text(), part.header("content-range")),
            (206, expected, shown)
        );
    }
    let beyond = ask(&registry, "GET", &path)
        .header("range", "bytes=10-")
        .get()
        .await;
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, "bytes */10")
    );
}

#[tokio::test]
async fn ranges_can_be_ignored() {
    let registry = Registry::start(Profile::plain().ranges(false)).await;
    let path = format!(
        "/v2/team/app/blobs/{}",
        registry.put_blob("team/app", "0123456789")
    );
    let whole = ask(&registry, "GET", &path)
        .header("range", "bytes=2-4")
        .get()
        .await;
    assert_eq!((whole.status, whole.text()), (200, "0123456789"));
}

#[tokio::test]
async fn a_blob_of_another_repository_is_not_there() {
    let registry = Registry::start(Profile::plain()).await;
    let blob = registry.put_blob("team/other", "content");
    let absent = get(&registry, &format!("/v2/team/app/blobs/{blob}")).await;
    assert_eq!(
        (absent.status, absent.code()),
        (404, "BLOB_UNKNOWN".to_owned())
    );
    assert!(!registry.has_blob("team/app", &blob));
    let invalid = get(&registry, "/v2/team/app/blobs/sha256:zz").await;
    assert_eq!(
        (invalid.status, invalid.code()),
        (400, "DIGEST_INVALID".to_owned())
    );
}

#[tokio::test]
async fn a_blob_is_deleted_where_that_is_allowed() {
    let registry = Registry::start(Profile::plain()).await;
    let path = format!(
        "/v2/team/app/blobs/{}",
        registry.put_blob("team/app", "content")
    );
    assert_eq!(delete(&registry, &path).await.status, 202);
    assert_eq!(delete(&registry, &path).await.status, 404);
    let registry = Registry::start(Profile::plain().deletes(false)).await;
    let refused = delete(&registry, &format!("/v2/team/app/blobs/{NOTHING}")).await;
    assert_eq!(
        (refused.status, refused.code()),
        (405, "UNSUPPORTED".to_owned())
    );
}

#[tokio::test]
async fn a_synthetic_blob_has_its_digest_and_its_parts() {
    let registry = Registry::start(Profile::plain()).await;
    let blob = registry.put_synthetic_blob("team/app", 3_000_001, 7);
    assert_ne!(blob, registry.put_synthetic_blob("team/app", 3_000_001, 8));
    let path = format!("/v2/team/app/blobs/{blob}");
    let whole = get(&registry, &path).await.body;
    assert_eq!((whole.len(), digest(&whole)), (3_000_001, blob));
    let part = ask(&registry, "GET", &path)
        .header("range", "bytes=65000-200000")
        .get()
        .await;
    assert!(part.body == whole[65_000..=200_000]);
}

#[tokio::test]
async fn blobs_are_redirected_to_another_host() {
    let other = Registry::start(Profile::plain()).await;
    let registry = Registry::start(Profile::plain().redirect_blobs_to(&other)).await;
    let blob = registry.put_blob("team/app", "content");
    let path = format!("/v2/team/app/blobs/{blob}");
    assert_eq!(head(&registry, &path).await.status, 200);
    let redirect = get(&registry, &path).await;
    assert_eq!(redirect.status, 307);
    assert_eq!(
        get(&other, redirect.header("location")).await.text(),
        "content"
    );
    assert_eq!(
        other.requests(),
        [format!("GET {path}?signature=signed 200")]
    );
    assert_eq!(other.log()[0].authorization, Authorization::None);
}
