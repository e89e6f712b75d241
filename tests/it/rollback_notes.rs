//! What reports and refusals of rollbacks, marks and adoptions say of what a reader would not expect.

use shipmark::record::ReleaseMark;
use shipmark::release::{
    AdoptRequest, HistoryRequest, InspectRequest, InspectSubject, MarkRequest, RecordOptions,
    RecordTrust, RollbackOutcome, RollbackRequest, adopt, history, inspect, mark, rollback, run,
};
use shipmark::signing::{Requirement, Signer};

use crate::registry::{Effect, Fault};
use crate::support::recorded_stage::*;
use crate::support::records::*;
use crate::support::*;

async fn marked(stage: &Stage, state: ReleaseMark, version: &str, now: i64) {
    let request = mark_request(stage, state, Some(version), now);
    mark(&request, &context()).await.unwrap();
}

fn mark_request(stage: &Stage, state: ReleaseMark, version: Option<&str>, now: i64) -> MarkRequest {
    MarkRequest {
        timeline: stage.timeline(now, 2_000 + u64::try_from(now).unwrap()),
        state,
        release: version.map(named),
    }
}

fn adoption(stage: &Stage, now: i64) -> AdoptRequest {
    AdoptRequest {
        timeline: stage.timeline(now, 3_000),
        excluded_versions: Default::default(),
        dry_run: false,
    }
}

fn inspection(stage: &Stage) -> InspectRequest {
    InspectRequest {
        is_offline: false,
        subject: InspectSubject::Environment(location("prod", &stage.place())),
        timelines: Vec::new(),
        finds_environments: true,
        signer: None,
        clock: minute(6),
    }
}

fn whole_history(stage: &Stage) -> HistoryRequest {
    HistoryRequest {
        location: location("prod", &stage.place()),
        clock: minute(6),
        limit: None,
        reads_each: false,
        filter: Default::default(),
        tag: None,
    }
}

/// A rollback that is planned alone.
async fn planned(stage: &Stage, to: Option<&str>) -> RollbackOutcome {
    let mut request = stage.request(30, 1);
    request.to = to.map(named);
    request.dry_run = true;
    rolled_back(request).await
}

#[track_caller]
fn notes_have(outcome: &RollbackOutcome, words: &str) {
    let notes = outcome.notes.join("\n");
    assert!(notes.contains(words), "{words} in {notes:?}");
}

#[tokio::test]
async fn what_goes_to_a_failed_release_is_named() {
    let stage = Stage::released(&["1.4.0", "1.4.1", "1.4.2"]).await;
    assert_eq!(planned(&stage, None).await.notes, [""; 0]);
    marked(&stage, ReleaseMark::Failed, "1.4.1", 5).await;
    let outcome = planned(&stage, None).await;
    assert_eq!(version(&outcome.restored), "1.4.0");
    notes_have(&outcome, "the version line 1.4 goes to 1.4.1 (sha256:");
    let outcome = planned(&stage, Some("1.4.1")).await;
    notes_have(&outcome, "the rollback goes to 1.4.1 (sha256:");
}

#[tokio::test]
async fn a_release_that_a_deployed_one_goes_before_is_named() {
    let stage = Stage::released(&["1.0.0", "2.0.0", "3.0.0"]).await;
    marked(&stage, ReleaseMark::Deployed, "1.0.0", 5).await;
    let outcome = planned(&stage, None).await;
    assert_eq!(version(&outcome.restored), "1.0.0");
    notes_have(&outcome, "2.0.0 (sha256:");
    notes_have(&outcome, "was passed over: it has no mark, and 1.0.0");
    assert_eq!(planned(&stage, Some("1.0.0")).await.notes, [""; 0]);
}

#[tokio::test]
async fn a_rollback_that_goes_forward_is_named() {
    let stage = Stage::released(&["1.6.1", "1.3.8"]).await;
    let outcome = planned(&stage, None).await;
    assert_eq!(version(&outcome.restored), "1.6.1");
    notes_have(&outcome, "the rollback goes forward: to 1.6.1");
}

