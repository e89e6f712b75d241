//! Small blobs that are made here.

use bytes::Bytes;
use futures_util::future::join_all;
use shipmark::image::{Descriptor, TagOrDigest};
use shipmark::registry::{RepositoryAccess, RepositoryClient};

use super::*;
use crate::registry::{Effect, Fault, Profile, Registry};

fn remote(registry: &Registry) -> RepositoryClient {
    let place = format!("{}/web", registry.host()).parse().unwrap();
    let context = context_with(settings()).0;
    context
        .registry
        .open_repository(&place, RepositoryAccess::PullPush, &[])
}

#[tokio::test]
async fn a_blob_goes_along_with_the_request_that_opens_a_session() {
    for (profile, requests) in [
        (Profile::plain(), 1),
        (Profile::plain().single_posts(false), 2),
        (Profile::distribution(), 2),
    ] {
        let registry = Registry::start(profile).await;
        let (remote, blob) = (remote(&registry), Bytes::from_static(b"made here"));
        remote
            .head_manifest(&TagOrDigest::Tag("it".parse().unwrap()))
            .await
            .unwrap();
        registry.clear_log();
        remote.put_blob(&blob).await.unwrap();
        assert_eq!(
            registry.requests().len(),
            requests,
            "{:?}",
            registry.requests()
        );
        assert!(
            remote
                .has_blob(&Descriptor::from_bytes(&blob))
                .await
                .unwrap()
        );
        assert_eq!(registry.open_uploads(), 0);
    }
}

#[tokio::test]
async fn a_registry_that_refuses_the_form_or_breaks_off_gets_the_blob_in_a_session() {
    let once = [
        Fault::on("POST", "digest=", Effect::status(400)),
        Fault::on("POST", "digest=", Effect::status(405)),
        Fault::on("POST", "digest=", Effect::status(503)),
        Fault::on("POST", "digest=", Effect::ResetBefore),
        Fault::on("PUT", "/blobs/uploads/", Effect::status(503)),
        Fault::on("PUT", "/blobs/uploads/", Effect::ResetInUpload(3)),
        Fault::on("PUT", "/blobs/uploads/", Effect::ResetAfter),
    ];
    for single_posts in [true, false] {
        for fault in &once {
            let registry = Registry::start(Profile::plain().single_posts(single_posts)).await;
            registry.fault(fault.clone());
            let (remote, blob) = (remote(&registry), Bytes::from_static(b"made here"));
            remote.put_blob(&blob).await.unwrap();
            assert!(
                remote
                    .has_blob(&Descriptor::from_bytes(&blob))
                    .await
                    .unwrap()
            );
            assert_eq!(registry.open_uploads(), 0, "{:?}", registry.requests());
        }
    }
    // Of a session whose address was lost on its way nobody knows.
    let registry = Registry::start(Profile::plain().single_posts(false)).await;
    registry.fault(Fault::on("POST", "digest=", Effect::ResetAfter));
    remote(&registry)
        .put_blob(&Bytes::from_static(b"made here"))
        .await
        .unwrap();
    assert_eq!(registry.open_uploads(), 1);
}

#[tokio::test]
async fn a_registry_that_may_not_be_written_to_says_so() {
    let registry = Registry::start(Profile::plain()).await;
    registry.fault(Fault::on("POST", "/blobs/uploads/", Effect::status(403)).always());
    let refusal = remote(&registry)
        .put_blob(&Bytes::from_static(b"made here"))
        .await;
    assert!(refusal.unwrap_err().to_string().contains("403"));
}

#[tokio::test]
async fn a_common_blob_is_asked_for_and_brought_once_a_run() {
    let registry = Registry::start(Profile::plain()).await;
    let (remote, blob) = (remote(&registry), Bytes::from_static(b"{}"));
    let all = join_all((0..5).map(|_| remote.put_common_blob(&blob))).await;
    assert!(all.iter().all(Result::is_ok));
    let blobs = |method: &str| {
        let is_one = |line: &String| line.starts_with(method) && line.contains("/blobs/");
        registry.requests().into_iter().filter(is_one).count()
    };
    assert_eq!((blobs("HEAD "), blobs("POST ")), (1, 1));
}
