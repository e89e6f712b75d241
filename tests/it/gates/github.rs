//! The gates `checks` and `approvals`: what counts on GitHub, what does not, and what is not known.

use std::process::Command;

use serde_json::Value;

use super::{COMMIT, DISPATCH, OTHER, SIGNED, build, recorded, start};
use crate::github::GithubServer;
use crate::github::actions::TestRun;
use crate::github::pulls::TestPull;
use crate::support::process::Ran;
use crate::which_image::Stage;

const CHECKS: &str =
    "gates: {checks: [{name: test, workflow: ci.yml, branches: [develop, 'release/**']}]}";
const APPROVALS: &str =
    "gates: {approvals: {environment: production, min: 1, not: [author, actor]}}";
/// Id of the run that promotes.
const RUN: u64 = 4711;

/// A stage with an image in `dev`, and GitHub's API.
async fn start_with_github(more: &str) -> (Stage, GithubServer) {
    let stage = start(more).await;
    build(&stage, &[]);
    let github = GithubServer::start().await;
    std::fs::write(stage.place.path("ca.pem"), github.ca_pem()).unwrap();
    (stage, github)
}

fn step(stage: &Stage, github: &GithubServer, more: &[(&str, &str)]) -> Command {
    let inputs = [
        ("command", "promote"),
        ("environment", "prod"),
        ("github-token", "ghs_secret"),
        ("ca-file", "ca.pem"),
        SIGNED,
    ];
    let mut step = stage.step(DISPATCH, &[&inputs[..], more].concat());
    step.env("GITHUB_API_URL", github.url())
        .env("GITHUB_REPOSITORY", "acme/web")
        .env("GITHUB_RUN_ID", RUN.to_string())
        .env("GITHUB_ACTOR", "starter")
        .env("GITHUB_TRIGGERING_ACTOR", "starter");
    step
}

fn promote(stage: &Stage, github: &GithubServer, more: &[(&str, &str)]) -> Ran {
    stage.registry.clear_log();
    github.clear_log();
    Ran::of(step(stage, github, more).output().unwrap())
}

