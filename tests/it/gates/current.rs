//! `verify` with an environment: what it is on is judged by its scan gate with new reports, and held against its
//! records.

use std::collections::BTreeMap;

use super::*;
use crate::support::process::Ran;

const HIGH: &str = "gates: {scan: {fail-on: high, max-age: 24h}}";

/// Verifies `prod`, which writes nothing. Returns the exit status and the log.
fn verify(stage: &Stage, more: &[(&str, &str)]) -> (i32, String) {
    stage.registry.clear_log();
    let inputs = [("command", "verify"), ("environment", "prod")];
    let ran = stage.run(DISPATCH, &[&inputs[..], more].concat());
    let requests = stage.registry.requests();
    let is_read = |line: &&String| line.starts_with("GET ") || line.starts_with("HEAD ");
    let writes: Vec<_> = requests.iter().filter(|line| !is_read(line)).collect();
    assert!(writes.is_empty(), "{writes:?}");
    (ran.status.unwrap(), ran.log)
}

/// Requires the end of a verification, and what it says.
fn assert_verified(stage: &Stage, more: &[(&str, &str)], status: i32, parts: &[&str]) {
    let (ended, log) = verify(stage, more);
    assert_eq!(ended, status, "{log}");
    for part in parts {
        assert!(log.contains(part), "{part}: {log}");
    }
}

/// What the newest verification found: kinds and levels.
fn findings(stage: &Stage) -> BTreeMap<String, String> {
    let json: Value = serde_json::from_str(&stage.place.output("json")).unwrap();
    let services = json["services"].as_array().unwrap();
    let found = services
        .iter()
        .flat_map(|it| it["findings"].as_array().unwrap());
    let pair = |it: &Value| [&it["kind"], &it["level"]].map(|it| it.as_str().unwrap().to_owned());
    found.map(pair).map(|[kind, level]| (kind, level)).collect()
}

fn found(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs
        .iter()
        .map(|(kind, level)| ((*kind).to_owned(), (*level).to_owned()));
    pairs.collect()
}

/// A stage whose `prod` is on an image, without gates.
async fn released(more: &str) -> (Stage, MadeImage) {
    let stage = start(more).await;
    let image = build(&stage, &[]);
    promoted(&stage, &[("version", "1.4.0")]);
    (stage, image)
}

fn set_tag(stage: &Stage, tag: &str, digest: Option<&str>) {
    let mut tags = stage.registry.tags("prod");
    match digest {
        Some(digest) => tags.insert(tag.to_owned(), digest.to_owned()),
        None => tags.remove(tag),
    };
    stage.registry.set_tags("prod", tags);
}

