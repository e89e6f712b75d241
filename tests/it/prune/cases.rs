//! Cases 7, 18, 20, 22 and 23 of the table of cases, over HTTP.

use shipmark::image::TagOrDigest;
use shipmark::registry::RepositoryAccess;
use shipmark::release::Failure;

use super::stage::*;
use crate::registry::{Effect, Fault, Profile};
use crate::support::*;

const CASE_7: [&str; 8] = ["pr-1", "S(a)", "S(I)", "sha256-I", "L(I)", "I", "a", "b"];

#[tokio::test]
async fn case_7_a_dry_run_is_what_an_undisturbed_run_deletes() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let rules = rules([tagged("pr-*", Some(14))]);
    let plan = stage.plan(rules.clone()).await;
    assert_eq!(stops(&plan), [""; 0]);
    let [first, second] = stage.by_digest(["a", "b"]);
    let expected = ["pr-1", "S(a)", "S(I)", "I", first, second];
    assert_eq!(stage.steps(&plan), expected);
    assert_eq!(stage.registry.count_of("DELETE"), 0);
    let outcome = stage
        .apply(rules, &to_file(&plan), &context())
        .await
        .unwrap();
    assert_eq!(stage.deleted(&outcome), stage.steps(&plan));
    assert_eq!(stage.there(), ["other".to_owned()].into());
    assert_eq!(stage.registry.tags(WEB).len(), 1);
    let repository = &outcome.repositories[0];
    assert_eq!(repository.holes, []);
    assert!(repository.failure.is_none(), "{:?}", repository.failure);
    assert!(repository.deletions.iter().all(|it| !it.was_absent));
    assert_eq!(
        repository.deletions[0].reason_text(),
        "the rule tags: pr-*, older-than: 14d"
    );
}

#[tokio::test]
async fn case_7_evidence_under_tags_goes_before_its_image() {
    let profile = Profile::plain().referrers(false);
    let stage = PruneStage::signed_pull_request(profile, true).await;
    let rules = rules([tagged("pr-*", Some(14))]);
    let plan = stage.plan(rules.clone()).await;
    let steps = stage.steps(&plan);
    for name in CASE_7 {
        assert!(steps.contains(&name.to_owned()), "{name}: {steps:?}");
    }
    let at = |name: &str| steps.iter().position(|step| step == name).unwrap();
    assert_eq!(at("pr-1"), 0);
    assert!(at("S(I)") < at("L(I)") && at("L(I)") < at("I") && at("S(a)") < at("a"));
    assert!(at("I") < at("a") && at("I") < at("b"));
    let outcome = stage
        .apply(rules, &to_file(&plan), &context())
        .await
        .unwrap();
    assert_eq!(stage.deleted(&outcome), steps);
    assert_eq!(stage.there(), ["other".to_owned()].into());
}

#[tokio::test]
async fn case_18_a_hold_keeps_its_image_also_from_an_older_plan() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let rules = rules([tagged("pr-*", Some(14))]);
    let file = stage.plan_file(rules.clone()).await;
    stage.tag("hold.case-7", "I");
    let plan = stage.plan(rules.clone()).await;
    assert_eq!(stage.steps(&plan), [""; 0]);
    stage.registry.clear_log();
    let outcome = stage.apply(rules, &file, &context()).await.unwrap();
    assert_eq!(stage.deleted(&outcome), [""; 0]);
    assert_eq!(stage.registry.count_of("DELETE"), 0);
}

#[tokio::test]
async fn case_20_a_list_that_is_cut_or_an_index_that_cannot_be_read_stops_everything() {
    let rules = rules([tagged("pr-*", Some(14))]);
    let page = || Profile::plain().page_size(1);
    for (method, part, status, expected) in [
        ("GET", "last=1.0.0", 429, "the list of tags"),
        ("GET", "last=1.0.0", 404, "the list of tags"),
        ("GET", "manifests/1.0.0", 500, "the tag 1.0.0"),
        ("GET", "referrers/", 503, "the referrers of"),
    ] {
        let stage = PruneStage::signed_pull_request(page(), false).await;
        let file = stage.plan_file(rules.clone()).await;
        let fault = Fault::on(method, part, Effect::status(status)).always();
        stage.registry.fault(fault);
        stage.registry.clear_log();
        let plan = stage.plan(rules.clone()).await;
        let found = stops(&plan).join("\n");
        assert!(found.contains(expected), "{part} {status}: {found}");
        assert_eq!(stage.steps(&plan), [""; 0]);
        let outcome = stage.apply(rules.clone(), &file, &context()).await.unwrap();
        assert_eq!(stage.deleted(&outcome), [""; 0], "{part} {status}");
        assert!(outcome.plan.is_stopped());
        assert_eq!(stage.registry.count_of("DELETE"), 0);
    }
}

