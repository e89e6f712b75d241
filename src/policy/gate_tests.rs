//! The keys of gates, their defaults, and the gates of services.

use super::tests::{read, refused};
use super::*;
use crate::gate::GateName;
use crate::tagging::EnvironmentName;

/// A policy with every gate.
pub(super) const WHOLE_POLICY: &str = "\
defaults: {sign: keyless}
environments:
  dev:
    repository: dev.example.com/team/{service}
    refs: [develop, 'feature/**']
    signers: [{identity: 'https://github.com/acme/web/.github/workflows/build.yml@refs/heads/*'}]
    tags: |
      type=sha,prefix=sha-
      type=raw,value=latest
  stage:
    repository: stage.example.com/team/{service}
    from: dev
    refs: ['release/**']
    signers: [{identity: 'https://github.com/acme/web/.github/workflows/promote-stage.yml@refs/heads/release/*'}]
    gates: {scan: {fail-on: critical, ignore-unfixed: true, max-age: 24h}}
  hotfix:
    repository: stage.example.com/hotfix/{service}
    from: dev
    refs: ['hotfix/**']
    signers: [{identity: 'https://github.com/acme/web/.github/workflows/hotfix.yml@refs/heads/hotfix/*'}]
  prod:
    production: true
    repository: prod.example.com/team/{service}
    from: [stage, hotfix]
    refs: [main]
    signers:
      - {identity: 'https://github.com/acme/web/.github/workflows/promote-prod.yml@refs/heads/main', actions: [promote, reinstate]}
      - {identity: 'https://github.com/acme/web/.github/workflows/rollback.yml@refs/heads/main', actions: [rollback]}
    gates:
      scan: {fail-on: high, max-age: 24h, vex: [security/web.openvex.json], ignore: [{id: CVE-2026-1234, package: 'pkg:deb/*', reason: not reachable, until: 2027-01-31}]}
      attestations: ['https://slsa.dev/provenance/v1,/buildDefinition/externalParameters/workflow/repository=https://github.com/acme/web', {rule: 'https://cyclonedx.org/bom', signed: false}]
      soak: 24h
      freeze: [{from: fri 15:00, to: mon 06:00, zone: Europe/Berlin, override: true}]
      image: {platforms: [linux/amd64, linux/arm64], user: non-root, max-size: 500MiB, max-age: 90d, labels: [org.opencontainers.image.revision]}
      checks: [{name: test, workflow: ci.yml}, {name: quality, app: sonarcloud}, {status: deploy, creator: octocat}]
      approvals: {environment: production, min: 2, not: [author, actor]}
    immutable: ['[0-9]*.[0-9]*.[0-9]*', 'sha-*']
    vsa: true
services:
  web: {dockerfile: docker/web.Dockerfile, target: runtime}
  api: {gates: {prod: {scan: {ignore: []}}}}
  db:
";

pub(super) fn environment<'a>(policy: &'a ReleasePolicy, name: &str) -> &'a EnvironmentRules {
    policy.stage(&name.parse().unwrap()).unwrap()
}

pub(super) fn service(name: &str) -> Service {
    name.parse().unwrap()
}

