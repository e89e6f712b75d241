//! Records as attestations for cosign and as artifacts for oras, signed with a key.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use shipmark::image::Digest;

use super::*;
use crate::support::{example, example_root};

/// An environment that signs its records with a key, and the repository of its images.
fn environment(base: &str) -> (Desk, String) {
    let repository = format!("{base}prod");
    let policy = format!(
        "environments:\n  prod: {{repository: '{repository}', sign: key, signers: [{{key: ours.pub}}]}}\n"
    );
    (Desk::new(&policy, &["ours", "other"]), repository)
}

fn push(desk: &Desk) {
    let source = format!("--source={}", example());
    let key = "--signing-key=ours.key";
    desk.ship(&["push", &source, "--environment=prod", "--tags=it", key]);
}

/// The arguments by which cosign looks for a record of the image.
fn arguments<'a>(key: &'a str, image: &'a str) -> Vec<&'a str> {
    let ignore = "--insecure-ignore-tlog";
    vec![
        "verify-attestation",
        "--type",
        RECORD_TYPE,
        key,
        ignore,
        image,
    ]
}

#[test]
#[ignore = "needs cosign and two registries: scripts/interop.sh"]
fn cosign_verifies_our_records_and_refuses_another_key() {
    for base in bases("attested") {
        let (desk, repository) = environment(&base);
        push(&desk);
        let mark = ["mark", "--environment=prod", "--state=deployed"];
        desk.ship(&[&mark[..], &["--signing-key=ours.key"]].concat());
        let image = format!("{repository}:it");
        let found = desk.must("cosign", &arguments("--key=ours.pub", &image));
        let statements = found.lines().map(statement);
        let mut actions: Vec<_> = statements
            .map(|statement| {
                let predicate = &statement["predicate"];
                assert_eq!(statement["predicateType"], RECORD_TYPE);
                assert_eq!(predicate["environment"], "prod");
                assert_eq!(predicate["destination"], *repository);
                predicate["action"].as_str().unwrap().to_owned()
            })
            .collect();
        actions.sort_unstable();
        assert_eq!(actions, ["deployed", "push"], "{image}");
        assert!(!desk.succeeds("cosign", &arguments("--key=other.pub", &image)));
    }
}

/// The statement in a line of cosign's output.
fn statement(line: &str) -> Value {
    let envelope: Value = serde_json::from_str(line).unwrap();
    let payload = BASE64_STANDARD.decode(envelope["payload"].as_str().unwrap());
    serde_json::from_slice(&payload.unwrap()).unwrap()
}

#[test]
#[ignore = "needs cosign and two registries: scripts/interop.sh"]
fn a_policy_of_cosign_decides_by_the_environment() {
    for base in bases("policy") {
        let (desk, repository) = environment(&base);
        push(&desk);
        let image = format!("{repository}:it");
        for (environment, passes) in [("prod", true), ("stage", false)] {
            let policy = format!("predicate: environment: \"{environment}\"\n");
            desk.write("policy.cue", &policy);
            let mut arguments = arguments("--key=ours.pub", &image);
            arguments.insert(1, "--policy=policy.cue");
            let output = desk.run("cosign", &arguments);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.success(), passes, "{environment}: {errors}");
            if !passes {
                assert!(errors.contains("environment"), "{errors}");
            }
        }
    }
}

#[test]
#[ignore = "needs cosign, oras and two registries: scripts/interop.sh"]
fn oras_fetches_an_entry_and_its_record() {
    for base in bases("fetched") {
        let (desk, repository) = environment(&base);
        push(&desk);
        let entry = &desk.entries(&repository)["push"];
        assert_eq!(entry["artifactType"], ENTRY_TYPE);
        assert_eq!(entry["subject"], Value::Null);
        let layer = &entry["layers"][0];
        let record = desk.layer(&repository, layer);
        assert_eq!(layer["digest"], Digest::from_bytes(&record).to_string());
        let inline = BASE64_STANDARD.decode(layer["data"].as_str().unwrap());
        assert_eq!(inline.unwrap(), record);
        let history = ["history", "--environment=prod", "--output=json"];
        let history: Value = serde_json::from_str(&desk.ship(&history)).unwrap();
        let shown = &history["timelines"][0]["entries"][0];
        assert_eq!(shown["record"], layer["digest"]);
        assert_eq!(shown["digest"], example_root().to_string());
        assert_eq!(shown["known"], "verified");
    }
}