#[tokio::test]
async fn case_20_a_kept_index_that_cannot_be_read_stops_everything() {
    let mut stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    stage.image("c", 30);
    stage.index("J", &["c"]);
    stage.tag("2.0.0", "J");
    let c = stage.digest_of("c").to_string();
    let fault = Fault::on("GET", &format!("manifests/{c}"), Effect::status(500)).always();
    stage.registry.fault(fault);
    let plan = stage.plan(rules([tagged("pr-*", Some(14))])).await;
    let found = stops(&plan).join("\n");
    assert!(
        found.contains("could not read 1 of the manifests that stay"),
        "{found}"
    );
}

#[tokio::test]
async fn case_22_an_image_with_a_new_tag_stays_and_the_rest_goes() {
    let mut stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    stage.image("J", 30);
    stage.tag("pr-2", "J");
    let rules = rules([tagged("pr-*", Some(14))]);
    let file = stage.plan_file(rules.clone()).await;
    stage.tag("1.4.0", "J");
    let outcome = stage.apply(rules, &file, &context()).await.unwrap();
    assert_eq!(stage.there(), ["J".to_owned(), "other".to_owned()].into());
    // The tag that the plan has goes alone.
    let left: Vec<_> = stage.registry.tags(WEB).into_keys().collect();
    assert_eq!(left, ["1.0.0", "1.4.0"]);
    assert_eq!(outcome.repositories[0].holes, []);
}

#[tokio::test]
async fn case_23_a_child_of_a_new_index_stays() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let rules = rules([tagged("pr-*", Some(14))]);
    let file = stage.plan_file(rules.clone()).await;
    stage.put_index("2.0.0", &["a"]);
    let outcome = stage.apply(rules, &file, &context()).await.unwrap();
    assert_eq!(stage.deleted(&outcome), ["pr-1", "S(I)", "I", "b"]);
    let there = stage.there();
    assert!(there.contains("a") && there.contains("S(a)"), "{there:?}");
    assert_eq!(stage.registry.dangling(), Vec::<String>::new());
}

#[tokio::test]
async fn a_registry_that_deletes_no_tag_alone_is_planned_for_as_such() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let rules = rules([tagged("pr-*", Some(14))]);
    let file = stage.plan_file(rules.clone()).await;
    let refused = Effect::status_with(
        405,
        &[("content-type", "application/json")],
        r#"{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}"#,
    );
    stage
        .registry
        .fault(Fault::on("DELETE", "manifests/pr-1", refused).always());
    let outcome = stage.apply(rules, &file, &context()).await.unwrap();
    let [first, second] = stage.by_digest(["a", "b"]);
    assert_eq!(
        stage.deleted(&outcome),
        ["I", "S(a)", "S(I)", first, second]
    );
    assert_eq!(stage.there(), ["other".to_owned()].into());
    assert_eq!(outcome.repositories[0].refusals, []);
}

#[tokio::test]
async fn what_the_registry_refuses_stays_with_all_that_it_needs() {
    let stage = PruneStage::signed_pull_request(Profile::plain().deletes(false), false).await;
    let rules = rules([tagged("pr-*", Some(14))]);
    let file = stage.plan_file(rules.clone()).await;
    let before = stage.there();
    let outcome = stage.apply(rules.clone(), &file, &context()).await.unwrap();
    let repository = &outcome.repositories[0];
    assert_eq!(stage.deleted(&outcome), [""; 0]);
    assert_eq!(repository.refusals.len(), 1, "{:?}", repository.refusals);
    assert!(
        repository.refusals[0].reason.contains("405"),
        "{:?}",
        repository.refusals
    );
    assert_eq!(stage.there(), before);
    // One that refuses the index alone.
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let index = stage.digest_of("I").to_string();
    let fault = Fault::on("DELETE", &index, Effect::status(403)).always();
    stage.registry.fault(fault);
    let file = stage.plan_file(rules.clone()).await;
    let outcome = stage.apply(rules, &file, &context()).await.unwrap();
    assert_eq!(outcome.repositories[0].refusals.len(), 1);
    assert_eq!(stage.registry.dangling(), Vec::<String>::new());
    for name in ["I", "a", "b"] {
        assert!(stage.there().contains(name), "{name}");
    }
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_done() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let rules = rules([tagged("pr-*", Some(14))]);
    let file = stage.plan_file(rules.clone()).await;
    let index = stage.digest_of("I").to_string();
    stage
        .registry
        .fault(Fault::on("DELETE", "manifests/pr-1", Effect::ResetAfter));
    stage
        .registry
        .fault(Fault::on("DELETE", &index, Effect::ResetAfter));
    let answer = Effect::status_with(429, &[("retry-after", "0")], "");
    stage.registry.fault(Fault::on("DELETE", "sha256", answer));
    let outcome = stage.apply(rules, &file, &context()).await.unwrap();
    assert_eq!(outcome.repositories[0].holes, []);
    assert_eq!(stage.there(), ["other".to_owned()].into());
}

