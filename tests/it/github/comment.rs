//! The comment of a check on its pull request: one, updated in place, by its author alone, and never in the way.

use std::process::Command;

use super::faults;
use super::server::GithubServer;
use crate::check::pull_request::PullRequest;
use crate::registry::{Effect, Fault};
use crate::support::COMMIT;
use crate::support::made_image::MadeImage;
use crate::support::process::Ran;

const LIST: &str = "GET /repos/acme/web/issues/7/comments?per_page=100 200";
const CREATE: &str = "POST /repos/acme/web/issues/7/comments 201";
const FORK: &str = "mallory/web";
const OWN: &str = "acme/web";

struct Commented {
    run: PullRequest,
    github: GithubServer,
}

impl Commented {
    /// A pull request whose image is built.
    async fn start() -> Self {
        Self::of_image(&MadeImage::new(1, &[("revision", COMMIT)])).await
    }

    async fn of_image(image: &MadeImage) -> Self {
        let run = PullRequest::start("refs: [main]").await;
        let github = GithubServer::start().await;
        std::fs::write(run.stage.place.path("ca.pem"), github.ca_pem()).unwrap();
        run.stage.push("dev", COMMIT, image, &[]);
        Self { run, github }
    }

    fn step(&self, number: u32, head_repository: &str) -> Command {
        let mut step = self.run.step("check", "main", head_repository);
        step.env("GITHUB_API_URL", self.github.url())
            .env("GITHUB_RUN_NUMBER", number.to_string())
            .env("GITHUB_RUN_ATTEMPT", "1")
            .env(
                "GITHUB_WORKFLOW_REF",
                "acme/web/.github/workflows/pr.yml@refs/pull/7/merge",
            )
            .env("INPUT_CA-FILE", "ca.pem")
            .env("INPUT_COMMENT", "true")
            .env("INPUT_GITHUB-TOKEN", "ghs_made_up_token");
        self.github.clear_log();
        step
    }

    /// A run that finds nothing against a promotion. Returns its log.
    fn passed(&self, number: u32) -> String {
        let ran = Ran::of(self.step(number, OWN).output().unwrap());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        ran.log
    }

    /// Returns the requests about comments.
    fn requests(&self) -> Vec<String> {
        let requests = self.github.requests().into_iter();
        requests.filter(|line| line.contains("/issues/")).collect()
    }

    fn summary(&self) -> String {
        self.run.stage.place.read("summary")
    }
}

