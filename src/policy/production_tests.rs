//! What `production: true` demands.

use super::gate_tests::WHOLE_POLICY;
use super::tests::{read, refused};

const WORKFLOW: &str = "https://github.com/acme/web/.github/workflows/promote.yml";

/// A policy of `stage` and `prod`, with keys of each on lines of their own.
fn policy(stage: &str, prod: &str) -> String {
    format!(
        "environments:\n  stage:\n    repository: s\n{stage}  prod:\n    repository: p\n    from: stage\n    production: true\n{prod}"
    )
}

/// Keys that satisfy the demands.
fn signed(git_ref: &str) -> String {
    format!("    sign: keyless\n    signers: [{{identity: '{WORKFLOW}@{git_ref}'}}]\n")
}

fn scanned(git_ref: &str) -> String {
    format!(
        "{}    gates: {{scan: {{fail-on: high}}}}\n",
        signed(git_ref)
    )
}

fn findings(text: &str) -> Vec<String> {
    let policy = read(text).unwrap();
    let findings = policy.findings().iter();
    findings
        .map(|finding| {
            let kind = if finding.is_note { "note" } else { "warning" };
            let at = finding.at.unwrap();
            format!("{kind}, line {}, column {}: {finding}", at.line, at.column)
        })
        .collect()
}

