//! Events, inputs and texts of rules, as steps of a workflow.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::checkout;
use crate::support::process::{Place, Ran};
use crate::support::{COMMIT, example};

/// A step that another event than a push started.
fn step_of(
    place: &Place,
    event: &str,
    git_ref: &str,
    payload: &Value,
    inputs: &[(&str, &str)],
) -> Ran {
    let path = place.path("event.json");
    std::fs::write(&path, payload.to_string()).unwrap();
    let mut command: Command = place.step(git_ref, inputs);
    command
        .env("GITHUB_EVENT_NAME", event)
        .env("GITHUB_EVENT_PATH", path);
    Ran::of(command.output().unwrap())
}

fn tags_of(event: &str, git_ref: &str, payload: &Value, rules: &str, mode: &str) -> (String, Ran) {
    let place = Place::new();
    let inputs = [("tags", rules), ("mode", mode), ("offline", "true")];
    let ran = step_of(&place, event, git_ref, payload, &inputs);
    (place.output("tag-names").replace('\n', " "), ran)
}

const MODES: [&str; 2] = ["compatible", "strict"];

#[test]
fn promise_4_prerelease_takes_latest() {
    for (git_tag, rules, tag) in [
        (
            "api/v2.0.0-rc.1",
            "type=match,pattern=api/v(.*),group=1",
            "2.0.0-rc.1",
        ),
        (
            "web-v2.0.0-beta.1",
            "type=ref,event=tag",
            "web-v2.0.0-beta.1",
        ),
        (
            "release-1.2.0-rc1",
            "type=match,pattern=release-(.*),group=1",
            "1.2.0-rc1",
        ),
    ] {
        let git_ref = format!("refs/tags/{git_tag}");
        let (tags, ran) = tags_of("push", &git_ref, &json!({}), rules, "compatible");
        assert_eq!(tags, format!("{tag} latest"));
        assert!(ran.log.contains("::warning"), "{}", ran.log);
        let (tags, ran) = tags_of("push", &git_ref, &json!({}), rules, "strict");
        assert_eq!(tags, tag);
        assert!(!ran.log.contains("::warning"), "{}", ran.log);
    }
}

#[test]
fn release_empty_ref() {
    let release = json!({
        "action": "published",
        "release": {"tag_name": "v1.10.8", "prerelease": false, "draft": false},
    });
    for mode in MODES {
        for (rules, tags) in [
            ("type=semver,pattern={{version}}", "1.10.8 latest"),
            ("type=ref,event=tag", "v1.10.8 latest"),
            ("type=release", "1.10.8 latest"),
            ("type=match,pattern=v(.*),group=1", "1.10.8 latest"),
        ] {
            assert_eq!(
                tags_of("release", "", &release, rules, mode).0,
                tags,
                "{rules}"
            );
        }
    }
}

#[test]
fn strict_says_what_it_did_instead() {
    for (git_ref, rules, note) in [
        (
            "refs/tags/v1.4.0-rc.1",
            "type=ref,event=tag",
            "note: tags: no latest is given for a pre-release",
        ),
        (
            "refs/tags/v0.4.0",
            "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}",
            "note: tags, line 2: 0 is no version line, so no tag is given",
        ),
    ] {
        let (_, ran) = tags_of("push", git_ref, &json!({}), rules, "strict");
        assert!(ran.log.contains(note), "{}", ran.log);
        assert!(!ran.log.contains("::warning"), "{}", ran.log);
    }
}

#[test]
fn images_not_checked() {
    for images in [
        "acme/web # docker.io/acme/web",
        "docker.io//web",
        "acme/web\nacme/web:1",
    ] {
        for mode in MODES {
            let place = Place::new();
            let inputs = [("images", images), ("mode", mode), ("offline", "true")];
            let ran = Ran::of(place.step("refs/tags/v1.4.0", &inputs).output().unwrap());
            assert_eq!(ran.status, Some(2), "{images}: {}", ran.log);
            let line = images.lines().count();
            assert!(
                ran.log.contains(&format!("images, line {line}: ")),
                "{}",
                ran.log
            );
        }
    }
}

#[test]
fn whole_reference_as_rule() {
    let rules = "ghcr.io/acme/web:1.4.0\nghcr.io/Acme/web:latest";
    for (images, status, tags) in [
        ("ghcr.io/acme/web", 0, "1.4.0 latest"),
        ("ghcr.io/acme/api", 2, ""),
        ("", 2, ""),
    ] {
        for mode in MODES {
            let place = Place::new();
            let inputs = [
                ("images", images),
                ("tags", rules),
                ("mode", mode),
                ("offline", "true"),
            ];
            let ran = Ran::of(place.step("refs/tags/v1.4.0", &inputs).output().unwrap());
            assert_eq!(ran.status, Some(status), "{images}: {}", ran.log);
            assert_eq!(
                place.output("tag-names").replace('\n', " "),
                tags,
                "{images}"
            );
        }
    }
    for (mode, status) in MODES.into_iter().zip([0, 2]) {
        let (_, ran) = tags_of("push", "refs/tags/v1.4.0", &json!({}), "latest,1.4.0", mode);
        assert_eq!(ran.status, Some(status), "{}", ran.log);
        assert_eq!(ran.log.contains("::warning"), status == 0, "{}", ran.log);
    }
}

