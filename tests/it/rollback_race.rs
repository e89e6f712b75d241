//! A rollback and a promotion at the same time: no line and no environment tag ends on the withdrawn image.

use std::time::Duration;

use shipmark::release::run;

use crate::registry::{Effect, Fault};
use crate::support::context;
use crate::support::recorded_stage::*;
use crate::support::records::*;

/// Lets the first request that matches wait until the other run has probably ended.
fn slow(method: &str, part: &str) -> Fault {
    Fault::on(method, part, Effect::Delay(Duration::from_millis(1_500)))
}

/// Plays a rollback of 1.4.0 at minute 5 against a promotion of 1.5.0.
async fn play(slowed: Fault, promoted_at: i64, promotion_first: bool) {
    let stage = Stage::released(&["1.3.0", "1.4.0"]).await;
    let promotion = stage.promotion("1.5.0", promoted_at);
    stage.registry.fault(slowed);
    let pause = |waits: bool| async move {
        if waits {
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    };
    let mut request = stage.request(5, 1);
    request.withdraw = Some(named("1.4.0"));
    let rollback = async {
        pause(promotion_first).await;
        rolled_back(request).await
    };
    let promotion = async {
        pause(!promotion_first).await;
        run(&promotion, &context()).await.unwrap()
    };
    tokio::join!(rollback, promotion);
    let entries = entries(&stage.registry, "prod");
    let current = match entries.last().unwrap().contains(".rollback.") {
        // Of a release that is not current nothing is put back.
        true if stage.tag("prod") == "1.5.0" => "1.5.0",
        true => "1.3.0",
        false => "1.5.0",
    };
    assert_eq!(stage.tag("prod"), current, "{entries:?}");
    for tag in ["1", "latest"] {
        assert_eq!(stage.tag(tag), "1.5.0", "{tag}: {entries:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_4_a_promotion_between_the_plan_and_the_entry_of_a_rollback() {
    play(slow("PUT", "manifests/shipmark."), 6, false).await;
    play(slow("PUT", "manifests/shipmark."), 4, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_4_a_promotion_between_the_plan_and_the_tags_of_a_rollback() {
    play(slow("PUT", "prod/manifests/prod"), 6, false).await;
    play(slow("PUT", "prod/manifests/latest"), 6, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_4_a_rollback_between_the_plan_and_the_entry_of_a_promotion() {
    play(slow("PUT", "manifests/shipmark."), 6, true).await;
    play(slow("PUT", "prod/manifests/latest"), 6, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_4_of_two_rollbacks_the_one_that_moved_no_tag_looks_again() {
    let stage = Stage::released(&["1.1.0", "1.1.1", "1.1.2"]).await;
    let mut middle = stage.request(5, 1);
    middle.withdraw = Some(named("1.1.1"));
    stage.registry.fault(slow("PUT", "manifests/shipmark."));
    let current = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        rolled_back(stage.request(6, 2)).await
    };
    let (middle, current) = tokio::join!(rolled_back(middle), current);
    assert_eq!(
        version(&current.restored),
        "1.1.1",
        "it was no rollback yet"
    );
    for tag in ["prod", "1", "1.1", "latest"] {
        assert_eq!(stage.tag(tag), "1.1.0", "{tag}");
    }
    let moved = middle.tags.iter().filter(|tag| tag.target().is_some());
    assert_eq!(moved.count(), 4, "{:?}", middle.tags);
}
