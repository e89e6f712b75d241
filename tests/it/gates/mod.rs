//! Gates of an environment: what a release must pass, what a refusal says, and what the record keeps.

mod attempts;
mod attested;
mod current;
mod current_services;
mod github;
mod scans;
mod shown;
pub(crate) mod summaries;
mod times;

use serde_json::{Value, json};
use shipmark::record::ReleasePredicate;
use shipmark::signing::PrivateKey;

use crate::support::COMMIT;
use crate::support::keys;
use crate::support::made_image::MadeImage;
use crate::support::records::{any_record, entries};
use crate::which_image::{Stage, Trigger};

/// An environment that builds and signs, and one with gates.
const POLICY: &str = "\
environments:
  dev: {repository: HOST/dev, tags: 'type=raw,value=latest', sign: key, signers: [{key: dev.pub}]}
  prod: {repository: HOST/prod, from: dev, sign: key, signers: [{key: dev.pub}], MORE}
";
const DISPATCH: Trigger<'static> = ("workflow_dispatch", "refs/heads/main", COMMIT);
/// Commit of a second image.
const OTHER: &str = "2222222222222222222222222222222222222222";
const SIGNED: (&str, &str) = ("signing-key", "dev.key");

/// A stage whose `prod` has these keys of the policy.
async fn start(more: &str) -> Stage {
    let pem = keys::pem();
    let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
    let other = keys::key().public().to_pem();
    let policy = POLICY.replace("MORE", more);
    let files = [("dev.pub", public.as_str()), ("other.pub", other.as_str())];
    let stage = Stage::with(&policy, &files).await;
    std::fs::write(stage.place.path("dev.key"), pem).unwrap();
    stage
}

/// Releases an image to `dev`.
fn build(stage: &Stage, more: &[(&str, &str)]) -> MadeImage {
    let image = MadeImage::run_as(1, "1000", COMMIT);
    stage.push("dev", COMMIT, &image, &[&[SIGNED], more].concat());
    image
}

fn promoted(stage: &Stage, more: &[(&str, &str)]) -> String {
    stage.promoted(DISPATCH, "prod", &[&[SIGNED], more].concat())
}

fn refused(stage: &Stage, more: &[(&str, &str)]) -> String {
    stage.refused(DISPATCH, "prod", &[&[SIGNED], more].concat())
}

/// What the newest record of `prod` says.
fn recorded(stage: &Stage) -> ReleasePredicate {
    let entry = entries(&stage.registry, "prod").pop().unwrap();
    any_record(&stage.registry, "prod", &entry).predicate
}

/// Writes a report of Trivy about an image, made now, with findings of these severities. Returns its path.
fn write_report(stage: &Stage, name: &str, image: &MadeImage, severities: &[&str]) -> String {
    let found = severities.iter().enumerate();
    let found: Vec<Value> = found
        .map(|(number, severity)| {
            json!({
                "VulnerabilityID": format!("CVE-2026-{number:04}"), "PkgName": "openssl",
                "InstalledVersion": "3.0.1", "Severity": severity,
            })
        })
        .collect();
    let report = json!({
        "SchemaVersion": 2,
        "CreatedAt": jiff::Timestamp::now().to_string(),
        "ArtifactName": "web",
        "ArtifactType": "container_image",
        "Metadata": {
            "ImageID": image.config_digest(),
            "RepoDigests": [format!("{}/dev@{}", stage.registry.host(), image.digest())],
        },
        "Results": [{"Target": "web", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": found}],
    });
    std::fs::write(stage.place.path(name), report.to_string()).unwrap();
    name.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_an_image_that_does_not_meet_the_image_rule_is_refused_with_all_reasons() {
    let stage = start("gates: {image: {user: non-root, platforms: [linux/amd64], labels: [org.opencontainers.image.revision]}}").await;
    build(&stage, &[]);
    let log = promoted(&stage, &[]);
    assert!(log.contains("platforms: linux/amd64"), "{log}");
    let stage = start("gates: {image: {user: non-root, platforms: [linux/arm64], labels: [team]}, signature: {signers: [{key: other.pub}]}}").await;
    let image = MadeImage::run_as(1, "0", COMMIT);
    stage.push("dev", COMMIT, &image, &[SIGNED]);
    let refusal = refused(&stage, &[]);
    for part in [
        "does not pass 2 of 2 gates: signature (failed), image (failed)",
        "linux/arm64",
        "team",
        "user",
        "has no signature of an accepted signer",
    ] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_push_passes_the_gates_of_its_environment() {
    let policy = "environments:\n  dev: {repository: HOST/dev, tags: 'type=raw,value=latest', gates: {image: {user: non-root}}}\n";
    let stage = Stage::with(policy, &[]).await;
    let image = MadeImage::run_as(1, "root", COMMIT);
    image.write_archive(&stage.place.path("image.tar"));
    let inputs = [
        ("command", "push"),
        ("environment", "dev"),
        ("source", "oci-archive:image.tar"),
    ];
    let ran = stage.run(("push", "refs/heads/develop", COMMIT), &inputs);
    let refusal = stage.failed(ran, 1);
    assert!(refusal.contains("image (failed)"), "{refusal}");
    let image = MadeImage::run_as(1, "app", COMMIT);
    stage.push("dev", COMMIT, &image, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_an_archive_has_no_signatures_and_hides_no_reason() {
    let public = keys::key().public().to_pem();
    let gates = "gates: {signature: {signers: [{key: dev.pub}]}, image: {user: non-root}}";
    let policy = format!(
        "environments:\n  dev: {{repository: HOST/dev, tags: 'type=raw,value=latest', {gates}}}\n"
    );
    let stage = Stage::with(&policy, &[("dev.pub", &public)]).await;
    let image = MadeImage::run_as(1, "root", COMMIT);
    image.write_archive(&stage.place.path("image.tar"));
    let inputs = [
        ("command", "push"),
        ("environment", "dev"),
        ("source", "oci-archive:image.tar"),
    ];
    let ran = stage.run(("push", "refs/heads/develop", COMMIT), &inputs);
    let refusal = stage.failed(ran, 1);
    for part in ["signature (failed)", "image (failed)", "has no signature"] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
}