fn marker(comment: &str) -> &str {
    comment.lines().next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_comment_is_written_and_then_updated_in_two_requests_each() {
    let stage = Commented::start().await;
    let log = stage.passed(4);
    assert_eq!(stage.requests(), [LIST, CREATE], "{log}");
    let comments = stage.github.comments(7);
    assert_eq!(comments.len(), 1);
    let first = &comments[0];
    let (marker, page) = first.split_once('\n').unwrap();
    assert!(marker.starts_with("<!-- shipmark check ") && marker.ends_with(" run=4 attempt=1 -->"));
    assert!(page.starts_with("## Check: a promotion to prod would be released\n"));
    assert!(page.contains("| **loosened** | `prod` |  | `refs` | `main` | none |\n"));
    let id = stage
        .github
        .with(|content| content.comments[&7][0]["id"].as_u64().unwrap());
    let log = stage.passed(5);
    let update = format!("PATCH /repos/acme/web/issues/comments/{id} 200");
    assert_eq!(stage.requests(), [LIST, &update], "{log}");
    let comments = stage.github.comments(7);
    assert_eq!(comments.len(), 1);
    assert!(self::marker(&comments[0]).ends_with(" run=5 attempt=1 -->"));
    assert!(!stage.summary().contains("left out on GitHub"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_run_leaves_the_comment_of_a_newer_one() {
    let stage = Commented::start().await;
    stage.passed(5);
    let newer = stage.github.comments(7);
    let log = stage.passed(4);
    assert_eq!(stage.requests(), [LIST]);
    assert_eq!(stage.github.comments(7), newer);
    assert!(log.contains("is of a newer run, and stays"), "{log}");
    // A second attempt of a run is newer than its first.
    let mut step = stage.step(5, OWN);
    step.env("GITHUB_RUN_ATTEMPT", "2");
    assert_eq!(Ran::of(step.output().unwrap()).status, Some(0));
    assert!(marker(&stage.github.comments(7)[0]).ends_with(" run=5 attempt=2 -->"));
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_a_marker_of_another_user_is_ignored() {
    let stage = Commented::start().await;
    stage.passed(1);
    let ours = stage.github.comments(7).remove(0);
    let newer = ours.replace("run=1 ", "run=999 ");
    stage.github.with(|content| content.comments.clear());
    stage.github.add_comment(7, &newer, "mallory");
    let log = stage.passed(2);
    assert_eq!(stage.requests(), [LIST, CREATE]);
    let comments = stage.github.comments(7);
    assert_eq!(comments[0], newer);
    assert!(marker(&comments[1]).contains(" run=2 "));
    assert!(
        log.contains("by mallory has the marker of this workflow, and is ignored"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_comments_of_one_workflow_the_older_is_updated_and_the_other_named() {
    let stage = Commented::start().await;
    stage.passed(1);
    let ours = stage.github.comments(7).remove(0);
    stage.github.add_comment(7, &ours, "github-actions[bot]");
    let log = stage.passed(2);
    let comments = stage.github.comments(7);
    assert_eq!(comments.len(), 2);
    assert!(marker(&comments[0]).contains(" run=2 ") && marker(&comments[1]).contains(" run=1 "));
    assert!(
        log.contains("a second comment of this workflow is not updated, delete it: https://"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_workflows_and_environments_have_comments_of_their_own() {
    let stage = Commented::start().await;
    stage.passed(1);
    let mut step = stage.step(1, OWN);
    step.env(
        "GITHUB_WORKFLOW_REF",
        "acme/web/.github/workflows/other.yml@refs/pull/7/merge",
    );
    assert_eq!(Ran::of(step.output().unwrap()).status, Some(0));
    assert_eq!(stage.github.comments(7).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_account_needs_its_name() {
    let stage = Commented::start().await;
    stage
        .github
        .with(|content| content.login = "release-bot[bot]".to_owned());
    let log = stage.passed(1);
    assert!(
        log.contains("set comment-author: release-bot[bot]"),
        "{log}"
    );
    let mut step = stage.step(2, OWN);
    step.env("INPUT_COMMENT-AUTHOR", "release-bot[bot]");
    assert_eq!(Ran::of(step.output().unwrap()).status, Some(0));
    let comments = stage.github.comments(7);
    assert_eq!(comments.len(), 1);
    assert!(marker(&comments[0]).contains(" run=2 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_comment_the_summary_says_so_once() {
    let stage = Commented::start().await;
    // A fork's token can only read: nothing is tried.
    let ran = Ran::of(stage.step(1, FORK).output().unwrap());
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert_eq!(stage.requests(), [""; 0]);
    let line = "left out on GitHub: the comment on the pull request, because the token of a pull request from another repository can only read\n";
    assert_eq!(
        stage.summary().matches(line).count(),
        1,
        "{}",
        stage.summary()
    );
    stage.github.forbid("pull-requests: write");
    stage.github.forbid("issues: write");
    for names_permissions in [true, false] {
        stage
            .github
            .with(|content| content.names_permissions = names_permissions);
        stage.passed(1);
        let summary = stage.summary();
        let line = "left out on GitHub: the comment on the pull request, because GitHub's API answers 403 Forbidden to GET /repos/acme/web/issues/7/comments, add the permission pull-requests: write\n";
        assert_eq!(summary.matches(line).count(), 1, "{summary}");
    }
    let mut step = stage.step(1, OWN);
    step.env_remove("INPUT_GITHUB-TOKEN");
    assert_eq!(Ran::of(step.output().unwrap()).status, Some(0));
    assert!(
        stage
            .summary()
            .contains("because there is no token, give github-token\n")
    );
    let mut step = stage.step(1, OWN);
    step.env("GITHUB_EVENT_NAME", "workflow_dispatch")
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_SHA", COMMIT);
    Ran::of(step.output().unwrap());
    assert_eq!(stage.requests(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_goes_wrong_at_github_changes_the_check() {
    let stage = Commented::start().await;
    stage.passed(1);
    let outputs = || {
        let outputs = stage.run.stage.place.outputs().into_iter();
        // The time of the record is in it.
        outputs
            .filter(|(name, _)| name != "json")
            .collect::<Vec<_>>()
    };
    let before = outputs();
    // Without a time in the answer the client waits for longer than the comment has.
    for (name, effect) in faults::all() {
        for method in ["GET", "PATCH"] {
            stage.github.clear_faults();
            let fault = Fault::on(method, "/issues/", effect.clone());
            stage
                .github
                .fault(fault.times(if method == "GET" { 9 } else { 1 }));
            let ran = Ran::of(stage.step(2, OWN).output().unwrap());
            assert_eq!(ran.status, Some(0), "{name}: {}", ran.log);
            assert_eq!(outputs(), before, "{name}");
            // The runner is told to mask it.
            let mut lines = ran
                .log
                .lines()
                .filter(|line| !line.starts_with("::add-mask::"));
            assert!(
                !lines.any(|line| line.contains("ghs_made_up_token")),
                "{name}"
            );
            let patches = stage
                .requests()
                .iter()
                .filter(|it| it.starts_with("PATCH"))
                .count();
            assert!(patches <= 1, "{name}: {:?}", stage.requests());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_that_was_perhaps_taken_is_found_by_the_next_run() {
    let stage = Commented::start().await;
    let taken = Effect::status_after(502, "<html>");
    stage.github.fault(Fault::on("POST", "/issues/", taken));
    let log = stage.passed(1);
    assert_eq!(stage.requests().len(), 2, "{log}");
    assert!(stage.summary().contains("left out on GitHub: "));
    stage.passed(2);
    assert_eq!(stage.github.comments(7).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_long_and_hostile_labels_stay_text_in_a_short_comment() {
    let hostile = format!(
        "@octocat #1 ![x](https://evil.example.com/) </details> ``` --> {}",
        "x|\u{1F600}".repeat(20_000)
    );
    let more: Vec<(String, String)> = (0..30)
        .map(|number| (format!("l{number}"), hostile.clone()))
        .collect();
    let labels: Vec<(&str, &str)> = more
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let stage = Commented::start().await;
    stage
        .run
        .stage
        .promoted(("push", "refs/heads/main", COMMIT), "prod", &[]);
    stage.run.stage.push(
        "dev",
        COMMIT,
        &MadeImage::new(2, &[&[("revision", COMMIT)][..], &labels].concat()),
        &[],
    );
    let ran = Ran::of(stage.step(1, OWN).output().unwrap());
    let comment = stage
        .github
        .comments(7)
        .pop()
        .unwrap_or_else(|| panic!("{}", ran.log));
    assert!(comment.chars().count() <= 60_000);
    assert_eq!(comment.matches("-->").count(), 1, "{comment}");
    for part in ["@octocat", "![x]", "](https://evil"] {
        assert!(!comment.contains(part), "{part}: {comment}");
    }
}
