//! Marks: what is said of a release, and what a rollback makes of it.

use shipmark::record::{RecordAction, ReleaseMark};
use shipmark::release::{MarkOutcome, MarkRequest, mark};

use crate::registry::{Effect, Fault};
use crate::support::recorded_stage::*;
use crate::support::records::*;
use crate::support::{context, done};

fn request(stage: &Stage, state: ReleaseMark, now: i64) -> MarkRequest {
    MarkRequest {
        timeline: stage.timeline(now, 2_000 + u64::try_from(now).unwrap()),
        state,
        release: None,
    }
}

async fn marked(request: MarkRequest) -> MarkOutcome {
    match mark(&request, &context()).await {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{failure:?}"),
    }
}

#[tokio::test]
async fn a_mark_is_recorded_about_the_current_release_and_moves_no_tag() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let tags = stage.tags();
    let mut failed = request(&stage, ReleaseMark::Failed, 5);
    failed.timeline.account.reason = Some("orders fail".to_owned());
    failed.timeline.account.link = Some("https://status.example.com/17".to_owned());
    let outcome = marked(failed).await;
    assert_eq!(outcome.release.version.as_deref(), Some("1.4.0"));
    assert_eq!(stage.tags(), tags);
    let entry = entries(&stage.registry, "prod").pop().unwrap();
    let record = record(&stage.registry, "prod", &entry);
    assert_eq!(record.root.to_string(), stage.digest("1.4.0"));
    let predicate = record.predicate;
    assert_eq!(predicate.action, RecordAction::Failed);
    assert_eq!(predicate.about, Some(predicate.past[0].record));
    assert_eq!(predicate.reason.as_deref(), Some("orders fail"));
    assert_eq!(
        predicate.link.as_deref(),
        Some("https://status.example.com/17")
    );
    assert_eq!(predicate.version.as_deref(), Some("1.4.0"));
}

#[tokio::test]
async fn a_rollback_passes_over_a_failed_release_and_prefers_a_deployed_one() {
    let stage = Stage::released(&["1.1.0", "1.2.0", "1.3.0", "1.4.0"]).await;
    let mut failed = request(&stage, ReleaseMark::Failed, 5);
    failed.release = Some(named("1.3.0"));
    marked(failed).await;
    let mut planned = stage.request(6, 1);
    planned.dry_run = true;
    assert_eq!(
        version(&rolled_back(planned.clone()).await.restored),
        "1.2.0"
    );
    let mut deployed = request(&stage, ReleaseMark::Deployed, 6);
    deployed.release = Some(named("1.1.0"));
    marked(deployed).await;
    planned.timeline.account.now = minute(7);
    assert_eq!(version(&rolled_back(planned).await.restored), "1.1.0");
    stage.roll_back(8).await;
    assert_eq!(stage.tag("prod"), "1.1.0");
    assert_eq!(
        stage.tag("latest"),
        "1.3.0",
        "a line goes by versions, not by marks"
    );
}

#[tokio::test]
async fn a_deployed_release_is_preferred_however_old_it_is() {
    let stage = Stage::released(&["1.0.0"]).await;
    marked(request(&stage, ReleaseMark::Deployed, 1)).await;
    for number in 0..36 {
        stage.release(&format!("1.1.{number}"), 2 + number).await;
    }
    let outcome = stage.roll_back(60).await;
    assert_eq!(version(&outcome.restored), "1.0.0");
}

#[tokio::test]
async fn the_same_mark_again_is_unchanged() {
    let stage = Stage::released(&["1.3.0"]).await;
    let first = marked(request(&stage, ReleaseMark::Deployed, 5)).await;
    stage.registry.clear_log();
    let again = marked(request(&stage, ReleaseMark::Deployed, 6)).await;
    assert!(again.record.is_none());
    assert_eq!(again.record_id(), first.record_id());
    assert_eq!(writes(&stage.registry), 0);
    marked(request(&stage, ReleaseMark::Failed, 7)).await;
    let back = marked(request(&stage, ReleaseMark::Deployed, 8)).await;
    assert!(back.record.is_some());
    assert_eq!(entries(&stage.registry, "prod").len(), 4);
}

