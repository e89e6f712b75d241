//! The copy engine: what is sent, what is not, and what is left behind.

use std::time::Duration;

use serde_json::json;
use shipmark::release::{ReleaseOutcome, run};

use super::*;
use crate::registry::{Effect, Fault, Profile, Registry, digest};

const MAIN: &str = "refs/heads/main";
const MIB: u64 = 1 << 20;

/// Puts an image of made-up layers in place: repository `big`, tag `1`. Layers that are equal in
/// size and number are one blob.
pub fn put_image(registry: &Registry, layers: &[(u64, u64)]) -> String {
    let config = "{}";
    registry.put_blob("big", config);
    let layers: Vec<_> = layers
        .iter()
        .map(|(size, seed)| {
            let digest = registry.put_synthetic_blob("big", *size, *seed);
            json!({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size})
        })
        .collect();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest(config.as_bytes()),
            "size": config.len(),
        },
        "layers": layers,
    });
    registry.put_manifest("big", "1", media_type, manifest.to_string())
}

pub(super) fn promotion(from: &str, to: &str) -> ReleaseRequest {
    let mut request = promote(from, &[to], MAIN);
    request.rules = shipmark::tagging::TagRules::parse(["copied"]).unwrap();
    request
}

/// Copies the image of [`put_image`] to repository `copy` of the other.
async fn copied(source: &Registry, to: &Registry) -> (ReleaseOutcome, Said) {
    let (context, said) = context_with(settings());
    let request = promotion(
        &format!("{}/big:1", source.host()),
        &format!("{}/copy", to.host()),
    );
    (done(request, &context).await, said)
}

/// The last word on progress is that all was moved, and none before it said more than all.
fn assert_progress_ends(said: &Said, case: &str) {
    let progress = said.progress();
    assert!(!progress.is_empty(), "{case}");
    assert!(
        progress
            .iter()
            .all(|progress| progress.moved <= progress.total),
        "{case}: {progress:?}"
    );
    let last = &progress[progress.len() - 1];
    assert_eq!(last.moved, last.total, "{case}");
}

#[tokio::test]
async fn large_layers_pass_through_whole() {
    let source = Registry::start(Profile::plain()).await;
    let to = Registry::start(Profile::plain().discard_blob_bodies()).await;
    let root = put_image(&source, &[(64 * MIB, 1), (3 * MIB, 2), (0, 3)]);
    let (outcome, said) = copied(&source, &to).await;
    assert_eq!(outcome.root.to_string(), root);
    let content = outcome.destinations[0].copy_stats;
    assert_eq!(
        (content.moved.blobs, content.moved.bytes),
        (4, 67 * MIB + 2)
    );
    assert_eq!(to.dangling(), Vec::<String>::new());
    assert_progress_ends(&said, "");
}

#[tokio::test]
async fn a_blob_that_is_there_is_not_sent() {
    let source = Registry::start(Profile::plain()).await;
    let to = Registry::start(Profile::plain()).await;
    put_image(&source, &[(MIB, 1), (2 * MIB, 2)]);
    to.put_synthetic_blob("copy", 2 * MIB, 2);
    let (outcome, said) = copied(&source, &to).await;
    let content = outcome.destinations[0].copy_stats;
    assert_eq!((content.moved.blobs, content.moved.bytes), (2, MIB + 2));
    assert_eq!((content.present.blobs, content.present.bytes), (1, 2 * MIB));
    assert_eq!(to.count_of("PUT /v2/copy/blobs/"), 2);
    assert_eq!(to.open_uploads(), 0);
    assert_progress_ends(&said, "");
}

#[tokio::test]
async fn a_blob_that_is_named_twice_is_sent_once() {
    let source = Registry::start(Profile::plain()).await;
    let to = Registry::start(Profile::plain()).await;
    put_image(&source, &[(MIB, 1), (MIB, 1), (MIB, 2)]);
    let (outcome, said) = copied(&source, &to).await;
    assert_eq!(outcome.destinations[0].copy_stats.moved.blobs, 3);
    assert_eq!(to.count_of("PUT /v2/copy/blobs/"), 3);
    assert_progress_ends(&said, "");
}

