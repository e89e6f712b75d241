//! Timelines in registries that list tags in their own ways: verbs that write see each entry.

use serde_json::json;
use shipmark::record::{
    RecordBlob, RecordId, ReleaseMark, STATEMENT_MEDIA_TYPE, build_entry_manifest, entry_config,
};
use shipmark::release::{MarkRequest, RollbackRequest, TimelineRequest, mark, rollback};

use super::*;
use crate::registry::{TagOrder, UnknownLast};

/// Each order of tags, whole and fifty a page, with and without a word of the next page, and what the registry
/// makes of a name that is no tag.
fn profiles() -> Vec<Profile> {
    let orders = [
        TagOrder::Sorted,
        TagOrder::Unsorted,
        TagOrder::Pushed,
        TagOrder::Folded,
    ];
    let unknown = [
        UnknownLast::Next,
        UnknownLast::Refused,
        UnknownLast::Nothing,
        UnknownLast::Everything,
    ];
    let each = orders.into_iter().flat_map(|order| {
        unknown.map(|unknown| Profile::plain().tag_order(order).unknown_last(unknown))
    });
    let paged = each.flat_map(|profile| {
        let fifty = profile.clone().page_size(50);
        [profile, fifty.clone(), fifty.unlinked_pages()]
    });
    paged
        .chain([
            Profile::plain().unsorted_tags().page_size(7),
            Profile::plain().page_size(50).page_length_max(100),
        ])
        .collect()
}

/// Puts honest entries of 120 releases into the timeline, each of which saw the one before.
fn put_long_timeline(stage: &Stage, root: &str) {
    stage.registry.put_blob("prod", entry_config());
    let mut previous: Option<String> = None;
    for number in 0..120 {
        let place = stage.place("prod");
        let hex = root.trim_start_matches("sha256:");
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": place, "digest": {"sha256": hex}}],
            "predicateType": "https://shipmark.dev/attestation/release/v0.1",
            "predicate": {
                "environment": "prod", "destination": place, "action": "deployed",
                "tool": "shipmark test", "plannedAt": minute(number).to_string(),
                "previous": previous.iter().collect::<Vec<_>>(), "reason": format!("{number}"),
            },
        });
        let blob = statement.to_string().into_bytes();
        let record = shipmark::record::ReleaseRecord::parse_statement(&blob).unwrap();
        let id = RecordId::from_blob(&blob);
        previous = Some(id.to_string());
        let blob = RecordBlob {
            media_type: STATEMENT_MEDIA_TYPE.to_owned(),
            content: blob.into(),
        };
        stage.registry.put_blob("prod", blob.content.clone());
        let manifest = build_entry_manifest(&blob, &[]);
        let name = record.entry_name(id).to_string();
        let kind = manifest.media_type.as_str();
        stage
            .registry
            .put_manifest("prod", &name, kind, manifest.bytes);
    }
}

/// Writes a promotion, a mark and a rollback to the end of a long timeline, each by a run that lists it anew.
async fn write_to_its_end(stage: &Stage) {
    stage.promote("1.4.0", 200, 1).await;
    stage.promote("1.5.0", 202, 2).await;
    let timeline = |now, run| TimelineRequest {
        location: location("prod", &stage.place("prod")),
        account: account(now, run),
        signer: None,
        adds_summary: false,
    };
    let marked = MarkRequest {
        timeline: timeline(204, 3),
        state: ReleaseMark::Failed,
        release: None,
    };
    mark(&marked, &context()).await.unwrap();
    let withdrawn = RollbackRequest {
        timeline: timeline(206, 4),
        withdraw: None,
        to: None,
        excluded_versions: Default::default(),
        dry_run: false,
    };
    rollback(&withdrawn, &context()).await.unwrap();
}

#[tokio::test]
async fn a_timeline_is_the_same_in_whatever_order_and_pages_its_tags_are_listed() {
    for profile in profiles() {
        let stage = Stage::start(profile).await;
        let image = stage.build(1, "1.4.0");
        stage.build(2, "1.5.0");
        image.put(
            &stage.registry,
            "prod",
            &["Zeta", "edge", "Nightly", "zeta"],
        );
        put_long_timeline(&stage, &image.digest());
        write_to_its_end(&stage).await;
        let entries = stage.entries();
        let newest = entries[120..]
            .iter()
            .map(|entry| entry.split('.').nth(3).unwrap());
        let newest: Vec<_> = newest.collect();
        assert_eq!(newest, ["promote", "promote", "failed", "rollback"]);
        let mut before: Option<RecordId> = None;
        for (at, entry) in entries.iter().enumerate() {
            let record = record(&stage.registry, "prod", entry);
            let previous: Vec<_> = before.into_iter().collect();
            assert_eq!(record.predicate.previous, previous, "{entry}");
            before = Some(RecordId::from_blob(&stored_record(
                &stage.registry,
                "prod",
                entry,
            )));
            if at == 120 {
                let past = record.predicate.past.iter().map(|past| past.planned_at);
                assert!(past.eq((0..32).map(|back| minute(119 - back))), "{entry}");
            }
        }
        assert_eq!(stage.registry.tags("prod")["prod"], image.digest());
    }
}
