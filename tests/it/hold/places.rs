//! Where holds are placed and lifted, and what is refused.

use shipmark::release::{HoldChange, HoldTagChange};

use super::*;
use crate::registry::{Auth, Effect, Fault, Profile};

/// Answer of a registry that lets a tag not move.
const IMMUTABLE: &str =
    r#"{"errors":[{"code":"PRECONDITION","message":"tag is immutable","detail":""}]}"#;

#[tokio::test]
async fn a_hold_is_a_tag_and_a_record_and_changes_no_state_of_releases() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let tags = stage.tags();
    let outcome = changed(hold_request(&stage, "1.3.0", 5)).await;
    assert_eq!(outcome.tag_change, HoldTagChange::Written);
    assert_eq!(tag_of_hold(&stage), Some(stage.digest("1.3.0")));
    assert_eq!(hold_records(&stage), ["hold case-7 audit of 2026"]);
    let entry = entries(&stage.registry, "prod").pop().unwrap();
    let held = record(&stage.registry, "prod", &entry);
    assert_eq!(held.root.to_string(), stage.digest("1.3.0"));
    assert_eq!(held.predicate.version.as_deref(), Some("1.3.0"));
    assert_eq!(
        held.predicate.run.and_then(|run| run.uri),
        account(5, 2_005).run.and_then(|run| run.uri)
    );
    let referrers = stage.registry.referrers("prod", &stage.digest("1.3.0"));
    assert_eq!(referrers.len(), 1, "the intent of the release alone");
    let mut without = stage.tags();
    without.remove(HOLD_TAG);
    assert_eq!(without, tags);
    // Rollback and the next release are as without it.
    let rolled = stage.roll_back(6).await;
    assert_eq!(version(&rolled.restored), "1.3.0");
    stage.release("1.5.0", 7).await;
    assert_eq!(stage.tag("prod"), "1.5.0");
    assert_eq!(tag_of_hold(&stage), Some(stage.digest("1.3.0")));
}

#[tokio::test]
async fn a_hold_again_writes_nothing_and_another_image_is_refused() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let first = changed(hold_request(&stage, "1.3.0", 5)).await;
    stage.registry.clear_log();
    let again = changed(hold_request(&stage, "1.3.0", 6)).await;
    assert!(!again.is_changed());
    assert_eq!(again.record_id(), first.record_id());
    assert_eq!(writes(&stage.registry), 0);
    let other = refused(hold_request(&stage, "1.4.0", 7)).await;
    assert!(other.contains("the hold case-7 of"), "{other}");
    assert!(other.contains(&stage.digest("1.3.0")), "{other}");
    // Also by the record alone, and by the tag alone.
    let mut tags = stage.registry.tags("prod");
    let held = tags.remove(HOLD_TAG).unwrap();
    stage.registry.set_tags("prod", tags);
    let by_record = refused(hold_request(&stage, "1.4.0", 8)).await;
    assert!(by_record.contains("the hold case-7 of"), "{by_record}");
    stage.set_tag("hold.case-8", &held);
    let mut by_tag = hold_request(&stage, "1.4.0", 9);
    by_tag.name = "case-8".parse().unwrap();
    let by_tag = refused(by_tag).await;
    assert!(by_tag.contains("the hold case-8 of"), "{by_tag}");
    assert_eq!(writes(&stage.registry), 0);
    // A lost tag is written again, without another record.
    let restored = changed(hold_request(&stage, "1.3.0", 10)).await;
    assert_eq!(restored.tag_change, HoldTagChange::Written);
    assert!(restored.record.is_none());
    assert_eq!(hold_records(&stage).len(), 1);
}