#[tokio::test]
async fn what_platforms_share_is_sent_once() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    done(push(&example(), &[&place], MAIN), &context()).await;
    let mut sent: Vec<String> = registry
        .requests()
        .into_iter()
        .filter(|line| line.starts_with("PUT /v2/web/blobs/"))
        .collect();
    let all = sent.len();
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), all);
    assert_eq!(registry.open_uploads(), 0);
}

#[tokio::test]
async fn blobs_are_mounted_within_a_registry() {
    let registry = Registry::start(Profile::plain()).await;
    let layers: Vec<(u64, u64)> = (0..12).map(|seed| (1000, seed)).collect();
    put_image(&registry, &layers);
    let (outcome, _) = copied(&registry, &registry).await;
    assert_eq!(outcome.destinations[0].copy_stats.mounted.blobs, 13);
    assert_eq!(registry.count_of("POST "), 13);
    assert_eq!(registry.count_of("HEAD /v2/copy/blobs/"), 0);
    assert_eq!(registry.count_of("PUT /v2/copy/blobs/"), 0);
    assert_eq!(registry.count_of("GET /v2/big/blobs/"), 0);
}

/// Those that were under way when the second was declined are declined as well.
#[tokio::test]
async fn a_registry_that_declines_mounts_is_soon_left_alone_with_them() {
    let registry = Registry::start(Profile::plain().mounts(false)).await;
    let layers: Vec<(u64, u64)> = (0..30).map(|seed| (1000, seed)).collect();
    put_image(&registry, &layers);
    let (outcome, _) = copied(&registry, &registry).await;
    assert_eq!(outcome.destinations[0].copy_stats.moved.blobs, 31);
    let mounts = registry.count_of("POST /v2/copy/blobs/uploads/?mount=");
    assert!((2..=31).contains(&mounts), "{mounts}");
    // The session that came instead of a mount was used.
    assert_eq!(registry.count_of("POST "), 31);
    assert_eq!(registry.open_uploads(), 0);
}

#[tokio::test]
async fn a_session_that_a_declined_mount_opened_is_closed_where_the_blob_is_there() {
    let registry = Registry::start(Profile::plain().mounts(false)).await;
    put_image(&registry, &[(1000, 1)]);
    registry.put_synthetic_blob("copy", 1000, 1);
    registry.put_blob("copy", "{}");
    copied(&registry, &registry).await;
    assert_eq!(registry.count_of("DELETE "), 2);
    assert_eq!(registry.open_uploads(), 0);
}

#[tokio::test]
async fn a_mount_that_is_refused_gives_way_to_an_upload() {
    for status in [400, 403, 404, 405] {
        let registry = Registry::start(Profile::plain()).await;
        put_image(&registry, &[(1000, 1)]);
        registry.fault(Fault::on("POST", "mount=", Effect::status(status)).always());
        let (outcome, _) = copied(&registry, &registry).await;
        assert_eq!(
            outcome.destinations[0].copy_stats.moved.blobs, 2,
            "{status}"
        );
    }
}

/// A blob that was sent in whole and not taken has to be sent, and counted, again.
#[tokio::test]
async fn a_blob_that_was_sent_twice_is_counted_once() {
    for effect in [
        Effect::status(503),
        Effect::ResetAfter,
        Effect::ResetBefore,
        Effect::ResetInUpload(300_000),
    ] {
        let source = Registry::start(Profile::plain()).await;
        let to = Registry::start(Profile::plain()).await;
        put_image(&source, &[(MIB, 1), (2 * MIB, 2)]);
        to.fault(Fault::on("PUT", "/blobs/uploads/", effect.clone()));
        let (outcome, said) = copied(&source, &to).await;
        assert_eq!(outcome.destinations[0].copy_stats.moved.bytes, 3 * MIB + 2);
        assert_progress_ends(&said, &format!("{effect:?}"));
        assert_eq!(to.open_uploads(), 0, "{effect:?}");
    }
}

