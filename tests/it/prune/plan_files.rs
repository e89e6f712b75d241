//! The plan file: what it says, and when it is refused.

use shipmark::image::Digest;
use shipmark::prune::{PlanFile, PlanFileError, plan_file_text, write_plan_file};
use shipmark::record::RecordTime;
use shipmark::release::Failure;

use super::stage::*;
use crate::registry::Profile;
use crate::support::*;

async fn text_of_plan() -> (PruneStage, String) {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let plan = stage.plan(rules([tagged("pr-*", Some(14))])).await;
    let text = plan_file_text(&plan, &[policy()]);
    (stage, text)
}

#[tokio::test]
async fn a_plan_file_has_each_deletion_with_its_reason_in_order() {
    let (stage, text) = text_of_plan().await;
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["version"], 1);
    let plan = &json["plan"];
    assert_eq!(plan["created"], "2026-12-01T00:00:00.000Z");
    assert_eq!(plan["validUntil"], "2026-12-02T00:00:00.000Z");
    assert_eq!(plan["policy"][0], policy().to_string());
    let repository = &plan["repositories"][0];
    assert_eq!(repository["name"], stage.place());
    let snapshot: Digest = repository["snapshot"].as_str().unwrap().parse().unwrap();
    assert_ne!(snapshot, policy());
    let deletions = repository["deletions"].as_array().unwrap();
    assert_eq!(deletions[0]["tag"], "pr-1");
    assert_eq!(deletions[0]["digest"], stage.names["I"]);
    assert_eq!(
        deletions[0]["reason"],
        "the rule tags: pr-*, older-than: 14d"
    );
    assert_eq!(deletions.len(), 6);
    let reason = deletions[5]["reason"].as_str().unwrap();
    assert!(reason.ends_with("goes, which lists it"), "{reason}");
}

#[tokio::test]
async fn a_plan_file_that_was_changed_is_refused() {
    let (_, text) = text_of_plan().await;
    assert!(PlanFile::parse(text.as_bytes()).is_ok());
    for (from, to) in [
        ("pr-1", "pr-2"),
        ("\"version\": 1", "\"version\": 2"),
        ("\"reason\"", "\"cause\""),
        ("2026-12-01", "2026-12-03"),
        ("\"plan\": {", "\"plan\": {\"more\": 1,"),
        ("\"version\": 1,", "\"version\": 1, \"version\": 1,"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = PlanFile::parse(changed.as_bytes()).unwrap_err();
        let is_version = matches!(error, PlanFileError::Version(2));
        assert!(
            is_version || matches!(error, PlanFileError::Damaged(_)),
            "{error}"
        );
    }
    for end in (0..text.trim_end().len()).step_by(97) {
        assert!(PlanFile::parse(&text.as_bytes()[..end]).is_err(), "{end}");
    }
}

#[tokio::test]
async fn a_plan_file_is_valid_for_a_day_and_by_its_policy() {
    let (_, text) = text_of_plan().await;
    let file = PlanFile::parse(text.as_bytes()).unwrap();
    let check = |time: &str, policy: &[Digest]| {
        let time: RecordTime = time.parse().unwrap();
        file.check(time, policy).map_err(|error| error.to_string())
    };
    assert_eq!(check("2026-12-01T23:59:59.000Z", &[policy()]), Ok(()));
    assert_eq!(check("2026-11-30T23:58:00.000Z", &[policy()]), Ok(()));
    let expired = check("2026-12-02T00:00:01.000Z", &[policy()]).unwrap_err();
    assert!(expired.contains("was valid until 2026-12-02"), "{expired}");
    let future = check("2026-11-30T00:00:00.000Z", &[policy()]).unwrap_err();
    assert!(future.contains("in the future"), "{future}");
    let other = check("2026-12-01T01:00:00.000Z", &[Digest::from_bytes(b"other")]).unwrap_err();
    assert!(other.contains("another policy"), "{other}");
    assert!(check("2026-12-01T01:00:00.000Z", &[]).is_err());
}

#[tokio::test]
async fn an_expired_plan_file_deletes_nothing() {
    let (stage, text) = text_of_plan().await;
    let mut file = PlanFile::parse(text.as_bytes()).unwrap();
    file.created = "2026-11-28T00:00:00.000Z".parse().unwrap();
    stage.registry.clear_log();
    let refused = stage
        .apply(rules([tagged("pr-*", Some(14))]), &file, &context())
        .await;
    let Err(Failure::Input(diagnostic)) = refused else {
        panic!("{refused:?}");
    };
    assert!(diagnostic.hint.unwrap().contains("plan-file"));
    assert_eq!(stage.registry.count(), 0);
}

#[tokio::test]
async fn a_plan_file_is_written_in_one_step() {
    let (_, text) = text_of_plan().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    std::fs::write(&path, "before").unwrap();
    write_plan_file(&path, &text).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(write_plan_file(&folder.path().join("no/plan.json"), &text).is_err());
}

/// A second plan can only leave out what the first one has.
#[tokio::test]
async fn a_run_never_goes_beyond_its_plan_file() {
    let mut stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    stage.image("kept", 30);
    stage.tag("pr-kept", "kept");
    let narrow = stage.plan_file(rules([tagged("pr-1", Some(14))])).await;
    let wide = rules([tagged("*", None), untagged(None)]);
    let outcome = stage.apply(wide, &narrow, &context()).await.unwrap();
    assert_eq!(stage.deleted(&outcome)[0], "pr-1");
    assert_eq!(
        stage.there(),
        ["kept".to_owned(), "other".to_owned()].into()
    );
    assert_eq!(stage.registry.tags(WEB).len(), 2);
}
