//! Images whose only signatures are `.sig`: no record becomes the first bundle next to one, which would hide the
//! signature from cosign.

use std::collections::BTreeMap;

use shipmark::record::ReleaseMark;
use shipmark::release::{
    AdoptRequest, MarkRequest, RollbackRequest, TimelineRequest, adopt, mark, rollback,
};

use super::*;
use crate::registry::{Profile, Registry};
use crate::support::attach;
use crate::support::made_image::MadeImage;
use crate::support::records::{account, entries, location, stored_record};

const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const RECORD_TYPE: &str = "application/vnd.shipmark.release.v0.1";
const RECORD_BUNDLE_TYPE: &str = "application/vnd.shipmark.release.bundle.v0.1+json";
const ENTRY_TYPE: &str = "application/vnd.shipmark.timeline-entry.v0.1";

/// Two releases of before there were records, each with a `.sig` and nothing else.
async fn start(referrers: bool) -> Registry {
    let profile = Profile::plain().referrers(referrers).date("unknown");
    let registry = Registry::start(profile).await;
    for (number, tags) in [(1, &["1.4.0"][..]), (2, &["1.4.1", "1.4", "prod"])] {
        let image = MadeImage::new(number, &[]);
        image.put(&registry, "prod", tags);
        attach::signed_by_tag(&registry, "prod", &image.digest());
    }
    registry
}

/// The manifests by digest.
fn manifests(registry: &Registry) -> BTreeMap<String, Value> {
    let read = |digest: String| {
        let (_, bytes) = registry.manifest("prod", &digest).unwrap();
        (digest, serde_json::from_slice(&bytes).unwrap())
    };
    registry.manifests("prod").into_iter().map(read).collect()
}

/// Adopts both, marks the newer one and withdraws it.
async fn write_records(registry: &Registry, signer: Option<(&PrivateKey, &RecordTrust)>) {
    let timeline = |now: i64| {
        let mut location = location("prod", &format!("{}/prod", registry.host()));
        location.trust = signer.map(|(_, trust)| trust.clone());
        TimelineRequest {
            location,
            account: account(now, now.unsigned_abs()),
            signer: signer.map(|(key, _)| key_signer(key)),
            adds_summary: false,
        }
    };
    let adoption = AdoptRequest {
        timeline: timeline(1),
        excluded_versions: Default::default(),
        dry_run: false,
    };
    adopt(&adoption, &context()).await.unwrap();
    let marked = MarkRequest {
        timeline: timeline(2),
        state: ReleaseMark::Failed,
        release: None,
    };
    mark(&marked, &context()).await.unwrap();
    let withdrawn = RollbackRequest {
        timeline: timeline(3),
        withdraw: None,
        to: None,
        excluded_versions: Default::default(),
        dry_run: false,
    };
    rollback(&withdrawn, &context()).await.unwrap();
}

/// What was written: four intents and four entries, of which none looks like a bundle of the image.
fn check_written(registry: &Registry, before: &BTreeMap<String, Value>, layer_type: &str) {
    let mut written = manifests(registry);
    written.retain(|digest, _| !before.contains_key(digest));
    let lists = written.values().filter(|it| it["manifests"].is_array());
    for listed in lists.flat_map(|list| list["manifests"].as_array().unwrap()) {
        assert_eq!(listed["artifactType"], RECORD_TYPE);
    }
    written.retain(|_, manifest| !manifest["manifests"].is_array());
    let (intents, entries): (Vec<_>, Vec<_>) = written
        .into_values()
        .partition(|manifest| manifest["subject"].is_object());
    assert_eq!((intents.len(), entries.len()), (4, 4));
    for intent in &intents {
        assert_eq!(intent["artifactType"], RECORD_TYPE);
        assert_eq!(intent["layers"].as_array().unwrap().len(), 1);
        assert_eq!(intent["layers"][0]["mediaType"], layer_type);
    }
    for entry in &entries {
        assert_eq!(entry["artifactType"], ENTRY_TYPE);
    }
    // No other tag was written, least of all a `.sig`.
    let lines = registry.requests();
    let puts = lines.iter().filter_map(|line| {
        let name = line.strip_prefix("PUT /v2/prod/manifests/")?;
        name.strip_suffix(" 201")
    });
    let is_list = |name: &str| name.starts_with("sha256-") && !name.contains('.');
    let mut tags: Vec<_> = puts
        .filter(|name| !name.starts_with("sha256:") && !name.starts_with("shipmark."))
        .filter(|name| !is_list(name))
        .collect();
    tags.sort_unstable();
    assert_eq!(tags, ["1.4", "prod"]);
}

#[tokio::test]
async fn promise_6_no_record_is_the_first_bundle_next_to_a_sig() {
    for referrers in [true, false] {
        let registry = start(referrers).await;
        let before = manifests(&registry);
        let key = keys::key();
        let trust = trust([any_action(of_key(&key))]);
        write_records(&registry, Some((&key, &trust))).await;
        check_written(&registry, &before, RECORD_BUNDLE_TYPE);
        for entry in entries(&registry, "prod") {
            let stored = stored_record(&registry, "prod", &entry);
            trust.verify(&stored).unwrap();
            let (_, bytes) = registry.manifest("prod", &entry).unwrap();
            let manifest: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(manifest["layers"][0]["mediaType"], BUNDLE_TYPE);
        }
    }
}

#[tokio::test]
async fn an_unsigned_record_next_to_a_sig_is_no_bundle() {
    for referrers in [true, false] {
        let registry = start(referrers).await;
        let before = manifests(&registry);
        write_records(&registry, None).await;
        check_written(&registry, &before, "application/vnd.in-toto+json");
    }
}
