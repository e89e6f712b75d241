//! Requests of a small plan and of the run that applies it, exactly.

use shipmark::prune::plan_prune;

use super::stage::*;
use crate::registry::Profile;
use crate::support::process::{Place, Ran};
use crate::support::*;

/// Returns requests in their order by text: reads are sent at the same time.
fn sorted(mut requests: Vec<String>) -> Vec<String> {
    requests.sort();
    requests
}

#[tokio::test]
async fn a_plan_reads_each_tag_manifest_and_list_once_and_configs_of_candidates_alone() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    stage.plan(rules([tagged("pr-*", Some(14))])).await;
    let requests = stage.requests();
    assert!(requests[0].starts_with("GET tags/list"), "{requests:#?}");
    let blobs = requests.iter().filter(|it| it.contains("blobs/")).count();
    assert_eq!(blobs, 2, "the configs of a and b: {requests:#?}");
    let rest: Vec<String> = requests[1..]
        .iter()
        .filter(|it| !it.contains("blobs/"))
        .cloned()
        .collect();
    assert_eq!(
        sorted(rest),
        sorted(
            [
                "GET manifests/1.0.0 200",
                "GET manifests/S(I) 200",
                "GET manifests/S(a) 200",
                "GET manifests/a 200",
                "GET manifests/b 200",
                "GET manifests/pr-1 200",
                "GET referrers/I 200",
                "GET referrers/S(I) 200",
                "GET referrers/S(a) 200",
                "GET referrers/a 200",
                "GET referrers/b 200",
                "GET referrers/other 200",
            ]
            .map(str::to_owned)
            .into()
        )
    );
}

#[tokio::test]
async fn a_deletion_reads_right_before_what_it_deletes() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let rules = rules([tagged("pr-*", Some(14))]);
    let file = stage.plan_file(rules.clone()).await;
    stage.registry.clear_log();
    stage.apply(rules, &file, &context()).await.unwrap();
    let requests = stage.requests();
    let first = requests
        .iter()
        .position(|it| it.starts_with("DELETE"))
        .unwrap();
    let list = "GET tags/list?n=1000 200".to_owned();
    let mut expected = vec![
        "HEAD manifests/pr-1 200".to_owned(),
        "DELETE manifests/pr-1 202".to_owned(),
    ];
    let [a, b] = stage.by_digest(["a", "b"]);
    for name in ["S(a)", "S(I)", "I", a, b] {
        expected.extend([list.clone(), format!("DELETE manifests/{name} 202")]);
    }
    // The check after the run: tags, and what each names.
    expected.extend([list, "HEAD manifests/1.0.0 200".to_owned()]);
    assert_eq!(requests[first - 1..], expected);
}

#[tokio::test]
async fn with_a_cache_a_plan_asks_for_tags_and_lists_of_referrers_alone() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let cache = tempfile::tempdir().unwrap();
    let mut request = stage.request(rules([tagged("pr-*", Some(14))]));
    request.cache = Some(cache.path().to_owned());
    for is_warm in [false, true] {
        stage.registry.clear_log();
        let plan = plan_prune(&request, &context()).await.unwrap();
        // The first one, by TLS, does not reach the registry.
        assert_eq!(plan.requests, stage.registry.count() as u64 + 1);
        let expected = [
            "GET referrers/I 200",
            "GET referrers/S(I) 200",
            "GET referrers/S(a) 200",
            "GET referrers/a 200",
            "GET referrers/b 200",
            "GET referrers/other 200",
            "GET tags/list?n=1000 200",
            "HEAD manifests/1.0.0 200",
            "HEAD manifests/pr-1 200",
        ];
        match is_warm {
            true => assert_eq!(sorted(stage.requests()), expected),
            // Four manifests that no tag names, and two configs.
            false => assert_eq!(stage.registry.count(), expected.len() + 6),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_takes_no_request() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let place = Place::new();
    std::fs::create_dir_all(place.path(".github")).unwrap();
    let policy = format!(
        "environments:\n  dev: {{repository: {}}}\nretention:\n  prune:\n    - {{tags: 'pr-*', older-than: 14d}}\n",
        stage.place()
    );
    std::fs::write(place.path(".github/shipmark.yml"), policy).unwrap();
    let counts = [&["prune"][..], &["prune", "--explain=pr-1"]].map(|arguments| {
        stage.registry.clear_log();
        let mut command = place.command();
        command.env("SHIPMARK_NOW", NOW).args(arguments);
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(
            ran.status,
            Some(1),
            "one of two images is over the limit: {}",
            ran.log
        );
        sorted(stage.requests())
    });
    assert_eq!(counts[0], counts[1]);
    // One list of tags is that of the records of the environment.
    assert_eq!(counts[0].len(), 16, "{:#?}", counts[0]);
}
