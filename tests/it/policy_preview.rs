//! `tags` with `for:` under a policy: what the environment's rules give, and what a release would refuse.

use crate::support::COMMIT;
use crate::support::process::{Place, Ran};

const MAIN: &str = "refs/heads/main";

const POLICY: &str = "exclude-versions: [1.9.9]
environments:
  dev:
    repository: oci:dev
    tags: |
      type=sha,prefix=sha-
      type=raw,value=latest
  prod:
    repository: oci:prod
    from: dev
";

/// Shows the tags of a release outside of a runner, in a folder with the policy.
fn preview(arguments: &[&str]) -> (Ran, Vec<String>) {
    let place = Place::new();
    std::fs::create_dir_all(place.path(".github")).unwrap();
    std::fs::write(place.path(".github/shipmark.yml"), POLICY).unwrap();
    let ran = place.run(&[&["tags", "--images=web", "--offline"], arguments].concat());
    let mut tags: Vec<String> = ran
        .out
        .lines()
        .filter_map(|line| line.strip_prefix("web:").map(str::to_owned))
        .collect();
    tags.sort();
    (ran, tags)
}

#[test]
fn the_rules_of_the_environment_give_the_tags() {
    let commit = format!("--commit={COMMIT}");
    let git_ref = format!("--ref={MAIN}");
    let (ran, tags) = preview(&["--for=push", "--environment=dev", &git_ref, &commit]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(
        tags,
        ["latest", &format!("sha-{}", &COMMIT[..7])],
        "{}",
        ran.log
    );
    let arguments = [
        "--for=promote",
        "--environment=prod",
        &git_ref,
        &commit,
        "--version=1.4.0",
    ];
    let (ran, tags) = preview(&arguments);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let sha = format!("sha-{}", &COMMIT[..7]);
    assert_eq!(
        tags,
        ["1", "1.4", "1.4.0", "latest", "prod", &sha],
        "{}",
        ran.log
    );
    assert!(!ran.log.contains("is not read here"), "{}", ran.log);
}

#[test]
fn what_a_release_would_refuse_is_refused() {
    let git_ref = format!("--ref={MAIN}");
    for (arguments, status, part) in [
        (
            ["--for=push", "--environment=prod", &git_ref],
            1,
            "it takes its images from dev",
        ),
        (
            ["--for=push", "--environment=stage", &git_ref],
            2,
            "it has dev, prod",
        ),
        (
            ["--for=promote", "--environment=prod", "--version=1.9.9"],
            2,
            "excluded by exclude-versions (1.9.9)",
        ),
        (
            ["--for=push", "--environment=dev", "--tags=x"],
            1,
            "says which tags it gets",
        ),
        (
            ["--policy=other.yml", "--environment=dev", &git_ref],
            2,
            "set for: push or for: promote",
        ),
    ] {
        let (ran, tags) = preview(&arguments);
        assert_eq!(ran.status, Some(status), "{arguments:?}: {}", ran.log);
        assert!(ran.log.contains(part), "{arguments:?}: {}", ran.log);
        assert!(tags.is_empty(), "{arguments:?}: {tags:?}");
    }
}

/// A promotion without a source takes the image of the event's commit; the preview shows its tags.
#[test]
fn the_preview_of_a_promotion_has_the_commit_of_the_event() {
    let place = Place::new();
    let inputs = [
        ("command", "tags"),
        ("for", "promote"),
        ("images", "web"),
        ("offline", "true"),
    ];
    let mut step = place.step("refs/tags/v1.4.0", &inputs);
    let ran = Ran::of(step.output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let git_tag = format!("web:git-{}", &COMMIT[..7]);
    assert!(place.output("tags").contains(&git_tag), "{}", ran.log);
    assert!(!ran.log.contains("names no commit"), "{}", ran.log);
    assert!(!ran.log.contains("is not read here"), "{}", ran.log);
}