fn passed(stage: &Stage, github: &GithubServer) -> String {
    let ran = promote(stage, github, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    ran.log
}

/// What a promotion says that is refused and writes nothing.
fn refused(stage: &Stage, github: &GithubServer, more: &[(&str, &str)]) -> String {
    let text = stage.failed(promote(stage, github, more), 1);
    assert!(!text.contains("ghs_secret"), "{text}");
    text
}

/// Adds a job `test` of a run of `ci.yml` that differs from a good one in `change`.
fn add_test(
    github: &GithubServer,
    conclusion: Option<&str>,
    change: impl FnOnce(&mut TestRun<'_>),
) {
    let mut run = TestRun {
        sha: COMMIT,
        conclusion,
        ..TestRun::default()
    };
    change(&mut run);
    let id = github.add_workflow_run(&run);
    github.add_job(id, run.sha, "test", conclusion);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_a_job_that_succeeded_on_the_source_commit_passes() {
    let (stage, github) = start_with_github(CHECKS).await;
    add_test(&github, Some("failure"), |_| {});
    add_test(&github, Some("success"), |run| run.branch = "release/1.2");
    passed(&stage, &github);
    let mut asked: Vec<String> = github
        .requests()
        .iter()
        .map(|line| {
            let path = line.split(['?', ' ']).nth(1).unwrap();
            let path = path.replace("/repos/acme/web/", "");
            path.replace(char::is_numeric, "")
        })
        .collect();
    asked.sort();
    let commit = COMMIT.replace(char::is_numeric, "");
    // The jobs of each run that can count, and the reviews for the record.
    let expected = [
        "actions/runs//approvals",
        "actions/runs//jobs",
        "actions/runs//jobs",
        "actions/workflows/ci.yml/runs",
        &format!("commits/{commit}/check-runs"),
    ];
    assert_eq!(asked, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_no_other_check_counts_for_the_required_job() {
    type Spoil = fn(&GithubServer);
    let rows: [(&str, Spoil, &str); 12] = [
        ("nothing", |_| {}, "test of ci.yml: not found"),
        (
            "another app",
            |github| {
                github.add_check_run(COMMIT, "test", "forger", Some("success"));
            },
            "not found",
        ),
        (
            "posted with the token of a job",
            |github| {
                github.add_check_run(COMMIT, "test", "github-actions", Some("success"));
            },
            "not found",
        ),
        (
            "of another workflow",
            |github| {
                add_test(github, Some("success"), |run| run.file = "other.yml");
            },
            "not found",
        ),
        (
            "of a pull request",
            |github| {
                add_test(github, Some("success"), |run| run.event = "pull_request");
            },
            "not found",
        ),
        (
            "of a fork",
            |github| {
                add_test(github, Some("success"), |run| {
                    run.head_repository = "evil/web"
                });
            },
            "not found",
        ),
        (
            "on another branch",
            |github| {
                add_test(github, Some("success"), |run| run.branch = "feature/x");
            },
            "not found",
        ),
        (
            "on another commit",
            |github| {
                add_test(github, Some("success"), |run| run.sha = OTHER);
            },
            "not found",
        ),
        (
            "skipped",
            |github| add_test(github, Some("skipped"), |_| {}),
            "skipped, expected success",
        ),
        (
            "neutral",
            |github| add_test(github, Some("neutral"), |_| {}),
            "neutral, expected success",
        ),
        (
            "in progress",
            |github| add_test(github, None, |_| {}),
            "in_progress, expected completed",
        ),
        (
            "failed later",
            |github| {
                add_test(github, Some("success"), |_| {});
                add_test(github, Some("failure"), |_| {});
            },
            "failure, expected success",
        ),
    ];
    for (what, spoil, reason) in rows {
        let (stage, github) = start_with_github(CHECKS).await;
        spoil(&github);
        let text = refused(&stage, &github, &[]);
        assert!(text.contains(reason), "{what}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_a_check_run_that_was_changed_does_not_pass_for_its_job() {
    type Change = fn(&mut Value, &mut Value);
    // The check runs of `test`, which failed, and of a job that succeeded before it.
    let rows: [(&str, &str, Change, &str); 4] = [
        (
            "concluded",
            "lint",
            |test, _| test["conclusion"] = "success".into(),
            "the check run says success, and its job failure",
        ),
        (
            "renamed lint",
            "lint",
            |test, lint| {
                test["name"] = "x".into();
                lint["name"] = "test".into();
                lint["started_at"] = "2099-01-01T00:00:00Z".into();
            },
            "its newest job has no check run of this name",
        ),
        (
            "renamed failure",
            "test",
            |test, _| test["name"] = "x".into(),
            "its newest job has no check run of this name",
        ),
        (
            "redated success",
            "test",
            |_, older| older["started_at"] = "2099-01-01T00:00:00Z".into(),
            "failure, expected success",
        ),
    ];
    for (what, other, change, reason) in rows {
        let (stage, github) = start_with_github(CHECKS).await;
        let run = github.add_workflow_run(&TestRun {
            sha: COMMIT,
            ..TestRun::default()
        });
        github.add_job(run, COMMIT, other, Some("success"));
        github.add_job(run, COMMIT, "test", Some("failure"));
        github.with(|content| {
            let runs = content.check_runs.get_mut(COMMIT).unwrap();
            let [test, other] = runs.as_mut_slice() else {
                panic!("{runs:?}");
            };
            change(test, other);
        });
        let text = refused(&stage, &github, &[]);
        assert!(text.contains(reason), "{what}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_what_is_not_known_of_github_refuses_and_names_the_permission() {
    let rows = [
        (CHECKS, "checks: read"),
        (CHECKS, "actions: read"),
        (APPROVALS, "actions: read"),
        (APPROVALS, "pull-requests: read"),
        (
            "gates: {checks: [{status: deploy, creator: octocat}]}",
            "statuses: read",
        ),
    ];
    for (policy, permission) in rows {
        for hides in [false, true] {
            let (stage, github) = start_with_github(policy).await;
            let write = permission.replace(": read", ": write");
            github.with(|content| {
                content.is_private = true;
                content
                    .permissions
                    .retain(|one| one != permission && *one != write);
            });
            if hides {
                github.hide_permissions();
            }
            let text = refused(&stage, &github, &[]);
            let line = format!("add the line {permission} to the permissions of the job");
            assert!(text.contains(&line), "{permission}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_without_the_api_both_gates_are_unknown() {
    for policy in [CHECKS, APPROVALS] {
        let (stage, github) = start_with_github(policy).await;
        let text = refused(&stage, &github, &[("offline", "true")]);
        assert!(text.contains("offline is true"), "{text}");
        assert_eq!(github.count(), 0);
    }
}

/// A commit of `author`, brought in by a pull request of the same.
fn add_author(github: &GithubServer, author: Option<&str>) {
    github.add_commit(COMMIT, author, author);
    github.add_pull_request(
        COMMIT,
        &TestPull {
            merge_commit: Some(COMMIT),
            author,
            ..TestPull::default()
        },
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_an_approval_of_this_run_passes_and_is_recorded() {
    let (stage, github) = start_with_github(APPROVALS).await;
    add_author(&github, Some("writer"));
    let comment = "go <b>@everyone</b>\n::error::x";
    github.add_review(RUN, "approved", Some("Reviewer"), comment, &["Production"]);
    passed(&stage, &github);
    let approvals = recorded(&stage).run.unwrap().approvals;
    let [approval] = approvals.as_slice() else {
        panic!("{approvals:?}");
    };
    assert_eq!(
        (approval.user.as_str(), approval.environment.as_str()),
        ("Reviewer", "Production")
    );
    assert_eq!(approval.state, "approved");
    assert!(!approval.comment.contains('\n'), "{approval:?}");
    // Reviews are read once, for the gate and for the record.
    let reviews = github.requests();
    let reviews = reviews.iter().filter(|line| line.contains("/approvals"));
    assert_eq!(reviews.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_no_other_review_counts_as_an_approval() {
    type Review = (u64, &'static str, Option<&'static str>, &'static str);
    let rows: [(&str, Option<&str>, &[Review], &str); 8] = [
        ("none", Some("writer"), &[], "0 of 1 approvals"),
        (
            "for another environment",
            Some("writer"),
            &[(RUN, "approved", Some("r"), "stage")],
            "0 of 1",
        ),
        (
            "by the author",
            Some("writer"),
            &[(RUN, "approved", Some("Writer"), "production")],
            "0 of 1",
        ),
        (
            "by the actor",
            Some("writer"),
            &[(RUN, "approved", Some("starter"), "production")],
            "0 of 1",
        ),
        (
            "of a run before",
            Some("writer"),
            &[(RUN - 1, "approved", Some("r"), "production")],
            "0 of 1",
        ),
        (
            "rejected",
            Some("writer"),
            &[(RUN, "rejected", Some("r"), "production")],
            "0 of 1",
        ),
        (
            "approved and rejected",
            Some("writer"),
            &[
                (RUN, "approved", Some("r"), "production"),
                (RUN, "rejected", Some("r"), "production"),
            ],
            "0 of 1",
        ),
        (
            "author unknown",
            None,
            &[(RUN, "approved", Some("r"), "production")],
            "author is not known by a login",
        ),
    ];
    for (what, author, reviews, reason) in rows {
        let (stage, github) = start_with_github(APPROVALS).await;
        add_author(&github, author);
        for (run, state, user, environment) in reviews {
            github.add_review(*run, state, *user, "", &[environment]);
        }
        let text = refused(&stage, &github, &[]);
        assert!(text.contains(reason), "{what}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_the_committer_is_an_author_unless_github_committed() {
    let rows = [
        (Some("reviewer"), Some("0 of 1 approvals")),
        (None, Some("author is not known by a login")),
        (Some("committer"), None),
        (Some("web-flow"), None),
    ];
    for (committer, reason) in rows {
        let (stage, github) = start_with_github(APPROVALS).await;
        github.add_commit(COMMIT, Some("writer"), committer);
        github.add_review(RUN, "approved", Some("Reviewer"), "", &["production"]);
        match reason {
            Some(reason) => {
                let text = refused(&stage, &github, &[]);
                assert!(text.contains(reason), "{committer:?}: {text}");
            }
            None => {
                passed(&stage, &github);
            }
        }
    }
}
