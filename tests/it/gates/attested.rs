//! Gates that judge signatures and attestations.

use shipmark::record::RecordedEvidence;

use super::*;

/// The documents of a kind in both formats of signatures, and no others; all passed.
fn assert_considered(evidence: &[RecordedEvidence], kind: &str) {
    assert_eq!(evidence.len(), 2, "{evidence:?}");
    for document in evidence {
        assert_eq!(document.kind, kind);
        assert_eq!(document.result.as_deref(), Some("passed"));
        assert!(document.by.is_some(), "{evidence:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_signature_of_the_environment_before_passes() {
    let stage = start("gates: {signature: true}").await;
    build(&stage, &[]);
    let log = promoted(&stage, &[]);
    assert!(log.contains("is signed by"), "{log}");
    let evidence = recorded(&stage).evidence;
    assert_considered(&evidence, "signature");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_an_attestation_must_say_what_the_rule_says() {
    let provenance = json!({
        "buildDefinition": {
            "buildType": "https://example.com/build/v1",
            "externalParameters": {"workflow": {"repository": "https://github.com/acme/web"}},
        },
        "runDetails": {"builder": {"id": "https://example.com/builder"}},
    });
    let rule = |repository: &str| {
        format!(
            "gates: {{attestations: ['https://slsa.dev/provenance/v1,/buildDefinition/externalParameters/workflow/repository={repository}']}}"
        )
    };
    for (repository, passes) in [
        ("https://github.com/acme/web", true),
        ("https://github.com/acme/other", false),
    ] {
        let stage = start(&rule(repository)).await;
        std::fs::write(stage.place.path("provenance.json"), provenance.to_string()).unwrap();
        build(&stage, &[("provenance", "provenance.json")]);
        match passes {
            true => {
                promoted(&stage, &[]);
                let evidence = recorded(&stage).evidence;
                assert_considered(&evidence, "attestation");
            }
            false => {
                let refusal = refused(&stage, &[]);
                assert!(refusal.contains("attestations (failed)"), "{refusal}");
                assert!(refusal.contains("https://github.com/acme/web"), "{refusal}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_attested_reports_need_no_file() {
    let stage = start("gates: {scan: {fail-on: high, attested: true}}").await;
    let image = MadeImage::run_as(1, "1000", COMMIT);
    let report = write_report(&stage, "report.json", &image, &["LOW"]);
    build(&stage, &[("scan-report", &report)]);
    promoted(&stage, &[]);
    // It is there in both formats of signatures, and is one report.
    let evidence = recorded(&stage).evidence;
    assert_eq!(evidence.len(), 1, "{evidence:?}");
    assert_eq!(evidence[0].result.as_deref(), Some("passed"));
    assert!(evidence[0].kind == "scan" && evidence[0].by.is_some());
    let stage = start("gates: {scan: {fail-on: high, attested: true}}").await;
    let report = write_report(&stage, "report.json", &image, &["HIGH"]);
    build(&stage, &[("scan-report", &report)]);
    let refusal = refused(&stage, &[]);
    assert!(refusal.contains("scan (failed)"), "{refusal}");
    // A good file of the job does not outweigh it, and takes the place of none.
    let good = write_report(&stage, "good.json", &image, &[]);
    refused(&stage, &[("scan-report", &good)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_newer_attested_report_takes_the_place_of_an_old_one() {
    let stage = start("gates: {scan: {fail-on: high, max-age: 24h, attested: true}}").await;
    let image = MadeImage::run_as(1, "1000", COMMIT);
    write_report(&stage, "old.json", &image, &["CRITICAL"]);
    let path = stage.place.path("old.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut old: Value = serde_json::from_str(&text).unwrap();
    old["CreatedAt"] = json!("2020-01-01T00:00:00Z");
    std::fs::write(&path, old.to_string()).unwrap();
    write_report(&stage, "new.json", &image, &["LOW"]);
    build(&stage, &[("scan-report", "old.json")]);
    let refusal = refused(&stage, &[]);
    assert!(refusal.contains("2020-01-01T00:00:00Z"), "{refusal}");
    build(&stage, &[("scan-report", "old.json\nnew.json")]);
    promoted(&stage, &[]);
    let evidence = recorded(&stage).evidence;
    let mut results: Vec<_> = evidence
        .iter()
        .map(|it| it.result.clone().unwrap())
        .collect();
    results.sort();
    assert_eq!(results, ["passed", "superseded"], "{evidence:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_attested_reports_of_other_signers_are_named() {
    let gates = "gates: {scan: {fail-on: high, attested: {signers: [{key: other.pub}]}}}";
    let stage = start(gates).await;
    let image = MadeImage::run_as(1, "1000", COMMIT);
    let report = write_report(&stage, "report.json", &image, &[]);
    build(&stage, &[("scan-report", &report)]);
    let refusal = refused(&stage, &[]);
    for part in [
        "no attested scan report of an accepted signer is about linux/amd64: attestation sha256:",
        "scan (unknown)",
    ] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_files_take_no_place_of_attested_reports() {
    let stage = start("gates: {scan: {fail-on: high, attested: true}}").await;
    let image = build(&stage, &[]);
    let good = write_report(&stage, "good.json", &image, &[]);
    let refusal = refused(&stage, &[("scan-report", &good)]);
    for part in [
        "scan (unknown)",
        "no attested scan report",
        "\n hint: scan: attest the reports as the key ",
        "such as with sign and scan-report of the run that pushes the image",
    ] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_an_image_that_was_pushed_to_the_environment_directly_is_not_released() {
    let stage = start("vsa: true").await;
    build(&stage, &[]);
    let pushed = MadeImage::run_as(3, "1000", COMMIT);
    pushed.put(&stage.registry, "prod", &["direct"]);
    let host = stage.registry.host();
    for source in [
        format!("{host}/prod:direct"),
        format!("{host}/prod@{}", pushed.digest()),
    ] {
        let refusal = refused(&stage, &[("source", &source)]);
        assert!(
            refusal.contains("has no release record in dev"),
            "{refusal}"
        );
    }
    promoted(&stage, &[]);
    // What is released there already can be released again from there.
    let source = format!("{host}/prod:prod");
    promoted(&stage, &[("source", &source)]);
}
