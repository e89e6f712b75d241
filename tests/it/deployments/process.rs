//! The input `deployments` through the process: promotions, rollbacks and marks, with what GitHub shows at the end.

use serde_json::Value;

use crate::github::GithubServer;
use crate::support::COMMIT;
use crate::support::made_image::MadeImage;
use crate::support::process::Ran;
use crate::support::records::entries;
use crate::which_image::Stage;

const POLICY: &str = "\
environments:
  dev: {repository: HOST/dev, tags: 'type=sha'}
  prod: {repository: HOST/prod, from: dev, github-environment: production}
";
/// Commit of a second image.
const NEXT: &str = "2222222222222222222222222222222222222222";

/// A stage with images of two commits in `dev`, and GitHub's API.
async fn start() -> (Stage, GithubServer) {
    let stage = Stage::with(POLICY, &[]).await;
    let github = GithubServer::start().await;
    std::fs::write(stage.place.path("ca.pem"), github.ca_pem()).unwrap();
    for (number, commit) in [(1, COMMIT), (2, NEXT)] {
        stage.push(
            "dev",
            commit,
            &MadeImage::run_as(number, "1000", commit),
            &[],
        );
    }
    (stage, github)
}

/// Runs a verb for a commit, as the run of this id.
fn run(
    stage: &Stage,
    github: &GithubServer,
    (verb, commit, id): (&str, &str, u64),
    more: &[(&str, &str)],
) -> Ran {
    let inputs = [
        ("command", verb),
        ("environment", "prod"),
        ("deployments", "true"),
        ("ca-file", "ca.pem"),
    ];
    github.clear_log();
    let trigger = ("workflow_dispatch", "refs/heads/main", commit);
    let mut step = stage.step(trigger, &[&inputs[..], more].concat());
    step.env("GITHUB_API_URL", github.url())
        .env("GITHUB_REPOSITORY", "acme/web")
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_RUN_ID", id.to_string());
    Ran::of(step.output().unwrap())
}

const TOKEN: (&str, &str) = ("github-token", "ghs_secret");

fn done(stage: &Stage, github: &GithubServer, job: (&str, &str, u64), more: &[(&str, &str)]) {
    let ran = run(stage, github, job, &[&[TOKEN], more].concat());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(!ran.log.contains("left out on GitHub"), "{}", ran.log);
}

/// Commit and states of each deployment, oldest first.
fn deployments(github: &GithubServer) -> Vec<(String, Vec<String>)> {
    let each = github.deployments().into_iter().map(|found| {
        assert_eq!(found["environment"], "production");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let states = github.deployment_states(found["id"].as_u64().unwrap());
        (text(&found["sha"]), states)
    });
    each.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn promotion_rollback_and_mark_have_one_deployment_each_run() {
    let (stage, github) = start().await;
    done(&stage, &github, ("promote", COMMIT, 1), &[]);
    done(&stage, &github, ("promote", NEXT, 2), &[]);
    let found = deployments(&github);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].0, COMMIT);
    assert_eq!(found[1].0, NEXT);
    assert_eq!(found[1].1, ["in_progress", "success"]);
    done(
        &stage,
        &github,
        ("rollback", NEXT, 3),
        &[("reason", "broken")],
    );
    let found = deployments(&github);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[2].0, COMMIT, "the restored release's commit");
    assert_eq!(found[2].1.last().unwrap(), "success");
    done(&stage, &github, ("mark", COMMIT, 4), &[("state", "failed")]);
    let found = deployments(&github);
    assert_eq!(found.len(), 3, "a mark creates none: {found:?}");
    assert_eq!(found[2].1.last().unwrap(), "failure");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_run_adds_no_deployment() {
    let (stage, github) = start().await;
    for _ in 0..2 {
        done(&stage, &github, ("promote", COMMIT, 1), &[]);
    }
    let found = deployments(&github);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1.last().unwrap(), "success");
    assert_eq!(entries(&stage.registry, "prod").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_on_github_is_named_and_changes_no_release() {
    type Run<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let rows: [Run<'_>; 3] = [
        ("no token", &[], "permissions: deployments: write"),
        ("offline", &[TOKEN, ("offline", "true")], "offline is true"),
        ("no permission", &[TOKEN], "deployments: write"),
    ];
    for (what, inputs, part) in rows {
        let (stage, github) = start().await;
        github.forbid("deployments: write");
        let ran = run(&stage, &github, ("promote", COMMIT, 1), inputs);
        assert_eq!(ran.status, Some(0), "{what}: {}", ran.log);
        let line = ran
            .log
            .lines()
            .find(|line| line.contains("left out on GitHub"));
        let line = line.unwrap_or_else(|| panic!("{what}: {}", ran.log));
        assert!(line.contains(part), "{what}: {line}");
        assert_eq!(entries(&stage.registry, "prod").len(), 1);
        assert!(github.deployments().is_empty());
    }
}
