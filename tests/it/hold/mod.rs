//! Holds: tag and record of each, on registries that delete tags alone and on those that do not.

mod crash;
mod dry_runs;
mod places;
mod signed;
mod verbs;

use shipmark::release::{Failure, HoldChange, HoldOutcome, HoldRequest, change_hold};

use crate::support::context;
use crate::support::recorded_stage::*;
use crate::support::records::*;

const HOLD_TAG: &str = "hold.case-7";

/// Request to place the hold `case-7` on an image.
fn hold_request(stage: &Stage, image: &str, now: i64) -> HoldRequest {
    HoldRequest {
        name: "case-7".parse().unwrap(),
        place: stage.place().parse().unwrap(),
        timeline: Some(stage.timeline(now, 2_000 + u64::try_from(now).unwrap())),
        reason: "audit of 2026".to_owned(),
        change: HoldChange::Place(named(image)),
        dry_run: false,
    }
}

/// Request to lift the hold `case-7`.
fn lift_request(stage: &Stage, now: i64) -> HoldRequest {
    HoldRequest {
        reason: "audit closed".to_owned(),
        change: HoldChange::Lift,
        ..hold_request(stage, "", now)
    }
}

async fn changed(request: HoldRequest) -> HoldOutcome {
    match change_hold(&request, &context()).await {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{failure:?}"),
    }
}

async fn refused(request: HoldRequest) -> String {
    match change_hold(&request, &context()).await.unwrap_err() {
        Failure::Refused(diagnostic) | Failure::Input(diagnostic) => diagnostic.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Returns the digest that the tag of the hold names.
fn tag_of_hold(stage: &Stage) -> Option<String> {
    stage.registry.tags("prod").remove(HOLD_TAG)
}

/// Returns whether the tag of the hold names an empty manifest.
fn is_emptied(stage: &Stage) -> bool {
    let manifest = stage.registry.manifest("prod", HOLD_TAG);
    manifest.is_some_and(|(_, bytes)| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.contains(r#""artifactType":"application/vnd.shipmark.unhold.v0.1""#)
    })
}

/// Returns the actions of the records about holds, oldest first.
fn hold_records(stage: &Stage) -> Vec<String> {
    let names = entries(&stage.registry, "prod");
    let about_holds = names.iter().filter(|name| name.contains("hold."));
    let records = about_holds.map(|name| {
        let record = record(&stage.registry, "prod", name);
        let predicate = record.predicate;
        format!(
            "{} {} {}",
            predicate.action,
            predicate.hold.unwrap(),
            predicate.reason.unwrap()
        )
    });
    records.collect()
}