#[tokio::test]
async fn a_plan_needs_to_read_and_a_deletion_to_delete() {
    let profile = Profile::ghcr().referrers(true);
    let mut stage = PruneStage::new(profile).await;
    stage.add_signed_pull_request(false);
    let (context, _) = context_with(logged_in_to(&[&stage.registry]));
    let rules = rules([tagged("pr-*", Some(14))]);
    let request = stage.request(rules.clone());
    let plan = shipmark::prune::plan_prune(&request, &context)
        .await
        .unwrap();
    let scopes = |stage: &PruneStage| {
        let log = stage.registry.log();
        let bearer = log.iter().filter_map(|it| match &it.authorization {
            crate::registry::Authorization::Bearer(scopes) => Some(scopes.join(" ")),
            _ => None,
        });
        bearer.collect::<std::collections::BTreeSet<_>>()
    };
    let pull = format!("repository:{WEB}:pull");
    assert_eq!(scopes(&stage), [pull.clone()].into());
    let outcome = stage.apply(rules, &to_file(&plan), &context).await.unwrap();
    assert_eq!(stage.there(), ["other".to_owned()].into());
    assert_eq!(outcome.repositories[0].refusals, []);
    let delete = format!("repository:{WEB}:delete,pull");
    assert_eq!(scopes(&stage), [pull, delete].into());
}

#[tokio::test]
async fn a_manifest_is_deleted_by_the_client_and_a_refusal_is_none() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let place = stage.place().parse().unwrap();
    let access = RepositoryAccess::PullDelete;
    let remote = context().registry.open_repository(&place, access, &[]);
    let target = TagOrDigest::Tag("pr-1".parse().unwrap());
    use shipmark::registry::DeletionResult;
    let first = remote.delete_manifest(&target).await.unwrap();
    assert!(matches!(first, DeletionResult::Deleted));
    let second = remote.delete_manifest(&target).await.unwrap();
    assert!(matches!(second, DeletionResult::Absent));
    stage
        .registry
        .fault(Fault::on("DELETE", "", Effect::status(412)));
    let third = remote.delete_manifest(&target).await.unwrap();
    assert!(matches!(third, DeletionResult::Refused(_)));
    stage
        .registry
        .fault(Fault::on("DELETE", "", Effect::status(503)).always());
    assert!(remote.delete_manifest(&target).await.is_err());
}

#[tokio::test]
async fn the_limit_on_requests_ends_a_run_and_the_cache_brings_it_further() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let cache = tempfile::tempdir().unwrap();
    let mut request = stage.request(rules([tagged("pr-*", Some(14))]));
    request.cache = Some(cache.path().to_owned());
    request.max_requests = Some(9);
    let first = shipmark::prune::plan_prune(&request, &context()).await;
    let Err(Failure::Incomplete(diagnostic)) = first else {
        panic!("{first:?}");
    };
    let text = diagnostic.to_string();
    assert!(text.contains("max-requests: 9 requests are sent"), "{text}");
    assert!(stage.registry.count() <= 9 + 1, "{:?}", stage.requests());
    request.max_requests = None;
    stage.registry.clear_log();
    let plan = shipmark::prune::plan_prune(&request, &context())
        .await
        .unwrap();
    let warm = stage.registry.count();
    stage.registry.clear_log();
    let cold = stage.plan(rules([tagged("pr-*", Some(14))])).await;
    assert_eq!(stage.steps(&plan), stage.steps(&cold));
    stage.registry.clear_log();
    let again = shipmark::prune::plan_prune(&request, &context())
        .await
        .unwrap();
    assert_eq!(stage.steps(&again), stage.steps(&cold));
    // Tags, their digests and the referrers alone are asked for.
    let reads = stage.requests().into_iter();
    let reads: Vec<_> = reads
        .filter(|it| it.starts_with("GET manifests") || it.contains("blobs"))
        .collect();
    assert_eq!(reads, [""; 0], "{warm}");
}
