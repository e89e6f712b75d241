//! `verify` with an environment of several services: reports by digest, and what it costs.

use super::*;

/// An environment of several services, with a scan gate.
const SERVICES: &str = "\
services: [NAMES]
environments:
  dev: {repository: 'HOST/{service}/dev', tags: 'type=raw,value=latest', sign: key, signers: [{key: dev.pub}]}
  prod:
    repository: 'HOST/{service}/prod'
    from: dev
    sign: key
    signers: [{key: dev.pub}]
    gates: {scan: {fail-on: high}}
";

/// A stage whose `prod` has released an image of each service, with the images.
async fn released(services: &[&str]) -> (Stage, Vec<MadeImage>) {
    let pem = keys::pem();
    let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
    let policy = SERVICES.replace("NAMES", &services.join(", "));
    let stage = Stage::with(&policy, &[("dev.pub", &public)]).await;
    std::fs::write(stage.place.path("dev.key"), pem).unwrap();
    let mut images = Vec::new();
    for (number, service) in services.iter().enumerate() {
        let image = MadeImage::run_as(u32::try_from(number).unwrap(), "1000", COMMIT);
        stage.push("dev", COMMIT, &image, &[SIGNED, ("services", service)]);
        images.push(image);
    }
    let reports = write_reports(&stage, &images, &[]);
    promoted(&stage, &[("version", "1.4.0"), ("scan-report", &reports)]);
    (stage, images)
}

/// Writes a report about each image. Returns the paths, one per line.
fn write_reports(stage: &Stage, images: &[MadeImage], severities: &[&str]) -> String {
    let reports = images
        .iter()
        .enumerate()
        .map(|(number, image)| write_report(stage, &format!("{number}.json"), image, severities));
    reports.collect::<Vec<_>>().join("\n")
}

fn verify(stage: &Stage, more: &[(&str, &str)]) -> (i32, String) {
    stage.registry.clear_log();
    let inputs = [("command", "verify"), ("environment", "prod")];
    let ran = stage.run(DISPATCH, &[&inputs[..], more].concat());
    (ran.status.unwrap(), ran.log)
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_reports_of_services_are_matched_by_digest() {
    let (stage, images) = released(&["web", "api", "worker"]).await;
    let reports = write_reports(&stage, &images, &["LOW"]);
    let (status, log) = verify(&stage, &[("scan-report", &reports)]);
    assert_eq!(status, 0, "{log}");
    assert_eq!(stage.place.output("digest"), "");
    // One service alone has a finding, and another no report.
    write_report(&stage, "0.json", &images[0], &["CRITICAL"]);
    let (status, log) = verify(&stage, &[("scan-report", "0.json\n2.json")]);
    assert_eq!(status, 1, "{log}");
    for part in [
        "prod does not pass: 2 of 3 images",
        "web: gate scan (failed)",
        "api: gate scan (unknown)",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert!(!log.contains("worker: gate scan"), "{log}");
    let (status, log) = verify(&stage, &[("scan-report", "2.json"), ("services", "worker")]);
    assert_eq!(status, 0, "{log}");
    assert_eq!(stage.place.output("digest"), images[2].digest());
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_report_about_no_current_image_is_an_error() {
    let (stage, images) = released(&["web", "api"]).await;
    let reports = write_reports(&stage, &images, &[]);
    let other = MadeImage::run_as(7, "1000", COMMIT);
    let foreign = write_report(&stage, "old.json", &other, &[]);
    let given = format!("{reports}\n{foreign}");
    let (status, log) = verify(&stage, &[("scan-report", &given)]);
    assert_eq!(status, 1, "{log}");
    let part = "the scan report old.json is about no current image";
    assert!(log.contains(part), "{log}");
    let json: Value = serde_json::from_str(&stage.place.output("json")).unwrap();
    assert_eq!(json["unmatchedReports"], json!(["old.json"]));
    assert_eq!(json["services"][0]["outcome"], "verified");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_be_read_hides_no_other() {
    let (stage, images) = released(&["web", "api"]).await;
    let reports = write_reports(&stage, &images[1..], &["CRITICAL"]);
    let entry = entries(&stage.registry, "web/prod").pop().unwrap();
    let digest = stage.registry.tags("web/prod")[&entry].clone();
    stage.registry.remove_manifest("web/prod", &digest);
    let (status, log) = verify(&stage, &[("scan-report", &reports)]);
    assert_eq!(status, 1, "{log}");
    for part in ["is listed, and is not there", "api: gate scan (failed)"] {
        assert!(log.contains(part), "{part}: {log}");
    }
    let reports = write_reports(&stage, &images[1..], &[]);
    let (status, log) = verify(&stage, &[("scan-report", &reports)]);
    assert_eq!(status, 3, "{log}");
    assert_eq!(stage.place.output("outcome"), "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_costs_the_same_for_each_service() {
    for services in [&["web"][..], &["web", "api", "worker"]] {
        let (stage, images) = released(services).await;
        let reports = write_reports(&stage, &images, &[]);
        let (status, log) = verify(&stage, &[("scan-report", &reports)]);
        assert_eq!(status, 0, "{log}");
        let requests = stage.registry.requests();
        // Tags, entry, root, config and referrers; the signatures of dev and of prod, each as a bundle with its
        // content, and both under cosign's tag; and each of the tags that the release wrote.
        let each = 5 + 2 + 2 + 3 + 6;
        assert_eq!(requests.len(), each * services.len(), "{requests:#?}");
    }
}
