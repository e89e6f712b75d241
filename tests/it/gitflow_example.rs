//! examples/gitflow: each workflow against the policy, the declared inputs, and the permissions that it needs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shipmark::cli::{Input, Verb};
use shipmark::event::GitRef;
use shipmark::policy::{EnvironmentRules, PolicySigner, ReleasePolicy};
use shipmark::record::RecordAction;

use crate::support::github_permissions::{documented_permissions, permission_of_input};
use crate::support::rust_source::root;
use crate::support::yaml;

const WORKFLOWS: [&str; 9] = [
    "adopt",
    "build",
    "hotfix",
    "mark",
    "promote-prod",
    "promote-stage",
    "pull-request",
    "rescan",
    "rollback",
];

/// A record that a step writes, and the ref that its workflow runs on.
type SignedStep = (String, String, RecordAction, String);

fn text(name: &str) -> String {
    let path = root().join("examples/gitflow").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn workflow(name: &str) -> Value {
    yaml::read(&text(&format!("workflows/{name}.yml")))
}

fn policy(name: &str) -> ReleasePolicy {
    ReleasePolicy::parse(text(name).as_bytes()).unwrap()
}

fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().unwrap().iter()
}

fn steps(job: &Value) -> impl Iterator<Item = &Value> {
    job["steps"].as_array().into_iter().flatten()
}

/// The inputs of each step of a job that uses shipmark.
fn shipmark_steps(job: &Value) -> impl Iterator<Item = &Value> {
    let is_ours = |step: &&Value| {
        let uses = step["uses"].as_str().unwrap_or_default();
        uses.starts_with("shipmark/shipmark@")
    };
    steps(job).filter(is_ours).map(|step| &step["with"])
}

/// Refs that a workflow is started on: those of its pushes, and those by hand.
fn refs_of(name: &str, workflow: &Value) -> Vec<String> {
    let pushed = workflow["on"]["push"]["branches"].as_array();
    let pushed = pushed.into_iter().flatten();
    let pushed = pushed.map(|branch| branch.as_str().unwrap());
    let by_hand = match name {
        "hotfix" => Some("hotfix/login"),
        _ => Some("main").filter(|_| workflow["on"].get("workflow_dispatch").is_some()),
    };
    let branches: BTreeSet<_> = pushed.chain(by_hand).collect();
    let branches = branches.into_iter();
    branches
        .map(|branch| format!("refs/heads/{}", branch.replace("v*", "v1.2.0-sha-2b2e927")))
        .collect()
}

/// The values that an input of a step can have: its text, or the options of the workflow's input.
fn values(workflow: &Value, value: &str) -> Vec<String> {
    let name = value
        .strip_prefix("${{ inputs.")
        .and_then(|rest| rest.strip_suffix(" }}"));
    let Some(name) = name else {
        return vec![value.to_owned()];
    };
    let options = &workflow["on"]["workflow_dispatch"]["inputs"][name]["options"];
    let options = options.as_array().expect("options of the input").iter();
    options
        .map(|option| option.as_str().unwrap().to_owned())
        .collect()
}

