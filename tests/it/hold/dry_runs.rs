//! Dry runs of holds and of their ends: they say what would be written, and send what reads alone.

use shipmark::release::{HoldChange, HoldOutcome, HoldRequest, HoldTagChange};

use super::*;

fn dry(request: HoldRequest) -> HoldRequest {
    HoldRequest {
        dry_run: true,
        ..request
    }
}

/// Returns what a dry run would change, and how many requests it sends, none of which writes.
async fn shown(stage: &Stage, request: HoldRequest) -> (HoldOutcome, usize) {
    let tags = stage.registry.tags("prod");
    stage.registry.clear_log();
    let outcome = changed(dry(request)).await;
    let requests = stage.registry.requests();
    let is_read = |line: &&String| line.starts_with("GET ") || line.starts_with("HEAD ");
    assert!(requests.iter().all(|line| is_read(&line)), "{requests:#?}");
    assert_eq!(stage.registry.tags("prod"), tags);
    assert!(outcome.dry_run);
    (outcome, requests.len())
}

#[tokio::test]
async fn a_dry_run_says_what_a_hold_and_its_end_would_write() {
    let stage = Stage::released(&["1.3.0"]).await;
    let (shown_hold, requests) = shown(&stage, hold_request(&stage, "1.3.0", 5)).await;
    assert_eq!(requests, 4);
    let placed = changed(hold_request(&stage, "1.3.0", 6)).await;
    assert_eq!(shown_hold.tag_change, placed.tag_change);
    assert_eq!(shown_hold.digest, placed.digest);
    assert!(shown_hold.is_changed() && shown_hold.record_id().is_none());
    assert!(shown_hold.record.is_some() && placed.record_id().is_some());
    // A hold that is there needs nothing, with and without a dry run.
    let (again, _) = shown(&stage, hold_request(&stage, "1.3.0", 7)).await;
    assert!(!again.is_changed());
    assert_eq!(again.record_id(), placed.record_id());
    let (shown_end, requests) = shown(&stage, lift_request(&stage, 8)).await;
    assert_eq!(requests, 5);
    assert_eq!(shown_end.tag_change, HoldTagChange::Deleted);
    assert_eq!(shown_end.digest, placed.digest);
    assert_eq!(hold_records(&stage), ["hold case-7 audit of 2026"]);
    let lifted = changed(lift_request(&stage, 9)).await;
    assert_eq!(lifted.tag_change, shown_end.tag_change);
    let (nothing, _) = shown(&stage, lift_request(&stage, 10)).await;
    assert_eq!(nothing.tag_change, HoldTagChange::Absent);
    assert!(!nothing.is_changed());
}

#[tokio::test]
async fn a_dry_run_refuses_what_the_run_refuses() {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    changed(hold_request(&stage, "1.3.0", 5)).await;
    for image in ["1.4.0", "9.9.9"] {
        let request = || hold_request(&stage, image, 6);
        let message = refused(dry(request())).await;
        assert_eq!(message, refused(request()).await, "{image}");
    }
}

#[tokio::test]
async fn a_dry_run_without_an_environment_reads_the_image_and_the_tag_of_the_hold() {
    let stage = Stage::released(&["1.3.0"]).await;
    let alone = |request: HoldRequest| HoldRequest {
        timeline: None,
        ..request
    };
    let (outcome, requests) = shown(&stage, alone(hold_request(&stage, "1.3.0", 5))).await;
    assert_eq!(outcome.tag_change, HoldTagChange::Written);
    assert_eq!(requests, 3, "tag, manifest, tag of the hold");
    let lifts = alone(lift_request(&stage, 6));
    assert_eq!(lifts.change, HoldChange::Lift);
    let (outcome, requests) = shown(&stage, lifts).await;
    assert_eq!(outcome.tag_change, HoldTagChange::Absent);
    assert_eq!(requests, 1, "tag of the hold");
}