/// A push to a layout, of an event.
fn push_of(
    place: &Place,
    event: &str,
    git_ref: &str,
    payload: &Value,
    more: &[(&str, &str)],
) -> Ran {
    let source = example();
    let inputs = [
        ("command", "push"),
        ("source", &source),
        ("images", "oci:out"),
    ];
    step_of(place, event, git_ref, payload, &[&inputs, more].concat())
}

#[test]
fn queue_branch_default() {
    let branch = "refs/heads/gh-readonly-queue/main/pr-7-860c190";
    for event in ["push", "merge_group"] {
        for mode in MODES {
            let place = Place::new();
            let ran = push_of(&place, event, branch, &json!({}), &[("mode", mode)]);
            assert_eq!(ran.status, Some(0), "{}", ran.log);
            let tags = place.output("tags");
            assert!(tags.ends_with(":pr-7") && !tags.contains("queue"), "{tags}");
        }
    }
}

#[test]
fn push_tells_traps_as_warnings() {
    let payload = json!({
        "action": "completed",
        "workflow_run": {
            "event": "pull_request",
            "head_branch": "main",
            "head_sha": "2b".repeat(20),
            "head_repository": {"id": 2, "full_name": "mallory/web"},
        },
        "repository": {"id": 1, "full_name": "acme/web", "default_branch": "main"},
    });
    let rules = "type=ref,event=branch\ntype=edge\ntype=raw,value=x";
    let ran = push_of(
        &Place::new(),
        "workflow_run",
        "refs/heads/main",
        &payload,
        &[("tags", rules)],
    );
    let warnings = ran.log.matches("::warning").count();
    assert_eq!(warnings, 2, "{}", ran.log);
    assert!(
        ran.log.contains("workflow_run is about the default branch"),
        "{}",
        ran.log
    );
}

/// A checkout with the history of a release, and one of it by `git checkout`.
#[test]
fn git_context_detached() {
    let git = |folder: &std::path::Path, arguments: &[&str]| {
        let mut command = Command::new("git");
        for (name, value) in [("user.name", "a"), ("user.email", "a@example.com")] {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let output = command
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    for (target, tags) in [
        ("refs/tags/v2.0.0", "v2.0.0 latest"),
        ("refs/tags/v2.0.0-rc.1", "v2.0.0-rc.1 latest"),
        ("refs/remotes/pull/7/merge", "pr-7"),
        ("origin/main", "main"),
    ] {
        let place = Place::new();
        let head = checkout::commit(place.root(), &[("f", "1")]);
        let refs = [
            "refs/tags/v2.0.0-rc.1",
            "refs/tags/v2.0.0",
            "refs/remotes/pull/7/merge",
            "refs/remotes/origin/main",
        ];
        for name in refs {
            git(place.root(), &["update-ref", name, &head]);
        }
        git(place.root(), &["checkout", "-q", "--detach", target]);
        let rules =
            "type=sha,priority=1\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr";
        let inputs = [("context", "git"), ("tags", rules), ("offline", "true")];
        let ran = Ran::of(place.step("refs/heads/x", &inputs).output().unwrap());
        let sha = format!("sha-{}", &head[..7]);
        let names = place.output("tag-names").replace('\n', " ");
        assert_eq!(
            names.replace(&format!(" {sha}"), ""),
            tags,
            "{target}: {}",
            ran.log
        );
        assert!(names.contains(&sha), "{target}: {names}");
    }
}

/// The example's label names another commit than the event's.
#[test]
fn wrong_commit_tag() {
    let place = Place::new();
    let source = example();
    let event = "a".repeat(40);
    let push = |more: &[(&str, &str)]| {
        let inputs = [
            ("command", "push"),
            ("source", &*source),
            ("images", "oci:out"),
        ];
        let mut command = place.step("refs/heads/main", &[&inputs, more].concat());
        command
            .env("GITHUB_SHA", &event)
            .env("GITHUB_EVENT_NAME", "workflow_dispatch");
        Ran::of(command.output().unwrap())
    };
    let ran = push(&[]);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    for part in [COMMIT, &event, &format!("set commit: {COMMIT}")] {
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
    }
    assert!(!place.path("out").exists());
    let ran = push(&[("commit", COMMIT)]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let tag = format!(":git-{}", &COMMIT[..7]);
    assert!(place.output("tags").contains(&tag), "{}", ran.log);
}
