//! The policy file as its users meet it: where it is read from, and that it cannot be walked round
//! (promise 5).

use std::path::Path;
use std::process::Command;

use crate::support::checkout::commit;
use crate::support::process::{Place, Ran, is_empty};
use crate::support::web::Web;
use crate::support::*;

/// Three environments on one disk.
const POLICY: &str = "\
environments:
  dev: {repository: 'oci:dev/{service}', tags: 'type=raw,value=v1'}
  stage: {repository: 'oci:stage/{service}', from: dev}
  prod:
    repository: oci:prod/{service}
    from: stage
    tags: |
      type=raw,value=1.0.0,immutable=true
      type=raw,value=live
services: [web, api]
";

/// The example image, in every place.
const IMAGE: &str = "oci-archive:web.tar";

fn place() -> Place {
    let place = Place::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/web.oci.tar");
    std::os::unix::fs::symlink(example, place.path("web.tar")).unwrap();
    place
}

/// A folder with the policy in its usual place, and both services in dev.
fn fleet() -> Place {
    let place = place();
    write_policy(&place, POLICY);
    for service in ["web", "api"] {
        let services = format!("--services={service}");
        let push = [
            "push",
            "--environment=dev",
            &services,
            "--source",
            &example(),
        ];
        let ran = place.run(&push);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }
    place
}

fn write_policy(place: &Place, text: &str) {
    std::fs::create_dir_all(place.path(".github")).unwrap();
    std::fs::write(place.path(".github/shipmark.yml"), text).unwrap();
}

fn promote(place: &Place, flags: &[&str]) -> Ran {
    place.run(&[&["promote"], flags].concat())
}

/// The words of a run that must not come to anything.
fn refused(place: &Place, status: i32, flags: &[&str]) -> String {
    told(place, status, promote(place, flags))
}

fn told(place: &Place, status: i32, ran: Ran) -> String {
    assert_eq!(ran.status, Some(status), "{}{}", ran.out, ran.log);
    assert!(is_empty(&place.path("prod")) && is_empty(&place.path("stage")));
    let words = ran
        .log
        .lines()
        .filter(|line| !line.starts_with("the policy file is "))
        .filter(|line| !line.contains(" requests in "));
    words.collect::<Vec<_>>().join("\n")
}

fn tags(place: &Place, layout: &str) -> Vec<String> {
    let text = std::fs::read_to_string(place.path(layout).join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&text).unwrap();
    let manifests = index["manifests"].as_array().unwrap().iter();
    let name = "org.opencontainers.image.ref.name";
    let mut tags: Vec<_> = manifests
        .filter_map(|it| Some(it["annotations"][name].as_str()?.to_owned()))
        .collect();
    tags.sort();
    tags
}

#[test]
fn one_run_releases_every_service() {
    let place = fleet();
    let staged = promote(&place, &["--environment=stage", "--source=v1"]);
    assert_eq!(staged.status, Some(0), "{}", staged.log);
    assert!(
        staged
            .out
            .starts_with("promote of 2 services: 2 released\n"),
        "{}",
        staged.out
    );
    for service in ["web", "api"] {
        let named = tags(&place, &format!("stage/{service}"));
        assert_eq!(
            named,
            ["1", "1.4", "1.4.0", "git-9f3c2a1", "latest", "stage"]
        );
    }
    let one = promote(
        &place,
        &["--environment=prod", "--source=1.4.0", "--services=api"],
    );
    assert_eq!(one.status, Some(0), "{}", one.log);
    assert_eq!(tags(&place, "prod/api"), ["1.0.0", "live"]);
    assert!(is_empty(&place.path("prod/web")));
    let root = example_root().to_string();
    let both = promote(&place, &["--environment=prod", "--source", &root]);
    assert_eq!(both.status, Some(0), "{}", both.log);
    assert!(
        both.out
            .starts_with("promote of 2 services: 1 released, 1 unchanged\n"),
        "{}",
        both.out
    );
}

