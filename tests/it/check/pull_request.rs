//! A check in a run for a pull request: by the policy of the base, about the branch that it goes to.

use std::process::Command;

use serde_json::json;

use super::*;

const REFS: &str = "refs: [main]";

pub(crate) struct PullRequest {
    pub(crate) stage: Stage,
    base: String,
    /// Commit with the policy of its author, which the workflow runs on.
    changed: String,
}

impl PullRequest {
    /// A pull request whose author has written another policy.
    pub(crate) async fn start(more: &str) -> Self {
        Self::proposing(more, &ONE.replace(", MORE", "")).await
    }

    /// A pull request whose author has written this policy.
    async fn proposing(more: &str, policy: &str) -> Self {
        let stage = start(ONE, more).await;
        let base = head(&stage);
        let changed = commit_policy(&stage, policy);
        Self {
            stage,
            base,
            changed,
        }
    }

    fn run(&self, verb: &str, to: &str, head_repository: &str) -> Ran {
        self.stage.registry.clear_log();
        let mut step = self.step(verb, to, head_repository);
        let ran = Ran::of(step.output().unwrap());
        require_reads(&self.stage);
        ran
    }

    /// The summary of a check that finds nothing against a promotion.
    fn passed(&self) -> String {
        let ran = self.run("check", "main", "acme/web");
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        self.stage.place.read("summary")
    }

    pub(crate) fn step(&self, verb: &str, to: &str, head_repository: &str) -> Command {
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
        step
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

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_a_pull_request_is_told_what_its_policy_changes() {
    let run = PullRequest::start("refs: [main], gates: {image: {max-size: 1GB}}").await;
    build(&run.stage, None, 1, COMMIT);
    let summary = run.passed();
    for part in [
        "### Policy of the pull request\n\nThe policy of the base decides above. The pull request changes it: 2 loosened, in `.github/shipmark.yml of commit ",
        "| **loosened** | `prod` |  | `refs` | `main` | none |\n",
        "| **loosened** | `prod` |  | `gates.image` | `max-size 1GB` | none |\n",
        "```mermaid\nflowchart LR\n  subgraph source[\"dev\"]\n",
        "  t0[\"image<br>no image yet\"]\n",
        "  s0 ==>|\"would be released\"| t0\n",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_says_the_same_changes_nothing() {
    let policy = ONE.replace(", MORE", ", gates: {}, refs: ['main']");
    let policy = format!("# another comment\n{policy}").replace(", gates: {}", "");
    let run = PullRequest::proposing(REFS, &policy).await;
    build(&run.stage, None, 1, COMMIT);
    let summary = run.passed();
    let part = "The pull request changes nothing of it in effect.\n";
    assert!(summary.contains(part), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_proposed_policy_are_told_at_their_positions() {
    let policy = ONE.replace(", MORE", ", colour: red, refs: []");
    let run = PullRequest::proposing(REFS, &policy).await;
    build(&run.stage, None, 1, COMMIT);
    let ran = run.run("check", "main", "acme/web");
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let summary = run.stage.place.read("summary");
    let part = "> **the policy of the pull request has errors, which would refuse every release after a merge: ";
    assert!(summary.contains(part), "{summary}");
    assert!(summary.contains("line 3, column "), "{summary}");
    let warnings = ran
        .log
        .matches("::in the pull request, the policy file ")
        .count();
    assert_eq!(warnings, 2, "{}", ran.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_of_files_that_the_policy_names_are_compared() {
    let more = "sign: key, signers: [{key: dev.pub}]";
    let policy = ONE.replace("MORE", more);
    let mut run = PullRequest::proposing(more, &policy).await;
    build(&run.stage, None, 1, COMMIT);
    let host = run.stage.registry.host();
    let repository = git2::Repository::open(run.stage.place.root()).unwrap();
    repository.set_head("refs/heads/other-key").unwrap();
    let policy = policy.replace("HOST", &host);
    let files = [
        (".github/shipmark.yml", &*policy),
        ("dev.pub", "another key"),
    ];
    run.changed = commit(run.stage.place.root(), &files);
    run.run("check", "main", "acme/web");
    let summary = run.stage.place.read("summary");
    let part = "| changed | all |  | `file dev.pub` | `sha256:";
    assert!(summary.contains(part), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_of_a_fork_is_told_what_its_policy_changes() {
    let run = PullRequest::start(REFS).await;
    let ran = run.run("check", "main", "mallory/web");
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    let summary = run.stage.place.read("summary");
    assert!(
        summary.contains("comes from another repository"),
        "{summary}"
    );
    let part = "| **loosened** | `prod` |  | `refs` | `main` | none |\n";
    assert!(summary.contains(part), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_nothing_decides_or_records_for_whoever_opens_a_pull_request() {
    let run = PullRequest::start(REFS).await;
    let refusal = "does not run for the event pull_request_target";
    let ran = |verb: &str| {
        run.stage.registry.clear_log();
        let mut step = run.step(verb, "main", "acme/web");
        step.env("GITHUB_EVENT_NAME", "pull_request_target");
        match verb {
            "push" => step.env("INPUT_SOURCE", "oci-archive:image.tar"),
            "rollback" => step.env("INPUT_REASON", "it fails"),
            "mark" => step.env("INPUT_STATE", "deployed"),
            _ => &mut step,
        };
        Ran::of(step.output().unwrap())
    };
    for verb in ["check", "push", "promote", "rollback", "mark", "adopt"] {
        let ran = ran(verb);
        assert_eq!(ran.status, Some(2), "{verb}: {}", ran.log);
        assert!(
            ran.log.contains(&format!("{verb} {refusal}")),
            "{}",
            ran.log
        );
        assert_eq!(run.stage.registry.requests(), [""; 0], "{verb}");
    }
    for verb in ["tags", "verify", "inspect", "history", "policy"] {
        let ran = ran(verb);
        assert!(!ran.log.contains(refusal), "{verb}: {}", ran.log);
    }
}
