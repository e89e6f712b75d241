//! Scan gate.

use super::*;

const HIGH: &str = "gates: {scan: {fail-on: high, max-age: 24h}}";

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_report_that_passes_is_evidence_in_the_record() {
    let stage = start(HIGH).await;
    let image = build(&stage, &[]);
    let report = write_report(&stage, "report.json", &image, &["MEDIUM", "LOW"]);
    promoted(&stage, &[("scan-report", &report)]);
    let evidence = recorded(&stage).evidence;
    let scan = evidence.iter().find(|it| it.kind == "scan").unwrap();
    let file = std::fs::read(stage.place.path(&report)).unwrap();
    assert_eq!(scan.digest, shipmark::image::Digest::from_bytes(&file));
    assert_eq!(scan.size, Some(file.len() as u64));
    assert_eq!(scan.result.as_deref(), Some("passed"));
    assert!(scan.tool.as_ref().unwrap().starts_with("trivy"));
    // A report is judged, and not attested, where the policy does not say attach.
    assert_eq!(evidence.len(), 1, "{evidence:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_findings_refuse_and_each_report_counts() {
    let stage = start(HIGH).await;
    let image = build(&stage, &[]);
    let good = write_report(&stage, "good.json", &image, &[]);
    let bad = write_report(&stage, "bad.json", &image, &["CRITICAL"]);
    let refusal = refused(&stage, &[("scan-report", &bad)]);
    for part in ["scan (failed)", "CVE-2026-0000", "openssl"] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
    refused(&stage, &[("scan-report", &format!("{good}\n{bad}"))]);
    promoted(&stage, &[("scan-report", &good)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_no_report_is_unknown_and_never_no_findings() {
    let stage = start(HIGH).await;
    build(&stage, &[]);
    let refusal = refused(&stage, &[]);
    for part in ["scan (unknown)", "no scan report", "trivy image"] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_report_of_another_image_refuses() {
    let stage = start(HIGH).await;
    build(&stage, &[]);
    let other = MadeImage::run_as(2, "1000", COMMIT);
    let report = write_report(&stage, "report.json", &other, &[]);
    let refusal = refused(&stage, &[("scan-report", &report)]);
    assert!(refusal.contains("scan (failed)"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_committed_report_is_refused() {
    let image = MadeImage::run_as(1, "1000", COMMIT);
    let stage = start(HIGH).await;
    let report = write_report(&stage, "report.json", &image, &[]);
    let text = std::fs::read_to_string(stage.place.path(&report)).unwrap();
    let pem = keys::pem();
    let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
    let policy = POLICY.replace("MORE", HIGH);
    let files = [("dev.pub", public.as_str()), ("report.json", text.as_str())];
    let stage = Stage::with(&policy, &files).await;
    std::fs::write(stage.place.path("dev.key"), pem).unwrap();
    build(&stage, &[]);
    let inputs = [
        ("command", "promote"),
        ("environment", "prod"),
        ("scan-report", "report.json"),
        SIGNED,
    ];
    stage.registry.clear_log();
    let failed = stage.failed(stage.run(DISPATCH, &inputs), 2);
    assert!(failed.contains("is a file of the repository"), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_committed_report_is_refused_outside_of_a_runner_too() {
    let image = MadeImage::run_as(1, "1000", COMMIT);
    let pem = keys::pem();
    let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
    let policy = POLICY.replace("MORE", HIGH);
    let files = [("dev.pub", public.as_str()), ("report.json", "{}")];
    let stage = Stage::with(&policy, &files).await;
    std::fs::write(stage.place.path("dev.key"), pem).unwrap();
    build(&stage, &[]);
    std::fs::create_dir_all(stage.place.path(".github")).unwrap();
    let policy = policy.replace("HOST", &stage.registry.host());
    std::fs::write(stage.place.path(".github/shipmark.yml"), policy).unwrap();
    std::fs::write(stage.place.path("dev.pub"), public).unwrap();
    // What the working tree has in its place was committed all the same.
    write_report(&stage, "report.json", &image, &[]);
    write_report(&stage, "made.json", &image, &[]);
    let promote = |report: &str| {
        let key = format!("--signing-key={}", stage.place.path("dev.key").display());
        let report = format!("--scan-report={report}");
        let source = format!("--source={}", image.digest());
        stage
            .place
            .run(&["promote", "--environment=prod", &report, &source, &key])
    };
    let ran = promote("report.json");
    assert!(
        ran.log.contains("is a file of the repository"),
        "{}",
        ran.log
    );
    let ran = promote("made.json");
    assert!(
        !ran.log.contains("is a file of the repository"),
        "{}",
        ran.log
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_may_be_about_a_service_without_a_scan_gate() {
    let policy = "\
environments:
  dev: {repository: 'HOST/dev/{service}', tags: 'type=raw,value=latest'}
  prod: {repository: 'HOST/prod/{service}', from: dev}
services:
  web: {gates: {prod: {scan: {fail-on: high}}}}
  api: {}
";
    let stage = Stage::with(policy, &[]).await;
    let reports = [("web", 1), ("api", 2), ("other", 3)].map(|(name, number)| {
        let image = MadeImage::run_as(number, "1000", COMMIT);
        if name != "other" {
            stage.push("dev", COMMIT, &image, &[("services", name)]);
        }
        write_report(&stage, &format!("{name}.json"), &image, &["LOW"])
    });
    let [web, api, other] = reports;
    let all = format!("{web}\n{api}\n{other}");
    let refusal = stage.refused(DISPATCH, "prod", &[("scan-report", &all)]);
    let reason = "the scan report other.json is about none of the images of this run";
    assert!(refusal.contains(reason), "{refusal}");
    let both = format!("{web}\n{api}");
    stage.promoted(DISPATCH, "prod", &[("scan-report", &both)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_inputs_only_tighten_the_scan_gate() {
    let stage = start(HIGH).await;
    let image = build(&stage, &[]);
    let report = write_report(&stage, "report.json", &image, &["LOW"]);
    let given = ("scan-report", report.as_str());
    let refusal = refused(&stage, &[given, ("scan-fail-on", "low")]);
    assert!(refusal.contains("scan (failed)"), "{refusal}");
    let refusal = refused(&stage, &[given, ("scan-fail-on", "critical")]);
    assert!(refusal.contains("the input scan-fail-on"), "{refusal}");
    promoted(&stage, &[given]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_exceptions_of_the_policy_take_findings_out() {
    let stage = start("gates: {scan: {fail-on: high, ignore: [{id: CVE-2026-0000, reason: not reachable}, {id: CVE-2020-1, reason: old}]}}").await;
    let image = build(&stage, &[]);
    let report = write_report(&stage, "report.json", &image, &["CRITICAL"]);
    let log = promoted(&stage, &[("scan-report", &report)]);
    assert!(
        log.contains("CVE-2020-1"),
        "an entry that matches nothing is named: {log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_the_documents_of_the_policy_are_those_of_its_commit() {
    let image = MadeImage::run_as(1, "1000", COMMIT);
    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex/1",
        "author": "security",
        "timestamp": "2026-01-01T00:00:00Z",
        "version": 1,
        "statements": [{
            "vulnerability": {"name": "CVE-2026-0000"},
            "products": [{"@id": format!("pkg:oci/web@{}", image.digest().replace(':', "%3A"))}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
        }],
    })
    .to_string();
    let pem = keys::pem();
    let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
    let gates = "gates: {scan: {fail-on: high, vex: [security/web.json]}}";
    let policy = POLICY.replace("MORE", gates);
    let files = [
        ("dev.pub", public.as_str()),
        ("security/web.json", vex.as_str()),
    ];
    let stage = Stage::with(&policy, &files).await;
    std::fs::write(stage.place.path("dev.key"), pem).unwrap();
    build(&stage, &[]);
    // What a build makes of the working tree does not count.
    std::fs::create_dir_all(stage.place.path("security")).unwrap();
    std::fs::write(stage.place.path("security/web.json"), "{}").unwrap();
    let report = write_report(&stage, "report.json", &image, &["CRITICAL"]);
    promoted(&stage, &[("scan-report", &report)]);
    let evidence = recorded(&stage).evidence;
    let document = evidence.iter().find(|it| it.kind == "vex").unwrap();
    assert_eq!(
        document.digest,
        shipmark::image::Digest::from_bytes(vex.as_bytes())
    );
    let other = write_report(&stage, "other.json", &image, &["CRITICAL", "HIGH"]);
    let refusal = refused(&stage, &[("scan-report", &other)]);
    assert!(refusal.contains("CVE-2026-0001"), "{refusal}");
    assert!(!refusal.contains("CVE-2026-0000"), "{refusal}");
}
