//! Verification summaries for cosign: an admission policy accepts exactly what was released to one environment.

use super::*;
use crate::support::example;

pub(super) const SUMMARY_TYPE: &str = "https://slsa.dev/verification_summary/v1";

/// What docs/verifying.md prints, for one repository.
pub(super) fn admission_policy(repository: &str) -> String {
    format!(
        "predicate: {{\n  verifier: id:       \"https://shipmark.dev/promote\"\n  resourceUri:        \"oci://{repository}\"\n  verificationResult: \"PASSED\"\n  shipmark_environment: \"prod\"\n}}\n"
    )
}

fn is_admitted(desk: &Desk, key: &str, image: &str) -> bool {
    let arguments = [
        "verify-attestation",
        "--policy=released.cue",
        "--type",
        SUMMARY_TYPE,
        key,
        "--insecure-ignore-tlog",
        image,
    ];
    desk.succeeds("cosign", &arguments)
}

#[test]
#[ignore = "needs cosign and two registries: scripts/interop.sh"]
fn promise_6_cosign_admits_what_was_released_to_the_environment_alone() {
    for base in bases("summary") {
        let [stage, prod] = ["stage", "prod"].map(|name| format!("{base}{name}"));
        let signed = "sign: key, signers: [{key: ours.pub}]";
        let policy = format!(
            "environments:\n  stage: {{repository: '{stage}', {signed}, vsa: true}}\n  prod: {{repository: '{prod}', from: stage, {signed}, vsa: true}}\n"
        );
        let desk = Desk::new(&policy, &["ours", "other"]);
        let (source, key) = (format!("--source={}", example()), "--signing-key=ours.key");
        desk.ship(&["push", &source, "--environment=stage", "--tags=it", key]);
        let from = format!("--source={stage}:it");
        desk.ship(&["promote", &from, "--environment=prod", "--tags=it", key]);
        desk.write("released.cue", &admission_policy(&prod));
        let (ours, image) = ("--key=ours.pub", format!("{prod}:it"));
        assert!(is_admitted(&desk, ours, &image), "{image}");
        assert!(!is_admitted(&desk, "--key=other.pub", &image), "{image}");
        // The same digest where it was not released to, with the summaries of stage.
        assert!(!is_admitted(&desk, ours, &format!("{stage}:it")), "{stage}");
        let copied = format!("{base}copied:it");
        desk.must(
            "oras",
            &[
                "cp",
                "-r",
                "--from-plain-http",
                "--to-plain-http",
                &format!("{stage}:it"),
                &copied,
            ],
        );
        desk.write("released.cue", &admission_policy(&format!("{base}copied")));
        assert!(!is_admitted(&desk, ours, &copied), "{copied}");
    }
}