#[test]
fn promise_5_production_demands_signatures_gates_and_an_immutable_tag() {
    let main = "refs/heads/main";
    assert_eq!(findings(&policy(&signed(main), &scanned(main))), [""; 0]);
    assert_eq!(findings(WHOLE_POLICY), [""; 0]);
    insta::assert_snapshot!(refused(&policy("", "")), @"
    line 7, column 5: production needs signed records, and sign is not keyless or key. set sign: keyless or sign: key, and signers
    line 7, column 5: production needs the gate scan or attestations. add gates, such as scan: {fail-on: critical} or attestations: ['https://slsa.dev/provenance/v1']
    ");
    let tags = |rules: &str| {
        policy(
            &signed(main),
            &format!("{}    tags: {rules}\n", scanned(main)),
        )
    };
    for rules in [
        "type=sha",
        "type=semver,pattern={{version}}",
        "'type=raw,value=x,immutable=true'",
        "type=ref,event=tag",
    ] {
        assert!(read(&tags(rules)).is_ok(), "{rules}");
    }
    insta::assert_snapshot!(refused(&tags("'type=raw,value=latest'")), @"line 9, column 5: production needs an immutable tag, and no rule in tags gives one. add a rule such as type=semver,pattern={{version}} or type=sha, or immutable=true to a rule");
    assert!(read(&tags("'type=semver,pattern={{major}}'")).is_err());
    let image = policy(
        &signed(main),
        &format!("{}    gates: {{image: {{user: non-root}}}}\n", signed(main)),
    );
    insta::assert_snapshot!(refused(&image), @"line 9, column 5: production needs the gate scan or attestations. add gates, such as scan: {fail-on: critical} or attestations: ['https://slsa.dev/provenance/v1']");
    let attested = policy(
        &signed(main),
        &format!("{}    gates: {{attestations: [spdx]}}\n", signed(main)),
    );
    assert!(read(&attested).is_ok());
    let not_production = policy("", "").replace("production: true", "production: false");
    assert_eq!(findings(&not_production), [""; 0]);
}

#[test]
fn promise_5_signers_of_production_pin_a_ref() {
    let main = "refs/heads/main";
    for git_ref in [main, "refs/heads/release/*", "refs/tags/v*"] {
        assert!(
            read(&policy(&signed(main), &scanned(git_ref))).is_ok(),
            "{git_ref}"
        );
    }
    for git_ref in [
        "*",
        "refs/*",
        "refs/heads/*",
        "refs/tags/*",
        "refs/heads/*/x",
        "refs/pull/1/merge",
    ] {
        let message = refused(&policy(&signed(main), &scanned(git_ref)));
        assert!(
            message.starts_with("line 11, column 15: ") && message.contains("pins no ref"),
            "{message}"
        );
    }
    let any = format!("{{signers: [{{identity: '{WORKFLOW}@*'}}]}}");
    for gates in [
        format!("{{scan: {{fail-on: high, attested: {any}}}}}"),
        format!("{{scan: {{fail-on: high, vex-signers: [{{identity: '{WORKFLOW}@*'}}]}}}}"),
        format!("{{scan: {{fail-on: high}}, signature: {any}}}"),
        format!("{{attestations: [{{rule: spdx, signers: [{{identity: '{WORKFLOW}@*'}}]}}]}}"),
    ] {
        let prod = format!("{}    gates: {gates}\n", signed(main));
        let message = refused(&policy(&signed(main), &prod));
        assert!(
            message.contains("pins no ref") && message.starts_with("line 12, "),
            "{message}"
        );
    }
    let key = policy(
        &signed(main),
        "    sign: key\n    signers: [{key: keys/a.pub}]\n    gates: {scan: {fail-on: high}}\n",
    );
    insta::assert_snapshot!(findings(&key).join("\n"), @"note, line 11, column 15: the environment prod is production, and the key keys/a.pub pins no ref: whoever holds it can sign in a workflow of any branch");
}

#[test]
fn promise_5_environments_before_production_pin_a_ref_where_gates_rest_on_them() {
    let main = "refs/heads/main";
    let with_gate = |gate: &str| {
        format!(
            "{}    gates: {{scan: {{fail-on: high}}, {gate}}}\n",
            signed(main)
        )
    };
    for gate in ["soak: 24h", "signature: true", "attestations: [spdx]"] {
        let message = refused(&policy("", &with_gate(gate)));
        let name = gate.split(':').next().unwrap();
        assert!(
            message.starts_with("line 6, column 11: production rests on records of stage")
                && message.contains(name),
            "{message}"
        );
        let message = refused(&policy(&signed("*"), &with_gate(gate)));
        assert!(
            message.starts_with("line 5, column 15: ")
                && message.contains("gates of production prod rest on the signer"),
            "{message}"
        );
        assert!(read(&policy(&signed("refs/heads/release/*"), &with_gate(gate))).is_ok());
    }
    insta::assert_snapshot!(refused(&policy(&signed("*"), &with_gate("soak: 24h, signature: true"))), @"line 5, column 15: https://github.com/acme/web/.github/workflows/promote.yml@* pins no ref, and gates of production prod rest on the signer (signature, soak). end the identity of one workflow with @refs/heads/NAME, @refs/heads/PREFIX* or @refs/tags/PREFIX*, and protect the branches and tags that match; an edited workflow on any other branch would be accepted");
    insta::assert_snapshot!(findings(&policy("", &scanned(main))).join("\n"), @"warning, line 6, column 11: the environment prod is production, and takes its images from stage, whose records are not signed");
    insta::assert_snapshot!(findings(&policy(&signed("refs/heads/*"), &scanned(main))).join("\n"), @"warning, line 5, column 15: the environment prod is production and takes its images from stage, and https://github.com/acme/web/.github/workflows/promote.yml@refs/heads/* pins no ref: an edited workflow on another branch can sign there");
    // Presence of an attestation rests on nobody.
    let unsigned = "attestations: [{rule: spdx, signed: false}]";
    assert!(read(&policy("", &with_gate(unsigned))).is_ok());
}

#[test]
fn production_without_rollback_and_names_that_sound_like_it_are_warned_of() {
    let main = "refs/heads/main";
    let only_promote = scanned(main).replace("'}]", "', actions: [promote]}]");
    insta::assert_snapshot!(findings(&policy(&signed(main), &only_promote)).join("\n"), @"warning, line 6, column 3: the environment prod is production, and no entry of signers may record a rollback");
    for (name, warns) in [
        ("prod", true),
        ("production", true),
        ("live", true),
        ("prd", true),
        ("eu-prod", true),
        ("pre-prod", false),
        ("stage", false),
        ("product", false),
    ] {
        let found = findings(&format!("environments: {{{name}: {{repository: a}}}}"));
        assert_eq!(found.len(), usize::from(warns), "{name}: {found:?}");
    }
    insta::assert_snapshot!(findings("environments: {prd: {repository: a}}").join("\n"), @"warning, line 1, column 16: the environment prd sounds like production and does not have production: true, which demands signatures, gates and signers that pin a ref; production: false turns this warning off");
    assert_eq!(
        findings("environments: {prod: {repository: a, production: false}}"),
        [""; 0]
    );
}

#[test]
fn a_status_that_every_job_can_post_is_a_warning_in_production() {
    let main = "refs/heads/main";
    for (creator, is_warned) in [
        ("github-actions[bot]", true),
        ("GitHub-Actions[bot]", true),
        ("octocat", false),
    ] {
        let checks = format!("checks: [{{status: deploy, creator: '{creator}'}}]");
        let gates = scanned(main).replace("high}}", &format!("high}}, {checks}}}"));
        let found = findings(&policy(&signed(main), &gates));
        let expected = "warning, line 6, column 3: the environment prod is production, and every job that may write statuses can post the status deploy as github-actions[bot]: demand the job itself, with name and workflow";
        assert_eq!(
            found.iter().any(|it| it == expected),
            is_warned,
            "{found:?}"
        );
    }
}
