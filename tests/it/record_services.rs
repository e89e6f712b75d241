//! Rollback and mark of several services of the policy in one run.

use serde_json::Value;
use shipmark::policy::Service;
use shipmark::record::ReleaseMark;
use shipmark::release::{
    Failure, MarkRequest, RecordBatch, ServiceOutcome, mark_services, rollback_services,
};

use crate::registry::{Effect, Fault};
use crate::support::checkout::commit;
use crate::support::context;
use crate::support::made_image::MadeImage;
use crate::support::output_schema::OutputSchema;
use crate::support::process::{Place, Ran};
use crate::support::recorded_stage::*;
use crate::support::records::entries;

const POLICY: &str = "services: [web, api, worker]
environments:
  prod:
    repository: oci:prod-{service}
";

/// A place with a policy of three services, and the same releases of each.
fn released(versions: &[&str]) -> Place {
    let place = Place::new();
    std::fs::write(place.path("policy.yml"), POLICY).unwrap();
    for service in ["web", "api", "worker"] {
        for version in versions {
            release(&place, service, version);
        }
    }
    place
}

fn release(place: &Place, service: &str, version: &str) {
    let archive = format!("{service}-{version}.tar");
    let image = MadeImage::new(image_number(&archive), &[("version", version)]);
    image.write_archive(place.path(&archive).as_ref());
    let source = format!("--source=oci-archive:{archive}");
    let ran = run(
        place,
        &[
            "promote",
            &source,
            &format!("--services={service}"),
            &format!("--version={version}"),
        ],
    );
    assert_eq!(ran.status, Some(0), "{}", ran.log);
}

fn run(place: &Place, arguments: &[&str]) -> Ran {
    place.run(&[arguments, &["--policy=policy.yml", "--environment=prod"]].concat())
}

fn json(place: &Place, status: i32, arguments: &[&str]) -> Value {
    let ran = run(place, &[arguments, &["--output=json"]].concat());
    assert_eq!(ran.status, Some(status), "{arguments:?}: {}", ran.log);
    let mut schema = OutputSchema::load();
    schema.check("recordBatch", &ran.out)
}

fn indexes(place: &Place) -> Vec<Vec<u8>> {
    let services = ["web", "api", "worker"].iter();
    services
        .map(|service| std::fs::read(place.path(&format!("prod-{service}/index.json"))).unwrap())
        .collect()
}

#[test]
fn several_services_go_back_in_one_run() {
    let place = released(&["1.4.0", "1.4.1"]);
    let before = indexes(&place);
    let services = ["--services=web", "--services=api"];
    let rollback = [&["rollback", "--reason=orders fail"], &services[..]].concat();
    let planned = json(&place, 0, &[&rollback[..], &["--dry-run"]].concat());
    assert_eq!(planned["outcome"], "unchanged");
    assert_eq!(indexes(&place), before);
    let outcome = json(&place, 0, &rollback);
    assert_eq!(outcome["outcome"], "withdrawn");
    for (number, service) in ["web", "api"].into_iter().enumerate() {
        let one = &outcome["services"][number];
        assert_eq!(one["service"], service);
        assert_eq!(one["withdrawn"]["version"], "1.4.1", "{one}");
        assert_eq!(one["current"]["version"], "1.4.0", "{one}");
        assert_eq!(one["reason"], "orders fail");
    }
    let after = indexes(&place);
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert_eq!(before[2], after[2], "worker is not named");
    let mark = ["mark", "--state=deployed", "--services=web, api,worker"];
    let marked = json(&place, 0, &mark);
    assert_eq!(marked["outcome"], "marked");
    assert_eq!(marked["services"][2]["release"]["version"], "1.4.1");
    assert_eq!(json(&place, 0, &mark)["outcome"], "unchanged");
}

