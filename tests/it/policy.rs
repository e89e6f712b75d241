//! The policy file as its users meet it: where it is read from, and that it cannot be walked round
//! (promise 5).

use std::path::Path;
use std::process::Command;

use crate::registry::{Profile, Registry};
use crate::support::checkout::{commit, commit_with_links};
use crate::support::process::{Place, Ran, is_empty, peak};
use crate::support::records::is_entry;
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
    let begins = |line: &str| line.starts_with("promoting ") || line.starts_with("pushing ");
    let words = ran
        .log
        .lines()
        // The first line, with a line for each service.
        .filter(|line| !(begins(line) || line.starts_with("  ") && line.contains(" to ")))
        .filter(|line| !line.starts_with("the policy file is "))
        .filter(|line| !line.contains(" requests in ") && !line.starts_with("done in "));
    words.collect::<Vec<_>>().join("\n")
}

/// The tags of images in a layout.
fn tags(place: &Place, layout: &str) -> Vec<String> {
    let text = std::fs::read_to_string(place.path(layout).join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&text).unwrap();
    let manifests = index["manifests"].as_array().unwrap().iter();
    let name = "org.opencontainers.image.ref.name";
    let mut tags: Vec<_> = manifests
        .filter_map(|it| Some(it["annotations"][name].as_str()?.to_owned()))
        .collect();
    tags.retain(|tag| !is_entry(tag));
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
    error: --images is required
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
    insta::assert_snapshot!(refused(&["--source=newest", "--images=oci:elsewhere", "--policy="]), @r#"
    error: --source: "newest" is the newest release of another environment, and no policy names one
     hint: name the tag or the digest that was tested; an image under a tag of this name by its whole reference
    "#);
    insta::assert_snapshot!(refused(&["--source=newest", "--environment=dev"]), @r#"error: --source: "newest" is the newest release of another environment, and dev takes its images from none"#);
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
     api: source oci:dev/api:v1: the directory does not exist
      hint: check the path; the action sees the workspace of the job and RUNNER_TEMP, not the machine's /tmp and home
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

/// Its author writes the merge commit, and the workflow of it.
#[test]
fn promise_5_in_a_run_for_a_pull_request_the_policy_is_that_of_the_base() {
    let place = fleet();
    let base = committed(&place);
    let author = Place::new();
    let loose = POLICY.replace("    from: stage\n", "");
    let merge = commit(author.root(), &[(".github/shipmark.yml", &loose)]);
    let objects = author.path(".git/objects").display().to_string();
    let alternates = place.path(".git/objects/info/alternates");
    std::fs::create_dir_all(alternates.parent().unwrap()).unwrap();
    std::fs::write(alternates, objects + "\n").unwrap();
    write_policy(&place, &loose);
    let event =
        format!(r#"{{"number": 7, "pull_request": {{"number": 7, "base": {{"sha": "{base}"}}}}}}"#);
    std::fs::write(place.path("event.json"), event).unwrap();
    let run = |event: &str, inputs: &[(&str, &str)]| {
        let mut step = place.step("refs/pull/7/merge", inputs);
        step.env("GITHUB_WORKFLOW_SHA", &merge)
            .env("GITHUB_SHA", &merge)
            .env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_EVENT_PATH", place.path("event.json"))
            .env("GITHUB_WORKSPACE", place.root());
        ran(step)
    };
    let prod = [
        ("command", "promote"),
        ("environment", "prod"),
        ("source", "oci:dev/web:v1"),
        ("services", "web"),
    ];
    for event in ["pull_request", "pull_request_review"] {
        let refused = run(event, &prod);
        assert_eq!(refused.status, Some(1), "{}", refused.log);
        let reason = "prod takes its images from stage";
        assert!(refused.log.contains(reason), "{}", refused.log);
    }
    let found = format!("in commit {}, the base of the pull request", &base[..7]);
    for verb in [
        "push", "promote", "rollback", "mark", "adopt", "history", "inspect", "policy",
    ] {
        let mut inputs = vec![("command", verb), ("environment", "prod")];
        inputs.extend((verb == "push").then_some(("source", IMAGE)));
        inputs.extend((verb == "mark").then_some(("state", "deployed")));
        let ran = run("pull_request", &inputs);
        assert!(ran.log.contains(&found), "{verb}: {}", ran.log);
    }
    std::fs::write(place.path("event.json"), r#"{"pull_request": {}}"#).unwrap();
    let untold = run("pull_request", &prod);
    assert_eq!(untold.status, Some(2), "{}", untold.log);
    let what = "the event of the pull request names no commit of its base";
    assert!(untold.log.contains(what), "{}", untold.log);
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

#[test]
fn promise_5_in_a_runner_a_variable_of_the_command_line_decides_no_more_than_an_input() {
    let place = fleet();
    let commit = committed(&place);
    for (variable, value) in [
        ("SHIPMARK_REF", "refs/tags/v9.0.0"),
        ("SHIPMARK_EVENT", "push"),
    ] {
        let mut with_flags = step(&place, &commit, &[]);
        with_flags
            .args(["promote", "--source=v1", "--images=oci:stage/web"])
            .env(variable, value);
        let said = told(&place, 1, ran(with_flags));
        let refusal =
            format!("refused: the input {variable} in a release to the environment stage");
        assert!(said.contains(&refusal), "{said}");
        // A step of the action reads inputs alone.
        let inputs = [("images", "oci:stage/web"), ("dry-run", "true")];
        let mut of_action = step(&place, &commit, &inputs);
        of_action.env(variable, value);
        let released = ran(of_action);
        assert_eq!(released.status, Some(0), "{}", released.log);
    }
}

/// Without a checkout GitHub's API says what the commit has. It answers alike where the file is not
/// there and where the token may not see it: what cannot be told is refused.
#[test]
fn promise_5_without_a_checkout_the_api_tells_the_policy() {
    let file = format!("/repos/acme/web/contents/.github/shipmark.yml?ref={COMMIT}");
    let seen = format!("/repos/acme/web/contents?ref={COMMIT}");
    let files = r#"[{"name":"README.md","type":"file"},{"name":"src","type":"dir"}]"#;
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
    let (absent, asked) = by_api(&place, &[(&seen, 200, files)], &elsewhere);
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

/// A clone may leave out what is in files, as one for a sparse checkout does. Then GitHub's API has to
/// say what the policy is, and "not there" is no answer.
#[test]
fn promise_5_a_policy_that_the_clone_leaves_out_is_not_passed_over() {
    let place = fleet();
    let commit = committed(&place);
    let blob = git2::Oid::hash_object(git2::ObjectType::Blob, POLICY.as_bytes()).unwrap();
    let (folder, file) = (blob.to_string()[..2].to_owned(), &blob.to_string()[2..]);
    std::fs::remove_file(place.path(&format!(".git/objects/{folder}/{file}"))).unwrap();
    let web = Web::start(&[]);
    let prod = [("images", "oci:prod/web"), ("source", "oci:dev/web:v1")];
    let mut step = step(&place, &commit, &prod);
    step.env("GITHUB_API_URL", web.address());
    let unknown = ran(step);
    assert_eq!(unknown.status, Some(2), "{}", unknown.log);
    assert!(
        unknown
            .log
            .contains("the policy file of the workflow's commit cannot be read"),
        "{}",
        unknown.log
    );
    assert!(is_empty(&place.path("prod")));
}

/// By the API too a name that is nearly the policy's is seen, where there is no policy.
#[test]
fn promise_5_without_a_checkout_a_name_that_is_nearly_the_policys_is_refused() {
    let root = format!("/repos/acme/web/contents?ref={COMMIT}");
    let folder = format!("/repos/acme/web/contents/.github?ref={COMMIT}");
    let of = |name: &str, kind: &str| format!(r#"[{{"name":"{name}","type":"{kind}"}}]"#);
    let place = place();
    for (root_has, folder_has, status) in [
        ((".github", "dir"), ("shipmark.yaml", "file"), 2),
        ((".github", "dir"), ("Shipmark.yml", "file"), 2),
        ((".github", "dir"), ("dependabot.yml", "file"), 0),
        ((".github", "symlink"), ("x", "file"), 2),
        ((".github", "submodule"), ("x", "file"), 2),
        (("shipmark.yml", "file"), ("x", "file"), 2),
        // It is there, and what is in it is not shown.
        ((".github", "dir"), ("shipmark.yml", "file"), 2),
        (("src", "dir"), ("x", "file"), 0),
    ] {
        let answers = [
            (root.as_str(), 200, of(root_has.0, root_has.1)),
            (folder.as_str(), 200, of(folder_has.0, folder_has.1)),
        ];
        let answers = answers
            .each_ref()
            .map(|(path, status, body)| (*path, *status, body.as_str()));
        let web = Web::start(&answers);
        let inputs = [("images", "oci:elsewhere"), ("source", IMAGE)];
        let mut step = step(&place, COMMIT, &inputs);
        step.env("GITHUB_API_URL", web.address());
        let ran = ran(step);
        assert_eq!(
            ran.status,
            Some(status),
            "{root_has:?} {folder_has:?}: {}",
            ran.log
        );
    }
}

#[test]
fn promise_5_a_runner_that_does_not_say_the_commit_passes_no_policy_over() {
    let place = fleet();
    let stage = [("environment", "stage")];
    let said = told(&place, 2, ran(step(&place, "", &stage)));
    assert!(said.contains("GITHUB_WORKFLOW_SHA is not set"), "{said}");
    // A checkout says it, even where a step before has taken the policy out of the tree.
    let commit = committed(&place);
    std::fs::remove_dir_all(place.path(".github")).unwrap();
    let prod = [("images", "oci:prod/web"), ("source", "oci:dev/web:v1")];
    let at_event = |inputs: &[(&str, &str)]| {
        let mut step = step(&place, "", inputs);
        step.env("GITHUB_SHA", &commit);
        ran(step)
    };
    let said = told(&place, 1, at_event(&prod));
    assert!(said.contains("prod takes its images from stage"), "{said}");
    let head = format!(
        "GITHUB_WORKFLOW_SHA is not set: the policy is looked for in commit {}, which is checked out",
        &commit[..7]
    );
    assert!(said.contains(&head), "{said}");
    // What is checked out is not what the event is about: an earlier step may have made it.
    let other = told(&place, 2, ran(step(&place, "", &prod)));
    assert!(other.contains("is checked out, not GITHUB_SHA"), "{other}");
    let staged = at_event(&stage);
    assert_eq!(staged.status, Some(0), "{}", staged.log);
    // Without one there is nothing to go by, which is said.
    let bare = self::place();
    let elsewhere = [("images", "oci:elsewhere"), ("source", IMAGE)];
    let free = ran(step(&bare, "", &elsewhere));
    assert_eq!(free.status, Some(0), "{}", free.log);
    assert!(
        free.log
            .contains("no policy: GITHUB_WORKFLOW_SHA is not set"),
        "{}",
        free.log
    );
}

/// Another file has environments of its own; those of the repository's own policy hold beside it.
#[test]
fn promise_5_the_input_policy_only_adds() {
    let place = fleet();
    let more = "environments: {test: {repository: 'oci:test'}}\n";
    let other = POLICY.replace("    from: stage\n", "");
    let files = [
        (".github/shipmark.yml", POLICY),
        ("more.yml", more),
        ("other.yml", &other),
        ("same.yml", POLICY),
        ("empty.yml", "# nothing\n"),
        ("none.yml", ""),
        ("services.yml", "services: []\n"),
        ("environments.yml", "environments: {}\n"),
        ("docs/.gitkeep", ""),
        (
            "taken.yml",
            "environments: {test: {repository: 'oci:./prod//web'}}\n",
        ),
        (
            "service.yml",
            "environments: {test: {repository: 'oci:prod/db'}}\n",
        ),
    ];
    let commit = commit(place.root(), &files);
    for (path, text) in files {
        std::fs::create_dir_all(place.path(path).parent().unwrap()).unwrap();
        std::fs::write(place.path(path), text).unwrap();
    }
    let prod = [("images", "oci:prod/web"), ("source", "oci:dev/web:v1")];
    for (policy, status) in [
        (None, 1),
        (Some("more.yml"), 1),
        (Some("same.yml"), 1),
        (Some("taken.yml"), 1),
        (Some("service.yml"), 1),
        (Some("other.yml"), 2),
        (Some("empty.yml"), 2),
        (Some("none.yml"), 2),
        (Some("services.yml"), 2),
        (Some("environments.yml"), 2),
        (Some("docs/.gitkeep"), 2),
        (Some("absent.yml"), 2),
    ] {
        let named = policy.map(|path| ("policy", path));
        let inputs: Vec<_> = prod.into_iter().chain(named).collect();
        told(&place, status, ran(step(&place, &commit, &inputs)));
        let flags = inputs
            .iter()
            .map(|(name, value)| format!("--{name}={value}"));
        let flags: Vec<_> = flags.collect();
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        refused(&place, status, &flags);
    }
    insta::assert_snapshot!(refused(&place, 2, &["--source=v1", "--environment=stage", "--policy=other.yml"]), @r"
    error: the environment prod is in .github/shipmark.yml and differs in other.yml
     why:  the input policy adds environments; it changes none of the repository's own policy
     hint: give it another name, or say the same in both files
    ");
    insta::assert_snapshot!(refused(&place, 2, &["--source=v1", "--environment=stage", "--policy=empty.yml"]), @r"
    error: the policy file empty.yml names no environment
     why:  a file that says nothing has nothing to add, and turns no rule off
     hint: leave policy out, or name a file with environments
    ");
    let added = promote(
        &place,
        &[
            "--source=oci:dev/web:v1",
            "--environment=test",
            "--policy=more.yml",
        ],
    );
    assert_eq!(added.status, Some(0), "{}", added.log);
    assert!(tags(&place, "test").contains(&"test".to_owned()));
    // Where the repository has none of its own, what is named is all there is.
    std::fs::remove_dir_all(place.path(".github")).unwrap();
    let alone = promote(
        &place,
        &["--source=v1", "--environment=stage", "--policy=same.yml"],
    );
    assert_eq!(alone.status, Some(0), "{}", alone.log);
}

/// A policy that is passed over for its name would turn all of its rules off.
#[test]
fn promise_5_a_name_that_is_nearly_the_policys_is_refused() {
    let elsewhere = [("images", "oci:elsewhere"), ("source", IMAGE)];
    for (name, is_refused) in [
        (".github/shipmark.yaml", true),
        (".github/Shipmark.yml", true),
        (".github/SHIPMARK.YML", true),
        (".github/shipmark.yml ", true),
        (".github/shipmrak.yml", true),
        (".github/.shipmark.yml", true),
        (".github/shipmark.json", true),
        (".GitHub/shipmark.yml", true),
        (".Github/shipmark.yaml", true),
        ("github/shipmark.yml", true),
        ("shipmark.yml", true),
        (".shipmark.yaml", true),
        (".github/release.yml", false),
        ("docs/shipmark.yml", false),
        (".github/workflows/shipmark.yml", false),
    ] {
        for own in [false, true] {
            let place = place();
            let usual = (".github/shipmark.yml", POLICY);
            let files: Vec<_> = [(name, POLICY)]
                .into_iter()
                .chain(own.then_some(usual))
                .collect();
            let commit = commit(place.root(), &files);
            let stepped = ran(step(&place, &commit, &elsewhere));
            let expected = if is_refused { 2 } else { 0 };
            assert_eq!(stepped.status, Some(expected), "{name}: {}", stepped.log);
            assert_eq!(
                is_refused,
                stepped.log.contains("is not read: the policy file is"),
                "{name}"
            );
            for (path, text) in files {
                std::fs::create_dir_all(place.path(path).parent().unwrap()).unwrap();
                std::fs::write(place.path(path), text).unwrap();
            }
            let local = promote(&place, &["--source", IMAGE, "--images=oci:local"]);
            assert_eq!(local.status, Some(expected), "{name}: {}", local.log);
            // Named, it is no mistake, and it holds.
            if is_refused && !own {
                let named = [
                    ("policy", name),
                    ("images", "oci:prod/web"),
                    ("source", IMAGE),
                ];
                let named = ran(step(&place, &commit, &named));
                assert_eq!(
                    named.status,
                    Some(if name.ends_with(' ') { 2 } else { 1 }),
                    "{name}: {}",
                    named.log
                );
            }
        }
    }
}

/// Git keeps a link as a file with the path in it: nothing below it is in the commit.
#[test]
fn promise_5_a_policy_behind_a_link_is_not_passed_over() {
    for (path, target) in [(".github", "gh"), (".GitHub", "gh"), (".github", "/etc")] {
        let place = place();
        let commit = commit_with_links(
            place.root(),
            &[("gh/shipmark.yml", POLICY)],
            &[(path, target)],
        );
        let elsewhere = [("images", "oci:prod/web"), ("source", IMAGE)];
        let said = told(&place, 2, ran(step(&place, &commit, &elsewhere)));
        let expected = format!("expected a folder at {path}, got a symbolic link or a file");
        assert!(said.contains(&expected), "{said}");
    }
}

/// A directory is the same by whichever path, and a path that leads elsewhere than it reads is refused.
#[test]
fn promise_5_a_directory_of_an_environment_is_known_by_any_path() {
    let place = fleet();
    let link = |link: &str, to: &str| std::os::unix::fs::symlink(to, place.path(link)).unwrap();
    std::fs::create_dir_all(place.path("prod/web")).unwrap();
    std::fs::create_dir_all(place.path("a/b")).unwrap();
    std::fs::create_dir_all(place.path("stage")).unwrap();
    link("link", "prod/web");
    link("twice", "link");
    link("all", "prod");
    link("a/up", "../stage");
    link("nowhere", "prod/none/web");
    let whole = place
        .path("prod/web")
        .canonicalize()
        .unwrap()
        .display()
        .to_string();
    let empty = |told: &str, path: &str| {
        assert!(is_empty(&place.path("prod/web")), "{path}: {told}");
    };
    for path in [
        "link",
        "link/",
        "./link",
        "twice",
        "all/web",
        "all/./web",
        "a/b/../../all/web",
        "none/../prod/web",
        "PROD/../prod/web",
        "/proc/self/cwd/prod/web",
        "/proc/self/cwd/link",
        "/proc/self/cwd/all/web",
        "/proc/thread-self/cwd/prod/web",
        &whole,
        &format!("/proc/self/root{whole}"),
        &format!("{whole}/../web"),
    ] {
        let ran = promote(
            &place,
            &[
                "--source=oci:dev/web:v1",
                "--images",
                &format!("oci:{path}"),
            ],
        );
        assert_eq!(ran.status, Some(1), "{path}: {}", ran.log);
        assert!(
            ran.log.contains("prod takes its images from stage"),
            "{path}: {}",
            ran.log
        );
        empty(&ran.log, path);
    }
    for path in [
        "link/../web",
        "a/up/../prod/web",
        "all/../prod/web",
        "/proc/self/cwd/../x",
        "nowhere",
        "nowhere/x",
    ] {
        let ran = promote(
            &place,
            &[
                "--source=oci:dev/web:v1",
                "--images",
                &format!("oci:{path}"),
            ],
        );
        assert_eq!(ran.status, Some(1), "{path}: {}", ran.log);
        empty(&ran.log, path);
    }
    insta::assert_snapshot!(promote(&place, &["--source=oci:dev/web:v1", "--images=oci:link/../web"]).log.lines().skip(1).collect::<Vec<_>>().join("\n"), @r"
    refused: oci:link/../web goes up with .. from the symbolic link link, which leads elsewhere than it reads: write the path without ..
     why:  whether it is a repository of an environment cannot be told
    ");
}

/// What comes from `from` comes from there, whatever its path reads.
#[test]
fn promise_5_a_source_past_from_is_refused_by_any_path() {
    let place = fleet();
    for folder in ["evil/sub", "evil/web", "evil/dev"] {
        std::fs::create_dir_all(place.path(folder)).unwrap();
    }
    let evil = promote(&place, &["--source", IMAGE, "--images=oci:evil/dev/web"]);
    assert_eq!(evil.status, Some(0), "{}", evil.log);
    let tag = tags(&place, "evil/dev/web").remove(0);
    let link = |link: &str, to: &str| std::os::unix::fs::symlink(to, place.path(link)).unwrap();
    link("out", "evil/sub");
    link("dev/l", "../evil/sub");
    link("evil/good", "../dev/web");
    for path in [
        "out/../dev/web",
        "dev/l/../dev/web",
        "evil/dev/web",
        "dev/l/../../evil/dev/web",
    ] {
        let source = format!("--source=oci:{path}:{tag}");
        let said = told(
            &place,
            1,
            promote(&place, &[&source, "--images=oci:stage/web"]),
        );
        assert!(said.starts_with("refused: "), "{said}");
    }
    let same = promote(
        &place,
        &["--source=oci:evil/good:v1", "--images=oci:stage/web"],
    );
    assert_eq!(
        same.status,
        Some(0),
        "a link to where it comes from: {}",
        same.log
    );
}

/// Two registries on this machine count as one, which must not make of another one the environment that
/// images come from: what is read is what the policy names.
#[tokio::test(flavor = "multi_thread")]
async fn promise_5_a_source_that_counts_as_from_is_read_where_the_policy_says() {
    let ours = Registry::start(Profile::plain()).await;
    let theirs = Registry::start(Profile::plain()).await;
    let place = place();
    put_example(&ours, "p/dev", "v1");
    put_example(&theirs, "p/dev", "evil");
    let host = ours.host();
    let policy = format!(
        "environments:\n  dev: {{repository: '{host}/p/dev'}}\n  prod: {{repository: 'oci:prod', from: dev}}\n"
    );
    write_policy(&place, &policy);
    let (_, port) = host.rsplit_once(':').unwrap();
    for (name, tag, status) in [
        (host.clone(), "v1", 0),
        (format!("localhost:{port}"), "v1", 0),
        (format!("127.9.9.9:{port}"), "v1", 0),
        (format!("127.9.9.9:{port}"), "evil", 2),
        (theirs.host(), "evil", 1),
    ] {
        let source = format!("--source={name}/p/dev:{tag}");
        let ran = promote(&place, &[&source, "--environment=prod"]);
        assert_eq!(ran.status, Some(status), "{source}: {}", ran.log);
        let read = format!("is read as the policy has it, {host}/p/dev:{tag}");
        assert_eq!(
            ran.log.contains(&read),
            name != host && status != 1,
            "{}",
            ran.log
        );
    }
}

/// Relative directories of the policy are in the workspace, wherever a step runs.
#[test]
fn promise_5_a_step_in_another_folder_finds_the_rules_or_is_refused() {
    let place = fleet();
    let commit = committed(&place);
    std::fs::create_dir(place.path("below")).unwrap();
    let inputs = [
        ("images", "oci:../prod/web"),
        ("source", "oci:../dev/web:v1"),
    ];
    let mut below = step(&place, &commit, &inputs);
    below.current_dir(place.path("below"));
    let said = told(&place, 2, ran(below));
    assert!(said.contains("this step runs in another folder"), "{said}");
    std::os::unix::fs::symlink(place.root(), place.path("link")).unwrap();
    let mut linked = step(&place, &commit, &[("environment", "stage")]);
    linked.current_dir(place.path("link"));
    let linked = ran(linked);
    assert_eq!(linked.status, Some(0), "{}", linked.log);
}

/// What is the same place is one destination.
#[test]
fn promise_5_a_destination_is_not_given_twice_by_two_names() {
    let place = place();
    std::fs::create_dir_all(place.path("out")).unwrap();
    std::os::unix::fs::symlink("out", place.path("link")).unwrap();
    for (one, other) in [
        ("oci:out", "oci:link"),
        ("oci:out/x", "oci:link/x"),
        ("oci:out", "oci:./out/../out/"),
        ("oci:out", "oci:/proc/self/cwd/out"),
        ("acme/web", "docker.io:443/acme/web"),
        ("docker.io/web", "registry.hub.docker.com/library/web"),
        ("localhost:1/web", "127.0.0.1:1/web"),
        ("127.0.0.1:1/web", "0x7f.1:1/web"),
        ("10.0.0.1:1/web", "[::ffff:10.0.0.1]:1/web"),
        ("r.example.com/web", "R.example.com:443/web"),
    ] {
        let images = [format!("--images={one}"), format!("--images={other}")];
        let ran = promote(&place, &["--source", IMAGE, &images[0], &images[1]]);
        assert_eq!(ran.status, Some(2), "{one} {other}: {}", ran.log);
        assert!(
            ran.log.contains("is given twice"),
            "{one} {other}: {}",
            ran.log
        );
    }
    insta::assert_snapshot!(told(&place, 2, promote(&place, &["--source", IMAGE, "--images=oci:out", "--images=oci:link"])), @r"
    no event and no checkout to go by: there is no git repository at . or above it
    error: destination oci:link is given twice
     why:  oci:out is the same destination
    ");
}

/// Two services whose directories are one would release one over the other.
#[test]
fn promise_5_two_repositories_of_the_policy_that_are_one_directory_are_refused() {
    let place = fleet();
    std::fs::create_dir_all(place.path("stage/web")).unwrap();
    std::os::unix::fs::symlink("web", place.path("stage/api")).unwrap();
    let ran = promote(&place, &["--source=v1", "--environment=stage"]);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(
        ran.log
            .contains("belongs to two services in the environment stage, web and api"),
        "{}",
        ran.log
    );
}

/// Registries of environments are known by any spelling; nothing is sent before.
#[test]
fn promise_5_a_registry_of_an_environment_is_known_by_any_spelling() {
    let place = place();
    let policy = |one: &str| {
        format!(
            "environments:\n  dev: {{repository: '{one}/p/dev'}}\n  prod: {{repository: '{one}/p/prod', from: dev}}\n"
        )
    };
    for (ruled, names) in [
        (
            "docker.io",
            &[
                "docker.io:443",
                "docker.io:80",
                "index.docker.io",
                "index.docker.io:443",
                "registry-1.docker.io",
                "registry-1.docker.io:443",
                "REGISTRY-1.DOCKER.IO:0443",
                "registry.hub.docker.com",
            ][..],
        ),
        (
            "127.0.0.1:1",
            &[
                "localhost:1",
                "LOCALHOST:01",
                "127.1:1",
                "127.0.1:1",
                "127.0.0.2:1",
                "0177.0.0.1:1",
                "0x7f.1:1",
                "2130706433:1",
                "0.0.0.0:1",
                "0:1",
                "[::1]:1",
                "[::]:1",
                "[::ffff:127.0.0.1]:1",
                "[::ffff:7f00:1]:1",
                "a.localhost:1",
                "ip6-localhost:1",
            ],
        ),
        (
            "r.example.com",
            &["R.EXAMPLE.COM", "r.example.com:443", "r.example.com:80"],
        ),
        ("localhost:1", &["127.0.0.1:1", "[::1]:1"]),
        ("[::1]:1", &["127.0.0.1:1", "localhost:1", "[0:0::1]:1"]),
    ] {
        write_policy(&place, &policy(ruled));
        for name in names {
            let images = format!("--images={name}/p/prod");
            let ran = place.run(&["push", "--source", IMAGE, &images]);
            assert_eq!(ran.status, Some(1), "{ruled} {name}: {}", ran.log);
            assert!(
                ran.log.contains("refused: a push to the environment prod"),
                "{ruled} {name}: {}",
                ran.log
            );
        }
    }
    for (name, why) in [
        ("r.example.com.", "malformed"),
        ("r%2Eexample.com", "malformed"),
        ("r.example\u{3002}com", "malformed"),
        ("\u{ff52}.example.com", "malformed"),
    ] {
        let images = format!("--images={name}/p/prod");
        let ran = place.run(&["push", "--source", IMAGE, &images]);
        assert_eq!(ran.status, Some(2), "{name}: {}", ran.log);
        assert!(ran.log.contains(why), "{name}: {}", ran.log);
    }
}

/// Services and environments multiply. What is too large is refused before it is made.
#[test]
fn promise_5_services_and_environments_with_gates_take_little_memory() {
    let place = place();
    let flags = ["promote", "--source", IMAGE, "--images=oci:elsewhere"];
    let most = |text: &str| {
        write_policy(&place, text);
        let ran = place.run(&flags);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let mut command = place.command();
        command.args(flags);
        peak(command).1
    };
    let without = most("environments: {a: {repository: oci:a}}");
    let environments = (0..20).map(|at| {
        format!(
            "  e{at}:\n    repository: e{at}.example.com/team/{{service}}\n    gates:\n      scan: {{fail-on: high, ignore: [{{id: CVE-2026-1, reason: x}}]}}\n      freeze: [{{from: fri 15:00, to: mon 06:00, zone: Europe/Berlin}}]\n      image: {{user: non-root}}\n"
        )
    });
    let services =
        (0..200).map(|at| format!("  s{at}: {{gates: {{e0: {{scan: {{ignore: []}}}}}}}}\n"));
    let environments: String = environments.collect();
    let text = format!(
        "environments:\n{environments}services:\n{}",
        services.collect::<String>()
    );
    let with = most(&text);
    assert!(
        with < without + (16 << 10),
        "{without} KiB, then {with} KiB"
    );
}

#[test]
fn promise_3_a_tag_that_the_policy_makes_immutable_is_not_moved() {
    let place = place();
    let policy = |immutable: &str| {
        format!(
            "environments: {{dev: {{repository: oci:dev, tags: 'type=raw,value=candidate-1'{immutable}}}}}"
        )
    };
    write_policy(&place, &policy(", immutable: ['candidate-*']"));
    let push = |platforms: &str| {
        place.run(&[
            "push",
            "--environment=dev",
            "--source",
            IMAGE,
            "--platforms",
            platforms,
        ])
    };
    let first = push("linux/amd64");
    assert_eq!(first.status, Some(0), "{}", first.log);
    assert!(
        first.out.contains("immutable by the pattern candidate-*"),
        "{}",
        first.out
    );
    let second = push("linux/arm64");
    assert_eq!(second.status, Some(1), "{}", second.log);
    assert!(second.log.contains("candidate-1"), "{}", second.log);
    write_policy(&place, &policy(""));
    assert_eq!(push("linux/arm64").status, Some(0));
}

#[test]
fn lines_that_the_policy_turns_off_are_not_given() {
    let place = place();
    let tags_of = |policy: &str, flags: &[&str]| {
        write_policy(&place, policy);
        let push = [
            &[
                "push",
                "--environment=dev",
                "--source",
                IMAGE,
                "--ref=refs/tags/v1.4.0",
            ],
            flags,
        ]
        .concat();
        let ran = place.run(&push);
        (ran.status, ran.log, tags(&place, "dev"))
    };
    let off = "environments: {dev: {repository: oci:dev, lines: off}}";
    let (status, log, found) = tags_of(off, &[]);
    assert_eq!(
        (status, found),
        (Some(0), vec!["1.4.0".to_owned()]),
        "{log}"
    );
    let (status, log, _) = tags_of(off, &["--lines=on"]);
    assert_eq!(status, Some(1), "{log}");
    assert!(
        log.contains("refused: the input lines in a release to the environment dev"),
        "{log}"
    );
    let (_, log, found) = tags_of(
        "lines: off\nenvironments: {dev: {repository: oci:dev}}",
        &[],
    );
    assert_eq!(found, ["1.4.0"], "{log}");
    let (_, log, found) = tags_of(
        "lines: off\nenvironments: {dev: {repository: oci:dev, lines: on}}",
        &[],
    );
    assert!(found.contains(&"1.4".to_owned()), "{log} {found:?}");
}

#[test]
fn promise_5_a_policy_takes_little_memory() {
    let place = place();
    let lines =
        |count: usize, line: &dyn Fn(usize) -> String| -> String { (0..count).map(line).collect() };
    let environments = |count| {
        let line = |at| format!("  e{at}: {{repository: 'oci:o{at}/{{service}}'}}\n");
        format!("environments:\n{}", lines(count, &line))
    };
    let services = |count| {
        let line = |at| format!("- a{at}\n");
        format!("services:\n{}", lines(count, &line))
    };
    let long = format!(
        "environments: {{a: {{repository: 'oci:{}/{{service}}'}}}}\n",
        "x".repeat(500_000)
    );
    let chain = |at: usize| {
        format!(
            "  e{at}: {{repository: 'a/e{at}', from: e{}}}\n",
            at.max(1) - 1
        )
    };
    for (text, status, said) in [
        (
            environments(200) + &services(20_000),
            2,
            "line 10203, column 3: expected at most 10000 services",
        ),
        (
            environments(900) + &services(9_000),
            2,
            "line 3, column 20: expected at most 10000 repositories",
        ),
        (
            long + &services(9_000),
            2,
            "expected a repository of at most 1000 characters",
        ),
        (
            format!("services: [{}]\n", "a,".repeat(500_000)),
            2,
            "expected at most 50000 values",
        ),
        (
            format!("a: {{{}}}\n", "? x\n, ".repeat(150_000)),
            2,
            "line ",
        ),
        (
            format!("environments:\n{}", lines(20_000, &chain)),
            2,
            "line ",
        ),
        (environments(10) + &services(1_000), 0, ""),
        ("#".repeat((1 << 20) + 1), 2, "the file has more than 1 MiB"),
    ] {
        write_policy(&place, &text);
        let flags = ["promote", "--source", IMAGE, "--images=oci:elsewhere"];
        let ran = place.run(&flags);
        assert_eq!(ran.status, Some(status), "{said}: {}", ran.log);
        assert!(ran.log.contains(said), "{said}: {}", ran.log);
        let mut command = place.command();
        command.args(flags);
        let (_, most) = peak(command);
        assert!(most < 128 << 10, "{said}: {most} KiB");
    }
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
            let from = "from: dev}";
            write_policy(&place, &POLICY.replace(from, "from: dev, existing: keep}"));
            let ran = promote(&place, &[way, &["--existing=keep"]].concat());
            let released = tags(&place, "stage/web");
            if is_in_dev {
                assert_eq!(ran.status, Some(0), "{way:?}: {}", ran.log);
                assert!(ran.log.contains("releasing that image"), "{}", ran.log);
                assert!(released.contains(&"1.4.0".to_owned()), "{released:?}");
                continue;
            }
            assert_eq!(ran.status, Some(1), "{way:?}: {}", ran.log);
            assert!(
                ran.log.contains("does not exist in oci:"),
                "{way:?}: {}",
                ran.log
            );
            assert_eq!(released, ["git-9f3c2a1"], "{way:?}");
        }
    }
}
