//! The gates of services, and gates that nothing can pass.

use super::gate_tests::{WHOLE_POLICY, environment, service};
use super::tests::{read, refused};
use super::*;

/// A policy of two environments and two services, with gates of `prod` and gates of the service `api` in it.
fn overridden(gates: &str, own: &str) -> String {
    format!(
        "defaults: {{sign: key, signers: [{{key: s.pub}}]}}\nenvironments:\n  stage: {{repository: 's/{{service}}'}}\n  prod:\n    repository: 'p/{{service}}'\n    from: stage\n    gates: {gates}\nservices:\n  web: {{}}\n  api: {{gates: {{prod: {own}}}}}\n"
    )
}

#[test]
fn a_service_tightens_the_gates_of_an_environment_and_replaces_its_exceptions() {
    let policy = read(WHOLE_POLICY).unwrap();
    let prod = environment(&policy, "prod");
    let gates = prod.gates(Some(&service("api")));
    assert!(gates.scan().unwrap().rule.ignore.is_empty());
    assert_eq!(
        gates.scan().unwrap().vex_files,
        ["security/web.openvex.json"]
    );
    assert_eq!(gates.soak(), prod.gates(None).soak());
    let base = "{scan: {fail-on: high, ignore-unfixed: true, vex: [a.json]}, soak: 24h, image: {max-size: 1GB}}";
    let own = "{scan: {fail-on: low, ignore-unfixed: false, max-age: 1d, suppressed: deny, ignore: [{id: CVE-1, reason: x}]}, soak: {for: 25h, still-current: true}, image: {user: non-root}, signature: true}";
    let policy = read(&overridden(base, own)).unwrap();
    let prod = environment(&policy, "prod");
    let gates = prod.gates(Some(&service("api")));
    let scan = gates.scan().unwrap();
    assert_eq!(scan.rule.fail_on.to_string(), "low");
    assert!(scan.rule.denies_suppressed && scan.vex_files == ["a.json"]);
    assert_eq!(scan.rule.ignore[0].id, "CVE-1");
    assert_eq!(gates.soak().unwrap().duration.to_string(), "25h");
    let image = gates.image().unwrap();
    assert_eq!(image.max_size.as_ref().unwrap().to_string(), "1GB");
    assert!(image.user.is_some());
    assert_eq!(gates.signature(), Some(&GateSigners::OfSource));
    let web = prod.gates(Some(&service("web")));
    assert_eq!(web, prod.gates(None));
    assert_eq!(prod.service_gates().count(), 1);
}

