//! A push to a branch after a squash or rebase merge: GitHub tells which pull request the commit brought in.

use super::*;
use crate::github::GithubServer;
use crate::github::pulls::TestPull;

/// A stage with a squashed commit, and GitHub's API.
async fn squashed() -> (Stage, GithubServer, String) {
    let stage = Stage::new().await;
    let github = GithubServer::start().await;
    std::fs::write(stage.place.path("ca.pem"), github.ca_pem()).unwrap();
    let squashed = add_commit(
        stage.place.root(),
        "b",
        "Feature (#7)",
        &[&stage.policy_commit],
    );
    (stage, github, squashed)
}

fn promote(stage: &Stage, github: &GithubServer, sha: &str, more: &[(&str, &str)]) -> Ran {
    let inputs = [
        ("command", "promote"),
        ("environment", "stage"),
        ("github-token", "ghs_secret"),
        ("ca-file", "ca.pem"),
    ];
    stage.registry.clear_log();
    github.clear_log();
    let trigger = ("push", "refs/heads/main", sha);
    let mut step = stage.step(trigger, &[&inputs[..], more].concat());
    step.env("GITHUB_API_URL", github.url())
        .env("GITHUB_REPOSITORY", "acme/web")
        .env_remove("GITHUB_RUN_ID");
    Ran::of(step.output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_1_a_squashed_commit_releases_the_image_of_its_pull_requests_head() {
    let (stage, github, squashed) = squashed().await;
    let built = stage.build("dev", TWIN, 1);
    stage.build("dev", COMMIT, 2);
    github.add_pull_request(
        &squashed,
        &TestPull {
            merge_commit: Some(&squashed),
            head_sha: TWIN,
            ..TestPull::default()
        },
    );
    let ran = promote(&stage, &github, &squashed, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(stage.current("stage"), built);
    assert!(
        ran.log.contains("merged pull request #7 of feature"),
        "{}",
        ran.log
    );
    assert_eq!(github.count(), 1, "{:?}", github.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_1_the_release_branch_of_a_squashed_pull_request_names_commit_and_version() {
    let (stage, github, squashed) = squashed().await;
    let built = stage.build("dev", OTHER, 1);
    let branch = format!("release/v1.2.0-sha-{}", &OTHER[..7]);
    github.add_pull_request(
        &squashed,
        &TestPull {
            merge_commit: Some(&squashed),
            head_branch: &branch,
            head_sha: OTHER,
            ..TestPull::default()
        },
    );
    let ran = promote(&stage, &github, &squashed, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(stage.current("stage"), built);
    assert_eq!(stage.registry.tags("stage")["1.2.0"], built);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_1_no_other_pull_request_names_the_commit() {
    type Change = fn(&mut TestPull<'_>);
    let rows: [(&str, Change); 5] = [
        ("open", |pull| pull.is_merged = false),
        ("merged by another commit", |pull| {
            pull.merge_commit = Some(OTHER)
        }),
        ("of a fork", |pull| pull.head_repository = Some("evil/web")),
        ("into another repository", |pull| {
            pull.base_repository = "evil/web"
        }),
        ("into another branch", |pull| pull.base_branch = "develop"),
    ];
    for (what, change) in rows {
        let (stage, github, squashed) = squashed().await;
        stage.build("dev", TWIN, 1);
        let mut pull = TestPull {
            merge_commit: Some(&squashed),
            head_sha: TWIN,
            ..TestPull::default()
        };
        change(&mut pull);
        github.add_pull_request(&squashed, &pull);
        let text = stage.failed(promote(&stage, &github, &squashed, &[]), 1);
        assert!(text.contains("is not in dev or hotfix"), "{what}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_1_several_merged_pull_requests_are_refused() {
    let (stage, github, squashed) = squashed().await;
    stage.build("dev", TWIN, 1);
    for number in [7, 8] {
        let pull = TestPull {
            number,
            merge_commit: Some(&squashed),
            head_sha: TWIN,
            ..TestPull::default()
        };
        github.add_pull_request(&squashed, &pull);
    }
    let text = stage.failed(promote(&stage, &github, &squashed, &[]), 1);
    assert!(
        text.contains("merged several pull requests: #7, #8"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_or_no_call_leaves_the_commit_to_git() {
    let (stage, github, squashed) = squashed().await;
    stage.build("dev", TWIN, 1);
    github.with(|content| {
        content
            .permissions
            .retain(|one| !one.starts_with("pull-requests"));
    });
    let ran = promote(&stage, &github, &squashed, &[]);
    assert!(ran.log.contains("add pull-requests: read"), "{}", ran.log);
    stage.failed(ran, 1);
    let ran = promote(&stage, &github, &squashed, &[("offline", "true")]);
    stage.failed(ran, 1);
    assert_eq!(github.count(), 0);
}
