//! A check in a run for a pull request: by the policy of the base, about the branch that it goes to.

use serde_json::json;

use super::*;

const REFS: &str = "refs: [main]";

struct PullRequest {
    stage: Stage,
    base: String,
    /// Commit with the policy of its author, which the workflow runs on.
    changed: String,
}

impl PullRequest {
    /// A pull request whose author has written another policy.
    async fn start(more: &str) -> Self {
        let stage = start(ONE, more).await;
        let base = head(&stage);
        let changed = commit_policy(&stage, &ONE.replace(", MORE", ""));
        Self {
            stage,
            base,
            changed,
        }
    }

    fn run(&self, verb: &str, to: &str, head_repository: &str) -> Ran {
        let payload = json!({
            "action": "opened",
            "number": 7,
            "pull_request": {
                "number": 7,
                "merged": false,
                "head": {"ref": "feature", "sha": COMMIT, "repo": {"full_name": head_repository}},
                "base": {"ref": to, "sha": self.base, "repo": {"full_name": "acme/web"}},
            },
            "repository": {"full_name": "acme/web", "default_branch": "main"},
        });
        let place = &self.stage.place;
        std::fs::write(place.path("event.json"), payload.to_string()).unwrap();
        let inputs = [("command", verb), ("environment", "prod")];
        let mut step = place.step("refs/pull/7/merge", &inputs);
        step.env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_EVENT_PATH", place.path("event.json"))
            .env("GITHUB_SHA", &self.changed)
            .env("GITHUB_WORKFLOW_SHA", &self.changed)
            .env("GITHUB_WORKSPACE", place.root());
        self.stage.registry.clear_log();
        let ran = Ran::of(step.output().unwrap());
        require_reads(&self.stage);
        ran
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_a_pull_request_is_checked_by_the_policy_of_its_base() {
    let run = PullRequest::start("refs: [main], gates: {image: {labels: [team]}}").await;
    build(&run.stage, None, 1, COMMIT);
    let ran = run.run("check", "main", "acme/web");
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(
        ran.log.contains("does not pass 1 of 1 gates"),
        "{}",
        ran.log
    );
    let json = json(&run.stage);
    assert_eq!(json["failures"].as_array().unwrap().len(), 0, "{json:#}");
    // Nothing is promoted in it.
    let ran = run.run("promote", "main", "acme/web");
    assert!(ran.log.contains("for the pull request #7"), "{}", ran.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_checked_for_the_branch_that_it_goes_to() {
    let run = PullRequest::start(REFS).await;
    let digest = build(&run.stage, None, 1, COMMIT);
    let ran = run.run("check", "main", "acme/web");
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(run.stage.place.output("sources"), digest);
    let ran = run.run("check", "develop", "acme/web");
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(
        ran.log.contains("by a run on refs/heads/develop"),
        "{}",
        ran.log
    );
    // All else is told too.
    assert_eq!(json(&run.stage)["services"][0]["outcome"], "releasable");
    let ran = run.run("check", "main", "mallory/web");
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(
        ran.log.contains("comes from another repository"),
        "{}",
        ran.log
    );
}
