//! Promotions of images that the environment before did not record.

use shipmark::release::RecordTrust;
use shipmark::signing::Requirement;

use super::*;

/// Releases 1.4.0 to stage with a record, and promotes 1.5.0, which is there without one.
async fn unrecorded() -> (Stage, ReleaseRequest) {
    let stage = Stage::start(Profile::plain()).await;
    stage.build(1, "1.4.0");
    stage.build(2, "1.5.0");
    let source = format!("{}:1.4.0", stage.place("stage"));
    let to_stage = promote(&source, &[&stage.place("stage")], "refs/heads/main");
    done(recorded(to_stage, "stage", 0, 1), &context()).await;
    let mut promotion = stage.promotion("1.5.0", 1, 2);
    let from = location("stage", &stage.place("stage"));
    promotion.record.as_mut().unwrap().source = Some(from);
    (stage, promotion)
}

#[tokio::test]
async fn promise_6_an_image_without_a_record_leaves_no_environment_that_signs() {
    let (stage, mut promotion) = unrecorded().await;
    let unsigned = promotion.clone();
    let source = promotion.record.as_mut().unwrap().source.as_mut().unwrap();
    source.trust = Some(RecordTrust::from_signer(Requirement::Key {
        key: keys::key().public().clone(),
        log: None,
    }));
    let refusal = stage.refused(promotion.clone()).await;
    for part in ["has no release record in stage", "shipmark adopt"] {
        assert!(refusal.contains(part), "{refusal}");
    }
    // What is released already is repaired, whatever became of the records before.
    done(unsigned, &context()).await;
    let mut tags = stage.registry.tags("prod");
    tags.remove("prod");
    stage.registry.set_tags("prod", tags);
    assert!(done(promotion, &context()).await.has_changes());
}

#[tokio::test]
async fn an_image_without_a_record_is_promoted_with_a_warning_where_records_are_not_signed() {
    let (stage, promotion) = unrecorded().await;
    let (context, log) = context_with(settings());
    done(promotion, &context).await;
    let warnings = log.warnings();
    let expected = "the timeline of stage has no release of";
    assert!(warnings.contains(expected), "{warnings}");
    assert_eq!(stage.entries().len(), 1);
}
