//! Records of deletions: each deletion is in one by the next run of the same plan at the latest, and nothing else is.

use std::collections::BTreeSet;

use shipmark::prune::{PlanFile, PruneOutcome, PruneRequest, apply_prune, plan_prune};
use shipmark::record::{RecordAction, RecordedDeletion};
use shipmark::release::TimelineRequest;

use super::stage::*;
use crate::crash::die_at;
use crate::registry::{Effect, Fault, Profile};
use crate::support::made_image::MadeImage;
use crate::support::records::*;
use crate::support::*;

/// The repository of case 7 with a tag that goes alone, and with a timeline.
async fn stage() -> PruneStage {
    let profile = Profile::plain().date("unknown");
    let stage = PruneStage::signed_pull_request(profile, false).await;
    stage.tag("pr-7", "other");
    let revision = "0123456789abcdef0123456789abcdef01234567";
    let labels = [("revision", revision), ("version", "2.0.0")];
    MadeImage::new(7, &labels).put(&stage.registry, "stage", &["2.0.0"]);
    let source = format!("{}/stage:2.0.0", stage.registry.host());
    let release = promote(&source, &[&stage.place()], "refs/heads/main");
    done(recorded(release, "prod", 0, 100), &context()).await;
    stage
}

fn request(stage: &PruneStage) -> PruneRequest {
    let rules = rules([tagged("pr-*", Some(14))]);
    let mut account = account(0, 200);
    account.now = now();
    PruneRequest {
        timelines: vec![location("prod", &stage.place())],
        records: vec![TimelineRequest {
            location: location("prod", &stage.place()),
            account,
            signer: None,
            adds_summary: false,
        }],
        ..stage.request(rules)
    }
}

async fn apply(stage: &PruneStage, file: &PlanFile) -> PruneOutcome {
    apply_prune(&request(stage), file, &context())
        .await
        .unwrap()
}

/// Returns what the records of deletions have.
fn recorded_deletions(stage: &PruneStage) -> Vec<RecordedDeletion> {
    let entries = entries(&stage.registry, WEB).into_iter();
    let records = entries.map(|tag| record(&stage.registry, WEB, &tag).predicate);
    let pruned = records.filter(|it| it.action == RecordAction::Pruned);
    pruned.flat_map(|it| it.deletions).collect()
}

/// Returns the manifests and tags that records say are gone.
fn recorded_names(stage: &PruneStage) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for deletion in recorded_deletions(stage) {
        if !deletion.tags_only {
            names.insert(stage.name_of(deletion.digest));
        }
        names.extend(deletion.tags);
    }
    names
}

fn expected() -> BTreeSet<String> {
    let names = ["I", "a", "b", "S(I)", "S(a)", "pr-1", "pr-7"];
    names.map(str::to_owned).into()
}

#[tokio::test]
async fn a_record_has_each_manifest_with_its_tags_and_each_tag_that_went_alone() {
    let stage = stage().await;
    let plan = plan_prune(&request(&stage), &context()).await.unwrap();
    let file = to_file(&plan);
    let outcome = apply(&stage, &file).await;
    assert!(outcome.repositories[0].failure.is_none(), "{outcome:?}");
    assert_eq!(recorded_names(&stage), expected());
    let deletions = recorded_deletions(&stage);
    assert_eq!(stage.name_of(deletions[0].digest), "I");
    assert_eq!(
        deletions[0].rule.as_deref(),
        Some("tags: pr-*, older-than: 14d")
    );
    let alone = deletions.last().unwrap();
    assert!(alone.tags_only, "{alone:?}");
    assert_eq!(
        (stage.name_of(alone.digest).as_str(), &alone.tags[..]),
        ("other", &["pr-7".to_owned()][..])
    );
    // The plan again deletes nothing and records nothing.
    let again = apply(&stage, &file).await;
    assert_eq!(again.repositories[0].records.len(), 0);
    assert_eq!(recorded_deletions(&stage), deletions);
}

#[tokio::test]
async fn what_a_run_deleted_that_died_is_recorded_by_its_repetition() {
    let stage = stage().await;
    let file = to_file(&plan_prune(&request(&stage), &context()).await.unwrap());
    let before = stage.registry.snapshot();
    stage.registry.clear_log();
    apply(&stage, &file).await;
    let requests = stage.registry.count();
    let mut found_later = 0;
    for at in 1..=requests {
        stage.registry.restore(&before);
        stage.registry.clear_log();
        stage
            .registry
            .fault(Fault::at(at, Effect::StopForGoodAfter));
        let (context, request) = (context(), request(&stage));
        die_at(apply_prune(&request, &file, &context), &stage.registry, at).await;
        stage.registry.clear_faults();
        stage.registry.resume();
        // No record says more than happened.
        for name in recorded_names(&stage) {
            assert!(
                !stage.there().contains(&name),
                "died at {at}: {name} is there"
            );
        }
        let outcome = apply(&stage, &file).await;
        assert!(
            outcome.repositories[0].failure.is_none(),
            "died at {at}: {outcome:?}"
        );
        assert_eq!(
            recorded_names(&stage),
            expected(),
            "died at {at} of {requests}"
        );
        let later = recorded_deletions(&stage).into_iter();
        let later = later.filter(|it| {
            it.reason
                .ends_with("it was gone when the plan was repeated")
        });
        found_later += later.count();
    }
    assert!(found_later > 10, "{found_later}");
}

#[tokio::test]
async fn a_record_that_is_written_meanwhile_ends_the_run() {
    let stage = stage().await;
    let file = to_file(&plan_prune(&request(&stage), &context()).await.unwrap());
    let entry = entries(&stage.registry, WEB).pop().unwrap();
    let gate = stage.registry.gate();
    gate.hold_all();
    let (request, context) = (request(&stage), context());
    let mut run = Box::pin(apply_prune(&request, &file, &context));
    let mut is_written = false;
    let outcome = loop {
        tokio::select! {
            outcome = &mut run => break outcome.unwrap(),
            () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
        }
        for held in gate.held() {
            // Another run records a release of today, right before the first deletion.
            if held.starts_with("DELETE") && !is_written {
                is_written = true;
                let later = entry.replacen("20261120", "20261201", 1);
                assert_ne!(later, entry);
                let mut tags = stage.registry.tags(WEB);
                tags.insert(later, tags[&entry].clone());
                stage.registry.set_tags(WEB, tags);
            }
            gate.release(&held, None);
        }
    };
    gate.clear();
    assert!(is_written);
    let failure = format!("{:?}", outcome.repositories[0].failure.as_ref().unwrap());
    assert!(
        failure.contains("was written while this run deleted"),
        "{failure}"
    );
    assert!(stage.there().contains("I"));
}