#[tokio::test]
async fn a_lifted_hold_leaves_no_tag_where_the_registry_deletes_one() {
    let stage = Stage::released(&["1.3.0"]).await;
    changed(hold_request(&stage, "1.3.0", 5)).await;
    let outcome = changed(lift_request(&stage, 6)).await;
    assert_eq!(outcome.tag_change, HoldTagChange::Deleted);
    assert_eq!(outcome.digest.unwrap().to_string(), stage.digest("1.3.0"));
    assert_eq!(tag_of_hold(&stage), None);
    assert_eq!(stage.tag("1.3.0"), "1.3.0", "the image stays");
    let records = ["hold case-7 audit of 2026", "unhold case-7 audit closed"];
    assert_eq!(hold_records(&stage), records);
    stage.registry.clear_log();
    let again = changed(lift_request(&stage, 7)).await;
    assert!(!again.is_changed());
    assert_eq!(writes(&stage.registry), 0);
    // The name is free for another image.
    stage.release("1.4.0", 8).await;
    changed(hold_request(&stage, "1.4.0", 9)).await;
    assert_eq!(tag_of_hold(&stage), Some(stage.digest("1.4.0")));
}

#[tokio::test]
async fn a_lifted_hold_names_an_empty_manifest_where_no_tag_is_deleted() {
    let stage = Stage::with(Profile::plain().deletes(false)).await;
    stage.release("1.3.0", 0).await;
    changed(hold_request(&stage, "1.3.0", 5)).await;
    let outcome = changed(lift_request(&stage, 6)).await;
    assert_eq!(outcome.tag_change, HoldTagChange::Emptied);
    assert!(is_emptied(&stage));
    let again = changed(lift_request(&stage, 7)).await;
    assert!(!again.is_changed(), "{again:?}");
    assert_eq!(hold_records(&stage).len(), 2);
    // A new hold of the name takes the tag over.
    changed(hold_request(&stage, "1.3.0", 8)).await;
    assert_eq!(tag_of_hold(&stage), Some(stage.digest("1.3.0")));
}

#[tokio::test]
async fn the_tag_of_a_hold_is_off_its_image_before_it_is_deleted() {
    let stage = Stage::released(&["1.3.0"]).await;
    let mut tags = stage.registry.tags("prod");
    let image = tags["1.3.0"].clone();
    changed(hold_request(&stage, "1.3.0", 5)).await;
    // The hold is the last tag of its image.
    tags.retain(|tag, digest| is_entry(tag) || *digest != image);
    tags.insert(HOLD_TAG.to_owned(), image.clone());
    stage.registry.set_tags("prod", tags);
    stage.registry.clear_log();
    changed(lift_request(&stage, 6)).await;
    let requests = stage.registry.requests();
    let of_tag: Vec<&str> = requests
        .iter()
        .filter(|request| request.contains(HOLD_TAG) && !request.starts_with("HEAD"))
        .filter_map(|request| request.split(' ').next())
        .collect();
    assert_eq!(of_tag.last(), Some(&"DELETE"), "{requests:?}");
    assert!(
        of_tag.contains(&"PUT"),
        "the tag is off the image before it is deleted"
    );
    assert!(stage.registry.has_manifest("prod", &image));
}

#[tokio::test]
async fn a_registry_whose_tags_are_all_immutable_is_refused_with_the_exclusion_to_set() {
    for profile in [
        Profile::ecr().auth(Auth::None).immutable_tags("hold.*"),
        Profile::plain().immutable_tags("hold.*"),
    ] {
        let stage = Stage::with(profile).await;
        stage.release("1.3.0", 0).await;
        let message = refused(hold_request(&stage, "1.3.0", 5)).await;
        assert!(message.contains("exclude hold.*"), "{message}");
        assert_ne!(tag_of_hold(&stage), Some(stage.digest("1.3.0")));
        assert_eq!(hold_records(&stage), [""; 0], "nothing is recorded");
    }
    // The rule came after the hold: the record says that it is lifted, the tag still keeps the image.
    let stage = Stage::with(Profile::plain()).await;
    stage.release("1.3.0", 0).await;
    changed(hold_request(&stage, "1.3.0", 5)).await;
    let rule = Fault::on(
        "PUT",
        "manifests/hold.",
        Effect::status_with(412, &[], IMMUTABLE),
    );
    stage.registry.fault(rule.always());
    let message = refused(lift_request(&stage, 6)).await;
    assert!(message.contains("exclude hold.*"), "{message}");
    assert_eq!(tag_of_hold(&stage), Some(stage.digest("1.3.0")));
    stage.registry.clear_faults();
    let lifted = changed(lift_request(&stage, 7)).await;
    assert_eq!(lifted.tag_change, HoldTagChange::Deleted);
    assert_eq!(hold_records(&stage).len(), 2, "one record of each");
}