/// Another image that is in `prod` under no tag.
fn foreign(stage: &Stage) -> String {
    let image = MadeImage::run_as(9, "1000", OTHER);
    image.put(&stage.registry, "prod", &[]);
    image.digest()
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_new_critical_is_found_in_what_passed_the_day_before() {
    let stage = start(HIGH).await;
    let good = build(&stage, &[]);
    let report = write_report(&stage, "good.json", &good, &["LOW"]);
    promoted(&stage, &[("scan-report", &report)]);
    let bad = MadeImage::run_as(2, "1000", OTHER);
    stage.push("dev", OTHER, &bad, &[SIGNED]);
    let report = write_report(&stage, "bad.json", &bad, &["LOW"]);
    let digest = bad.digest();
    promoted(&stage, &[("scan-report", &report), ("source", &digest)]);
    assert_verified(
        &stage,
        &[("scan-report", &report)],
        0,
        &["verified prod of"],
    );
    assert_eq!(stage.place.output("outcome"), "verified");
    assert_eq!(stage.place.output("digest"), digest);
    let report = write_report(&stage, "bad.json", &bad, &["LOW", "CRITICAL"]);
    let parts = ["gate scan (failed)", "CVE-2026-0001", "openssl"];
    assert_verified(&stage, &[("scan-report", &report)], 1, &parts);
    assert_eq!(stage.place.output("outcome"), "refused");
    assert!(
        stage
            .place
            .read("summary")
            .contains("**Not verified** by shipmark verify")
    );
    let inputs = [
        ("command", "rollback"),
        ("environment", "prod"),
        ("reason", "CVE-2026-0001"),
        SIGNED,
    ];
    let ran = stage.run(DISPATCH, &inputs);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    // The report is about the image that is withdrawn.
    assert_verified(
        &stage,
        &[("scan-report", &report)],
        1,
        &["gate scan (failed)"],
    );
    let report = write_report(&stage, "good.json", &good, &["LOW"]);
    assert_verified(&stage, &[("scan-report", &report)], 0, &[]);
    assert_eq!(stage.place.output("digest"), good.digest());
    assert_eq!(findings(&stage), found(&[]));
    set_tag(&stage, "prod", Some(&digest));
    let parts = ["the tag prod names", "which is withdrawn, expected"];
    assert_verified(&stage, &[("scan-report", &report)], 1, &parts);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_current_image_without_a_new_report_is_unknown() {
    let stage = start(HIGH).await;
    let image = build(&stage, &[]);
    let report = write_report(&stage, "report.json", &image, &[]);
    promoted(&stage, &[("scan-report", &report)]);
    // What a build makes of the policy does not count.
    std::fs::create_dir_all(stage.place.path(".github")).unwrap();
    let host = stage.registry.host();
    let lax = POLICY.replace(", MORE", "").replace("HOST", &host);
    std::fs::write(stage.place.path(".github/shipmark.yml"), lax).unwrap();
    // The report that the release considered counts for nothing.
    let parts = ["gate scan (unknown)", "no scan report", "trivy image"];
    assert_verified(&stage, &[], 1, &parts);
    let other = MadeImage::run_as(2, "1000", COMMIT);
    let foreign = write_report(&stage, "other.json", &other, &[]);
    assert_verified(
        &stage,
        &[("scan-report", &foreign)],
        1,
        &["gate scan (failed)"],
    );
    let path = stage.place.path(&report);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut stale: Value = serde_json::from_str(&text).unwrap();
    let hours = jiff::SignedDuration::from_hours(25);
    stale["CreatedAt"] = (jiff::Timestamp::now() - hours).to_string().into();
    std::fs::write(&path, stale.to_string()).unwrap();
    assert_verified(
        &stage,
        &[("scan-report", &report)],
        1,
        &["gate scan (failed)"],
    );
    std::fs::write(&path, text).unwrap();
    assert_verified(&stage, &[("scan-report", &report)], 0, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_exceptions_count_and_inputs_only_tighten() {
    let stage = start(
        "gates: {scan: {fail-on: high, ignore: [{id: CVE-2026-0000, reason: not reachable}]}}",
    )
    .await;
    let image = build(&stage, &[]);
    let report = write_report(&stage, "report.json", &image, &["CRITICAL", "LOW"]);
    let given = ("scan-report", report.as_str());
    promoted(&stage, &[given]);
    assert_verified(&stage, &[given], 0, &[]);
    assert_verified(
        &stage,
        &[given, ("scan-fail-on", "low")],
        1,
        &["CVE-2026-0001"],
    );
    let parts = ["the input scan-fail-on", "can only be stricter"];
    assert_verified(&stage, &[given, ("scan-fail-on", "critical")], 1, &parts);
    assert_verified(
        &stage,
        &[given, ("vex", "mine.json")],
        1,
        &["says which OpenVEX documents"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_attested_reports_are_judged_as_in_a_promotion() {
    let stage = start("gates: {scan: {fail-on: high, attested: true}}").await;
    let image = MadeImage::run_as(1, "1000", COMMIT);
    let report = write_report(&stage, "report.json", &image, &["LOW"]);
    build(&stage, &[("scan-report", &report)]);
    promoted(&stage, &[]);
    assert_verified(&stage, &[], 0, &[]);
    assert_eq!(findings(&stage), found(&[]));
    let bad = write_report(&stage, "bad.json", &image, &["HIGH"]);
    assert_verified(&stage, &[("scan-report", &bad)], 1, &["gate scan (failed)"]);
    // The evidence that the record names.
    for referrer in stage.registry.referrers("prod", &image.digest()) {
        let kind = referrer["annotations"]["dev.sigstore.bundle.predicateType"].as_str();
        if kind.is_some_and(|kind| kind.contains("/attestation/vuln/")) {
            let digest = referrer["digest"].as_str().unwrap();
            stage.registry.remove_manifest("prod", digest);
        }
    }
    set_tag(
        &stage,
        &format!("{}.att", image.digest().replace(':', "-")),
        None,
    );
    assert_verified(&stage, &[], 1, &["gate scan (unknown)"]);
    assert_eq!(findings(&stage), found(&[("missing-evidence", "warning")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_drift_of_tags_is_told() {
    let (stage, image) = released("vsa: true").await;
    let digest = image.digest();
    let other = foreign(&stage);
    assert_verified(
        &stage,
        &[],
        0,
        &["no scan gate: scan reports are not judged"],
    );
    assert_eq!(findings(&stage), found(&[]));
    for (tag, to, status, expected) in [
        ("prod", Some(&other), 1, ("environment-tag", "error")),
        ("prod", None, 1, ("environment-tag", "error")),
        ("1.4.0", Some(&other), 1, ("immutable-tag", "error")),
        ("1.4.0", None, 1, ("immutable-tag", "error")),
        ("latest", Some(&other), 0, ("moving-tag", "warning")),
        ("1.4", None, 0, ("moving-tag", "warning")),
    ] {
        set_tag(&stage, tag, to.map(String::as_str));
        assert_verified(&stage, &[], status, &[&format!("the tag {tag} ")]);
        assert_eq!(findings(&stage), found(&[expected]), "{tag}");
        set_tag(&stage, tag, Some(&digest));
    }
    assert_verified(&stage, &[], 0, &[]);
}

/// Removes the referrers of the current image whose predicate type has this part, and cosign's tag.
fn remove_referrers(stage: &Stage, root: &str, part: &str) {
    let mut count = 0;
    for referrer in stage.registry.referrers("prod", root) {
        let kind = referrer["annotations"]["dev.sigstore.bundle.predicateType"].as_str();
        if kind.is_some_and(|kind| kind.contains(part)) {
            let digest = referrer["digest"].as_str().unwrap();
            stage.registry.remove_manifest("prod", digest);
            count += 1;
        }
    }
    assert!(count > 0, "{part}");
    if part.contains("cosign/sign") {
        set_tag(stage, &format!("{}.sig", root.replace(':', "-")), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_missing_documents_are_told() {
    for (part, status, expected) in [
        (
            "shipmark.dev/attestation/release",
            0,
            ("missing-intent", "warning"),
        ),
        ("cosign/sign", 1, ("missing-signature", "error")),
        ("verification_summary", 1, ("missing-summary", "error")),
    ] {
        let (stage, image) = released("vsa: true").await;
        remove_referrers(&stage, &image.digest(), part);
        assert_verified(&stage, &[], status, &[]);
        assert_eq!(findings(&stage), found(&[expected]), "{part}");
    }
    let (stage, image) = released("").await;
    stage.registry.remove_manifest("prod", &image.digest());
    assert_verified(&stage, &[], 1, &["the current image", "is gone"]);
    assert_eq!(
        findings(&stage).get("missing-manifest").map(String::as_str),
        Some("error")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_an_environment_without_a_record_fails() {
    let stage = start(HIGH).await;
    build(&stage, &[]);
    assert_verified(
        &stage,
        &[],
        1,
        &["no record that counts says", "gate scan (unknown)"],
    );
    assert_eq!(findings(&stage), found(&[("unrecorded", "error")]));
    let (stage, _) = released("").await;
    let mut tags = stage.registry.tags("prod");
    tags.retain(|tag, _| !tag.starts_with("shipmark."));
    stage.registry.set_tags("prod", tags);
    assert_verified(&stage, &[], 1, &["shipmark adopt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_marks_and_gone_entries_are_told() {
    let (stage, _) = released("").await;
    let entry = entries(&stage.registry, "prod").pop().unwrap();
    let mark = [
        ("command", "mark"),
        ("environment", "prod"),
        ("state", "failed"),
        SIGNED,
    ];
    let ran = stage.run(DISPATCH, &mark);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_verified(&stage, &[], 1, &["is marked as failed"]);
    assert_eq!(findings(&stage), found(&[("marked-failed", "error")]));
    set_tag(&stage, &entry, None);
    assert_verified(
        &stage,
        &[],
        1,
        &["the timeline entry of the current release of"],
    );
    let expected = [("marked-failed", "error"), ("missing-entry", "error")];
    assert_eq!(findings(&stage), found(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_signer_whose_time_is_over_is_told() {
    let pem = keys::pem();
    let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
    let other = keys::key().public().to_pem();
    let policy = POLICY.replace(
        "signers: [{key: dev.pub}], MORE",
        "signers: [{key: dev.pub}, {key: other.pub, until: 2020-01-01}]",
    );
    let files = [("dev.pub", public.as_str()), ("other.pub", other.as_str())];
    let stage = Stage::with(&policy, &files).await;
    std::fs::write(stage.place.path("dev.key"), pem).unwrap();
    build(&stage, &[]);
    promoted(&stage, &[]);
    assert_verified(&stage, &[], 0, &["is over since 2020-01-02"]);
    assert_eq!(findings(&stage), found(&[("ended-signer", "warning")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_of_an_image_and_of_an_environment_exclude_each_other() {
    let stage = start("").await;
    let both = "source and environment are both given";
    let rows: [(&[(&str, &str)], &str); 6] = [
        (
            &[("environment", "prod"), ("source", "a.example/web:1")],
            both,
        ),
        (&[], "neither source nor environment is given"),
        (
            &[("scan-report", "a.json"), ("source", "a.example/web:1")],
            "no environment is named",
        ),
        (
            &[("environment", "prod"), ("recursive", "true")],
            "environment has no use for it",
        ),
        (
            &[("environment", "prod"), ("attestation", "signature")],
            "environment has no use for it",
        ),
        (
            &[("environment", "prod"), ("scan-report", "a.json")],
            "no gate scan of a policy",
        ),
    ];
    for (inputs, expected) in rows {
        stage.registry.clear_log();
        let ran = stage.run(DISPATCH, &[&[("command", "verify")], inputs].concat());
        let failure = stage.failed(ran, 2);
        assert!(failure.contains(expected), "{expected}: {failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_committed_report_and_a_set_clock_are_refused() {
    let stage = start(HIGH).await;
    build(&stage, &[]);
    let inputs = [
        ("command", "verify"),
        ("environment", "prod"),
        ("scan-report", "dev.pub"),
    ];
    stage.registry.clear_log();
    let refusal = stage.failed(stage.run(DISPATCH, &inputs), 2);
    assert!(refusal.contains("is a file of the repository"), "{refusal}");
    let mut step = stage.step(DISPATCH, &inputs[..2]);
    step.env("SHIPMARK_NOW", "2026-11-30T12:00:00Z");
    stage.registry.clear_log();
    let refusal = stage.failed(Ran::of(step.output().unwrap()), 1);
    let expected = "SHIPMARK_NOW in a verification of the environment prod";
    assert!(refusal.contains(expected), "{refusal}");
}

/// An index of two images for two platforms. Returns its digest.
fn put_index(stage: &Stage, repository: &str, images: &[MadeImage; 2]) -> String {
    let entries = images.iter().zip(["amd64", "arm64"]);
    let entries: Vec<Value> = entries
        .map(|(image, architecture)| {
            image.put(&stage.registry, repository, &[]);
            json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": image.digest(), "size": image.size(),
                "platform": {"os": "linux", "architecture": architecture},
            })
        })
        .collect();
    let kind = "application/vnd.oci.image.index.v1+json";
    let index = json!({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).to_string();
    let digest = shipmark::image::Digest::from_bytes(index.as_bytes()).to_string();
    stage
        .registry
        .put_manifest(repository, &digest, kind, index)
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_each_platform_needs_a_new_report_and_its_manifest() {
    let policy = "environments:\n  dev: {repository: HOST/dev}\n  prod: {repository: HOST/prod, from: dev, gates: {scan: {fail-on: high}}}\n";
    let stage = Stage::with(policy, &[]).await;
    let images = [1, 2].map(|number| MadeImage::run_as(number, "1000", COMMIT));
    let digest = put_index(&stage, "dev", &images);
    let first = write_report(&stage, "amd64.json", &images[0], &[]);
    let second = write_report(&stage, "arm64.json", &images[1], &[]);
    let both = format!("{first}\n{second}");
    let source = format!("{}/dev@{digest}", stage.registry.host());
    let inputs = [
        ("source", source.as_str()),
        ("scan-report", &both),
        ("version", "1.4.0"),
    ];
    stage.promoted(DISPATCH, "prod", &inputs);
    assert_verified(&stage, &[("scan-report", &both)], 0, &[]);
    assert_eq!(findings(&stage), found(&[]));
    let parts = ["gate scan (unknown)", "no scan report is about linux/arm64"];
    assert_verified(&stage, &[("scan-report", &first)], 1, &parts);
    stage.registry.remove_manifest("prod", &images[1].digest());
    let parts = [
        "which sha256:",
        "of the current image lists, is gone",
        "gate scan (unknown)",
    ];
    assert_verified(&stage, &[("scan-report", &both)], 1, &parts);
    assert_eq!(findings(&stage), found(&[("missing-manifest", "error")]));
}
