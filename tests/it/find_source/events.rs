//! Which commits an event may name without a source.

use super::*;

/// Anybody opens a pull request, and a workflow run may be of a fork: without a source neither releases.
#[tokio::test(flavor = "multi_thread")]
async fn promise_8_a_commit_of_a_fork_or_of_no_merged_pull_request_is_refused() {
    let stage = Stage::new().await;
    stage.put(1, Some(COMMIT), &["git-9f3c2a1"]);
    let built = commit(stage.place.root(), &[("a", "a")]);
    stage.put(2, Some(&built), &[&format!("git-{built}")]);
    let before = stage.tags();
    let repository = stage.repository();
    let inputs = [PROMOTE, ("images", &*repository), ("environment", "prod")];
    let run = |event: &str, payload: serde_json::Value| {
        std::fs::write(stage.place.path("event.json"), payload.to_string()).unwrap();
        let mut step = stage.place.step("refs/heads/main", &inputs);
        step.env("GITHUB_EVENT_PATH", stage.place.path("event.json"));
        step.env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_SHA", &built);
        Ran::of(step.output().unwrap())
    };
    let pull = |head: u32, merged: bool| {
        json!({"number": 7, "pull_request": {"number": 7, "merged": merged,
            "head": {"ref": "fix", "sha": COMMIT, "repo": {"id": head}},
            "base": {"ref": "main", "sha": built, "repo": {"id": 1}}}})
    };
    let release_pull = |merged: bool| {
        let mut payload = pull(1, merged);
        payload["pull_request"]["head"]["ref"] = json!("release/v1.2.0-sha-9f3c2a1");
        payload
    };
    let workflow_run = |head: u32, event: &str, conclusion: Option<&str>| {
        json!({"repository": {"id": 1}, "workflow_run": {"event": event, "conclusion": conclusion,
            "head_sha": COMMIT, "head_repository": {"id": head, "full_name": "mallory/web"}}})
    };
    let of_pull = "promotion without source for pull request #7, which";
    let of_run = "promotion without source for a workflow run";
    for (event, payload, what) in [
        (
            "pull_request",
            pull(2, true),
            format!("{of_pull} comes from another repository"),
        ),
        (
            "pull_request",
            pull(1, false),
            format!("{of_pull} is not merged"),
        ),
        (
            "pull_request",
            release_pull(false),
            format!("{of_pull} is not merged"),
        ),
        (
            "workflow_run",
            workflow_run(2, "push", Some("success")),
            format!("{of_run} on a commit of mallory/web"),
        ),
        (
            "workflow_run",
            workflow_run(1, "push", Some("failure")),
            format!("{of_run} that ended with failure"),
        ),
        (
            "workflow_run",
            workflow_run(1, "push", None),
            format!("{of_run} that has not ended"),
        ),
        (
            "workflow_run",
            workflow_run(1, "pull_request", Some("success")),
            format!("{of_run} for a pull request"),
        ),
    ] {
        let ran = run(event, payload);
        let said = stage.refused(&ran);
        assert!(said.contains(&what), "{said}");
        assert_eq!(stage.tags(), before, "{what}");
    }
    for (event, payload, named) in [
        (
            "pull_request",
            pull(1, true),
            format!("{COMMIT}, which the head of pull request #7 names"),
        ),
        (
            "pull_request",
            release_pull(true),
            "9f3c2a1, which the branch release/v1.2.0-sha-9f3c2a1 names".to_owned(),
        ),
        (
            "workflow_run",
            workflow_run(1, "push", Some("success")),
            format!("{COMMIT}, which the workflow run names"),
        ),
    ] {
        let ran = run(event, payload);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let found = format!("found by commit {named}");
        assert!(ran.log.contains(&found), "{}", ran.log);
    }
}
