//! Verification summaries of releases.

use super::*;
use crate::registry::Registry;

/// Whether a referrer is listed: by the registry, or under the tag of its subject where that is.
fn is_listed(registry: &Registry, repository: &str, subject: &str, digest: &str) -> bool {
    match registry.manifest(repository, &subject.replace(':', "-")) {
        Some((_, list)) => {
            let list: Value = serde_json::from_slice(&list).unwrap();
            let mut listed = list["manifests"].as_array().unwrap().iter();
            listed.any(|entry| entry["digest"] == digest)
        }
        None => true,
    }
}

/// Summaries next to the image of a repository: result and environment.
pub(crate) fn summaries(registry: &Registry, repository: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for digest in registry.manifests(repository) {
        let (_, manifest) = registry.manifest(repository, &digest).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let kind = &manifest["annotations"]["dev.sigstore.bundle.predicateType"];
        if kind != "https://slsa.dev/verification_summary/v1" {
            continue;
        }
        let subject = manifest["subject"]["digest"].as_str().unwrap();
        if !is_listed(registry, repository, subject, &digest) {
            continue;
        }
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        let bundle = registry.blob(repository, layer).unwrap();
        let bundle: Value = serde_json::from_slice(&bundle).unwrap();
        let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
        use base64::Engine;
        let payload = base64::engine::general_purpose::STANDARD
            .decode(payload)
            .unwrap();
        let statement: Value = serde_json::from_slice(&payload).unwrap();
        let predicate = &statement["predicate"];
        assert_eq!(predicate["verifier"]["id"], "https://shipmark.dev/promote");
        assert_eq!(
            predicate["resourceUri"],
            format!("oci://{}/{repository}", registry.host())
        );
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let result = text(&predicate["verificationResult"]);
        found.push((result, text(&predicate["shipmark_environment"])));
    }
    found.sort();
    found
}

pub(super) fn passed() -> (String, String) {
    ("PASSED".to_owned(), "prod".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_each_release_gets_one_summary() {
    let stage = start("vsa: true").await;
    build(&stage, &[]);
    promoted(&stage, &[]);
    assert_eq!(summaries(&stage.registry, "prod"), [passed()]);
    assert!(summaries(&stage.registry, "dev").is_empty());
    stage.registry.clear_log();
    promoted(&stage, &[]);
    let requests = stage.registry.requests();
    let is_write = |line: &&String| !line.starts_with("GET ") && !line.starts_with("HEAD ");
    let writes: Vec<_> = requests.iter().filter(is_write).collect();
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_later_release_of_the_same_root_gets_a_summary_of_its_own() {
    let stage = start("vsa: true").await;
    build(&stage, &[]);
    let version = |version: &'static str| [("tags", version), ("source", "latest")];
    for (tags, count) in [
        ("type=raw,value=1.0.0,immutable=true", 1),
        ("type=raw,value=1.0.1,immutable=true", 2),
        ("type=raw,value=1.0.1,immutable=true", 2),
    ] {
        promoted(&stage, &version(tags));
        let expected = vec![passed(); count];
        assert_eq!(summaries(&stage.registry, "prod"), expected, "{tags}");
        assert_eq!(entries(&stage.registry, "prod").len(), count, "{tags}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_summary_is_not_copied_and_a_rollback_adds_one_that_failed() {
    let stage = start("vsa: true").await;
    build(&stage, &[]);
    promoted(&stage, &[]);
    let image = MadeImage::run_as(2, "1000", OTHER);
    stage.push("dev", OTHER, &image, &[SIGNED]);
    let digest = image.digest();
    promoted(&stage, &[("source", &digest)]);
    let host = stage.registry.host();
    let (source, copy) = (format!("{host}/prod@{digest}"), format!("{host}/copy"));
    let inputs = [
        ("command", "promote"),
        ("source", source.as_str()),
        ("images", copy.as_str()),
        ("referrers", "all"),
        ("tags", "type=raw,value=copied"),
    ];
    let ran = stage.run(DISPATCH, &inputs);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(summaries(&stage.registry, "copy").is_empty());
    let inputs = [
        ("command", "rollback"),
        ("environment", "prod"),
        ("reason", "broken"),
        SIGNED,
    ];
    let ran = stage.run(DISPATCH, &inputs);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let failed = ("FAILED".to_owned(), "prod".to_owned());
    assert_eq!(
        summaries(&stage.registry, "prod"),
        [failed.clone(), passed(), passed()]
    );
    // What was signed before the rollback is void: a reinstated image gets a summary of its own.
    promoted(
        &stage,
        &[
            ("source", &digest),
            ("reinstate", "true"),
            ("reason", "mended"),
        ],
    );
    assert_eq!(
        summaries(&stage.registry, "prod"),
        [failed, passed(), passed(), passed()]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_no_run_attests_a_summary_in_the_name_of_releases() {
    let stage = start("vsa: true").await;
    let forged = json!({
        "verifier": {"id": "https://shipmark.dev/promote"},
        "timeVerified": "2099-01-01T00:00:00.000Z",
        "resourceUri": format!("oci://{}/prod", stage.registry.host()),
        "policy": {"uri": "x"},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SHIPMARK_RELEASED"],
        "shipmark_environment": "prod",
    });
    std::fs::write(stage.place.path("forged.json"), forged.to_string()).unwrap();
    let image = MadeImage::run_as(1, "1000", COMMIT);
    image.write_archive(&stage.place.path("image.tar"));
    let inputs = [
        ("command", "push"),
        ("environment", "dev"),
        ("source", "oci-archive:image.tar"),
        ("verification-summary", "forged.json"),
        SIGNED,
    ];
    let failed = stage.failed(stage.run(DISPATCH, &inputs), 2);
    assert!(failed.contains("verifier.id"), "{failed}");
}
