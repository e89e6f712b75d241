//! What `verify` says of an environment whose records are not what the verbs leave.

use shipmark::image::Digest;
use shipmark::record::{
    DigestPrefix, EntryName, RecordAction, RecordBlob, RecordId, ReleasePredicate, ReleaseRecord,
    STATEMENT_MEDIA_TYPE, build_entry_manifest,
};
use shipmark::release::{EnvironmentRequest, FindingKind, ServiceVerification, verify_environment};

use super::*;

/// Verifies `prod` in a place, without a policy.
async fn verified(place: &str) -> ServiceVerification {
    let request = EnvironmentRequest {
        location: location("prod", place),
        clock: minute(60),
        scan: None,
        sources: Vec::new(),
        demands_summary: false,
    };
    let requests = [(None, request)];
    let verified = verify_environment("prod".parse().unwrap(), &requests, &context()).await;
    let (_, found) = verified.judged().next().unwrap();
    found.clone()
}

fn kinds(found: &ServiceVerification) -> Vec<FindingKind> {
    found.findings.iter().map(|finding| finding.kind).collect()
}

/// Writes the record of a rollback that puts nothing back.
fn put_rollback(stage: &Stage, root: Digest) {
    let time = minute(5);
    let json = serde_json::json!({
        "environment": "prod", "destination": stage.place("prod"), "action": "rollback",
        "tool": "test", "plannedAt": time.to_string(), "reason": "orders fail",
    });
    let predicate: ReleasePredicate = serde_json::from_value(json).unwrap();
    let blob = RecordBlob {
        media_type: STATEMENT_MEDIA_TYPE.to_owned(),
        content: ReleaseRecord { root, predicate }.to_statement().into(),
    };
    let id = RecordId::from_blob(&blob.content);
    let name = EntryName {
        environment: "prod".parse().unwrap(),
        planned_at: time,
        action: RecordAction::Rollback,
        root: DigestPrefix::from_digest(root),
        record: DigestPrefix::from_digest(id.digest()),
    };
    let manifest = build_entry_manifest(&blob, &[]);
    let kind = manifest.media_type.as_str().to_owned();
    let registry = &stage.registry;
    registry.put_manifest("prod", &name.to_string(), &kind, manifest.bytes.clone());
}

#[tokio::test]
async fn an_environment_whose_only_release_is_withdrawn_has_no_current_image() {
    let stage = Stage::start(Profile::plain()).await;
    let (image, _) = stage.promote(1, "1.4.0").await;
    let place = stage.place("prod");
    let good = verified(&place).await;
    assert!(good.has_passed(), "{:?}", good.findings);
    assert_eq!(good.current.unwrap().root.to_string(), image.digest());
    put_rollback(&stage, image.digest().parse().unwrap());
    let found = verified(&place).await;
    assert!(!found.has_passed());
    assert!(found.current.is_none());
    let expected = [FindingKind::Withdrawn, FindingKind::EnvironmentTag];
    assert_eq!(kinds(&found), expected);
    assert!(found.findings[0].text.ends_with(": orders fail"));
    assert!(found.findings[1].text.ends_with("expected no image"));
}

#[tokio::test]
async fn a_rollback_leaves_nothing_that_differs() {
    let stage = crate::support::recorded_stage::Stage::released(&["1.4.0", "1.4.1"]).await;
    stage.roll_back(5).await;
    let found = verified(&stage.place()).await;
    assert_eq!(found.findings, []);
    // A line that the withdrawn release would have.
    stage.set_tag("1.4", &stage.digest("1.4.1"));
    let found = verified(&stage.place()).await;
    assert_eq!(kinds(&found), [FindingKind::MovingTag]);
    assert!(found.has_passed());
    stage.set_tag("1.4.0", &stage.digest("1.4.1"));
    let found = verified(&stage.place()).await;
    assert_eq!(
        kinds(&found),
        [FindingKind::ImmutableTag, FindingKind::MovingTag]
    );
}