#[test]
fn promise_5_a_repository_brings_the_rules_of_its_environment() {
    let place = fleet();
    assert_eq!(
        promote(&place, &["--environment=stage", "--source=v1"]).status,
        Some(0)
    );
    let named = [
        "--source=oci:stage/web:1.4.0",
        "--images=oci:./prod/../prod/web",
    ];
    let ran = promote(&place, &named);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(
        tags(&place, "prod/web"),
        ["1.0.0", "live"],
        "by its rules, not by the table"
    );
    let bare = promote(
        &place,
        &[
            "--source=1.4.0",
            "--images=oci:prod/api",
            "--environment=prod",
        ],
    );
    assert_eq!(bare.status, Some(0), "{}", bare.log);
    assert_eq!(tags(&place, "prod/api"), ["1.0.0", "live"]);
    let outside = promote(
        &place,
        &["--source=oci:dev/web:v1", "--images=oci:elsewhere"],
    );
    assert_eq!(outside.status, Some(0), "{}", outside.log);
    assert!(tags(&place, "elsewhere").contains(&"1.4.0".to_owned()));
}

#[test]
fn promise_5_what_the_policy_says_cannot_be_walked_round() {
    let place = fleet();
    let refused = |status, flags: &[&str]| refused(&place, status, flags);
    insta::assert_snapshot!(refused(1, &["--source=oci:dev/web:v1", "--images=oci:prod/web"]), @r"
    refused: the source oci:dev/web:v1 for the environment prod
     why:  prod takes its images from stage
     hint: promote it to stage first, and give its tag or digest alone as source
    ");
    insta::assert_snapshot!(refused(1, &["--source=oci:dev/api:v1", "--images=oci:stage/web"]), @r"
    refused: the source oci:dev/api:v1 for the environment stage
     why:  stage takes its images from dev
     hint: promote it to dev first, and give its tag or digest alone as source
    ");
    insta::assert_snapshot!(refused(1, &["--source", IMAGE, "--images=oci:stage/web"]), @r"
    refused: the source oci-archive:web.tar for the environment stage
     why:  stage takes its images from dev
     hint: promote it to dev first, and give its tag or digest alone as source
    ");
    insta::assert_snapshot!(refused(1, &["--source=oci:dev/web:v1", "--images=oci:stage/db"]), @r"
    refused: oci:stage/db would be db in the environment stage, and services names no db
     hint: add it to services in .github/shipmark.yml, or release to a repository outside of its environments
    ");
    insta::assert_snapshot!(refused(1, &["--source=v1", "--environment=prod", "--tags=x"]), @r"
    refused: the input tags in a release to the environment prod
     why:  .github/shipmark.yml says which tags it gets
     hint: leave tags out, or change the policy
    ");
    insta::assert_snapshot!(refused(1, &["--source=v1", "--environment=prod", "--flavor=prefix=x"]), @r"
    refused: the input flavor in a release to the environment prod
     why:  .github/shipmark.yml says which tags it gets
     hint: leave flavor out, or change the policy
    ");
    let push = ["push", "--source", IMAGE, "--images=oci:stage/web"];
    insta::assert_snapshot!(told(&place, 1, place.run(&push)), @r"
    refused: a push to the environment stage
     why:  it takes its images from dev
     hint: promote what is there
    ");
}

#[test]
fn what_contradicts_itself_is_bad_input() {
    let place = fleet();
    let refused = |flags: &[&str]| refused(&place, 2, flags);
    insta::assert_snapshot!(refused(&["--source=v1", "--environment=pord"]), @r"
    error: there is no environment pord in .github/shipmark.yml
     hint: it has dev, stage, prod
    ");
    insta::assert_snapshot!(refused(&["--source=v1"]), @r"
    error: --images: is needed
     hint: name the places in images, or with environment one of the policy file's
    ");
    insta::assert_snapshot!(refused(&["--source=v1", "--environment=stage", "--images=oci:prod/web"]), @r"
    error: images names a repository of prod, and environment is stage
     hint: leave images out: the policy says where its images are
    ");
    insta::assert_snapshot!(refused(&["--source=oci:dev/web:v1", "--environment=stage", "--images=oci:elsewhere"]), @r"
    error: environment is stage, and images names no repository of it
     hint: leave images out: the policy says where its images are
    ");
    insta::assert_snapshot!(refused(&["--source=v1", "--images=oci:stage/web", "--images=oci:stage/api"]), @r"
    error: oci:stage/api is api in stage, and another of images is web in stage
     hint: release to one of them after the other
    ");
    insta::assert_snapshot!(refused(&["--source=v1", "--images=oci:stage/web", "--services=web"]), @r"
    error: services and images are both given
     why:  services stand for the repositories that the policy gives them
     hint: leave images out, and name the environment
    ");
    insta::assert_snapshot!(refused(&["--source=v1", "--environment=stage", "--services=wbe"]), @r#"error: --services: "wbe" is none of the services in .github/shipmark.yml"#);
    insta::assert_snapshot!(refused(&["--source=v1", "--environment=stage", "--services=web", "--services=web"]), @r#"error: --services: "web" is there twice"#);
    insta::assert_snapshot!(refused(&["--source=oci:dev/web:v1", "--environment=stage"]), @r#"error: --source: "oci:dev/web:v1" is one image, and 2 services are to be released: give a tag, or choose one with services"#);
    for flags in [
        &["--environment=stage"][..],
        &["--images=oci:stage/web"],
        &["--images=oci:elsewhere", "--policy="],
    ] {
        let newest = refused(&[&["--source=newest"], flags].concat());
        insta::allow_duplicates! {
            insta::assert_snapshot!(newest, @r#"
            error: --source: "newest" is kept for the newest release of an environment, which a later version looks up
             why:  what is newest is not known without release records, which this version does not keep
             hint: name the tag or the digest that was tested; an image under a tag of this name by its whole reference
            "#);
        }
    }
    insta::assert_snapshot!(refused(&["--source=v1", "--environment=dev"]), @r#"error: --source: "v1" names no repository, and dev takes its images from no other environment: give the whole reference"#);
    insta::assert_snapshot!(refused(&["--source=v1", "--environment=stage", "--policy=other.yml"]), @r"
    error: the policy file other.yml is not there
     hint: policy names a file of the repository; without it .github/shipmark.yml is taken, where it exists
    ");
    let push = ["push", "--source", IMAGE, "--environment=dev"];
    insta::assert_snapshot!(told(&place, 2, place.run(&push)), @r#"error: --source: "oci-archive:web.tar" is one image, and 2 services are to be released: choose one with services"#);
    write_policy(&place, "environments:\n  dev: {repositroy: 'oci:dev'}\n");
    insta::assert_snapshot!(refused(&["--source=v1", "--environment=stage"]), @"error: the policy file .github/shipmark.yml: line 2, column 9: the key repositroy is not known here; did you mean repository?");
}

#[test]
fn without_a_policy_nothing_changes() {
    let place = place();
    let source = ["--source", IMAGE];
    let services = promote(
        &place,
        &[&source[..], &["--images=oci:x", "--services=a"]].concat(),
    );
    insta::assert_snapshot!(told(&place, 2, services), @r"
    error: services is given, and there is no policy
     hint: services chooses some of those that a policy file names
    ");
    write_policy(&place, "# to be written\n");
    let fine = promote(
        &place,
        &[&source[..], &["--images=oci:x", "--environment=prod"]].concat(),
    );
    assert_eq!(fine.status, Some(0), "{}", fine.log);
    assert!(tags(&place, "x").contains(&"prod".to_owned()));
}

/// One that is missing stops all, and says which.
#[test]
fn promise_2_all_services_are_looked_at_before_the_first_write() {
    let place = fleet();
    std::fs::remove_dir_all(place.path("dev/api")).unwrap();
    insta::assert_snapshot!(refused(&place, 2, &["--source=v1", "--environment=stage"]), @r"
    no event and no checkout to go by: there is no git repository at . or above it
    error: 2 services: 1 not begun, 1 error
     api: source dev/api: there is no such directory
     nothing was written
    ");
}

// In a runner.

/// Makes the folder a repository whose only commit holds the policy.
fn committed(place: &Place) -> String {
    let link = (".github/shipmark.link", "shipmark.yml");
    commit(place.root(), &[(".github/shipmark.yml", POLICY), link])
}

fn step(place: &Place, commit: &str, inputs: &[(&str, &str)]) -> Command {
    let promotion = [("command", "promote"), ("source", "v1")];
    let mut step = place.step("refs/heads/main", &[&promotion[..], inputs].concat());
    step.env("GITHUB_WORKFLOW_SHA", commit);
    step.env("GITHUB_WORKSPACE", place.root());
    step
}

fn ran(mut step: Command) -> Ran {
    Ran::of(step.output().unwrap())
}

#[test]
fn promise_5_in_a_runner_the_policy_is_that_of_the_workflows_commit() {
    let place = fleet();
    let commit = committed(&place);
    // What a build, or a pull request, makes of it does not count.
    write_policy(&place, &POLICY.replace("    from: stage\n", ""));
    let prod = [
        ("environment", "prod"),
        ("source", "oci:dev/web:v1"),
        ("services", "web"),
    ];
    let refused = ran(step(&place, &commit, &prod));
    assert_eq!(refused.status, Some(1), "{}", refused.log);
    assert!(
        refused.log.contains("prod takes its images from stage"),
        "{}",
        refused.log
    );
    std::fs::remove_dir_all(place.path(".github")).unwrap();
    let workspace = place.path(".github/shipmark.yml").display().to_string();
    for path in [
        None,
        Some(".github/shipmark.yml"),
        Some("./.github/shipmark.yml"),
        Some(&workspace),
    ] {
        let mut inputs = vec![("environment", "stage")];
        inputs.extend(path.map(|path| ("policy", path)));
        let released = ran(step(&place, &commit, &inputs));
        assert_eq!(released.status, Some(0), "{}", released.log);
        let named = format!(
            "the policy file is .github/shipmark.yml of commit {}",
            &commit[..7]
        );
        assert!(released.log.contains(&named), "{}", released.log);
    }
    assert_eq!(tags(&place, "stage/api").len(), 6);
    assert_eq!(place.output("outcome"), "unchanged");
    assert_eq!(place.output("digest"), "", "of several images");
    assert_eq!(place.output("image").lines().count(), 2);
    let matrix: serde_json::Value = serde_json::from_str(&place.output("matrix")).unwrap();
    assert_eq!(matrix["include"][1]["service"], "api");
    for path in [
        "/etc/passwd",
        "../shipmark.yml",
        "",
        ".github/shipmark.link",
        ".github",
    ] {
        let released = ran(step(
            &place,
            &commit,
            &[("environment", "stage"), ("policy", path)],
        ));
        assert_eq!(
            released.status,
            Some(if path.is_empty() { 0 } else { 2 }),
            "{path}: {}",
            released.log
        );
    }
}

#[test]
fn promise_5_in_a_runner_the_event_alone_decides_where_an_environment_applies() {
    let place = fleet();
    let commit = committed(&place);
    for (name, value) in [("ref", "refs/tags/v9.0.0"), ("event", "push")] {
        let inputs = [("images", "oci:stage/web"), (name, value)];
        let said = told(&place, 1, ran(step(&place, &commit, &inputs)));
        let refusal = format!("refused: the input {name} in a release to the environment stage");
        assert!(said.contains(&refusal), "{said}");
    }
}

/// Without a checkout GitHub's API says what the commit has. It answers alike where the file is not
/// there and where the token may not see it: what cannot be told is refused.
#[test]
fn promise_5_without_a_checkout_the_api_tells_the_policy() {
    let file = format!("/repos/acme/web/contents/.github/shipmark.yml?ref={COMMIT}");
    let seen = format!("/repos/acme/web/commits/{COMMIT}");
    let date = r#"{"commit":{"committer":{"date":"2026-11-20T10:00:00Z"}}}"#;
    let by_api = |place: &Place, answers: &[(&str, u16, &str)], inputs: &[(&str, &str)]| {
        let web = Web::start(answers);
        let mut step = step(place, COMMIT, inputs);
        step.env("GITHUB_API_URL", web.address());
        (ran(step), web.asked())
    };
    let place = fleet();
    std::fs::remove_dir_all(place.path(".github")).unwrap();
    let stage = [("environment", "stage")];
    let (found, asked) = by_api(&place, &[(&file, 200, POLICY)], &stage);
    assert_eq!(
        (found.status, asked),
        (Some(0), vec![file.clone()]),
        "{}",
        found.log
    );
    assert_eq!(tags(&place, "stage/web").len(), 6);

    let elsewhere = [("images", "oci:elsewhere"), ("source", "oci:dev/web:v1")];
    let (absent, asked) = by_api(&place, &[(&seen, 200, date)], &elsewhere);
    assert_eq!(
        (absent.status, asked),
        (Some(0), vec![file.clone(), seen.clone()]),
        "{}",
        absent.log
    );

    for (answers, status) in [
        (vec![], 2),
        (vec![(file.as_str(), 403, "{}")], 2),
        (vec![(file.as_str(), 500, "{}")], 3),
        (vec![(file.as_str(), 200, "environments: 1")], 2),
    ] {
        let prod = [("images", "oci:prod/web"), ("source", "oci:dev/web:v1")];
        let (unknown, _) = by_api(&place, &answers, &prod);
        assert_eq!(unknown.status, Some(status), "{}", unknown.log);
        assert!(is_empty(&place.path("prod")));
    }
}

#[test]
fn promise_5_a_runner_that_does_not_say_the_commit_passes_no_policy_over() {
    let place = fleet();
    let mut step = step(&place, "", &[("environment", "stage")]);
    let said = told(&place, 2, Ran::of(step.output().unwrap()));
    assert!(said.contains("GITHUB_WORKFLOW_SHA is not set"), "{said}");
}

/// An image that was planted in stage is of the right commit by its own word alone: `existing: keep` goes
/// on with it only where dev has it.
#[test]
fn promise_5_keep_takes_no_image_that_was_never_in_from() {
    let ways: [&[&str]; 3] = [
        &["--environment=stage", "--source=v1", "--services=web"],
        &["--images=oci:stage/web", "--source=v1"],
        &["--images=oci:./stage/web", "--source=oci:dev/web:v1"],
    ];
    for way in ways {
        for is_in_dev in [false, true] {
            let place = place();
            let push = |to: &str, more: &[&str]| {
                let source = example();
                let base = ["push", "--source", &source, "--images", to];
                let ran = place.run(&[&base, more].concat());
                assert_eq!(ran.status, Some(0), "{}", ran.log);
            };
            // Another image of the same commit.
            let planted = ["--platforms=linux/amd64", "--tags=git-9f3c2a1"];
            push("oci:stage/web", &planted);
            push("oci:dev/web", &["--tags=v1"]);
            push("oci:dev/api", &["--tags=v1"]);
            if is_in_dev {
                push("oci:dev/web", &["--platforms=linux/amd64", "--tags=other"]);
            }
            write_policy(&place, POLICY);
            let ran = promote(&place, &[way, &["--existing=keep"]].concat());
            let released = tags(&place, "stage/web");
            if is_in_dev {
                assert_eq!(ran.status, Some(0), "{way:?}: {}", ran.log);
                assert!(ran.log.contains("going on with that image"), "{}", ran.log);
                assert!(released.contains(&"1.4.0".to_owned()), "{released:?}");
                continue;
            }
            assert_eq!(ran.status, Some(1), "{way:?}: {}", ran.log);
            assert!(ran.log.contains("is not in oci:"), "{way:?}: {}", ran.log);
            assert_eq!(released, ["git-9f3c2a1"], "{way:?}");
        }
    }
}