#[test]
fn every_key_of_gates_is_read() {
    let policy = read(WHOLE_POLICY).unwrap();
    let prod = environment(&policy, "prod");
    let gates = prod.gates(Some(&service("web")));
    let expected: Vec<GateName> = GateName::ALL
        .into_iter()
        .filter(|gate| *gate != GateName::Signature)
        .collect();
    assert_eq!(gates.names(), expected);
    let scan = gates.scan().unwrap();
    assert_eq!(scan.rule.fail_on.to_string(), "high");
    assert!(!scan.rule.ignore_unfixed && !scan.rule.allows_unbound && !scan.rule.denies_suppressed);
    assert_eq!(scan.rule.max_age.as_ref().unwrap().to_string(), "24h");
    assert_eq!(scan.vex_files, ["security/web.openvex.json"]);
    assert!(scan.vex_signers.is_empty() && scan.attested.is_none() && !scan.attaches_reports);
    let [exception] = scan.rule.ignore.as_slice() else {
        panic!("{:?}", scan.rule.ignore);
    };
    assert_eq!(exception.id, "CVE-2026-1234");
    assert_eq!(exception.package.as_ref().unwrap().to_string(), "pkg:deb/*");
    assert_eq!(exception.until, "2027-02-01T00:00:00.000Z".parse().ok());
    let signed: Vec<bool> = gates
        .attestations()
        .iter()
        .map(|entry| entry.required.is_signed)
        .collect();
    assert_eq!(signed, [true, false]);
    let soak = gates.soak().unwrap();
    assert_eq!(
        (soak.duration.to_string().as_str(), soak.is_still_current),
        ("24h", false)
    );
    assert_eq!(
        gates.freeze()[0].to_string(),
        "fri 15:00 to mon 06:00 (Europe/Berlin)"
    );
    assert!(gates.freeze()[0].allows_override());
    let image = gates.image().unwrap();
    assert_eq!(image.platforms.len(), 2);
    assert_eq!(image.max_size.as_ref().unwrap().to_string(), "500MiB");
    assert_eq!(
        image.labels[0].to_string(),
        "org.opencontainers.image.revision"
    );
    let checks: Vec<String> = gates.checks().iter().map(ToString::to_string).collect();
    assert_eq!(
        checks,
        [
            "test of ci.yml",
            "quality by sonarcloud",
            "status deploy by octocat"
        ]
    );
    let approvals = gates.approvals().unwrap();
    assert_eq!(
        (approvals.environment.as_str(), approvals.min),
        ("production", 2)
    );
    assert!(approvals.excludes_author && approvals.excludes_actor);
    assert_eq!(prod.github_environment(), "prod");
    let stage = environment(&policy, "stage");
    assert!(stage.gates(None).scan().unwrap().rule.ignore_unfixed);
    assert!(environment(&policy, "dev").gates(None).names().is_empty());
}

#[test]
fn other_keys_of_an_environment_are_read() {
    let policy = read(WHOLE_POLICY).unwrap();
    let prod = environment(&policy, "prod");
    assert!(prod.is_production() && prod.adds_vsa());
    assert_eq!(prod.refs().unwrap().to_string(), "main");
    assert_eq!(prod.signing(), SigningRule::Keyless);
    let tag = |text: &str| text.parse().unwrap();
    let immutable = |text: &str| prod.immutable_tags().find(&tag(text)).is_some();
    assert!(immutable("1.4.0") && immutable("sha-9f3c2a1") && !immutable("latest"));
    let dev = environment(&policy, "dev");
    assert!(!dev.is_production() && !dev.adds_vsa());
    assert!(dev.immutable_tags().patterns().is_empty());
    let names: Vec<&str> = policy.services().iter().map(Service::as_str).collect();
    assert_eq!(names, ["web", "api", "db"]);
    let web = policy.build(&service("web")).unwrap();
    assert_eq!(web.dockerfile.as_deref(), Some("docker/web.Dockerfile"));
    assert_eq!(web.target.as_deref(), Some("runtime"));
    assert_eq!(policy.build(&service("db")), None);
    assert!(prod.gives_lines());
    let text = "lines: off\nenvironments: {a: {repository: x}, b: {repository: y, lines: on}}";
    let policy = read(text).unwrap();
    assert!(!environment(&policy, "a").gives_lines());
    assert!(environment(&policy, "b").gives_lines());
}

