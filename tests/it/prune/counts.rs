//! Requests of a small plan and of the run that applies it, exactly.

use super::stage::*;
use crate::registry::Profile;
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
