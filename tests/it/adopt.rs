//! Adoption of what a repository had before records were kept.

use shipmark::record::{EntryName, RecordAction};
use shipmark::release::{AdoptOutcome, AdoptRequest, adopt};

use crate::registry::{Effect, Fault};
use crate::support::recorded_stage::*;
use crate::support::records::*;
use crate::support::*;

/// Releases versions without records.
async fn unrecorded(versions: &[&str]) -> Stage {
    let stage = Stage::start().await;
    for (now, version) in versions.iter().enumerate() {
        release_unrecorded(&stage, version, i64::try_from(now).unwrap()).await;
    }
    stage
}

async fn release_unrecorded(stage: &Stage, version: &str, now: i64) {
    let mut request = stage.promotion(version, now);
    request.record = None;
    done(request, &context()).await;
}

fn request(stage: &Stage, now: i64) -> AdoptRequest {
    AdoptRequest {
        timeline: stage.timeline(now, 3_000),
        excluded_versions: Default::default(),
        dry_run: false,
    }
}

async fn adopted(request: AdoptRequest) -> AdoptOutcome {
    match adopt(&request, &context()).await {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{failure:?}"),
    }
}

fn versions(outcome: &AdoptOutcome) -> Vec<&str> {
    let adopted = outcome.adopted.iter();
    adopted
        .filter_map(|release| release.version.as_deref())
        .collect()
}

#[tokio::test]
async fn releases_are_recorded_oldest_first_and_the_current_one_last() {
    let stage = unrecorded(&["1.10.0", "1.9.0", "1.9.1"]).await;
    let tags = stage.tags();
    let outcome = adopted(request(&stage, 5)).await;
    assert_eq!(versions(&outcome), ["1.9.0", "1.9.1", "1.10.0", "1.9.1"]);
    assert_eq!(version(&outcome.current), "1.9.1");
    assert_eq!(stage.tags(), tags, "no tag moves");
    let entries = entries(&stage.registry, "prod");
    let records = entries
        .iter()
        .map(|entry| record(&stage.registry, "prod", entry));
    let records: Vec<_> = records.collect();
    assert!(
        records
            .iter()
            .all(|record| record.predicate.action == RecordAction::Adopt)
    );
    for pair in records.windows(2) {
        assert_eq!(
            pair[1].predicate.previous,
            [pair[1].predicate.past[0].record]
        );
        assert_eq!(pair[1].predicate.past[0].root, pair[0].root);
    }
    let rolled_back = stage.roll_back(9).await;
    assert_eq!(rolled_back.withdrawn.version.as_deref(), Some("1.9.1"));
    assert_eq!(
        version(&rolled_back.restored),
        "1.10.0",
        "the record before it"
    );
    assert_eq!(stage.tag("1.9"), "1.9.0");
    assert_eq!(stage.tag("prod"), "1.10.0");
}

#[tokio::test]
async fn a_repeated_adoption_writes_nothing_and_one_that_died_goes_on() {
    let stage = unrecorded(&["1.0.0", "1.1.0", "1.2.0"]).await;
    let third = Fault::on("PUT", "manifests/shipmark.", Effect::status(500));
    stage.registry.fault(third.always());
    adopt(&request(&stage, 5), &context()).await.unwrap_err();
    stage.registry.clear_faults();
    assert_eq!(entries(&stage.registry, "prod").len(), 0);
    let outcome = adopted(request(&stage, 6)).await;
    assert_eq!(versions(&outcome), ["1.0.0", "1.1.0", "1.2.0"]);
    let first = entries(&stage.registry, "prod").remove(0);
    assert!(
        first.contains(".20261120t100500000z."),
        "the time of its intent: {first}"
    );
    stage.registry.clear_log();
    let again = adopted(request(&stage, 7)).await;
    assert_eq!(again.adopted, []);
    assert_eq!(again.known, 3);
    assert_eq!(writes(&stage.registry), 0);
    release_unrecorded(&stage, "1.3.0", 8).await;
    let outcome = adopted(request(&stage, 9)).await;
    assert_eq!(versions(&outcome), ["1.3.0"]);
}

