//! Verdicts in every medium: log, text, step summary and JSON, of refusals too, for one service and for several.

use super::*;
use crate::support::output_schema::OutputSchema;
use crate::support::process::Ran;

const SERVICES: &str = "\
services: [web, api]
environments:
  dev: {repository: 'HOST/dev-{service}', tags: 'type=raw,value=latest', sign: key, signers: [{key: dev.pub}]}
  prod:
    repository: HOST/prod-{service}
    from: dev
    sign: key
    signers: [{key: dev.pub}]
    gates: {GATES}
";

/// A stage with two services, which are both released to `dev`. Returns their images.
async fn start_services(gates: &str) -> (Stage, [MadeImage; 2]) {
    let pem = keys::pem();
    let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
    let policy = SERVICES.replace("GATES", gates);
    let stage = Stage::with(&policy, &[("dev.pub", public.as_str())]).await;
    std::fs::write(stage.place.path("dev.key"), pem).unwrap();
    let images = [1, 2].map(|number| MadeImage::run_as(number, "1000", COMMIT));
    for (service, image) in ["web", "api"].iter().zip(&images) {
        stage.push("dev", COMMIT, image, &[SIGNED, ("services", service)]);
    }
    (stage, images)
}

/// Writes the committed policy and key to the working tree, which a command line reads.
fn check_out(stage: &Stage) {
    let repository = git2::Repository::open(stage.place.root()).unwrap();
    let commit = repository.head().unwrap().peel_to_commit().unwrap();
    let mut checkout = git2::build::CheckoutBuilder::new();
    let tree = commit.as_object();
    repository
        .checkout_tree(tree, Some(checkout.force()))
        .unwrap();
}

/// Runs the promotion on a command line, outside of a runner.
fn on_command_line(stage: &Stage, more: &[&str]) -> Ran {
    check_out(stage);
    let promote = [
        "promote",
        "--environment=prod",
        "--source=latest",
        "--signing-key=dev.key",
    ];
    stage.place.run(&[&promote[..], more].concat())
}