/// Returns what a step records.
fn actions(workflow: &Value, inputs: &Value) -> Vec<RecordAction> {
    match inputs["command"].as_str().unwrap() {
        "push" => vec![RecordAction::Push],
        "promote" => vec![RecordAction::Promote],
        "rollback" => vec![RecordAction::Rollback],
        "adopt" => vec![RecordAction::Adopt],
        "mark" => values(workflow, inputs["state"].as_str().unwrap())
            .iter()
            .map(|state| match state.as_str() {
                "deployed" => RecordAction::Deployed,
                "failed" => RecordAction::Failed,
                state => panic!("mark with {state}"),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Every record that the workflows write: file, environment, action and ref.
fn signed_steps() -> Vec<SignedStep> {
    let mut signed = Vec::new();
    for name in WORKFLOWS {
        let workflow = workflow(name);
        for inputs in jobs(&workflow).flat_map(|(_, job)| shipmark_steps(job)) {
            for action in actions(&workflow, inputs) {
                for environment in values(&workflow, inputs["environment"].as_str().unwrap()) {
                    for git_ref in refs_of(name, &workflow) {
                        signed.push((
                            name.to_owned(),
                            environment.clone(),
                            action.clone(),
                            git_ref,
                        ));
                    }
                }
            }
        }
    }
    signed
}

/// Returns whether a subject of the policy, in which at most one `*` ends it, is that of a certificate.
fn is_subject(pattern: &str, subject: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => subject.starts_with(beginning),
        None => pattern == subject,
    }
}

/// The places in `signers` of those who may record an action as this workflow on this ref.
fn signers_of(
    rules: &EnvironmentRules,
    file: &str,
    action: &RecordAction,
    git_ref: &str,
) -> Vec<usize> {
    let subject = format!("https://github.com/acme/web/.github/workflows/{file}.yml@{git_ref}");
    let signers = rules.signers().iter().enumerate();
    let may = signers.filter(|(_, rule)| match &rule.signer {
        PolicySigner::Identity(identity) => {
            assert_eq!(identity.repository.as_deref(), Some("acme/web"));
            is_subject(&identity.subject, &subject) && rule.may_record(action)
        }
        PolicySigner::Key(_) => panic!("the example has no key"),
    });
    may.map(|(at, _)| at).collect()
}

fn environment<'a>(policy: &'a ReleasePolicy, name: &str) -> &'a EnvironmentRules {
    let mut all = policy.environments().iter();
    all.find(|rules| rules.name().as_str() == name)
        .unwrap_or_else(|| panic!("no environment {name}"))
}

#[test]
fn every_workflow_is_in_the_test() {
    let folder = root().join("examples/gitflow/workflows");
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<_> = names.collect();
    assert_eq!(names, WORKFLOWS.map(|name| format!("{name}.yml")).into());
}

#[test]
fn promise_5_every_record_has_one_signer_and_every_signer_a_record() {
    let policy = policy("shipmark.yml");
    let mut used = BTreeSet::new();
    let signed = signed_steps();
    assert_eq!(signed.len(), 15, "{signed:?}");
    for (file, name, action, git_ref) in &signed {
        let rules = environment(&policy, name);
        let found = signers_of(rules, file, action, git_ref);
        let place = format!("{file} on {git_ref} for {action:?} in {name}");
        assert_eq!(found.len(), 1, "{place}: {found:?}");
        used.insert((name.as_str(), found[0]));
        if matches!(action, RecordAction::Push | RecordAction::Promote) {
            let git_ref = GitRef::from(git_ref.as_str());
            assert!(rules.refs().unwrap().admits(&git_ref), "{place}");
        }
        // An edited copy on another branch, and a workflow that only runs for a pull request.
        for other in [
            "refs/heads/feature",
            "refs/pull/7/merge",
            "refs/tags/v1.2.0",
        ] {
            let found = signers_of(rules, file, action, other);
            assert_eq!(found, [0; 0], "{place}, on {other}");
        }
    }
    for rules in policy.environments() {
        for at in 0..rules.signers().len() {
            let name = rules.name().as_str();
            assert!(used.contains(&(name, at)), "{name}: signer {at} is unused");
        }
    }
}

#[test]
fn promise_5_no_workflow_may_sign_what_it_does_not_do() {
    let policy = policy("shipmark.yml");
    let signed = signed_steps();
    let all = [
        RecordAction::Push,
        RecordAction::Promote,
        RecordAction::Adopt,
        RecordAction::Reinstate,
        RecordAction::Rollback,
        RecordAction::Deployed,
        RecordAction::Failed,
    ];
    for (file, _, _, git_ref) in &signed {
        for rules in policy.environments() {
            let name = rules.name().as_str();
            for action in &all {
                let step = (
                    file.clone(),
                    name.to_owned(),
                    action.clone(),
                    git_ref.clone(),
                );
                let found = signers_of(rules, file, action, git_ref);
                let may = !found.is_empty();
                assert_eq!(may, signed.contains(&step), "{step:?}");
            }
        }
    }
}

#[test]
fn every_input_is_declared_for_its_verb() {
    let mut count = 0;
    let folder = ["central/release.yml"].map(|name| yaml::read(&text(name)));
    let workflows: Vec<_> = WORKFLOWS.map(workflow).into_iter().chain(folder).collect();
    for workflow in &workflows {
        for inputs in jobs(workflow).flat_map(|(_, job)| shipmark_steps(job)) {
            let verb = Verb::find(inputs["command"].as_str().unwrap()).unwrap();
            for name in inputs.as_object().unwrap().keys() {
                let input = Input::find(name).unwrap_or_else(|| panic!("no input {name}"));
                let verbs = input.declaration().verbs;
                assert!(verbs.is_empty() || verbs.contains(&verb), "{verb}: {name}");
                count += 1;
            }
            for required in shipmark::cli::INPUTS {
                let is_given = inputs.get(required.name).is_some();
                assert!(
                    is_given || !required.required.contains(&verb),
                    "{verb}: {}",
                    required.name
                );
            }
        }
    }
    assert!(count > 60, "{count}");
}

/// Adds a permission, unless a stronger one is there.
fn add(needed: &mut BTreeMap<String, String>, scope: &str, level: &str) {
    let known = needed.entry(scope.to_owned()).or_default();
    if known != "write" {
        *known = level.to_owned();
    }
}

fn add_step(needed: &mut BTreeMap<String, String>, step: &Value) {
    let uses = step["uses"].as_str().unwrap_or_default();
    let with = &step["with"];
    let (action, _) = uses.split_once('@').unwrap_or((uses, ""));
    match action {
        "actions/checkout" => add(needed, "contents", "read"),
        "aquasecurity/trivy-action" if with.get("image-ref").is_some() => {
            add(needed, "packages", "read");
        }
        "docker/build-push-action" if with.get("cache-to").is_some() => {
            add(needed, "packages", "write");
        }
        "shipmark/shipmark" => add_shipmark(needed, with),
        "aws-actions/configure-aws-credentials" | "google-github-actions/auth" | "azure/login" => {
            add(needed, "id-token", "write");
        }
        _ => {}
    }
    let run = step["run"].as_str().unwrap_or_default();
    if run.contains("gh issue") {
        add(needed, "issues", "write");
    }
}

fn add_shipmark(needed: &mut BTreeMap<String, String>, with: &Value) {
    add(needed, "contents", "read");
    let writes = ["push", "promote", "rollback", "mark", "adopt"];
    if writes.contains(&with["command"].as_str().unwrap()) {
        add(needed, "packages", "write");
        // Every environment of the policy has `sign: keyless`.
        add(needed, "id-token", "write");
    } else {
        add(needed, "packages", "read");
    }
    let judges = ["promote", "check"].contains(&with["command"].as_str().unwrap());
    if judges && with["environment"] == "production" {
        // Its gates checks and approvals, of which no author may be the reviewer.
        add(needed, "checks", "read");
        add(needed, "actions", "read");
        add(needed, "pull-requests", "read");
    }
    for (name, value) in with.as_object().unwrap() {
        if let Some((scope, level)) = permission_of_input(name, value.as_str().unwrap()) {
            add(needed, scope, level);
        }
    }
}

/// Permissions of a job, and those that its steps need.
fn permissions(workflow: &Value, job: &Value) -> (Value, Value) {
    assert_eq!(workflow["permissions"], Value::Object(Default::default()));
    let given = job["permissions"].clone();
    let called = job["uses"].as_str();
    let called = called.and_then(|uses| uses.strip_prefix("./.github/workflows/"));
    if let Some(called) = called.and_then(|file| file.strip_suffix(".yml")) {
        let called = self::workflow(called);
        let (_, job) = jobs(&called).next().unwrap();
        return (given, job["permissions"].clone());
    }
    let mut needed = BTreeMap::new();
    for step in steps(job) {
        add_step(&mut needed, step);
    }
    (given, serde_json::to_value(needed).unwrap())
}

#[test]
fn every_job_has_the_permissions_that_its_steps_need_and_no_other() {
    let mut count = 0;
    for name in WORKFLOWS {
        let workflow = workflow(name);
        for (job_name, job) in jobs(&workflow) {
            let (given, needed) = permissions(&workflow, job);
            assert_eq!(given, needed, "{name}: {job_name}");
            count += 1;
        }
    }
    assert!(count > 12, "{count}");
}

#[test]
fn the_permissions_of_the_example_are_documented() {
    let documented = documented_permissions();
    for name in WORKFLOWS {
        for (_, job) in jobs(&workflow(name)) {
            for (scope, level) in job["permissions"].as_object().unwrap() {
                let permission = format!("{scope}: {}", level.as_str().unwrap());
                assert!(documented.contains(&permission), "{name}: {permission}");
            }
        }
    }
}

/// GitHub keeps one waiting run of a group, and cancels those that waited before.
#[test]
fn no_group_cancels_a_run_of_another_release() {
    let mut groups = 0;
    let central = yaml::read(&text("central/release.yml"));
    for workflow in WORKFLOWS.map(workflow).iter().chain([&central]) {
        assert!(workflow.get("concurrency").is_none());
        for (name, job) in jobs(workflow) {
            let Some(group) = job["concurrency"]["group"].as_str() else {
                continue;
            };
            assert_eq!(job["concurrency"]["cancel-in-progress"], "false", "{name}");
            // One issue for all runs: the newest waiting run is the one that counts.
            let own = ["github.sha", "github.ref", "inputs.source", "rescan-issue"];
            assert!(own.iter().any(|own| group.contains(own)), "{name}: {group}");
            groups += 1;
        }
    }
    assert!(groups >= 6, "{groups}");
}

/// An expression in the text of a script would become part of the program.
#[test]
fn no_script_has_an_expression() {
    let central = yaml::read(&text("central/release.yml"));
    for workflow in WORKFLOWS.map(workflow).iter().chain([&central]) {
        for (name, job) in jobs(workflow) {
            for run in steps(job).filter_map(|step| step["run"].as_str()) {
                assert!(!run.contains("${{"), "{name}: {run}");
            }
        }
    }
}

#[test]
fn promise_5_the_reusable_workflow_is_pinned_with_its_caller_in_policy_and_roles() {
    let caller = yaml::read(&text("central/promote-everywhere.yml"));
    let job = &caller["jobs"]["release"];
    let (workflow, commit) = job["uses"].as_str().unwrap().split_once('@').unwrap();
    assert_eq!(commit.len(), 40);
    let called = format!("{workflow}@{commit}");
    let policy = policy("central/shipmark.yml");
    // A called workflow has the permissions of the job that calls it, at most.
    let release = yaml::read(&text("central/release.yml"));
    assert_eq!(
        job["permissions"],
        release["jobs"]["release"]["permissions"]
    );
    let environments = job["strategy"]["matrix"]["environment"].as_array().unwrap();
    for name in environments {
        let rules = environment(&policy, name.as_str().unwrap());
        assert!(rules.is_production());
        let mut may = rules.signers().iter();
        let signer = may.find(|rule| rule.may_record(&RecordAction::Promote));
        let PolicySigner::Identity(identity) = &signer.expect("a signer").signer else {
            panic!("a key");
        };
        assert_eq!(identity.subject, format!("https://github.com/{called}"));
        assert_eq!(identity.repository.as_deref(), Some("acme/web"));
    }
    for (file, environment) in [
        ("cloud/aws-trust-policy.json", "aws"),
        ("cloud/azure-federated-credential.json", "azure"),
    ] {
        let subject = format!("repo:acme/web:environment:{environment}:job_workflow_ref:{called}");
        let value: Value = serde_json::from_str(&text(file)).unwrap();
        assert!(
            value.to_string().contains(&format!("\"{subject}\"")),
            "{file}"
        );
    }
    assert!(text("cloud/google.sh").contains(&format!("workflow={called}\n")));
    let claims: Value = serde_json::from_str(&text("cloud/subject.json")).unwrap();
    assert_eq!(claims["include_claim_keys"][2], "job_workflow_ref");
}

/// The blocks of docs/gitflow.md that a comment marks as a part of a file.
#[test]
fn the_walk_through_the_example_copies_its_files() {
    let page = std::fs::read_to_string(root().join("docs/gitflow.md")).unwrap();
    let mut copied = BTreeSet::new();
    for part in page.split("<!-- part of ").skip(1) {
        let (name, rest) = part.split_once(" -->\n```yaml\n").expect("a block of YAML");
        let (block, _) = rest.split_once("\n```\n").unwrap();
        let whole = format!("\n{}", text(name));
        assert!(whole.contains(&format!("\n{block}\n")), "{name}:\n{block}");
        assert!(block.lines().count() > 2, "{name}:\n{block}");
        copied.insert(name.to_owned());
    }
    let blocks = page.matches("```yaml").count();
    assert_eq!(blocks, page.matches("<!-- part of ").count());
    let mut expected: BTreeSet<_> = WORKFLOWS.map(|name| format!("workflows/{name}.yml")).into();
    expected.insert("shipmark.yml".to_owned());
    assert_eq!(copied, expected);
}
