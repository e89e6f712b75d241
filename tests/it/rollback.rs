//! Rollbacks: what is withdrawn, what is put back, and where the tags go.

use shipmark::record::{RecordAction, RecordId};
use shipmark::release::run;
use shipmark::tagging::TagRules;

use crate::registry::{Effect, Fault, Profile};
use crate::support::made_image::MadeImage;
use crate::support::recorded_stage::*;
use crate::support::records::*;
use crate::support::*;

#[tokio::test]
async fn a_rollback_withdraws_the_current_release_and_puts_the_one_before_back() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let outcome = stage.roll_back(5).await;
    assert_eq!(outcome.withdrawn.version.as_deref(), Some("1.4.0"));
    assert_eq!(version(&outcome.restored), "1.3.0");
    assert_eq!(version(&outcome.current), "1.3.0");
    assert!(
        outcome.has_changes() && outcome.to_failure().is_some(),
        "1.4 stays"
    );
    for tag in ["prod", "1", "latest"] {
        assert_eq!(stage.tag(tag), "1.3.0", "{tag}");
    }
    assert_eq!(stage.tag("1.4.0"), "1.4.0", "the version's own tag stays");
    assert_eq!(stage.tag("1.4"), "1.4.0", "it has no other release");
    let entry = entries(&stage.registry, "prod").pop().unwrap();
    assert!(entry.contains(".rollback."), "{entry}");
    let record = record(&stage.registry, "prod", &entry);
    assert_eq!(record.root.to_string(), stage.digest("1.4.0"));
    let predicate = record.predicate;
    assert_eq!(predicate.action, RecordAction::Rollback);
    assert_eq!(
        predicate.restores.unwrap().to_string(),
        stage.digest("1.3.0")
    );
    assert_eq!(predicate.version.as_deref(), Some("1.4.0"));
    assert_eq!(predicate.about, Some(predicate.past[0].record));
    assert_eq!(predicate.previous, [predicate.past[0].record]);
    let moved: Vec<_> = predicate.tags.iter().map(|tag| tag.name.as_str()).collect();
    assert_eq!(moved, ["prod", "1", "latest"]);
    let referrers = stage.registry.referrers("prod", &stage.digest("1.4.0"));
    assert_eq!(
        referrers.len(),
        2,
        "the intents of the release and of the rollback"
    );
}

#[tokio::test]
async fn two_rollbacks_in_a_row_and_forward_again() {
    let stage = Stage::released(&["1.4.0", "1.4.1", "1.4.2"]).await;
    stage.roll_back(5).await;
    assert_eq!(stage.tag("prod"), "1.4.1");
    let outcome = stage.roll_back(6).await;
    assert!(outcome.to_failure().is_none());
    assert_eq!(stage.tag("prod"), "1.4.0");
    assert_eq!(stage.tag("1.4"), "1.4.0");
    stage.release("1.4.3", 7).await;
    assert_eq!(stage.tag("prod"), "1.4.3");
    let outcome = stage.roll_back(8).await;
    assert_eq!(
        version(&outcome.restored),
        "1.4.0",
        "both others are withdrawn"
    );
    assert_eq!(stage.tag("latest"), "1.4.0");
}

#[tokio::test]
async fn a_reinstated_release_is_a_target_again() {
    let stage = Stage::released(&["1.4.0", "1.4.1"]).await;
    stage.roll_back(5).await;
    done(stage.reinstatement("1.4.1", 6), &context()).await;
    assert_eq!(stage.tag("prod"), "1.4.1");
    stage.release("1.4.2", 7).await;
    let outcome = stage.roll_back(8).await;
    assert_eq!(version(&outcome.restored), "1.4.1");
    assert_eq!(stage.tag("prod"), "1.4.1");
}