#[tokio::test]
async fn an_image_is_named_by_digest_version_or_tag_and_must_be_there() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let digest = stage.digest("1.3.0");
    let names = [digest.as_str(), "1.3.0", "latest", "v1.4.0"];
    for (number, name) in names.into_iter().enumerate() {
        let now = 5 + i64::try_from(number).unwrap();
        let mut request = hold_request(&stage, name, now);
        request.name = format!("n{number}").parse().unwrap();
        let outcome = changed(request).await;
        let expected = stage.digest(if number < 2 { "1.3.0" } else { "1.4.0" });
        assert_eq!(outcome.digest.unwrap().to_string(), expected, "{name}");
    }
    let absent = format!("sha256:{}", "0".repeat(64));
    for name in [absent.as_str(), "1.9.9", "a b"] {
        let message = refused(hold_request(&stage, name, 20)).await;
        assert!(message.contains("has no"), "{message}");
    }
    assert_eq!(tag_of_hold(&stage), None);
}

#[tokio::test]
async fn a_hold_without_an_environment_is_its_tag_alone() {
    let stage = Stage::released(&["1.3.0"]).await;
    let before = entries(&stage.registry, "prod");
    let alone = |request: HoldRequest| HoldRequest {
        timeline: None,
        ..request
    };
    stage.registry.clear_log();
    let outcome = changed(alone(hold_request(&stage, "1.3.0", 5))).await;
    assert_eq!(outcome.environment, None);
    let requests = without_blobs(&stage);
    assert_eq!(
        requests,
        [
            "HEAD 1.3.0",
            "GET image",
            "HEAD hold",
            "PUT hold",
            "PUT hold",
            "HEAD hold"
        ]
    );
    assert_eq!(tag_of_hold(&stage), Some(stage.digest("1.3.0")));
    stage.registry.clear_log();
    changed(alone(lift_request(&stage, 6))).await;
    assert_eq!(
        without_blobs(&stage),
        ["HEAD hold", "GET image", "PUT hold", "DELETE hold"]
    );
    let nothing = changed(alone(lift_request(&stage, 7))).await;
    assert_eq!(nothing.tag_change, HoldTagChange::Absent);
    assert!(!nothing.is_changed());
    assert_eq!(entries(&stage.registry, "prod"), before);
    let missing = alone(hold_request(&stage, "9.9.9", 8));
    assert!(matches!(missing.change, HoldChange::Place(_)));
    let message = refused(missing).await;
    assert!(message.contains("has no image 9.9.9"), "{message}");
}

/// Returns the requests about manifests, in their order.
fn without_blobs(stage: &Stage) -> Vec<String> {
    let requests = stage.registry.requests();
    let of_manifests = requests.iter().filter(|it| it.contains("/manifests/"));
    let short = of_manifests.map(|request| {
        let (method, path) = request.split_once(' ').unwrap();
        let path = path.split(' ').next().unwrap();
        let target = path.rsplit('/').next().unwrap();
        let target = match target {
            HOLD_TAG => "hold",
            digest if digest.starts_with("sha256:") => "image",
            tag => tag,
        };
        format!("{method} {target}")
    });
    short.collect()
}
