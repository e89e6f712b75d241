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
    let evidence = recorded(&stage).evidence;
    assert_considered(&evidence, "scan");
    let stage = start("gates: {scan: {fail-on: high, attested: true}}").await;
    let report = write_report(&stage, "report.json", &image, &["HIGH"]);
    build(&stage, &[("scan-report", &report)]);
    let refusal = refused(&stage, &[]);
    assert!(refusal.contains("scan (failed)"), "{refusal}");
    // A good file of the job does not outweigh it.
    let good = write_report(&stage, "good.json", &image, &[]);
    refused(&stage, &[("scan-report", &good)]);
}
