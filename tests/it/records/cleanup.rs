//! Registries and their cleanup jobs that delete images, what refers to them, and what no tag names.

use shipmark::release::{HistoryOutcome, HistoryRequest, history};

use super::*;
use crate::support::recorded_stage::{Stage, named, rolled_back};

async fn stage(referrers: bool) -> Stage {
    let stage = Stage::with(Profile::plain().referrers(referrers)).await;
    for (now, version) in [(0, "1.3.0"), (1, "1.3.1"), (2, "1.4.0")] {
        stage.release(version, now).await;
    }
    stage
}

async fn shown(stage: &Stage) -> HistoryOutcome {
    let request = HistoryRequest {
        location: location("prod", &stage.place()),
        clock: minute(60),
        limit: None,
        reads_each: false,
        filter: Default::default(),
        tag: None,
    };
    history(&request, &context()).await.unwrap()
}

/// Deletes an image with its tags, and with all that refers to it: ECR and others do so within a day.
fn delete_with_referrers(stage: &Stage, version: &str) {
    let root = stage.digest(version);
    for referrer in stage.registry.referrers("prod", &root) {
        let digest = referrer["digest"].as_str().unwrap();
        stage.registry.remove_manifest("prod", digest);
    }
    let mut tags = stage.registry.tags("prod");
    let list = root.replace(':', "-");
    tags.retain(|tag, digest| *digest != root && *tag != list);
    stage.registry.set_tags("prod", tags);
    stage.registry.remove_manifest("prod", &root);
}

/// Deletes what no tag names.
fn delete_untagged(stage: &Stage) -> usize {
    let tagged = stage.registry.tags("prod");
    let mut untagged = stage.registry.manifests("prod");
    untagged.retain(|digest| !tagged.values().any(|it| it == digest));
    for digest in &untagged {
        stage.registry.remove_manifest("prod", digest);
    }
    untagged.len()
}

#[tokio::test]
async fn promise_6_a_deleted_image_and_its_referrers_leave_the_timeline_as_it_is() {
    for referrers in [true, false] {
        let stage = stage(referrers).await;
        let before = shown(&stage).await;
        delete_with_referrers(&stage, "1.3.0");
        let after = shown(&stage).await;
        assert_eq!(after.lines, before.lines);
        assert_eq!(after.current, before.current);
        assert_eq!(after.drift, []);
        stage.release("1.4.1", 3).await;
        let newest = entries(&stage.registry, "prod").pop().unwrap();
        let past = record(&stage.registry, "prod", &newest).predicate.past;
        let past: Vec<_> = past
            .iter()
            .filter_map(|past| past.version.as_deref())
            .collect();
        assert_eq!(past, ["1.4.0", "1.3.1", "1.3.0"]);
        let mut gone = stage.request(5, 1);
        gone.to = Some(named("1.3.0"));
        let refusal = stage.refused(gone).await;
        assert!(refusal.contains("lacks sha256:"), "{refusal}");
        stage.roll_back(6).await;
        assert_eq!(stage.tag("prod"), "1.4.0");
        assert_eq!(stage.tag("1.4"), "1.4.0");
        assert_eq!(stage.registry.dangling(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn promise_6_a_cleanup_of_untagged_manifests_takes_no_record() {
    let stage = stage(true).await;
    let before = shown(&stage).await;
    assert_eq!(delete_untagged(&stage), 3, "the intents");
    let after = shown(&stage).await;
    assert_eq!(after.lines, before.lines);
    assert_eq!(after.current, before.current);
    assert_eq!(after.drift, []);
    // A repetition brings the intent of the same record back.
    let outcome = done(stage.promotion("1.4.0", 3), &context()).await;
    let result = outcome.destinations[0].record.as_ref().unwrap();
    assert!(!result.is_new && result.is_intent_new);
    delete_untagged(&stage);
    let outcome = rolled_back(stage.request(5, 1)).await;
    assert_eq!(outcome.restored.unwrap().version.as_deref(), Some("1.3.1"));
    assert_eq!(stage.tag("prod"), "1.3.1");
    assert_eq!(stage.registry.dangling(), Vec::<String>::new());
}
