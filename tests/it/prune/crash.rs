//! A run that dies at any request: no tag and no kept index has a hole, and the next run ends where an undisturbed one
//! does (case 24).

use super::stage::*;
use crate::crash::die_at;
use crate::registry::{Effect, Fault, Profile};
use crate::support::*;

async fn dies_at_every_request(profile: fn() -> Profile, has_list: bool, effect: fn() -> Effect) {
    let stage = PruneStage::signed_pull_request(profile(), has_list).await;
    let rules = rules([tagged("pr-*", Some(14))]);
    let file = stage.plan_file(rules.clone()).await;
    let before = stage.registry.snapshot();
    stage.registry.clear_log();
    stage.apply(rules.clone(), &file, &context()).await.unwrap();
    let requests = stage.registry.count();
    let expected = (stage.there(), stage.registry.tags(WEB));
    assert!(requests > 25, "{requests}");
    let mut deleted_some = 0;
    for at in 1..=requests {
        stage.registry.restore(&before);
        stage.registry.fault(Fault::at(at, effect()));
        let context_of_run = context();
        let run = stage.apply(rules.clone(), &file, &context_of_run);
        die_at(run, &stage.registry, at).await;
        let when = format!("died at {at} of {requests}");
        stage.assert_no_hole(&when);
        deleted_some += usize::from(
            stage.there() != expected.0 && !stage.registry.tags(WEB).contains_key("pr-1"),
        );
        stage.registry.clear_faults();
        stage.registry.resume();
        let outcome = stage.apply(rules.clone(), &file, &context()).await.unwrap();
        assert_eq!(outcome.repositories[0].holes, [], "{when}");
        assert_eq!(
            (stage.there(), stage.registry.tags(WEB)),
            expected,
            "{when}"
        );
    }
    assert!(deleted_some > 3, "{deleted_some}");
}

#[tokio::test]
async fn case_24_a_run_that_dies_before_a_request_is_finished_by_the_next() {
    dies_at_every_request(Profile::plain, false, || Effect::StopForGood).await;
}

#[tokio::test]
async fn case_24_a_run_that_dies_after_a_request_is_finished_by_the_next() {
    dies_at_every_request(Profile::plain, false, || Effect::StopForGoodAfter).await;
}

#[tokio::test]
async fn case_24_a_run_that_dies_without_the_referrers_api_is_finished_by_the_next() {
    let profile = || Profile::plain().referrers(false);
    dies_at_every_request(profile, true, || Effect::StopForGoodAfter).await;
}