#[tokio::test]
async fn a_version_in_the_middle_is_withdrawn_and_the_environment_stays() {
    let stage = Stage::released(&["1.3.0", "1.4.0", "1.4.1", "2.0.0"]).await;
    let outcome = stage.withdraw("1.4.1", 5).await;
    assert_eq!(outcome.restored, None);
    assert_eq!(version(&outcome.current), "2.0.0");
    assert_eq!(stage.tag("prod"), "2.0.0");
    assert_eq!(stage.tag("latest"), "2.0.0");
    assert_eq!(stage.tag("1.4"), "1.4.0");
    assert_eq!(stage.tag("1"), "1.4.0");
    let after = stage.roll_back(6).await;
    assert_eq!(
        version(&after.restored),
        "1.4.0",
        "the withdrawn one is no target"
    );
}

#[tokio::test]
async fn releases_in_between_stay_and_are_named() {
    let stage = Stage::released(&["1.3.0", "1.4.0", "1.5.0"]).await;
    let mut request = stage.request(5, 1);
    request.to = Some(named("v1.3.0"));
    let outcome = rolled_back(request).await;
    let between: Vec<_> = outcome
        .between
        .iter()
        .filter_map(|root| root.version.as_deref())
        .collect();
    assert_eq!(between, ["1.4.0"]);
    assert_eq!(stage.tag("prod"), "1.3.0");
    assert_eq!(
        stage.tag("latest"),
        "1.4.0",
        "the highest release that is not withdrawn"
    );
}

#[tokio::test]
async fn a_hotfix_line_goes_to_its_own_highest_release() {
    let stage = Stage::released(&["1.4.0", "2.0.0", "1.4.1"]).await;
    assert_eq!(stage.tag("prod"), "1.4.1");
    let outcome = stage.roll_back(5).await;
    assert_eq!(outcome.withdrawn.version.as_deref(), Some("1.4.1"));
    assert_eq!(stage.tag("prod"), "2.0.0");
    assert_eq!(stage.tag("1.4"), "1.4.0");
    assert_eq!(stage.tag("1"), "1.4.0");
    assert_eq!(stage.tag("latest"), "2.0.0", "it never named the hotfix");
}

#[tokio::test]
async fn promise_4_a_version_that_only_the_tag_list_knows_is_no_candidate() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let mistyped = MadeImage::new(4242, &[]);
    mistyped.put(&stage.registry, "prod", &["1.9.0"]);
    // A recorded image under a mistyped version is none either.
    stage.set_tag("1.8.0", &stage.digest("1.3.0"));
    let outcome = stage.roll_back(5).await;
    assert_eq!(stage.tag("1"), "1.3.0");
    let line = outcome
        .tags
        .iter()
        .find(|tag| tag.tag.as_str() == "1")
        .unwrap();
    let text = format!("{:?}", line.change);
    assert!(text.contains("1.3.0, the highest release"), "{text}");
}

#[tokio::test]
async fn a_line_without_another_release_goes_back_else_stays() {
    let stage = Stage::released(&["1.3.0"]).await;
    let mut unrecorded = stage.promotion("1.4.0", 1);
    unrecorded.record = None;
    done(unrecorded, &context()).await;
    stage.release("1.4.1", 2).await;
    assert_eq!(stage.tag("1.4"), "1.4.1");
    let outcome = stage.roll_back(5).await;
    assert!(outcome.to_failure().is_none());
    assert_eq!(stage.tag("1.4"), "1.4.0", "what it named before");
    assert_eq!(stage.tag("1"), "1.3.0", "1.4.0 has no record");
    stage.release("1.5.0", 6).await;
    let outcome = stage.roll_back(7).await;
    let refusal = outcome.to_failure().unwrap();
    let text = refusal.diagnostic().unwrap().to_string();
    assert!(text.contains("the version line 1.5 of"), "{text}");
    assert_eq!(stage.tag("1.5"), "1.5.0");
}