#[tokio::test]
async fn a_line_that_stays_is_explained_once_and_the_rollback_is_done() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let failure = planned(&stage, None).await.to_failure().unwrap();
    let diagnostic = failure.diagnostic().unwrap().to_string();
    assert!(
        diagnostic.starts_with("the rollback would be done, and") && !diagnostic.contains("repeat"),
        "{diagnostic}"
    );
    let outcome = stage.roll_back(5).await;
    let failure = outcome.to_failure().unwrap();
    let diagnostic = failure.diagnostic().unwrap();
    assert!(
        diagnostic
            .what
            .starts_with("the rollback is done, and the version line 1.4 of"),
        "{diagnostic}"
    );
    let why = diagnostic.why.as_deref().unwrap();
    assert_eq!(
        why,
        "1.4: no other release of its line is recorded, and no record says what it named before"
    );
    let hint = diagnostic.hint.as_deref().unwrap();
    let deletion = format!("crane delete {}:1.4", stage.place());
    assert!(
        hint.contains("do not repeat it") && hint.contains(&deletion),
        "{hint}"
    );
}

#[tokio::test]
async fn a_refused_target_comes_with_the_next_one_that_passes() {
    let stage = Stage::released(&["1.2.0", "1.3.0", "1.4.0", "1.5.0"]).await;
    for version in ["1.3.0", "1.4.0"] {
        let (_, manifest) = stage
            .registry
            .manifest("prod", &stage.digest(version))
            .unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let config = manifest["config"]["digest"].as_str().unwrap();
        stage.registry.remove_blob("prod", config);
    }
    let refusal = stage.refused(stage.request(5, 1)).await;
    assert!(refusal.contains("lacks the config"), "{refusal}");
    assert!(refusal.contains("with to: 1.2.0"), "{refusal}");
}

#[tokio::test]
async fn a_mark_without_a_release_is_refused_where_the_tag_names_another() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let entry_fails = Fault::on("PUT", "manifests/shipmark.", Effect::status(500)).always();
    stage.registry.fault(entry_fails);
    run(&stage.promotion("1.5.0", 3), &context())
        .await
        .unwrap_err();
    stage.registry.clear_faults();
    stage.registry.clear_log();
    let unnamed = mark_request(&stage, ReleaseMark::Failed, None, 5);
    let refusal = stage.refusal(mark(&unnamed, &context()).await.unwrap_err());
    assert!(refusal.contains(&stage.digest("1.5.0")), "{refusal}");
    assert!(
        refusal.contains("by its records prod is on 1.4.0"),
        "{refusal}"
    );
    let (context, log) = context_with(settings());
    inspect(&inspection(&stage), &context).await.unwrap();
    let warnings = log.warnings();
    assert!(
        warnings.contains("the tag prod names") && warnings.contains(&stage.digest("1.5.0")),
        "{warnings}"
    );
    marked(&stage, ReleaseMark::Failed, "1.4.0", 7).await;
}

#[tokio::test]
async fn entries_in_the_repository_of_the_images_are_not_forgotten() {
    let stage = Stage::released(&["1.3.0", "1.3.1"]).await;
    stage.roll_back(5).await;
    let records = format!("{}/records", stage.registry.host());
    let mut elsewhere = stage.request(6, 1);
    elsewhere.timeline.location.entries_at = records.parse().ok();
    let refusal = stage.refused(elsewhere).await;
    assert!(
        refusal.contains("has no timeline entry of prod, and") && refusal.contains("crane copy"),
        "{refusal}"
    );
    let mut again = stage.promotion("1.3.1", 7);
    again.record.as_mut().unwrap().entries_at = records.parse().ok();
    stage.registry.clear_log();
    let failure = run(&again, &context()).await.unwrap_err();
    let refusal = stage.refusal(failure);
    assert!(refusal.contains("has no timeline entry of"), "{refusal}");
}

#[tokio::test]
async fn every_hint_of_a_repository_that_is_not_adopted_names_the_way() {
    let stage = Stage::start().await;
    let mut unrecorded = stage.promotion("1.3.0", 0);
    unrecorded.record = None;
    done(unrecorded, &context()).await;
    let named_release = |withdraw: Option<&str>, to: Option<&str>| RollbackRequest {
        withdraw: withdraw.map(named),
        to: to.map(named),
        ..stage.request(5, 1)
    };
    let digest = stage.digest("1.3.0");
    for request in [
        named_release(None, None),
        named_release(Some("1.3.0"), None),
        named_release(Some(&digest), None),
        named_release(Some(&digest), Some("1.2.0")),
    ] {
        let refusal = stage.refused(request).await;
        assert!(
            refusal.contains("shipmark adopt --environment prod"),
            "{refusal}"
        );
        assert!(refusal.contains("adopt-until"), "{refusal}");
    }
}

