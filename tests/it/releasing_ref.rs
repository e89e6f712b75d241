//! The key `refs` of an environment: a run on another ref, for a pull request, or after a run of a fork releases
//! nothing to it.

use serde_json::{Value, json};

use crate::support::checkout::commit;
use crate::support::process::{Place, Ran};
use crate::support::*;

const POLICY: &str = "\
environments:
  dev: {repository: 'oci:dev', tags: 'type=raw,value=v1'}
  live:
    repository: oci:live
    from: dev
    refs: [main, 'release/**', '!release/**-alpha', 'refs/tags/v*']
";

/// A folder with the policy as its only commit, and an image in `dev`.
fn place() -> (Place, String) {
    let place = Place::new();
    let policy = commit(place.root(), &[(".github/shipmark.yml", POLICY)]);
    std::fs::create_dir(place.path(".github")).unwrap();
    std::fs::write(place.path(".github/shipmark.yml"), POLICY).unwrap();
    let ran = place.run(&["push", "--environment=dev", "--source", &example()]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    (place, policy)
}

/// A run of a verb for an event on a ref.
fn run(
    (place, policy): &(Place, String),
    (event, git_ref): (&str, &str),
    payload: &Value,
    inputs: &[(&str, &str)],
) -> Ran {
    std::fs::write(place.path("event.json"), payload.to_string()).unwrap();
    let mut step = place.step(git_ref, inputs);
    step.env("GITHUB_EVENT_NAME", event)
        .env("GITHUB_EVENT_PATH", place.path("event.json"))
        .env("GITHUB_WORKFLOW_SHA", policy)
        .env("GITHUB_WORKSPACE", place.root());
    Ran::of(step.output().unwrap())
}

const PROMOTE: [(&str, &str); 3] = [
    ("command", "promote"),
    ("environment", "live"),
    ("source", "v1"),
];

#[test]
fn promise_5_a_run_on_another_ref_releases_nothing() {
    let place = place();
    for (git_ref, is_released) in [
        ("refs/heads/main", true),
        ("refs/heads/release/1.4", true),
        ("refs/tags/v1.4.0", true),
        ("refs/heads/develop", false),
        ("refs/heads/release/1.4-alpha", false),
        ("refs/tags/main", false),
        ("refs/heads/refs/tags/v1", false),
        ("refs/pull/7/merge", false),
        ("", false),
    ] {
        let _ = std::fs::remove_dir_all(place.0.path("live"));
        let ran = run(&place, ("push", git_ref), &json!({}), &PROMOTE);
        assert_eq!(ran.status == Some(0), is_released, "{git_ref}: {}", ran.log);
        assert_eq!(
            place.0.path("live/index.json").exists(),
            is_released,
            "{git_ref}"
        );
        if !is_released {
            assert_eq!(ran.status, Some(1), "{git_ref}: {}", ran.log);
            assert!(
                ran.log
                    .contains("a release to the environment live by a run"),
                "{}",
                ran.log
            );
        }
    }
    let ran = run(&place, ("push", "refs/heads/develop"), &json!({}), &PROMOTE);
    let error = ran
        .log
        .lines()
        .find(|line| line.starts_with("::error"))
        .unwrap();
    let (_, text) = error.split_once("::refused").unwrap();
    insta::assert_snapshot!(text.replace("%0A", "\n").replace(&place.1[..7], "COMMIT"), @r"
    : a release to the environment live by a run on refs/heads/develop
     why:  refs of live in .github/shipmark.yml of commit COMMIT are main, release/**, !release/**-alpha, refs/tags/v*
     hint: start the workflow on a ref that matches main, release/**, !release/**-alpha, refs/tags/v*, or add this one to refs in the policy
    ");
}

/// However the environment is named, and whatever inputs say that had happened.
#[test]
fn promise_5_the_ref_of_the_runner_counts_alone() {
    let place = place();
    let develop = ("push", "refs/heads/develop");
    let by_place = [
        ("command", "promote"),
        ("images", "oci:live"),
        ("source", "v1"),
    ];
    let ran = run(&place, develop, &json!({}), &by_place);
    assert!(
        ran.log.contains("by a run on refs/heads/develop"),
        "{}",
        ran.log
    );
    for said in [("ref", "refs/heads/main"), ("event", "push")] {
        let ran = run(
            &place,
            develop,
            &json!({}),
            &[&PROMOTE[..], &[said]].concat(),
        );
        assert_eq!(ran.status, Some(1), "{}", ran.log);
    }
    assert!(!place.0.path("live").exists());
}

#[test]
fn promise_8_a_workflow_run_must_be_of_a_branch_that_may_release() {
    let place = place();
    let after = |repository: &str, event: &str, branch: &str| {
        json!({"repository": {"full_name": "acme/web"}, "workflow_run": {
            "event": event, "conclusion": "success", "head_branch": branch, "head_sha": COMMIT,
            "head_repository": {"full_name": repository},
        }})
    };
    for (payload, part) in [
        (
            after("acme/web", "push", "develop"),
            "after another one on the branch develop",
        ),
        (
            after("mallory/web", "push", "main"),
            "after another one on a commit of mallory/web",
        ),
        (
            after("acme/web", "pull_request", "main"),
            "after another one for a pull request",
        ),
        (
            json!({}),
            "after another one on a commit of an unknown repository",
        ),
    ] {
        let ran = run(
            &place,
            ("workflow_run", "refs/heads/main"),
            &payload,
            &PROMOTE,
        );
        assert_eq!(ran.status, Some(1), "{part}: {}", ran.log);
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
    }
    assert!(!place.0.path("live").exists());
    let main = after("acme/web", "push", "main");
    let ran = run(&place, ("workflow_run", "refs/heads/main"), &main, &PROMOTE);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
}

#[test]
fn promise_8_a_pull_request_releases_nothing_before_it_is_merged() {
    let place = place();
    let pull = |repository: &str, merged: bool| {
        json!({"number": 7, "pull_request": {
            "number": 7, "merged": merged,
            "head": {"ref": "main", "sha": COMMIT, "repo": {"full_name": repository}},
            "base": {"ref": "main", "sha": place.1, "repo": {"full_name": "acme/web"}},
        }})
    };
    for (event, git_ref, payload) in [
        ("pull_request", "refs/pull/7/merge", pull("acme/web", false)),
        ("pull_request", "refs/heads/main", pull("mallory/web", true)),
    ] {
        let ran = run(&place, (event, git_ref), &payload, &PROMOTE);
        assert_eq!(ran.status, Some(1), "{event}: {}", ran.log);
        assert!(
            ran.log.contains("by a run for the pull request #7"),
            "{}",
            ran.log
        );
        assert!(ran.log.contains("merge the pull request"), "{}", ran.log);
    }
    let ran = run(
        &place,
        ("pull_request", "refs/heads/main"),
        &pull("acme/web", true),
        &PROMOTE,
    );
    assert_eq!(ran.status, Some(0), "{}", ran.log);
}

/// Who may roll back, the signers of the environment say.
#[test]
fn a_rollback_and_a_mark_are_bound_by_no_ref() {
    let place = place();
    let main = ("push", "refs/heads/main");
    let first = run(&place, main, &json!({}), &PROMOTE);
    assert_eq!(first.status, Some(0), "{}", first.log);
    let develop = ("workflow_dispatch", "refs/heads/develop");
    let mark = [
        ("command", "mark"),
        ("environment", "live"),
        ("state", "deployed"),
    ];
    let ran = run(&place, develop, &json!({}), &mark);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
}

#[test]
fn outside_of_a_runner_no_ref_is_checked_and_the_log_says_so() {
    let (place, _) = place();
    let ran = place.run(&["promote", "--environment=live", "--source=v1"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let note = "refs of live are not checked outside of a workflow: main, release/**";
    assert!(ran.log.contains(note), "{}", ran.log);
}
