//! The documented workflows, step by step: README's, and the promotion of docs/recipes.md by digest.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use shipmark::signing::PrivateKey;

use crate::registry::{Auth, PASSWORD, Profile, Registry, USER};
use crate::support::checkout::commit;
use crate::support::keys;
use crate::support::made_image::MadeImage;
use crate::support::process::{Place, Ran};
use crate::support::records::is_entry;
use crate::support::workflow::{filled, step_of};
use crate::support::*;

/// The workflow of that name in a document.
fn workflow(document: &str, name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(path).unwrap();
    let begin = format!("```yaml\nname: {name}\n");
    let (_, block) = text.split_once(&begin).expect("the workflow");
    let (block, _) = block.split_once("\n```").unwrap();
    yaml::read(&format!("name: {name}\n{block}\n"))
}

/// Runs the step of a job that uses shipmark, with `registry` in the place of ghcr.io.
fn run(
    (place, policy_commit): (&Place, &str),
    registry: &Registry,
    (event, git_ref): (&str, &str),
    job: &Value,
    context: &BTreeMap<&str, String>,
) -> Ran {
    let inputs = step_of(job)["with"].as_object().unwrap().iter();
    let inputs: Vec<_> = inputs
        .map(|(name, value)| {
            let value = filled(value.as_str().unwrap(), context);
            (name.as_str(), value.replace("ghcr.io", &registry.host()))
        })
        .collect();
    let inputs: Vec<_> = inputs
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut step = place.step(git_ref, &inputs);
    step.env("GITHUB_EVENT_NAME", event)
        .env("GITHUB_WORKFLOW_SHA", policy_commit)
        .env("GITHUB_WORKSPACE", place.root());
    Ran::of(step.output().unwrap())
}

fn names(registry: &Registry, repository: &str) -> String {
    let tags = registry.tags(repository).into_keys();
    let tags = tags.filter(|tag| !is_entry(tag));
    tags.collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn version_lost_the_documented_workflows_bring_the_version_to_production() {
    let auth = Auth::Basic {
        user: USER.to_owned(),
        password: PASSWORD.to_owned(),
    };
    let registry = Registry::start(Profile::plain().auth(auth)).await;
    let place = Place::new();
    let checkout = commit(place.root(), &[("README.md", "web")]);
    // The commit is in its label, and the version nowhere.
    let image = MadeImage::new(1, &[("revision", COMMIT)]);
    image.write_archive(&place.path("image.tar"));
    let mut context = BTreeMap::from([
        ("github.repository", "acme/web/dev".to_owned()),
        ("github.actor", USER.to_owned()),
        ("github.token", PASSWORD.to_owned()),
    ]);
    let readme = workflow("README.md", "Image");
    let run_job = |event, job: &Value, context: &BTreeMap<&str, String>| {
        let ran = run((&place, &checkout), &registry, event, job, context);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    };
    let build = &readme["jobs"]["build"];
    run_job(("push", "refs/heads/main"), build, &context);
    let in_dev = names(&registry, "acme/web/dev");
    assert_eq!(in_dev, "git-9f3c2a1 main");
    let release = &readme["jobs"]["release"];
    run_job(("push", "refs/tags/v1.4.0"), release, &context);
    let in_dev = names(&registry, "acme/web/dev");
    assert_eq!(in_dev, "1 1.4 1.4.0 git-9f3c2a1 latest main");

    context.insert("github.repository", "acme/web".to_owned());
    context.insert("inputs.digest", place.output("digest"));
    context.insert("inputs.environment", "prod".to_owned());
    let promote = workflow("docs/recipes.md", "Promote");
    let dispatched = ("workflow_dispatch", "refs/heads/main");
    run_job(dispatched, &promote["jobs"]["promote"], &context);
    let in_prod = names(&registry, "acme/web/prod");
    assert_eq!(in_prod, "1 1.4 1.4.0 git-9f3c2a1 latest prod");
    assert_eq!(place.output("digest"), image.digest());
    assert_eq!(place.output("version"), "1.4.0");
    let json: Value = serde_json::from_str(&place.output("json")).unwrap();
    assert_eq!(json["versionFrom"], "repository-tags");
    let summary = place.read("summary");
    let row = "| Version | `1.4.0` from the version tags of the source repository |";
    assert!(summary.contains(row), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_approval_promotes_what_was_checked() {
    let registry = Registry::start(Profile::plain()).await;
    let place = Place::new();
    let host = registry.host();
    let policy = format!(
        "environments:\n  stage: {{repository: {host}/stage}}\n  prod: {{repository: {host}/prod, from: stage, refs: [main]}}\n"
    );
    let checkout = commit(place.root(), &[(".github/shipmark.yml", &policy)]);
    let image = MadeImage::new(1, &[("revision", COMMIT), ("version", "1.4.0")]);
    image.put(&registry, "stage", &["1.4.0"]);
    let mut context = BTreeMap::from([
        ("github.actor", USER.to_owned()),
        ("github.token", PASSWORD.to_owned()),
        ("inputs.source", "1.4.0".to_owned()),
    ]);
    let approval = workflow("docs/recipes.md", "Approved promotion");
    let event = ("workflow_dispatch", "refs/heads/main");
    let run_job = |name: &str, context: &BTreeMap<&str, String>| {
        let job = &approval["jobs"][name];
        let ran = run((&place, &checkout), &registry, event, job, context);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    };
    run_job("check", &context);
    context.insert("needs.check.outputs.sources", place.output("sources"));
    context.insert("needs.check.outputs.plan", place.output("plan"));
    // The tag names another image by the time of the approval.
    MadeImage::new(2, &[("revision", COMMIT), ("version", "1.4.0")]).put(
        &registry,
        "stage",
        &["1.4.0"],
    );
    run_job("promote", &context);
    assert_eq!(registry.tags("prod")["prod"], image.digest());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_commands_of_the_page_on_signatures_sign_and_verify() {
    let registry = Registry::start(Profile::plain()).await;
    let place = Place::new();
    let image = MadeImage::new(1, &[("revision", COMMIT)]);
    image.put(&registry, "acme/web/dev", &["git-9f3c2a1"]);
    // In the place of openssl's.
    let key = keys::pem();
    let public = PrivateKey::parse(&key, "").unwrap().public().to_pem();
    std::fs::write(place.path("cosign.key"), &key).unwrap();
    std::fs::write(place.path("cosign.pub"), public).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/signing.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, block) = text.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let commands = block
        .lines()
        .filter_map(|line| line.strip_prefix("shipmark "));
    let mut ran = 0;
    for command in commands {
        let command = command.replace("ghcr.io", &registry.host());
        let done = place.run(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(done.status, Some(0), "{}", done.log);
        ran += 1;
    }
    assert_eq!(ran, 2);
}
