//! examples/retention: its policy, and its workflow against the declared inputs and the permissions that it needs.

use std::collections::BTreeSet;

use serde_json::Value;
use shipmark::cli::{Input, Verb};
use shipmark::policy::ReleasePolicy;

use crate::support::github_permissions::documented_permissions;
use crate::support::rust_source::root;
use crate::support::yaml;

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join("examples/retention").join(name)).unwrap()
}

fn workflow() -> Value {
    yaml::read(&text("workflows/retention.yml"))
}

fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().unwrap().iter()
}

fn steps(job: &Value) -> impl Iterator<Item = &Value> {
    job["steps"].as_array().into_iter().flatten()
}

/// Returns the permissions that the steps of a job need.
fn needed(job: &Value) -> BTreeSet<(String, String)> {
    let mut needed = BTreeSet::new();
    let mut add = |scope: &str, level: &str| needed.insert((scope.to_owned(), level.to_owned()));
    for step in steps(job) {
        if step["with"]["command"] == "prune" {
            add("contents", "read");
            let applies = step["with"].get("apply").is_some();
            add("packages", if applies { "write" } else { "read" });
        }
        if step["run"]
            .as_str()
            .is_some_and(|run| run.contains("gh issue"))
        {
            add("issues", "write");
        }
    }
    needed
}

#[test]
fn the_policy_of_the_example_has_rules_for_all_environments() {
    let policy = ReleasePolicy::parse(text("shipmark.yml").as_bytes()).unwrap();
    for environment in policy.environments() {
        let rules = environment.retention();
        assert_eq!(rules.prune.len(), 5);
        // A pattern of tags to keep that matches nothing would stop the plan of a new user.
        assert!(rules.keep.tags.is_empty() && rules.keep.pinned.is_empty());
    }
}

#[test]
fn its_steps_have_inputs_of_prune_and_its_jobs_no_permission_too_many() {
    let workflow = workflow();
    assert_eq!(workflow["permissions"], Value::Object(Default::default()));
    let documented = documented_permissions();
    let known: BTreeSet<&str> = Input::ALL
        .iter()
        .filter(|input| input.declaration().verbs.contains(&Verb::Prune))
        .map(|input| input.declaration().name)
        .collect();
    for (name, job) in jobs(&workflow) {
        let given = job["permissions"].as_object().unwrap();
        let given = given.iter().map(|(scope, level)| {
            let level = level.as_str().unwrap();
            assert!(
                documented.contains(&format!("{scope}: {level}")),
                "{scope}: {level}"
            );
            (scope.clone(), level.to_owned())
        });
        assert_eq!(given.collect::<BTreeSet<_>>(), needed(job), "{name}");
        for inputs in steps(job).map(|step| &step["with"]) {
            if inputs["command"] == "prune" {
                let names = inputs.as_object().unwrap().keys();
                let unknown: Vec<_> = names.filter(|it| !known.contains(it.as_str())).collect();
                assert_eq!(unknown, ["command"], "{name}");
            }
        }
    }
}

#[test]
fn it_deletes_after_approval_alone_and_beside_no_push() {
    let workflow = workflow();
    let apply = &workflow["jobs"]["apply"];
    assert_eq!(apply["environment"]["name"], "retention");
    assert_eq!(apply["concurrency"]["group"], "registry");
    assert_eq!(apply["concurrency"]["cancel-in-progress"], "false");
    assert!(apply["needs"].as_array().unwrap().contains(&"plan".into()));
    let applying = jobs(&workflow)
        .filter(|(_, job)| steps(job).any(|step| step["with"].get("apply").is_some()));
    let names: Vec<&String> = applying.map(|(name, _)| name).collect();
    assert_eq!(names, ["apply"]);
}

/// An expression in the text of a script would become part of the program.
#[test]
fn no_script_of_it_has_an_expression() {
    for (name, job) in jobs(&workflow()) {
        for run in steps(job).filter_map(|step| step["run"].as_str()) {
            assert!(!run.contains("${{"), "{name}: {run}");
        }
    }
}