fn verdicts(service: &Value) -> Vec<(String, String)> {
    let gates = service["gates"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    gates
        .map(|gate| (text(&gate["gate"]), text(&gate["verdict"])))
        .collect()
}

const GATES: &str = "scan: {fail-on: high, ignore: [{id: CVE-2020-1, reason: old}]}, image: {user: non-root}, freeze: [{from: 2020-01-01T00:00, to: 2100-01-01T00:00, zone: UTC, override: true}]";

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_refusal_of_two_services_shows_every_verdict_of_each() {
    let (stage, [web, _]) = start_services(GATES).await;
    let report = write_report(&stage, "web.json", &web, &["HIGH"]);
    let more = [
        ("scan-report", report.as_str()),
        ("override-freeze", "incident 42"),
        ("source", "latest"),
    ];
    let refusal = refused(&stage, &more);
    for line in [
        "  why:  scan: web.json has 1 finding of high or above on linux/amd64: CVE-2026-0000",
        "  why:  scan: no scan report was given or found: expected reports about linux/amd64",
        "\n nothing was written",
    ] {
        assert!(refusal.contains(line), "{line}: {refusal}");
    }
    let summary = stage.place.read("summary");
    for row in [
        "| `web` | scan | **failed** |",
        "| `api` | scan | **unknown** |",
        "| `web` | freeze | **passed** (overridden: incident 42) |",
        "| `api` | image | **passed** |",
        "gate scan of web: the exception for CVE-2020-1 matches no finding",
    ] {
        assert!(summary.contains(row), "{row}: {summary}");
    }
    let ran = on_command_line(
        &stage,
        &[
            "--scan-report=web.json",
            "--override-freeze=incident 42",
            "--output=json",
        ],
    );
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    let json = OutputSchema::load().check("batch", &ran.out);
    let expected = |scan: &str| {
        let pairs = [("scan", scan), ("freeze", "passed"), ("image", "passed")];
        pairs.map(|(gate, verdict)| (gate.to_owned(), verdict.to_owned()))
    };
    assert_eq!(verdicts(&json["services"][0]), expected("failed"), "{json}");
    assert_eq!(
        verdicts(&json["services"][1]),
        expected("unknown"),
        "{json}"
    );
    for line in [
        "gates of web",
        "gates of api",
        "freeze        passed (overridden: incident 42)",
    ] {
        assert!(ran.log.contains(line), "{line}: {}", ran.log);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_service_that_passes_shows_its_verdicts_when_another_is_refused() {
    let (stage, [web, api]) = start_services("scan: {fail-on: high}").await;
    let web = write_report(&stage, "web.json", &web, &["HIGH"]);
    let good = write_report(&stage, "api.json", &api, &[]);
    let reports = ["web.json", "api.json"].map(|file| format!("--scan-report={file}"));
    let [first, second] = reports.each_ref().map(String::as_str);
    let ran = on_command_line(&stage, &[first, second, "--output=json", "--dry-run"]);
    assert_eq!(ran.status, Some(1), "{web} {good} {}", ran.log);
    let json = OutputSchema::load().check("batch", &ran.out);
    assert_eq!(json["services"][1]["outcome"], "not begun");
    assert_eq!(verdicts(&json["services"][1])[0].1, "passed");
    assert!(!ran.log.contains("repeat the run"), "{}", ran.log);
    write_report(
        &stage,
        "web.json",
        &MadeImage::run_as(1, "1000", COMMIT),
        &[],
    );
    let ran = on_command_line(&stage, &[first, second, "--dry-run"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    for line in [
        "gates of web\n  scan          passed",
        "gates of api\n  scan          passed",
    ] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_refusal_of_one_image_shows_every_verdict() {
    let stage = start("gates: {scan: {fail-on: high}, image: {user: non-root}}").await;
    build(&stage, &[]);
    refused(&stage, &[]);
    let summary = stage.place.read("summary");
    for row in [
        "| scan | **unknown** |",
        "| image | **passed** | platforms: linux/amd64",
    ] {
        assert!(summary.contains(row), "{row}: {summary}");
    }
    let json = OutputSchema::load().check("failure", &stage.place.output("json"));
    assert_eq!(
        verdicts(&json)[1],
        ("image".to_owned(), "passed".to_owned())
    );
    let ran = on_command_line(&stage, &[]);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(
        ran.log.contains("\ngates\n  scan          unknown"),
        "{}",
        ran.log
    );
    let ran = on_command_line(&stage, &["--quiet"]);
    assert!(!ran.log.contains("\ngates\n"), "{}", ran.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_each_of_several_images_attests_its_own_reports() {
    let (stage, [web, api]) = start_services("scan: {fail-on: high, attach: true}").await;
    let reports = [("web.json", &web), ("api.json", &api)];
    let names = reports.map(|(name, image)| write_report(&stage, name, image, &["LOW"]));
    let more = [
        ("scan-report", names.join("\n")),
        ("source", "latest".to_owned()),
    ];
    let more: Vec<(&str, &str)> = more.iter().map(|(name, it)| (*name, it.as_str())).collect();
    promoted(&stage, &more);
    let kind = "https://cosign.sigstore.dev/attestation/vuln/v1";
    for (service, name) in ["web", "api"].iter().zip(names) {
        let entry = entries(&stage.registry, &format!("prod-{service}"))
            .pop()
            .unwrap();
        let record = any_record(&stage.registry, &format!("prod-{service}"), &entry);
        let evidence = record.predicate.evidence;
        let attested = evidence
            .iter()
            .filter(|it| it.media_type.as_deref() == Some(kind));
        assert_eq!(attested.count(), 1, "{evidence:?}");
        let file = std::fs::read(stage.place.path(&name)).unwrap();
        let digest = shipmark::image::Digest::from_bytes(&file);
        assert!(
            evidence.iter().any(|it| it.digest == digest),
            "{evidence:?}"
        );
        check_out(&stage);
        let source = format!("{}/prod-{service}:prod", stage.registry.host());
        let verified = stage.place.run(&[
            "verify",
            &format!("--source={source}"),
            "--key=dev.pub",
            "--transparency-log=off",
            &format!("--attestation={kind}"),
        ]);
        assert_eq!(verified.status, Some(0), "{}", verified.log);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_cyclonedx_is_attached_as_what_it_is() {
    let stage = start("gates: {scan: {fail-on: high, attach: true}}").await;
    let image = build(&stage, &[]);
    let report = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "timestamp": jiff::Timestamp::now().to_string(),
            "tools": {"components": [{"type": "application", "name": "trivy", "version": "0.68.1"}]},
            "component": {
                "type": "container", "name": "web",
                "properties": [{"name": "aquasecurity:trivy:ImageID", "value": image.config_digest()}],
            },
        },
        "components": [{"type": "library", "bom-ref": "a", "name": "openssl", "version": "3.0.1"}],
        "vulnerabilities": [{
            "id": "CVE-2026-0001", "ratings": [{"severity": "low"}], "affects": [{"ref": "a"}],
        }],
    });
    std::fs::write(stage.place.path("cdx.json"), report.to_string()).unwrap();
    promoted(&stage, &[("scan-report", "cdx.json")]);
    let evidence = recorded(&stage).evidence;
    let kinds = evidence.iter().filter_map(|it| it.media_type.as_deref());
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        ["https://cyclonedx.org/bom"],
        "{evidence:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_of_two_services_asks_for_no_repetition() {
    let (stage, _) = start_services("image: {user: non-root}").await;
    std::fs::write(stage.place.path("dev.key"), "not a key").unwrap();
    let ran = on_command_line(&stage, &[]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(!ran.log.contains("repeat the run"), "{}", ran.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_without_a_freeze_reads_well() {
    let stage = start("gates: {image: {user: non-root}}").await;
    build(&stage, &[]);
    let ran = on_command_line(&stage, &["--override-freeze=incident"]);
    let text =
        "error: --override-freeze is given, and no gate freeze of a policy judges the release";
    assert!(ran.log.contains(text), "{}", ran.log);
}
