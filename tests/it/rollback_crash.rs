//! A rollback that dies at any request is completed by its repetition.

use futures_util::{StreamExt, stream};
use shipmark::release::rollback;

use crate::crash::die_at;
use crate::registry::{Effect, Fault, Profile};
use crate::support::context;
use crate::support::recorded_stage::*;
use crate::support::records::*;

/// Deaths at the same time: most of them wait.
const AT_ONCE: usize = 4;

async fn stage(referrers: bool) -> Stage {
    let stage = Stage::with(Profile::plain().referrers(referrers)).await;
    for (now, version) in [(0, "1.3.0"), (1, "1.3.1"), (2, "1.3.2")] {
        stage.release(version, now).await;
    }
    stage.registry.clear_log();
    stage
}

async fn dies_at(at: usize, effect: Effect, referrers: bool) {
    let stage = stage(referrers).await;
    let before = stage.registry.count();
    stage.registry.fault(Fault::at(before + at, effect));
    let (request, context) = (stage.request(5, 1), context());
    let run = rollback(&request, &context);
    die_at(run, &stage.registry, before + at).await;
    stage.registry.clear_faults();
    stage.registry.resume();
    let when = format!("request {at}");
    let mut again = stage.request(9, 1);
    again.timeline.account.run.as_mut().unwrap().attempt = Some(2);
    let outcome = rolled_back(again).await;
    assert_eq!(
        outcome.withdrawn.version.as_deref(),
        Some("1.3.2"),
        "{when}"
    );
    for tag in ["prod", "1.3", "1", "latest"] {
        assert_eq!(stage.tag(tag), "1.3.1", "{when}: {tag}");
    }
    let rollbacks = entries(&stage.registry, "prod");
    let rollbacks = rollbacks
        .iter()
        .filter(|entry| entry.contains(".rollback."));
    assert_eq!(rollbacks.count(), 1, "{when}");
    if referrers {
        let intents = stage.registry.referrers("prod", &stage.digest("1.3.2"));
        assert_eq!(
            intents.len(),
            2,
            "{when}: one of the release, one of the rollback"
        );
    }
    assert_eq!(stage.registry.dangling(), Vec::<String>::new(), "{when}");
}

async fn dies_at_every_request(effect: fn() -> Effect, referrers: bool) {
    let undisturbed = stage(referrers).await;
    let before = undisturbed.registry.count();
    rolled_back(undisturbed.request(5, 1)).await;
    let requests = undisturbed.registry.count() - before;
    assert!(requests > 10, "{requests}");
    stream::iter(1..=requests)
        .for_each_concurrent(AT_ONCE, |at| dies_at(at, effect(), referrers))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_rollback_killed_before_any_request_is_completed_by_its_repetition() {
    dies_at_every_request(|| Effect::StopForGood, true).await;
    dies_at_every_request(|| Effect::StopForGood, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_rollback_killed_after_any_request_is_completed_by_its_repetition() {
    dies_at_every_request(|| Effect::StopForGoodAfter, true).await;
    dies_at_every_request(|| Effect::StopForGoodAfter, false).await;
}