#[tokio::test]
async fn another_moving_tag_goes_back_to_what_it_named() {
    let stage = Stage::start().await;
    for (now, version) in [(0, "1.3.0"), (1, "1.4.0")] {
        let mut request = stage.promotion(version, now);
        request.rules = TagRules::parse([version, "edge", "prod"]).unwrap();
        done(request, &context()).await;
    }
    let mut first = stage.promotion("1.5.0", 2);
    first.rules = TagRules::parse(["1.5.0", "edge", "fresh"]).unwrap();
    done(first, &context()).await;
    let outcome = stage.roll_back(5).await;
    assert_eq!(stage.tag("edge"), "1.4.0");
    assert_eq!(stage.tag("fresh"), "1.5.0", "nothing says where it was");
    assert!(outcome.to_failure().is_none(), "it is no version line");
    assert!(outcome.notes[0].contains("fresh"), "{:?}", outcome.notes);
}

#[tokio::test]
async fn a_withdrawn_or_unknown_target_is_refused() {
    let stage = Stage::released(&["1.3.0", "1.4.0", "1.5.0"]).await;
    stage.roll_back(5).await;
    let mut request = stage.request(6, 1);
    request.to = Some(named("1.5.0"));
    let refusal = stage.refused(request).await;
    assert!(
        refusal.contains("withdrawn from prod") && refusal.contains("reinstate"),
        "{refusal}"
    );
    for (name, words) in [
        ("9.9.9", "has no release 9.9.9"),
        ("1.4.0", "the release to withdraw"),
    ] {
        let mut request = stage.request(6, 1);
        request.to = Some(named(name));
        let refusal = stage.refused(request).await;
        assert!(refusal.contains(words), "{refusal}");
    }
    let mut request = stage.request(6, 1);
    let never = MadeImage::new(9, &[]).digest();
    request.withdraw = Some(named(&never));
    let refusal = stage.refused(request).await;
    assert!(refusal.contains("has no release of sha256:"), "{refusal}");
}

#[tokio::test]
async fn nothing_to_go_back_to_is_refused() {
    let stage = Stage::start().await;
    let refusal = stage.refused(stage.request(0, 1)).await;
    assert!(refusal.contains("has no current release"), "{refusal}");
    stage.release("1.3.0", 0).await;
    let refusal = stage.refused(stage.request(5, 1)).await;
    assert!(
        refusal.contains("has no release to go back to"),
        "{refusal}"
    );
}

#[tokio::test]
async fn an_incomplete_target_is_refused() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let (_, manifest) = stage
        .registry
        .manifest("prod", &stage.digest("1.3.0"))
        .unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let config = manifest["config"]["digest"].as_str().unwrap();
    stage.registry.remove_blob("prod", config);
    let refusal = stage.refused(stage.request(5, 1)).await;
    assert!(refusal.contains("lacks the config"), "{refusal}");
    stage
        .registry
        .remove_manifest("prod", &stage.digest("1.3.0"));
    let refusal = stage.refused(stage.request(5, 1)).await;
    let what = format!("lacks {}, the image to go back to", stage.digest("1.3.0"));
    assert!(refusal.contains(&what), "{refusal}");
}

#[tokio::test]
async fn where_the_target_is_gone_the_next_one_is_named() {
    let stage = Stage::released(&["1.3.0", "1.3.1", "1.4.0"]).await;
    stage
        .registry
        .remove_manifest("prod", &stage.digest("1.3.1"));
    let refusal = stage.refused(stage.request(5, 1)).await;
    for part in [
        "the image to go back to",
        "go back to 1.3.0 (",
        "with to: 1.3.0",
    ] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
    let mut request = stage.request(5, 1);
    request.to = Some(named("1.3.0"));
    assert_eq!(version(&rolled_back(request).await.current), "1.3.0");
}

#[tokio::test]
async fn an_environment_tag_on_an_unknown_image_is_refused_unless_named() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let foreign = MadeImage::new(99, &[]);
    foreign.put(&stage.registry, "prod", &["prod"]);
    let refusal = stage.refused(stage.request(5, 1)).await;
    assert!(
        refusal.contains("says nothing") && refusal.contains(&foreign.digest()),
        "{refusal}"
    );
    let mut other = stage.request(5, 1);
    other.withdraw = Some(named("1.4.0"));
    let refusal = stage.refused(other).await;
    assert!(refusal.contains("says nothing"), "{refusal}");
    let outcome = stage.withdraw(&foreign.digest(), 5).await;
    assert_eq!(version(&outcome.restored), "1.4.0");
    assert_eq!(stage.tag("prod"), "1.4.0");
    assert_eq!(stage.tag("latest"), "1.4.0");
}