/// Such entries are there where an environment begins to sign its records.
#[tokio::test]
async fn many_entries_that_do_not_count_stop_no_adoption() {
    let stage = unrecorded(&["1.0.0", "1.1.0"]).await;
    let digest = stage.digest("1.1.0");
    let root = &digest["sha256:".len()..][..12];
    for second in 0..70 {
        let time = format!("20261120t10{:02}{:02}000z", second / 60, second % 60);
        let tag = format!("shipmark.prod.{time}.promote.{root}.{second:012}");
        assert!(tag.parse::<EntryName>().is_ok(), "{tag}");
        stage.set_tag(&tag, &digest);
    }
    let outcome = adopted(request(&stage, 5)).await;
    assert_eq!(versions(&outcome), ["1.0.0", "1.1.0"]);
}

#[tokio::test]
async fn a_dry_run_lists_and_writes_nothing() {
    let stage = unrecorded(&["1.0.0", "1.1.0"]).await;
    stage.registry.clear_log();
    let mut planned = request(&stage, 5);
    planned.dry_run = true;
    let outcome = adopted(planned).await;
    assert_eq!(versions(&outcome), ["1.0.0", "1.1.0"]);
    assert_eq!(writes(&stage.registry), 0);
    let last: Vec<_> = outcome.adopted[1]
        .tags
        .iter()
        .map(|tag| tag.as_str())
        .collect();
    assert_eq!(last, ["1.1.0", "1", "1.1", "latest", "prod"]);
}

#[tokio::test]
async fn older_versions_are_adopted_into_a_timeline_that_has_begun() {
    let stage = unrecorded(&["1.0.0", "1.1.0"]).await;
    stage.release("1.2.0", 3).await;
    let outcome = adopted(request(&stage, 5)).await;
    assert_eq!(versions(&outcome), ["1.0.0", "1.1.0", "1.2.0"]);
    assert_eq!(version(&outcome.current), "1.2.0");
    let rolled_back = stage.roll_back(9).await;
    assert_eq!(rolled_back.withdrawn.version.as_deref(), Some("1.2.0"));
    assert_eq!(version(&rolled_back.restored), "1.1.0");
}

#[tokio::test]
async fn an_adoption_leaves_the_known_good_release_of_a_running_timeline() {
    let stage = unrecorded(&["1.0.0", "1.1.0"]).await;
    stage.release("1.2.0", 3).await;
    stage.release("1.2.1", 4).await;
    stage.set_tag("prod", &stage.digest("1.0.0"));
    let outcome = adopted(request(&stage, 5)).await;
    assert_eq!(versions(&outcome), ["1.0.0", "1.1.0", "1.2.1"]);
    assert_eq!(version(&outcome.current), "1.2.1", "no tag says it");
    let [note] = outcome.notes.as_slice() else {
        panic!("{:?}", outcome.notes);
    };
    assert!(note.contains("the environment stays on 1.2.1"), "{note}");
    stage.set_tag("prod", &stage.digest("1.2.1"));
    assert_eq!(version(&stage.roll_back(9).await.restored), "1.2.0");
    // What was adopted after 1.2.0 was released is not known to be older.
    let mut next = stage.request(10, 2_000);
    let refusal = stage.refused(next.clone()).await;
    assert!(refusal.contains("no release to go back to"), "{refusal}");
    next.to = Some(named("1.1.0"));
    assert_eq!(version(&rolled_back(next).await.restored), "1.1.0");
}

#[tokio::test]
async fn a_moved_version_tag_is_not_adopted() {
    let stage = Stage::released(&["1.2.0", "1.2.1", "1.2.2"]).await;
    release_unrecorded(&stage, "1.3.0", 3).await;
    stage.set_tag("1.2.0", &stage.digest("1.3.0"));
    stage.registry.clear_log();
    let failure = adopt(&request(&stage, 5), &context()).await.unwrap_err();
    let refusal = stage.refusal(failure);
    for part in [
        "the tag 1.2.0",
        &stage.digest("1.2.0"),
        "exclude-versions: 1.2.0",
    ] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
    let mut without = request(&stage, 6);
    without.excluded_versions = shipmark::tagging::ExcludedVersions::parse(["1.2.0"]).unwrap();
    assert_eq!(versions(&adopted(without).await), ["1.3.0", "1.2.2"]);
}

#[tokio::test]
async fn a_repository_without_releases_has_nothing_to_adopt() {
    let stage = Stage::start().await;
    let outcome = adopted(request(&stage, 5)).await;
    assert_eq!((outcome.adopted.len(), outcome.current), (0, None));
}