#[test]
fn services_that_go_back_are_named() {
    let place = released(&["1.4.0", "1.4.1"]);
    let before = indexes(&place);
    for verb in [&["rollback"][..], &["mark", "--state=failed"]] {
        let ran = run(&place, verb);
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        for part in [
            &format!("prod has 3 services, and {} takes only those", verb[0]),
            "name them with services: web, api, worker",
        ] {
            assert!(ran.log.contains(part), "{part}: {}", ran.log);
        }
    }
    assert_eq!(indexes(&place), before);
}

#[test]
fn promise_1_what_is_refused_for_one_service_is_written_for_none() {
    let place = released(&["1.4.0"]);
    release(&place, "web", "1.4.1");
    let before = indexes(&place);
    let rollback = ["rollback", "--services=web", "--services=api"];
    let refused = json(&place, 1, &rollback);
    assert_eq!(refused["outcome"], "refused");
    assert_eq!(refused["services"][0]["outcome"], "not begun");
    assert_eq!(refused["services"][1]["outcome"], "refused");
    assert_eq!(indexes(&place), before);
    let ran = run(&place, &rollback);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    for part in [
        "1 not begun, 1 refused",
        "nothing was written",
        "api: prod has no release",
    ] {
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
    }
}

#[test]
fn a_step_has_the_images_of_all_services() {
    let place = released(&["1.4.0", "1.4.1"]);
    let inputs = [
        ("command", "rollback"),
        ("environment", "prod"),
        ("services", "web\napi"),
        ("policy", "policy.yml"),
        ("offline", "true"),
    ];
    let commit = commit(place.root(), &[("policy.yml", POLICY)]);
    let mut step = place.step("refs/heads/main", &inputs);
    let ran = Ran::of(step.env("GITHUB_WORKFLOW_SHA", commit).output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let images = place.output("image");
    assert_eq!(images.lines().count(), 2, "{images}");
    assert_eq!(place.output("record").lines().count(), 2);
    assert_eq!(place.output("digest"), "");
    let matrix: Value = serde_json::from_str(&place.output("matrix")).unwrap();
    assert_eq!(matrix["include"][1]["service"], "api");
    assert_eq!(
        matrix["include"][1]["image"],
        images.lines().nth(1).unwrap()
    );
}

#[test]
fn a_repository_that_never_existed_hides_no_other_history() {
    let place = released(&["1.4.0"]);
    let policy = POLICY.replace("worker]", "worker, cron]");
    std::fs::write(place.path("policy.yml"), policy).unwrap();
    let ran = run(&place, &["history"]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    for part in ["prod of oci:prod-web", "prod of oci:prod-worker"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    for part in ["1 of 4 timelines of prod cannot be read", " cron: "] {
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
    }
    let ran = run(&place, &["history", "--output=json"]);
    let shown = OutputSchema::load().check("history", &ran.out);
    assert_eq!(shown["timelines"].as_array().unwrap().len(), 3);
    assert_eq!(shown["failed"][0]["repository"], "oci:prod-cron");
    let alone = run(&place, &["history", "--services=web"]);
    assert_eq!(alone.status, Some(0), "{}", alone.log);
}

#[test]
fn a_refusal_of_one_service_is_told_once() {
    let place = released(&["1.4.0"]);
    std::fs::remove_file(place.path("web-1.4.0.tar")).unwrap();
    let image = MadeImage::new(77, &[("version", "1.4.0")]);
    image.write_archive(place.path("other.tar").as_ref());
    let promote = [
        "promote",
        "--source=oci-archive:other.tar",
        "--version=1.4.0",
        "--services=web",
    ];
    let ran = run(&place, &promote);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    let told = format!("{}{}", ran.log, ran.out);
    assert_eq!(
        told.matches("tag 1.4.0 of oci:prod-web").count(),
        1,
        "{told}"
    );
}

#[test]
fn an_environment_tag_that_is_gone_is_named_by_each_verb() {
    let place = released(&["1.4.0", "1.4.1"]);
    let index = place.path("prod-web/index.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    let manifests = json["manifests"].as_array_mut().unwrap();
    let name = "org.opencontainers.image.ref.name";
    manifests.retain(|entry| entry["annotations"][name] != "prod");
    std::fs::write(&index, json.to_string()).unwrap();
    for (verb, word) in [
        (&["history"][..], "drift: prod is missing"),
        (&["inspect"], "the tag prod is gone"),
        (&["mark", "--state=failed"], "the tag prod is gone"),
    ] {
        let ran = run(&place, &[verb, &["--services=web"]].concat());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let told = format!("{}{}", ran.log, ran.out);
        assert!(told.contains(word), "{verb:?}: {told}");
    }
}

/// Two services, each at a registry of its own.
async fn stages() -> [Stage; 2] {
    [
        Stage::released(&["1.4.0", "1.4.1"]).await,
        Stage::released(&["1.4.0", "1.4.1"]).await,
    ]
}

fn batch<R>(stages: &[Stage; 2], request: impl Fn(&Stage) -> R) -> RecordBatch<R> {
    let names: [Service; 2] = ["web", "api"].map(|name| name.parse().unwrap());
    RecordBatch {
        environment: "prod".parse().unwrap(),
        dry_run: false,
        services: names.into_iter().zip(stages.iter().map(request)).collect(),
    }
}

#[tokio::test]
async fn a_registry_that_fails_in_the_middle_stops_its_own_service() {
    let stages = stages().await;
    let batch = batch(&stages, |stage| stage.request(5, 9));
    let fault = Fault::on("PUT", "/manifests/prod", Effect::status(500)).always();
    stages[1].registry.fault(fault);
    let lines = std::sync::Mutex::new(Vec::new());
    let outcome = rollback_services(&batch, &context(), |service, end| {
        let done = matches!(end, ServiceOutcome::Completed(_));
        lines.lock().unwrap().push((service.to_string(), done));
    })
    .await;
    assert!(outcome.started);
    let failed: Vec<_> = outcome.failures().collect();
    assert!(
        matches!(failed[..], [(service, Failure::Service(_))] if service.as_str() == "api"),
        "{failed:?}"
    );
    let (service, done) = outcome.completed().next().unwrap();
    assert_eq!(service.as_str(), "web");
    assert_eq!(version(&done.current), "1.4.0");
    let mut lines = lines.into_inner().unwrap();
    lines.sort();
    assert_eq!(lines, [("api".to_owned(), false), ("web".to_owned(), true)]);
    assert_eq!(stages[0].tag("prod"), "1.4.0");
    // The repeated run completes the one that failed, and withdraws nothing else.
    stages[1].registry.clear_faults();
    let mut batch = batch;
    for (_, request) in &mut batch.services {
        request.timeline.account.run.as_mut().unwrap().attempt = Some(2);
    }
    let again = rollback_services(&batch, &context(), |_, _| {}).await;
    assert_eq!(again.failures().count(), 0);
    for stage in &stages {
        assert_eq!(stage.tag("prod"), "1.4.0");
        let rollbacks = entries(&stage.registry, "prod");
        let rollbacks = rollbacks
            .iter()
            .filter(|entry| entry.contains(".rollback."));
        assert_eq!(rollbacks.count(), 1);
    }
}

#[tokio::test]
async fn a_registry_that_fails_early_leaves_all_services_as_they_are() {
    let stages = stages().await;
    let batch = batch(&stages, |stage| MarkRequest {
        timeline: stage.timeline(5, 9),
        state: ReleaseMark::Failed,
        release: None,
    });
    let fault = Fault::on("GET", "/tags/list", Effect::status(403)).always();
    stages[1].registry.fault(fault);
    for stage in &stages {
        stage.registry.clear_log();
    }
    let outcome = mark_services(&batch, &context(), |_, _| {}).await;
    assert!(!outcome.started);
    assert_eq!(outcome.failures().count(), 1);
    assert_eq!(outcome.completed().count(), 0);
    for stage in &stages {
        assert_eq!(writes(&stage.registry), 0);
    }
}
