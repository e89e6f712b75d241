//! The verbs as a user runs them, on a layout.

use serde_json::Value;
use shipmark::layout::LayoutDirectory;

use super::layout_stage::{INDEX, LayoutStage, MANIFEST};
use crate::support::output_schema::OutputSchema;
use crate::support::process::{Place, Ran};

const POLICY: &str = "\
environments:
  dev: {repository: 'oci:dev'}
retention:
  prune:
    - {tags: 'pr-*', older-than: 14d}
  limits: {share: 100%, images: 10}
";

/// A folder with a policy and a layout of two images, one of which goes.
fn folder(policy: &str) -> (Place, LayoutStage, [String; 2]) {
    let place = Place::new();
    std::fs::create_dir_all(place.path(".github")).unwrap();
    std::fs::write(place.path(".github/shipmark.yml"), policy).unwrap();
    let mut stage = LayoutStage::new(place.path("dev"));
    let child = stage.image("a", 30);
    let going = stage.index(&[&child], 30);
    let kept = stage.image("kept", 30);
    stage.entry(&going, INDEX, Some("pr-1"));
    stage.entry(&kept, MANIFEST, Some("1.0.0"));
    (place, stage, [going, kept])
}

fn run(place: &Place, arguments: &[&str]) -> Ran {
    let mut command = place.command();
    command.env("SHIPMARK_NOW", "2026-12-01T00:00:00Z");
    Ran::of(command.args(arguments).output().unwrap())
}

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_plan_is_shown_then_applied_then_undone() {
    let (place, stage, [going, kept]) = folder(POLICY);
    let before = (stage.blobs(), stage.names());
    let ran = run(
        &place,
        &["prune", "--plan-file=plan.json", "--explain=pr-1"],
    );
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let text = ran
        .out
        .replace(&going, "sha256:GOING")
        .replace(&going[..19], "sha256:GOING");
    insta::assert_snapshot!(text.trim_end(), @r"
    oci:dev: 1 of 2 images go, 2 manifests, 656 B
      goes by the rule tags: pr-*, older-than: 14d
        pr-1  sha256:GOING  2026-11-01T00:00:00.000Z (push)  with 1 manifest
      stays: 1 manifest: no prune rule describes its tag
      the tag pr-1 goes: the rule tags: pr-*, older-than: 14d
      sha256:GOING goes, of 2026-11-01T00:00:00.000Z (push): the rule tags: pr-*, older-than: 14d

    the plan is in plan.json, for 24 hours: shipmark prune --apply plan.json
    ");
    assert_eq!((stage.blobs(), stage.names()), before);
    let ran = run(
        &place,
        &[
            "prune",
            "--apply=plan.json",
            "--archive=oci:deleted",
            "--output=json",
        ],
    );
    let report = json(&ran);
    assert_eq!(report["outcome"], "pruned");
    assert_eq!(stage.names(), ["1.0.0"]);
    assert!(!stage.blobs().contains(&going) && stage.blobs().contains(&kept));
    let arguments = [
        "restore",
        "--images=oci:dev",
        "--archive=oci:deleted",
        "--output=json",
    ];
    let digest = format!("--digest={going}");
    let ran = run(&place, &[&arguments[..], &[digest.as_str()]].concat());
    assert_eq!(json(&ran)["tags"][0]["change"], "written");
    let (blobs, mut names) = (stage.blobs(), stage.names());
    names.sort();
    assert_eq!(blobs, before.0);
    assert_eq!(names, ["1.0.0", "pr-1"]);
}

#[test]
fn the_json_of_a_plan_and_of_its_application_is_as_documented() {
    let (place, ..) = folder(POLICY);
    let mut schema = OutputSchema::load();
    let plan = json(&run(
        &place,
        &[
            "prune",
            "--plan-file=plan.json",
            "--output=json",
            "--explain=1.0.0",
        ],
    ));
    schema.check("prune", &plan.to_string());
    assert_eq!(plan["outcome"], "planned");
    assert_eq!(plan["repositories"][0]["deletions"][0]["tag"], "pr-1");
    let applied = json(&run(
        &place,
        &["prune", "--apply=plan.json", "--output=json"],
    ));
    schema.check("prune", &applied.to_string());
    let again = json(&run(&place, &["prune", "--output=json"]));
    schema.check("prune", &again.to_string());
    assert_eq!(again["outcome"], "unchanged");
}

#[test]
fn what_cannot_be_run_says_why() {
    let (place, ..) = folder(POLICY);
    for (arguments, expected) in [
        (
            &["prune", "--apply"][..],
            "shipmark prune --plan-file plan.json",
        ),
        (&["prune", "--apply=absent.json"], "cannot be read"),
        (&["prune", "--apply=.github/shipmark.yml"], "is damaged"),
        (
            &["prune", "--archive=oci:deleted"],
            "without apply nothing is deleted",
        ),
        (
            &["prune", "--images=oci:other"],
            "oci:other is in no environment",
        ),
        (&["prune", "--max-requests=0"], "is not a number from 1"),
        (&["prune", "--keep-tags=a b"], "contains ' '"),
        (
            &[
                "restore",
                "--images=oci:dev",
                "--archive=deleted",
                "--digest=sha256:0",
            ],
            "is not of the form oci:DIR",
        ),
    ] {
        let ran = run(&place, arguments);
        assert_eq!(ran.status, Some(2), "{arguments:?}: {}", ran.log);
        assert!(ran.log.contains(expected), "{arguments:?}: {}", ran.log);
    }
    let (place, ..) = folder("environments:\n  dev: {repository: 'oci:dev'}\n");
    let ran = run(&place, &["prune"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.log.contains("no prune rules"), "{}", ran.log);
}

#[test]
fn a_plan_beyond_the_limits_is_refused_with_the_number() {
    let policy = POLICY.replace("share: 100%", "share: 30%");
    let (place, stage, _) = folder(&policy);
    let ran = run(&place, &["prune", "--plan-file=plan.json"]);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(
        ran.log
            .contains("1 of 2 images would go, expected at most 30 %"),
        "{}",
        ran.log
    );
    // The plan file has no deletion.
    let ran = run(&place, &["prune", "--apply=plan.json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(ran.out.contains("nothing was deleted"), "{}", ran.out);
    assert_eq!(stage.names().len(), 2);
}

#[test]
fn a_plan_of_another_policy_or_of_yesterday_is_refused() {
    let (place, stage, _) = folder(POLICY);
    assert_eq!(
        run(&place, &["prune", "--plan-file=plan.json"]).status,
        Some(0)
    );
    let mut late = place.command();
    late.env("SHIPMARK_NOW", "2026-12-02T00:00:01Z");
    let ran = Ran::of(late.args(["prune", "--apply=plan.json"]).output().unwrap());
    assert_eq!(ran.status, Some(2));
    assert!(ran.log.contains("was valid until"), "{}", ran.log);
    std::fs::write(
        place.path(".github/shipmark.yml"),
        format!("{POLICY}# more\n"),
    )
    .unwrap();
    let ran = run(&place, &["prune", "--apply=plan.json"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.log.contains("another policy"), "{}", ran.log);
    assert_eq!(stage.names().len(), 2);
}

#[test]
fn inputs_and_files_keep_more_than_the_policy() {
    let (place, _, [going, _]) = folder(POLICY);
    let report = json(&run(
        &place,
        &["prune", "--keep-tags=pr-1", "--output=json"],
    ));
    assert_eq!(report["repositories"][0]["condemned"], 0);
    std::fs::create_dir_all(place.path("deploy/prod")).unwrap();
    let manifest = format!("image: registry.example/web@{going}\n");
    std::fs::write(place.path("deploy/prod/web.yaml"), manifest).unwrap();
    let policy = POLICY.replace(
        "retention:\n",
        "retention:\n  keep: {pinned: 'deploy/**/*.yaml'}\n",
    );
    std::fs::write(place.path(".github/shipmark.yml"), policy).unwrap();
    let ran = run(&place, &["prune", "--explain=pr-1"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.out.contains("deploy/prod/web.yaml names it"),
        "{}",
        ran.out
    );
}

#[test]
fn a_run_for_a_pull_request_of_others_is_refused() {
    let (place, ..) = folder(POLICY);
    let mut step = place.step("refs/heads/main", &[("command", "prune")]);
    let ran = Ran::of(
        step.env("GITHUB_EVENT_NAME", "pull_request_target")
            .output()
            .unwrap(),
    );
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(
        ran.log
            .contains("prune does not run for the event pull_request_target"),
        "{}",
        ran.log
    );
}

/// Releases the example to the environment `dev`, with a record.
fn release(place: &Place) {
    let source = format!("--source={}", crate::support::example());
    let ran = run(
        place,
        &[
            "promote",
            &source,
            "--environment=dev",
            "--version=1.4.0",
            "--dockerfile=Dockerfile",
            "--target=runtime",
        ],
    );
    assert_eq!(ran.status, Some(0), "{}", ran.log);
}

#[test]
fn a_deletion_is_recorded_where_the_environment_keeps_a_timeline() {
    let (place, stage, [going, _]) = folder(POLICY);
    release(&place);
    assert_eq!(
        run(&place, &["prune", "--plan-file=plan.json"]).status,
        Some(0)
    );
    let arguments = [
        "prune",
        "--apply=plan.json",
        "--output=json",
        "--reason=quarterly",
    ];
    let report = json(&run(&place, &arguments));
    let records = &report["repositories"][0]["result"]["records"];
    assert_eq!(records.as_array().unwrap().len(), 1, "{report:#}");
    let history = json(&run(
        &place,
        &["history", "--environment=dev", "--verify", "--output=json"],
    ));
    let entries = history["timelines"][0]["entries"].as_array().unwrap();
    let pruned: Vec<_> = entries
        .iter()
        .filter(|it| it["action"] == "pruned")
        .collect();
    assert_eq!(pruned.len(), 1, "{history:#}");
    assert_eq!(pruned[0]["digest"], going);
    assert_eq!(pruned[0]["statedReason"], "quarterly");
    let record = pruned[0]["record"].as_str().unwrap();
    let hex = record.strip_prefix("sha256:").unwrap();
    let text = std::fs::read_to_string(stage.path().join("blobs/sha256").join(hex)).unwrap();
    let statement: Value = serde_json::from_str(&text).unwrap();
    let deletions = statement["predicate"]["deletions"].as_array().unwrap();
    assert_eq!(deletions[0]["rule"], "tags: pr-*, older-than: 14d");
    assert_eq!(deletions[0]["tags"][0], "pr-1");
    assert_eq!(deletions.len(), 2, "{statement:#}");
    // The next plan reads the timeline, and nothing is left to delete.
    let again = json(&run(&place, &["prune", "--output=json"]));
    assert_eq!(again["outcome"], "unchanged", "{again:#}");
}

#[tokio::test]
async fn what_is_gone_from_a_layout_before_the_plan_is_repeated_is_recorded() {
    let (place, stage, [going, _]) = folder(POLICY);
    release(&place);
    let planned = run(&place, &["prune", "--plan-file=plan.json"]);
    assert_eq!(planned.status, Some(0), "{}", planned.log);
    // An earlier run of the plan deleted the image, and died.
    let layout = LayoutDirectory::new(stage.path());
    let tag = "pr-1".parse().unwrap();
    layout
        .delete_tag(&tag, going.parse().unwrap())
        .await
        .unwrap();
    layout
        .delete_manifest(going.parse().unwrap(), &[])
        .await
        .unwrap();
    let report = json(&run(
        &place,
        &["prune", "--apply=plan.json", "--output=json"],
    ));
    let records = &report["repositories"][0]["result"]["records"];
    assert_eq!(records.as_array().unwrap().len(), 1, "{report:#}");
    let arguments = ["history", "--environment=dev", "--verify", "--output=json"];
    let history = json(&run(&place, &arguments));
    let entries = history["timelines"][0]["entries"].as_array().unwrap();
    let mut pruned = entries.iter().filter(|it| it["action"] == "pruned");
    assert_eq!(pruned.next().unwrap()["digest"], going);
    assert!(pruned.next().is_none());
    let again = json(&run(
        &place,
        &["prune", "--apply=plan.json", "--output=json"],
    ));
    let records = &again["repositories"][0]["result"]["records"];
    assert_eq!(records.as_array().unwrap().len(), 0, "{again:#}");
}

#[test]
fn a_recorded_hold_keeps_its_image_without_its_tag() {
    let (place, stage, [going, _]) = folder(POLICY);
    release(&place);
    let release = format!("--release={going}");
    let hold = [
        "hold",
        "--name=case-7",
        "--environment=dev",
        "--reason=audit",
        &release,
    ];
    let ran = run(&place, &hold);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let index = stage.path().join("index.json");
    let mut json_of_index: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    let entries = json_of_index["manifests"].as_array_mut().unwrap();
    let before = entries.len();
    entries
        .retain(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] != "hold.case-7");
    assert_eq!(entries.len(), before - 1);
    std::fs::write(&index, json_of_index.to_string()).unwrap();
    let ran = run(&place, &["prune", "--explain=pr-1"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(ran.out.contains("the hold case-7 names it"), "{}", ran.out);
}

#[test]
fn keys_of_amazon_are_masked() {
    let (place, ..) = folder(POLICY);
    for name in ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        let secret = "wJalrXUtnFEMI.K7MDENG.made.up";
        let mut command = place.command();
        command
            .env("SHIPMARK_NOW", "2026-12-01T00:00:00Z")
            .env("AWS_ACCESS_KEY_ID", "AKIDMADEUP")
            .env("AWS_SECRET_ACCESS_KEY", "another.secret.made.up")
            .env(name, secret)
            .args(["prune", "--explain", secret]);
        let ran = Ran::of(command.output().unwrap());
        let all = format!("{}{}", ran.out, ran.log);
        assert!(all.contains("***"), "{all}");
        assert!(!all.contains(secret), "{all}");
    }
}