#[tokio::test]
async fn a_promotion_that_died_before_its_entry_is_withdrawn() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let entry_fails = Fault::on("PUT", "manifests/shipmark.", Effect::status(500)).always();
    stage.registry.fault(entry_fails);
    run(&stage.promotion("1.5.0", 3), &context())
        .await
        .unwrap_err();
    stage.registry.clear_faults();
    assert_eq!(stage.tag("prod"), "1.5.0");
    let outcome = stage.roll_back(5).await;
    assert_eq!(outcome.withdrawn.version.as_deref(), Some("1.5.0"));
    assert_eq!(version(&outcome.restored), "1.4.0");
    assert_eq!(stage.tag("prod"), "1.4.0");
    assert_eq!(stage.tag("latest"), "1.4.0");
}

#[tokio::test]
async fn a_release_is_named_by_version_digest_or_record() {
    for kind in ["version", "digest", "record"] {
        let stage = Stage::released(&["1.3.0", "1.4.0", "1.4.1"]).await;
        let entry = entries(&stage.registry, "prod").remove(1);
        let (_, bytes) = stage.registry.manifest("prod", &entry).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let name = match kind {
            "version" => "1.4.0".to_owned(),
            "digest" => stage.digest("1.4.0"),
            _ => manifest["layers"][0]["digest"].as_str().unwrap().to_owned(),
        };
        let outcome = stage.withdraw(&name, 5).await;
        assert_eq!(
            outcome.withdrawn.version.as_deref(),
            Some("1.4.0"),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_repeated_job_withdraws_nothing_more() {
    let stage = Stage::released(&["1.3.0", "1.4.0", "1.4.1"]).await;
    rolled_back(stage.request(5, 1)).await;
    let tags = stage.tags();
    stage.registry.clear_log();
    let mut again = stage.request(6, 1);
    again.timeline.account.run.as_mut().unwrap().attempt = Some(2);
    let outcome = rolled_back(again).await;
    assert!(!outcome.has_changes());
    assert_eq!(outcome.withdrawn.version.as_deref(), Some("1.4.1"));
    assert!(outcome.record_id().is_some());
    assert_eq!(writes(&stage.registry), 0);
    assert_eq!(stage.tags(), tags);
}

#[tokio::test]
async fn a_withdrawn_release_that_a_tag_still_names_is_repaired() {
    let stage = Stage::released(&["1.3.0", "1.3.1"]).await;
    stage.roll_back(5).await;
    stage.set_tag("prod", &stage.digest("1.3.1"));
    stage.set_tag("1.3", &stage.digest("1.3.1"));
    let entries_before = entries(&stage.registry, "prod").len();
    let outcome = stage.roll_back(6).await;
    assert!(outcome.has_changes() && outcome.record.is_none());
    assert_eq!(stage.tag("prod"), "1.3.0");
    assert_eq!(stage.tag("1.3"), "1.3.0");
    assert_eq!(entries(&stage.registry, "prod").len(), entries_before);
}

#[tokio::test]
async fn a_dry_run_plans_and_writes_nothing() {
    let stage = Stage::released(&["1.3.0", "1.3.1"]).await;
    stage.registry.clear_log();
    let mut request = stage.request(5, 1);
    request.dry_run = true;
    let outcome = rolled_back(request).await;
    assert!(outcome.has_changes() && outcome.record_id().is_none());
    assert_eq!(writes(&stage.registry), 0);
    assert_eq!(stage.tag("prod"), "1.3.1");
}

#[tokio::test]
async fn a_rollback_reads_no_other_repository() {
    let stage = Stage::released(&["1.3.0", "1.3.1"]).await;
    stage.registry.clear_log();
    stage.roll_back(5).await;
    let requests = stage.registry.requests();
    assert!(
        requests
            .iter()
            .all(|line| line.contains("/v2/prod/") || line.ends_with("/v2/")),
        "{requests:?}"
    );
}

#[tokio::test]
async fn known_good_is_found_beyond_the_summary_of_the_newest_record() {
    let stage = Stage::start().await;
    stage.release("1.0.0", 0).await;
    for number in 0..35 {
        stage.release(&format!("1.1.{number}"), 1 + number).await;
    }
    for now in 0..34 {
        stage.roll_back(40 + now).await;
    }
    assert_eq!(stage.tag("prod"), "1.1.0");
    let outcome = stage.roll_back(90).await;
    assert_eq!(version(&outcome.restored), "1.0.0");
    assert_eq!(stage.tag("1"), "1.0.0");
}

#[tokio::test]
async fn entries_that_do_not_count_do_not_stop_a_rollback() {
    let stage = Stage::released(&["1.3.0", "1.3.1"]).await;
    let mut tags = stage.registry.tags("prod");
    for number in 0..200 {
        let id = RecordId::from_blob(&[number]).to_string();
        let name = format!(
            "shipmark.prod.20261120t1001{:02}{:03}z.promote.0123456789ab.{}",
            number % 60,
            number,
            &id[7..19]
        );
        tags.insert(name, stage.digest("1.3.0"));
    }
    stage.registry.set_tags("prod", tags);
    stage.roll_back(5).await;
    assert_eq!(stage.tag("prod"), "1.3.0");
}

#[tokio::test]
async fn a_layout_is_rolled_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let place = format!("oci:{}", folder.path().join("prod").display());
    let stage = Stage::start().await;
    for (now, version) in [(0, "1.3.0"), (1, "1.3.1")] {
        let mut request = stage.promotion(version, now);
        request.destinations = vec![place.parse().unwrap()];
        done(request, &context()).await;
    }
    let mut request = stage.request(5, 1);
    request.timeline.location = location("prod", &place);
    let outcome = rolled_back(request.clone()).await;
    assert_eq!(version(&outcome.restored), "1.3.0");
    let layout = shipmark::layout::LayoutDirectory::new(folder.path().join("prod"));
    for tag in ["prod", "1.3", "latest"] {
        let at = layout.resolve_tag(&tag.parse().unwrap()).await.unwrap();
        assert_eq!(at.unwrap().to_string(), stage.digest("1.3.0"), "{tag}");
    }
    request.withdraw = Some(named("1.3.1"));
    request.timeline.account.now = minute(6);
    assert!(!rolled_back(request).await.has_changes());
}

#[tokio::test]
async fn entries_in_another_repository_are_read_and_written_there() {
    let stage = Stage::start().await;
    let records: shipmark::image::Destination = format!("{}/records", stage.registry.host())
        .parse()
        .unwrap();
    for (now, version) in [(0, "1.3.0"), (1, "1.3.1")] {
        let mut request = stage.promotion(version, now);
        request.record.as_mut().unwrap().entries_at = Some(records.clone());
        done(request, &context()).await;
    }
    let mut request = stage.request(5, 1);
    request.timeline.location.entries_at = Some(records);
    rolled_back(request).await;
    assert_eq!(stage.tag("prod"), "1.3.0");
    assert_eq!(entries(&stage.registry, "prod"), [] as [&str; 0]);
    assert_eq!(entries(&stage.registry, "records").len(), 3);
}

#[tokio::test]
async fn a_moved_tag_does_not_say_which_version_is_meant() {
    let stage = Stage::released(&["1.3.0", "1.4.0", "1.5.0"]).await;
    stage.set_tag("1.2.0", &stage.digest("1.4.0"));
    for name in ["1.2.0", "latest", "1.4"] {
        let mut to = stage.request(5, 1);
        to.to = Some(named(name));
        let refusal = stage.refused(to).await;
        assert!(
            refusal.contains(&format!("has no release {name}")),
            "{refusal}"
        );
        let mut withdraw = stage.request(5, 1);
        withdraw.withdraw = Some(named(name));
        let refusal = stage.refused(withdraw).await;
        assert!(refusal.contains("of which no record says"), "{refusal}");
    }
}

#[tokio::test]
async fn a_repeated_job_does_not_withdraw_what_was_released_again() {
    let stage = Stage::released(&["1.3.0", "1.4.0", "1.4.1"]).await;
    rolled_back(stage.request(5, 1)).await;
    done(stage.reinstatement("1.4.1", 6), &context()).await;
    for name in [None, Some(named("1.4.1"))] {
        let mut again = stage.request(7, 1);
        again.withdraw = name;
        again.timeline.account.run.as_mut().unwrap().attempt = Some(2);
        let refusal = stage.refused(again).await;
        assert!(
            refusal.contains("this run withdrew") && refusal.contains("released again after that"),
            "{refusal}"
        );
    }
    let outcome = rolled_back(stage.request(8, 2)).await;
    assert_eq!(outcome.withdrawn.version.as_deref(), Some("1.4.1"));
}

#[tokio::test]
async fn a_repair_does_not_move_the_environment_to_an_incomplete_image() {
    let stage = Stage::released(&["1.3.0", "1.3.1"]).await;
    stage.roll_back(5).await;
    stage.set_tag("prod", &stage.digest("1.3.1"));
    let (_, manifest) = stage
        .registry
        .manifest("prod", &stage.digest("1.3.0"))
        .unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let config = manifest["config"]["digest"].as_str().unwrap();
    stage.registry.remove_blob("prod", config);
    let refusal = stage.refused(stage.request(6, 2)).await;
    assert!(refusal.contains("lacks the config"), "{refusal}");
    assert_eq!(stage.tag("prod"), "1.3.1");
}

#[tokio::test]
async fn a_repeated_reinstatement_is_unchanged() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    stage.roll_back(5).await;
    let reinstatement = stage.reinstatement("1.4.0", 6);
    done(reinstatement.clone(), &context()).await;
    stage.registry.clear_log();
    let mut again = reinstatement;
    let account = &mut again.record.as_mut().unwrap().account;
    account.run.as_mut().unwrap().attempt = Some(2);
    let outcome = done(again, &context()).await;
    assert!(!outcome.has_changes());
    assert_eq!(writes(&stage.registry), 0);
    let other = stage.reinstatement("1.4.0", 7);
    let failure = run(&other, &context()).await.unwrap_err();
    let refusal = stage.refusal(failure);
    assert!(refusal.contains("is not withdrawn"), "{refusal}");
}

#[tokio::test]
async fn promise_6_a_deleted_image_is_withdrawn_by_its_entry_alone() {
    for referrers in [true, false] {
        let stage = Stage::with(Profile::plain().referrers(referrers)).await;
        for (now, version) in [(0, "1.3.0"), (1, "1.3.1")] {
            stage.release(version, now).await;
        }
        let digest = stage.digest("1.3.1");
        stage.registry.remove_manifest("prod", &digest);
        let mut tags = stage.registry.tags("prod");
        tags.retain(|_, named| *named != digest);
        stage.registry.set_tags("prod", tags);
        let before = stage.registry.referrers("prod", &digest).len();
        let outcome = stage.roll_back(5).await;
        assert_eq!(version(&outcome.restored), "1.3.0");
        let note = format!("{digest} is gone from the repository");
        assert!(outcome.notes[0].starts_with(&note), "{:?}", outcome.notes);
        for tag in ["prod", "1.3", "1", "latest"] {
            assert_eq!(stage.tag(tag), "1.3.0", "{tag}");
        }
        assert_eq!(stage.tag("1.3.1"), "");
        assert_eq!(stage.registry.referrers("prod", &digest).len(), before);
        let newest = entries(&stage.registry, "prod").pop().unwrap();
        let record = record(&stage.registry, "prod", &newest);
        assert_eq!(record.root.to_string(), digest);
        let refusal = stage.refused(stage.request(6, 2_000)).await;
        assert!(refusal.contains("no release to go back to"), "{refusal}");
    }
}