#[test]
fn promise_5_a_service_weakens_no_gate() {
    let key = "{key: a.pub}";
    let base = format!(
        "{{scan: {{fail-on: high, max-age: 1d, suppressed: deny, attach: true, attested: true, vex: [a.json], vex-signers: [{key}]}}, signature: {{signers: [{key}]}}, attestations: ['https://slsa.dev/provenance/v1'], soak: {{for: 24h, still-current: true}}, freeze: [{{from: fri 15:00, to: mon 06:00, zone: UTC}}], image: {{platforms: [linux/amd64], user: app, max-size: 1GB, max-age: 90d, labels: [a]}}}}"
    );
    assert!(read(&overridden(&base, "{}")).is_ok());
    let other = "{key: b.pub}";
    for (own, column_of) in [
        ("{scan: {fail-on: critical}}", "fail-on"),
        ("{scan: {ignore-unfixed: true}}", "ignore-unfixed"),
        ("{scan: {max-age: 25h}}", "max-age"),
        ("{scan: {suppressed: show}}", "suppressed"),
        ("{scan: {attach: false}}", "attach"),
        ("{scan: {attested: false}}", "attested"),
        (
            &format!("{{scan: {{attested: {{signers: [{key}]}}}}}}"),
            "attested",
        ),
        ("{scan: {vex: [b.json]}}", "vex"),
        ("{scan: {vex: [a.json, b.json]}}", "vex"),
        // A document could have the newest statement, which says that the image is affected.
        ("{scan: {vex: []}}", "vex"),
        (
            &format!("{{scan: {{vex-signers: [{key}, {other}]}}}}"),
            "vex-signers",
        ),
        ("{signature: false}", "signature"),
        ("{signature: true}", "signature"),
        (
            &format!("{{signature: {{signers: [{other}]}}}}"),
            "signature",
        ),
        (
            "{attestations: ['https://cyclonedx.org/bom']}",
            "attestations",
        ),
        (
            "{attestations: [{rule: 'https://slsa.dev/provenance/v1', signed: false}]}",
            "attestations",
        ),
        ("{soak: 24h}", "soak"),
        ("{soak: {for: 23h, still-current: true}}", "soak"),
        (
            "{freeze: [{from: fri 15:00, to: sun 06:00, zone: UTC}]}",
            "freeze",
        ),
        (
            "{freeze: [{from: fri 15:00, to: mon 06:00, zone: UTC, override: true}]}",
            "freeze",
        ),
        ("{image: {platforms: [linux/arm64]}}", "platforms"),
        ("{image: {user: non-root}}", "user"),
        ("{image: {max-size: 1.1GB}}", "max-size"),
        ("{image: {max-age: 91d}}", "max-age"),
        ("{image: {labels: [b]}}", "labels"),
    ] {
        let text = overridden(&base, own);
        let message = refused(&text);
        let line = text.lines().last().unwrap();
        let column = line.find(&format!("{column_of}:")).unwrap() + 1;
        let expected = format!("line 10, column {column}: ");
        let is_weaker = message.contains(&format!(
            "{column_of} is weaker than in the environment prod"
        ));
        assert!(
            message.starts_with(&expected) && is_weaker,
            "{own}: {message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn promise_5_a_service_leaves_out_no_signer_of_evidence_that_could_be_against_it() {
    let lists = |signers: &str| {
        format!(
            "{{scan: {{fail-on: high, attested: {{signers: [{signers}]}}, vex-signers: [{signers}]}}}}"
        )
    };
    let [one, two, turned] = [
        "{key: a.pub}",
        "{key: a.pub}, {key: b.pub}",
        "{key: b.pub}, {key: a.pub}",
    ];
    assert!(read(&overridden(&lists(two), &lists(turned))).is_ok());
    for own in [one, "{key: a.pub}, {key: b.pub}, {key: c.pub}"] {
        let message = refused(&overridden(&lists(two), &lists(own)));
        for key in ["scan.attested", "scan.vex-signers"] {
            let part = format!("{key} is weaker than in the environment prod");
            assert!(message.contains(&part), "{own}: {message}");
        }
    }
}

#[test]
fn mistakes_of_services_are_told_together_and_with_others() {
    let own = "{scan: {fail-on: critical}, soak: 1h, freeze: [{from: fri 15:00, to: mon 06:00, zone: Mars}], image: {max-size: 2GB}}";
    let base = "{scan: {fail-on: high}, soak: 24h, image: {max-size: 1GB}}";
    let text = overridden(base, own);
    let web = "  web: {target: 'a b', gates: {prod: {soak: 2h}}}";
    let message = refused(&text.replace("  web: {}", web));
    let parts = [
        "line 9, column 17: \"a b\" is not the name of a stage",
        "line 9, column 39: soak is weaker than",
        "line 10, column 31: scan.fail-on is weaker than",
        "line 10, column 51: soak is weaker than",
        "\"Mars\" is not a time zone",
        "image.max-size is weaker than",
    ];
    assert_eq!(message.lines().count(), parts.len(), "{message}");
    for (line, part) in message.lines().zip(parts) {
        assert!(line.contains(part), "{part}: {message}");
    }
    // What cannot be read is not compared with.
    let message = refused(&overridden(
        "{scan: {fail-on: hgh}}",
        "{scan: {max-age: 1d}, soak: 1x}",
    ));
    assert_eq!(message.lines().count(), 2, "{message}");
    for part in ["\"hgh\" is not one of", "\"1x\" is not a duration"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn gates_that_nothing_can_pass_and_keys_without_effect_are_refused() {
    let text = "\
environments:
  dev: {repository: d, vsa: true}
  stage: {repository: s, from: dev, gates: {scan: {fail-on: high, attested: true, attach: true}, signature: true, attestations: [spdx, {rule: cyclonedx, signed: false}]}}
  prod:
    repository: p
    from: [dev, stage]
    gates: {signature: {signers: [{key: a.pub}]}, image: {}, soak: false, scan: false}
";
    insta::assert_snapshot!(refused(text), @"
    line 2, column 24: vsa has no effect: sign is not keyless or key. set sign: keyless or sign: key, and signers, or remove the key
    line 3, column 67: attested of the gate scan can never pass: it needs signatures by signers of dev, and sign is not keyless or key there. set sign and signers in that environment, or write signers of the gate's own, such as {signers: [{key: keys/cosign.pub}]}
    line 3, column 83: attach has no effect: sign is not keyless or key. set sign: keyless or sign: key, and signers, or remove attach
    line 3, column 98: the gate signature can never pass: it needs signatures by signers of dev, and sign is not keyless or key there. set sign and signers in that environment, or write signers of the gate's own, such as {signers: [{key: keys/cosign.pub}]}
    line 3, column 130: the attestation https://spdx.dev/Document can never pass: it needs signatures by signers of dev, and sign is not keyless or key there. set sign and signers in that environment, or write signers of the gate's own, such as {signers: [{key: keys/cosign.pub}]}
    line 7, column 58: expected at least one of the keys platforms, user, max-size, max-age, labels, got none
    line 7, column 62: soak: false turns no gate off: expected the rule of the gate. a gate is off where neither the environment nor defaults has it: remove the key, and write a gate of defaults into the environments that need it
    line 7, column 75: scan: false turns no gate off: expected the rule of the gate. a gate is off where neither the environment nor defaults has it: remove the key, and write a gate of defaults into the environments that need it
    ");
    // One of the environments signs: its images can pass.
    let one = "environments: {a: {repository: x}, b: {repository: y, sign: key, signers: [{key: k.pub}]}, c: {repository: z, from: [a, b], gates: {signature: true}}}";
    assert!(read(one).is_ok());
    // Where `sign` cannot be read, nothing rests on it.
    let unread = "environments: {a: {repository: x, sign: mabe, vsa: true, gates: {scan: {fail-on: high, attach: true}}}, b: {repository: y, from: a, gates: {signature: true}}}";
    assert_eq!(refused(unread).lines().count(), 1, "{}", refused(unread));
    let defaults = "defaults: {vsa: true, sign: key, signers: [{key: k.pub}]}\nenvironments: {a: {repository: x, sign: off}, b: {repository: y}}";
    let policy = read(defaults).unwrap();
    assert_eq!(
        ["a", "b"].map(|name| environment(&policy, name).adds_vsa()),
        [false, true]
    );
    let none = refused("defaults: {vsa: true}\nenvironments: {a: {repository: x}}");
    assert!(none.contains("vsa has no effect"), "{none}");
}

#[test]
fn gates_of_services_belong_to_environments_with_a_repository_of_each() {
    insta::assert_snapshot!(refused(
        "environments: {prod: {repository: 'p/{service}'}, one: {repository: q}}\nservices: {web: {gates: {one: {freeze: [{from: fri 15:00, to: mon 06:00, zone: UTC}]}, prd: {}}}}"
    ), @"
    line 2, column 26: the environment one has one repository for all services, and no gates by service. write the gates below the environment
    line 2, column 88: there is no environment prd; did you mean prod?
    ");
    insta::assert_snapshot!(refused(&overridden("{}", "{scan: {max-age: 1d}}")), @"line 10, column 24: the key fail-on is missing");
    insta::assert_snapshot!(refused(&overridden("{}", "{scan: {fail-on: high}}").replace("    from: stage\n", "").replace("{scan: {fail-on: high}}", "{soak: 1d}")), @"line 9, column 24: the gate soak needs the environment that images come from, and from is missing. add from, or write signers of the gate's own where it takes them, or remove the gate");
    insta::assert_snapshot!(refused(&overridden("{}", "{}").replace("api: {", "api: {dockerfile: ../Dockerfile, target: 'a b', ")), @r#"
    line 10, column 21: "../Dockerfile" is not a path in the repository: expected a relative path without . and ..
    line 10, column 44: "a b" is not the name of a stage: expected letters, digits, dots, dashes or underscores
    "#);
}
