//! A hold or its end that dies at any request: the image stays, and the repetition does what is missing.

use futures_util::{StreamExt, stream};

use super::*;
use crate::crash::die_at;
use crate::registry::{Effect, Fault, Profile};

/// Deaths at the same time: most of them wait.
const AT_ONCE: usize = 4;

async fn stage(deletes: bool, is_on_hold: bool) -> Stage {
    let stage = Stage::with(Profile::plain().deletes(deletes)).await;
    for (now, version) in [(0, "1.3.0"), (1, "1.4.0")] {
        stage.release(version, now).await;
    }
    if is_on_hold {
        changed(hold_request(&stage, "1.3.0", 2)).await;
    }
    stage.registry.clear_log();
    stage
}

fn request(stage: &Stage, lifts: bool, now: i64) -> HoldRequest {
    match lifts {
        true => lift_request(stage, now),
        false => hold_request(stage, "1.3.0", now),
    }
}

async fn dies_at(at: usize, effect: Effect, deletes: bool, lifts: bool) {
    let stage = stage(deletes, lifts).await;
    let before = stage.registry.count();
    stage.registry.fault(Fault::at(before + at, effect));
    let (first, context) = (request(&stage, lifts, 5), context());
    let run = change_hold(&first, &context);
    die_at(run, &stage.registry, before + at).await;
    stage.registry.clear_faults();
    stage.registry.resume();
    let when = format!("request {at}, lifts: {lifts}, deletes: {deletes}");
    let image = stage.digest("1.3.0");
    let is_recorded = hold_records(&stage).len() > usize::from(lifts);
    let is_tagged = tag_of_hold(&stage).as_ref() == Some(&image);
    match lifts {
        // The record comes after the tag, so that nobody reads of a hold that is not there.
        false => assert!(is_tagged || !is_recorded, "{when}"),
        // The tag goes after the record, so that no image is without its hold that nobody has lifted.
        true => assert!(is_tagged || is_recorded, "{when}"),
    }
    changed(request(&stage, lifts, 9)).await;
    let actions = hold_records(&stage);
    assert_eq!(actions.len(), 1 + usize::from(lifts), "{when}: {actions:?}");
    match (lifts, deletes) {
        (false, _) => assert_eq!(tag_of_hold(&stage), Some(image), "{when}"),
        (true, true) => assert_eq!(tag_of_hold(&stage), None, "{when}"),
        (true, false) => assert!(is_emptied(&stage), "{when}"),
    }
    assert_eq!(stage.tag("1.3.0"), "1.3.0", "{when}");
    assert_eq!(stage.registry.dangling(), Vec::<String>::new(), "{when}");
}

async fn dies_at_every_request(effect: fn() -> Effect, deletes: bool, lifts: bool) {
    let undisturbed = stage(deletes, lifts).await;
    let before = undisturbed.registry.count();
    changed(request(&undisturbed, lifts, 5)).await;
    let requests = undisturbed.registry.count() - before;
    assert!(requests > 8, "{requests}");
    stream::iter(1..=requests)
        .for_each_concurrent(AT_ONCE, |at| dies_at(at, effect(), deletes, lifts))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_killed_at_any_request_is_completed_by_its_repetition() {
    dies_at_every_request(|| Effect::StopForGood, true, false).await;
    dies_at_every_request(|| Effect::StopForGoodAfter, true, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_of_a_hold_killed_at_any_request_is_completed_by_its_repetition() {
    for deletes in [true, false] {
        dies_at_every_request(|| Effect::StopForGood, deletes, true).await;
        dies_at_every_request(|| Effect::StopForGoodAfter, deletes, true).await;
    }
}

#[tokio::test]
async fn requests_of_a_hold_and_of_its_end_are_counted() {
    for (deletes, lifts, expected) in [(true, false, 11), (true, true, 10), (false, true, 10)] {
        let stage = stage(deletes, lifts).await;
        let before = stage.registry.count();
        changed(request(&stage, lifts, 5)).await;
        let requests = stage.registry.requests();
        let count = stage.registry.count() - before;
        assert_eq!(count, expected, "lifts: {lifts}: {requests:#?}");
    }
}