#[tokio::test]
async fn a_mark_that_died_before_its_entry_is_completed() {
    let stage = Stage::released(&["1.3.0"]).await;
    let entry_fails = Fault::on("PUT", "manifests/shipmark.", Effect::status(500)).always();
    stage.registry.fault(entry_fails);
    mark(&request(&stage, ReleaseMark::Deployed, 5), &context())
        .await
        .unwrap_err();
    stage.registry.clear_faults();
    let mut again = request(&stage, ReleaseMark::Deployed, 9);
    again.timeline.account = account(9, 2_005);
    let outcome = marked(again).await;
    let record = outcome.record.unwrap();
    assert_eq!(record.planned_at, minute(5));
    assert!(record.is_new && !record.is_intent_new);
    assert_eq!(
        stage
            .registry
            .referrers("prod", &stage.digest("1.3.0"))
            .len(),
        2
    );
}

#[tokio::test]
async fn a_release_that_is_not_there_is_refused() {
    let stage = Stage::start().await;
    stage.registry.clear_log();
    let failure = mark(&request(&stage, ReleaseMark::Deployed, 5), &context()).await;
    let refusal = stage.refusal(failure.unwrap_err());
    assert!(refusal.contains("has no current release"), "{refusal}");
    stage.release("1.3.0", 0).await;
    stage.registry.clear_log();
    let mut unknown = request(&stage, ReleaseMark::Failed, 5);
    unknown.release = Some(named("1.9.0"));
    let refusal = stage.refusal(mark(&unknown, &context()).await.unwrap_err());
    assert!(refusal.contains("has no release 1.9.0"), "{refusal}");
}

fn repeated(stage: &Stage, state: ReleaseMark, first: i64, now: i64) -> MarkRequest {
    let mut again = request(stage, state, first);
    again.timeline.account.now = minute(now);
    again.timeline.account.run.as_mut().unwrap().attempt = Some(2);
    again
}

#[tokio::test]
async fn a_repeated_job_marks_no_newer_release() {
    let stage = Stage::released(&["1.3.0"]).await;
    let first = marked(request(&stage, ReleaseMark::Failed, 5)).await;
    stage.release("1.4.0", 6).await;
    marked(request(&stage, ReleaseMark::Deployed, 7)).await;
    stage.registry.clear_log();
    let again = marked(repeated(&stage, ReleaseMark::Failed, 5, 8)).await;
    assert_eq!(again.release.version.as_deref(), Some("1.3.0"));
    assert_eq!(again.record_id(), first.record_id());
    assert_eq!(writes(&stage.registry), 0);
    let other = marked(repeated(&stage, ReleaseMark::Deployed, 5, 9)).await;
    assert_eq!(other.release.version.as_deref(), Some("1.3.0"));
    assert!(other.record.is_some(), "the repetition succeeded");
}

#[tokio::test]
async fn a_repeated_job_marks_the_release_that_its_run_made_since() {
    let stage = Stage::released(&["1.3.0"]).await;
    marked(request(&stage, ReleaseMark::Failed, 5)).await;
    let mut promotion = stage.promotion("1.4.0", 6);
    let run = request(&stage, ReleaseMark::Failed, 5).timeline.account.run;
    let account = &mut promotion.record.as_mut().unwrap().account;
    account.run.clone_from(&run);
    account.run.as_mut().unwrap().attempt = Some(2);
    done(promotion, &context()).await;
    let again = marked(repeated(&stage, ReleaseMark::Deployed, 5, 7)).await;
    assert_eq!(again.release.version.as_deref(), Some("1.4.0"));
}

#[tokio::test]
async fn a_repeated_job_completes_its_mark_of_an_older_release() {
    let stage = Stage::released(&["1.3.0"]).await;
    let entry_fails = Fault::on("PUT", "manifests/shipmark.", Effect::status(500)).always();
    stage.registry.fault(entry_fails);
    mark(&request(&stage, ReleaseMark::Failed, 5), &context())
        .await
        .unwrap_err();
    stage.registry.clear_faults();
    stage.release("1.4.0", 6).await;
    let again = marked(repeated(&stage, ReleaseMark::Failed, 5, 8)).await;
    assert_eq!(again.release.version.as_deref(), Some("1.3.0"));
}