#[tokio::test]
async fn readers_of_a_repository_that_is_not_adopted_are_told_the_way() {
    let stage = Stage::start().await;
    let mut unrecorded = stage.promotion("1.3.0", 0);
    unrecorded.record = None;
    done(unrecorded, &context()).await;
    let inspected = inspection(&stage);
    for reads_history in [true, false] {
        let (context, log) = context_with(settings());
        match reads_history {
            true => drop(history(&whole_history(&stage), &context).await.unwrap()),
            false => drop(inspect(&inspected, &context).await.unwrap()),
        }
        let warnings = log.warnings();
        assert!(
            warnings.contains("shipmark adopt --environment prod"),
            "{reads_history}: {warnings}"
        );
    }
    stage.release("1.3.1", 1).await;
    let (context, log) = context_with(settings());
    history(&whole_history(&stage), &context).await.unwrap();
    inspect(&inspected, &context).await.unwrap();
    assert!(!log.warnings().contains("adopt"), "{}", log.warnings());
}

#[tokio::test]
async fn an_image_that_was_withdrawn_before_records_were_signed_is_not_adopted() {
    let stage = Stage::released(&["1.3.0", "1.3.1", "1.3.2"]).await;
    stage.withdraw("1.3.1", 5).await;
    let key = keys::key();
    let trust = RecordTrust::from_signer(Requirement::Key {
        key: key.public().clone(),
        log: None,
    });
    let mut request = adoption(&stage, 6);
    request.timeline.location.trust = Some(trust);
    request.timeline.signer = Some(Signer::Key(key.into()));
    let (context, log) = context_with(settings());
    let outcome = adopt(&request, &context).await.unwrap();
    let adopted = outcome.adopted.iter();
    let adopted: Vec<_> = adopted.filter_map(|it| it.version.as_deref()).collect();
    assert_eq!(adopted, ["1.3.0", "1.3.2"]);
    let notes = outcome.notes.join("\n");
    assert!(
        notes.contains("1.3.1 (sha256:") && notes.contains(".rollback."),
        "{notes}"
    );
    let warnings = log.warnings();
    let uncounted = warnings.lines().filter(|line| line.contains("not count"));
    let uncounted: Vec<_> = uncounted.collect();
    assert_eq!(uncounted.len(), 1, "{uncounted:?}");
    assert!(
        uncounted[0].contains("4 timeline entries of prod do not count"),
        "{uncounted:?}"
    );
}

#[tokio::test]
async fn a_release_that_is_reinstated_is_still_failed() {
    let stage = Stage::released(&["1.4.0", "1.4.1"]).await;
    marked(&stage, ReleaseMark::Failed, "1.4.1", 4).await;
    stage.roll_back(5).await;
    let mut again = stage.promotion("1.4.1", 6);
    let options: &mut RecordOptions = again.record.as_mut().unwrap();
    options.reinstates = true;
    options.account.reason = Some("it was not the image".to_owned());
    let outcome = done(again, &context()).await;
    let notes = outcome.notes.join("\n");
    assert!(
        notes.contains("is still marked as failed in prod"),
        "{notes}"
    );
}

#[tokio::test]
async fn a_promotion_of_what_the_environment_before_withdrew_is_warned_about() {
    let stage = Stage::released(&["1.4.0", "1.4.1"]).await;
    let mut withdrawal = stage.request(5, 1);
    withdrawal.timeline.account.reason = Some("orders fail".to_owned());
    rollback(&withdrawal, &context()).await.unwrap();
    let warnings = |version: &'static str| {
        let source = format!("{}:{version}", stage.place());
        let place = format!("{}/live", stage.registry.host());
        let request = promote(&source, &[&place], "refs/heads/main");
        let mut request = recorded(request, "live", 6, 1);
        request.record.as_mut().unwrap().source = Some(location("prod", &stage.place()));
        async move {
            let (context, log) = context_with(settings());
            done(request, &context).await;
            log.warnings()
        }
    };
    let found = warnings("1.4.1").await;
    assert!(
        found.contains("is withdrawn from prod, where it comes from")
            && found.contains("orders fail"),
        "{found}"
    );
    let found = warnings("1.4.0").await;
    assert!(!found.contains("withdrawn"), "{found}");
}