#[tokio::test]
async fn a_blob_that_came_damaged_is_counted_once() {
    for effect in [
        Effect::FlipByte(1_000_000),
        Effect::ResetInBody(500_000),
        Effect::EndlessBody,
    ] {
        let source = Registry::start(Profile::plain()).await;
        let to = Registry::start(Profile::plain()).await;
        put_image(&source, &[(MIB, 1), (2 * MIB, 2)]);
        source.fault(Fault::on("GET", "/blobs/", effect.clone()));
        let (_, said) = copied(&source, &to).await;
        assert_progress_ends(&said, &format!("{effect:?}"));
        assert_eq!(to.open_uploads(), 0, "{effect:?}");
        assert_eq!(to.dangling(), Vec::<String>::new());
    }
}

/// One transfer fails for good while others are under way: their sessions are closed.
#[tokio::test]
async fn a_copy_that_fails_leaves_no_session_open() {
    let source = Registry::start(Profile::plain()).await;
    let to = Registry::start(Profile::plain()).await;
    let layers: Vec<(u64, u64)> = (0..8).map(|seed| (MIB + seed, seed)).collect();
    put_image(&source, &layers);
    let slow = Effect::Delay(Duration::from_millis(300));
    source.fault(Fault::on("GET", "/blobs/", slow).times(7));
    source.fault(Fault::on("GET", "/blobs/", Effect::status(404)));
    let request = promotion(
        &format!("{}/big:1", source.host()),
        &format!("{}/copy", to.host()),
    );
    let (_, text) = failed(request, &context()).await;
    assert!(text.contains("404"), "{text}");
    assert!(to.count_of("POST ") > 1);
    assert_eq!(to.open_uploads(), 0, "{:?}", to.requests());
    assert!(to.tags("copy").is_empty());
}

#[tokio::test]
async fn a_failed_upload_is_closed_before_the_next() {
    let source = Registry::start(Profile::plain()).await;
    let to = Registry::start(Profile::plain()).await;
    put_image(&source, &[(MIB, 1)]);
    to.fault(Fault::on("PUT", "/blobs/uploads/", Effect::status(500)).always());
    let request = promotion(
        &format!("{}/big:1", source.host()),
        &format!("{}/copy", to.host()),
    );
    let (_, text) = failed(request, &context()).await;
    assert!(
        text.contains("PUT blob sha256:") && text.contains("500"),
        "{text}"
    );
    assert_eq!(to.open_uploads(), 0, "{:#?}", to.requests());
}

/// The registry opens a session and says so when nobody waits any more: under load that was a session
/// of which nobody knew.
#[tokio::test]
async fn a_session_that_was_opened_too_late_is_closed() {
    for status in [None, Some(Effect::status(500))] {
        let source = Registry::start(Profile::plain()).await;
        let to = Registry::start(Profile::plain()).await;
        put_image(&source, &[(MIB, 1)]);
        let late = timing().stall + Duration::from_millis(200);
        to.fault(Fault::on("POST", "/blobs/uploads/", Effect::AnswerLate(late)).times(2));
        let fails = status.is_some();
        if let Some(effect) = status {
            to.fault(Fault::on("PUT", "/blobs/uploads/", effect).always());
        }
        let (context, _) = context_with(settings());
        let request = promotion(
            &format!("{}/big:1", source.host()),
            &format!("{}/copy", to.host()),
        );
        assert_eq!(run(&request, &context).await.is_err(), fails);
        // A run that fails waits for it by itself.
        if !fails {
            context.registry.cancel_open_uploads().await;
        }
        assert_eq!(to.open_uploads(), 0, "{:#?}", to.requests());
    }
}

#[tokio::test]
async fn a_copy_to_disk_asks_again_for_what_came_damaged() {
    let source = Registry::start(Profile::plain()).await;
    put_image(&source, &[(MIB, 1), (2 * MIB, 2)]);
    let disk = tempfile::tempdir().unwrap();
    for (n, effect) in [
        Effect::FlipByte(9),
        Effect::ResetInBody(9),
        Effect::status(503),
    ]
    .into_iter()
    .enumerate()
    {
        source.fault(Fault::on("GET", "/blobs/", effect));
        let (context, said) = context_with(settings());
        let layout = format!("oci:{}", disk.path().join(n.to_string()).display());
        let request = promotion(&format!("{}/big:1", source.host()), &layout);
        assert!(done(request, &context).await.has_changes());
        assert_progress_ends(&said, &layout);
    }
}