#[test]
fn defaults_fill_in_what_an_environment_does_not_say() {
    let text = "\
defaults:
  sign: key
  signers: [{key: a.pub}]
  refs: [main]
  immutable: [v*]
  unbound: allow
  vsa: true
  gates: {scan: {fail-on: high, max-age: 1d}, soak: 24h, signature: true, attestations: [{rule: spdx, signers: [{key: b.pub}]}]}
environments:
  local: {repository: l, sign: off}
  dev: {repository: a}
  stage: {repository: b, from: dev, gates: {scan: {fail-on: low}}, vsa: false, refs: [stage]}
  prod: {repository: c, from: stage}
";
    let policy = read(text).unwrap();
    let gates = |name: &str| environment(&policy, name).gates(None).clone();
    let [dev, stage, prod] = ["dev", "stage", "prod"].map(|name| environment(&policy, name));
    let local = environment(&policy, "local");
    assert_eq!(
        (local.signing(), local.signers().len()),
        (SigningRule::Off, 0)
    );
    assert!(!local.adds_vsa());
    assert_eq!(
        (prod.signing(), prod.signers().len()),
        (SigningRule::Key, 1)
    );
    assert_eq!(
        [dev, stage, prod].map(EnvironmentRules::adds_vsa),
        [true, false, true]
    );
    let refs = [dev, stage, prod].map(|it| it.refs().unwrap().to_string());
    assert_eq!(refs, ["main", "stage", "main"]);
    // Where images come from nowhere, the gates that ask the environment before are left out.
    assert_eq!(
        gates("dev").names(),
        [GateName::Scan, GateName::Attestations]
    );
    let all = [
        GateName::Scan,
        GateName::Signature,
        GateName::Attestations,
        GateName::Soak,
    ];
    assert_eq!(gates("prod").names(), all);
    assert_eq!(gates("stage").names(), all);
    let none = text.replace("{scan: {fail-on: low}}", "{signature: false}");
    let gates_of_stage = read(&none)
        .unwrap()
        .stage(&"stage".parse().unwrap())
        .unwrap()
        .gates(None)
        .names();
    assert_eq!(
        gates_of_stage,
        [GateName::Scan, GateName::Attestations, GateName::Soak]
    );
    // A gate of its own is whole.
    assert_eq!(gates("stage").scan().unwrap().rule.max_age, None);
    assert!(gates("prod").scan().unwrap().rule.allows_unbound);
    assert_eq!(
        gates("prod").scan().unwrap().rule.fail_on.to_string(),
        "high"
    );
    insta::assert_snapshot!(refused("defaults: {repository: a, lines: off, gates: {soak: 1}}\nenvironments: {a: {repository: x}, b: {repository: y}}"), @r#"
    line 1, column 12: the key repository is not known here. the keys here are refs, tags, immutable, unbound, existing, gates, sign, signers, vsa, adopt-until
    line 1, column 27: the key lines is not known here. the keys here are refs, tags, immutable, unbound, existing, gates, sign, signers, vsa, adopt-until
    line 1, column 53: "1" is a number without a unit: expected w, d, h, m or s after it, such as 24h or 90d
    "#);
    let overridden = refused(
        "defaults: {immutable: [], vsa: 2}\nenvironments: {a: {repository: x, immutable: [a], vsa: false}}",
    );
    assert_eq!(overridden.lines().count(), 2, "{overridden}");
    insta::assert_snapshot!(refused("defaults: {signers: [{key: a.pub}]}\nenvironments: {a: {repository: x}}"), @"line 1, column 12: signers has no effect: sign is not keyless or key. set sign: keyless or sign: key, or remove signers");
}

#[test]
fn all_mistakes_are_told_in_one_run() {
    insta::assert_snapshot!(refused("\
enviroments: {}
environments:
  dev:
    repository: a
    from: dve
    sign: maybe
    refs: ['!x']
    gates:
      scan: {fail_on: high, max-age: 1 day, vex: [/etc/x], ignore: [{id: CVE-1}]}
      signature: maybe
      attestations: [sbom, {rule: spdx, signed: false, signers: [{key: a}]}]
      soak: 0h
      freeze: [{from: fri 15:00, to: 2026-01-01T00:00, zone: Europe/Atlantis}, {from: mon 1:00, to: mon 02:00, zone: UTC}]
      image: {platforms: [amd64], user: 'a b', max-size: 500, max-age: never, labels: ['=x']}
  prod:
    repository: b
    production: yes
    from: [dev, prod]
    immutable: ['[a']
    vsa: 1
    adopt-until: soon
"), @r#"
    line 1, column 1: the key enviroments is not known here; did you mean environments?
    line 5, column 11: there is no environment dve; did you mean dev?
    line 6, column 11: "maybe" is not one of off, keyless, key
    line 7, column 11: refs: all patterns begin with "!", so no ref may release. write at least one pattern of refs that may release, such as main or release/**
    line 9, column 14: the key fail_on is not known here; did you mean fail-on?
    line 9, column 38: "1 day" is not a duration: expected whole numbers with units (w, d, h, m, s), such as 24h, 90d or 1d12h
    line 9, column 51: "/etc/x" is not a path in the repository: expected a relative path without . and ..
    line 9, column 69: the key reason is missing
    line 10, column 18: "maybe" is not one of false, true
    line 11, column 22: "sbom" is no predicate type: expected its address, such as https://cyclonedx.org/bom, or one of custom, slsaprovenance, slsaprovenance02, slsaprovenance1, spdx, spdxjson, cyclonedx, link, vuln, openvex
    line 11, column 56: signers has no effect: signed is false. remove signers, or remove signed: false
    line 12, column 13: "0h" is zero: expected a duration of at least 1s
    line 13, column 62: "Europe/Atlantis" is not a time zone: expected a name of the IANA time zone database, such as Europe/Berlin or UTC
    line 13, column 87: "mon 1:00" is not a moment: expected a day (mon to sun) and a time, such as fri 15:00, or a date and a time, such as 2026-12-23T00:00
    line 14, column 27: "amd64" is not a platform: expected os/architecture or os/architecture/variant, such as linux/arm64, with the version after the os, such as windows(10.0.17763)/amd64
    line 14, column 41: "a b" is not a user: expected non-root, or a name or number without blanks, such as app or 1000
    line 14, column 58: "500" is a number without a unit: expected B, kB, MB, GB, TB, KiB, MiB, GiB or TiB after it, such as 500MiB
    line 14, column 72: "never" is not a duration: expected whole numbers with units (w, d, h, m, s), such as 24h, 90d or 1d12h
    line 14, column 88: "=x" is not a label: expected NAME or NAME=PATTERN, such as org.opencontainers.image.revision
    line 17, column 17: "yes" is not one of false, true
    line 18, column 17: prod takes its images from itself: prod from prod. leave from out in the first environment, where images are pushed
    line 19, column 17: "[a" has brackets that are not closed or are empty
    line 20, column 10: "1" is not one of false, true
    line 21, column 18: "soon" is not a date. write the last day, such as 2027-01-31
    "#);
}

#[test]
fn gates_that_ask_the_environment_before_need_one() {
    insta::assert_snapshot!(refused("environments: {a: {repository: x, gates: {scan: {fail-on: high, attested: true}, signature: true, attestations: [spdx], soak: 1d}}}"), @"
    line 1, column 43: the gate scan needs the environment that images come from, and from is missing. add from, or write signers of the gate's own where it takes them, or remove the gate
    line 1, column 82: the gate signature needs the environment that images come from, and from is missing. add from, or write signers of the gate's own where it takes them, or remove the gate
    line 1, column 99: the gate attestations needs the environment that images come from, and from is missing. add from, or write signers of the gate's own where it takes them, or remove the gate
    line 1, column 121: the gate soak needs the environment that images come from, and from is missing. add from, or write signers of the gate's own where it takes them, or remove the gate
    ");
    let own = "{signers: [{key: a.pub}]}";
    let text = format!(
        "environments: {{a: {{repository: x, gates: {{scan: {{fail-on: high, attested: {own}}}, signature: {own}, attestations: [{{rule: spdx, signed: false}}]}}}}}}"
    );
    assert_eq!(
        read(&text).unwrap().environments()[0]
            .gates(None)
            .names()
            .len(),
        3
    );
}

#[test]
fn promise_5_another_file_changes_no_gate() {
    let text = |gates: &str| {
        format!(
            "environments: {{dev: {{repository: 'd/{{service}}'}}, a: {{repository: 'x/{{service}}', from: dev, gates: {gates}}}}}\nservices: {{web: {{gates: {{a: {{soak: 2d}}}}}}}}"
        )
    };
    let own = read(&text("{soak: 1d}")).unwrap();
    assert!(
        own.clone()
            .with(read(&text("{soak: 24h}")).unwrap())
            .is_ok()
    );
    let a: EnvironmentName = "a".parse().unwrap();
    for other in ["{soak: 23h}", "{}", "{soak: 24h, image: {user: app}}"] {
        assert_eq!(
            own.clone().with(read(&text(other)).unwrap()).unwrap_err(),
            a
        );
    }
    let other = text("{soak: 1d}").replace("2d", "3d");
    assert_eq!(own.with(read(&other).unwrap()).unwrap_err(), a);
}

#[test]
fn copies_of_defaults_and_gates_are_bounded() {
    let reason = "x".repeat(900);
    let exceptions = format!("{{id: CVE-1, reason: {reason}}}, ").repeat(200);
    let mut text = format!(
        "environments: {{a: {{repository: 'x/{{service}}', gates: {{scan: {{fail-on: high, ignore: [{exceptions}]}}}}}}}}\nservices:\n"
    );
    for number in 0..600 {
        text += &format!("  s{number}: {{gates: {{a: {{scan: {{max-age: 1d}}}}}}}}\n");
    }
    let message = refused(&text);
    assert!(
        message.contains("expected at most 100000 entries in the gates of all services together"),
        "{message}"
    );
    let mut text = format!(
        "defaults:\n  tags: |\n    type=raw,value=x\n    # {}\nenvironments:\n",
        "x".repeat(10_000)
    );
    for number in 0..500 {
        text += &format!("  e{number}: {{repository: r{number}}}\n");
    }
    let message = refused(&text);
    assert!(
        message.contains("defaults are too large for so many environments"),
        "{message}"
    );
}

#[test]
fn checks_and_approvals_that_can_never_pass_or_have_no_effect_are_refused() {
    let policy = |gates: &str| {
        refused(&format!(
            "environments:\n  a:\n    repository: x\n    gates: {gates}\n"
        ))
    };
    for (gates, problem) in [
        ("{checks: [{name: test}]}", "workflow is missing"),
        (
            "{checks: [{name: test, workflow: dir/ci.yml}]}",
            "is not the name of a file in .github/workflows/",
        ),
        (
            "{checks: [{name: test, workflow: ci}]}",
            "is not the name of a file in .github/workflows/",
        ),
        (
            "{checks: [{name: test, app: sonar, workflow: ci.yml}]}",
            "workflow has no effect with app",
        ),
        (
            "{checks: [{name: test, app: 'a b'}]}",
            "is not a name of an account or an app on GitHub",
        ),
        ("{checks: [{status: deploy}]}", "creator is missing"),
        (
            "{checks: [{status: deploy, creator: a, branches: [main]}]}",
            "branches has no effect with status",
        ),
        (
            "{checks: [{name: test, workflow: ci.yml, creator: a}]}",
            "creator has no effect with name",
        ),
        ("{checks: []}", "expected one or more checks"),
        ("{checks: false}", "turns no gate off"),
        ("{approvals: {min: 1}}", "environment is missing"),
        (
            "{approvals: {environment: production, min: 0}}",
            "is not a number from 1 to 6",
        ),
        (
            "{approvals: {environment: production, min: 7}}",
            "is not a number from 1 to 6",
        ),
        (
            "{approvals: {environment: production, not: [nobody]}}",
            "is not a role",
        ),
    ] {
        let text = policy(gates);
        assert!(text.contains(problem), "{gates}: {text}");
        assert!(text.contains("line 4"), "{text}");
    }
}
