//! The verb `policy`: the policy of a run as its users see it, defaults filled in.

use serde_json::{Value, json};

use crate::support::checkout::commit;
use crate::support::process::{Place, Ran};
use crate::support::table::documented;

const POLICY: &str = "\
exclude-versions: [1.9.9]
environments:
  dev:
    repository: oci:dev/{service}
    tags: |
      # each commit
      type=sha
      type=raw,value=latest
    unbound: allow
  prod: {repository: 'oci:prod/{service}', from: Dev, exclude-versions: [2024.*]}
services: [web, api]
";

const KEY_FILE: &str = "keys/deploy.pub";
const PUBLIC_KEY: &str = include_str!("../data/sigstore/cosign.pub");

/// A folder with the policy in its usual place.
fn folder(policy: &str) -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path(".github")).unwrap();
    std::fs::write(place.path(".github/shipmark.yml"), policy).unwrap();
    place
}

/// A step of a job whose workflow's commit has the policy, and the key of a deployment.
fn step(policy: &str, inputs: &[(&str, &str)]) -> (Place, Ran) {
    let place = Place::new();
    let files = [(".github/shipmark.yml", policy), (KEY_FILE, PUBLIC_KEY)];
    let sha = commit(place.root(), &files);
    // A build can change what is checked out.
    std::fs::create_dir_all(place.path("keys")).unwrap();
    std::fs::write(place.path(KEY_FILE), "changed").unwrap();
    let inputs = [&[("command", "policy")], inputs].concat();
    let mut step = place.step("refs/heads/main", &inputs);
    let ran = Ran::of(step.env("GITHUB_WORKFLOW_SHA", sha).output().unwrap());
    (place, ran)
}

#[test]
fn what_a_policy_probably_does_not_mean_is_a_warning() {
    let policy = "environments:\n  dev: {repository: oci:dev, tags: 'type=semver,pattern={{versoin}}'}\n  prod: {repository: oci:prod}\n";
    let ran = folder(policy).run(&["policy"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    for part in [
        "warning: the environment dev: tags, line 1",
        "pattern={{versoin}}",
        "warning: the environment prod has no from",
    ] {
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
    }
    let sounds =
        "warning: the environment prod sounds like production and does not have production: true";
    let log = folder(POLICY).run(&["policy"]).log;
    assert!(log.starts_with(sounds) && log.lines().count() == 1, "{log}");
    let no_production = POLICY.replace("from: Dev,", "from: Dev, production: false,");
    assert_eq!(folder(&no_production).run(&["policy"]).log, "");
    let open = "warning: the environment prod: https://github.com/acme/web/.github/workflows/promote.yml@* in signers accepts an edited workflow on any branch";
    for (git_ref, warns) in [
        ("*", true),
        ("refs/heads/*", false),
        ("refs/tags/v1", false),
    ] {
        let policy = format!(
            "environments:\n  prod:\n    repository: oci:prod\n    sign: keyless\n    signers: [{{identity: 'https://github.com/acme/web/.github/workflows/promote.yml@{git_ref}'}}]\n"
        );
        let ran = folder(&policy).run(&["policy"]);
        assert_eq!(ran.log.contains(open), warns, "{}", ran.log);
    }
}

#[test]
fn every_problem_of_the_file_is_an_annotation_at_its_position() {
    let policy = "environments:\n  dev:\n    repository: oci:dev\n    sing: key\n    gates: {soak: 1 day}\n  prod:\n    repository: oci:dev\n    from: stage\n";
    let (place, ran) = step(policy, &[]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    let problems = [
        (
            "line=4,col=5",
            "the key sing is not known here; did you mean sign?",
        ),
        ("line=5,col=19", "1 day"),
        (
            "line=7,col=17",
            "oci:dev belongs to the environment dev already",
        ),
        ("line=8,col=11", "there is no environment stage"),
    ];
    let annotations: Vec<&str> = ran
        .log
        .lines()
        .filter(|line| line.starts_with("::error "))
        .collect();
    assert_eq!(annotations.len(), problems.len(), "{}", ran.log);
    for ((at, text), annotation) in problems.into_iter().zip(annotations) {
        assert!(
            annotation.contains("file=.github/shipmark.yml"),
            "{annotation}"
        );
        assert!(
            annotation.contains(at) && annotation.contains(text),
            "{at}: {annotation}"
        );
    }
    let summary = place.read("summary");
    assert!(
        problems.iter().all(|(_, text)| summary.contains(text)),
        "{summary}"
    );
    let ran = folder(policy).run(&["policy", "--output=json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["further"].as_array().unwrap().len(), 3, "{json}");
    assert!(
        json["what"].as_str().unwrap().contains("line 4, column 5"),
        "{json}"
    );
    assert_eq!(json["further"][2]["hint"], "the file has dev, prod");
}

#[test]
fn warnings_and_notes_of_a_policy_have_their_position() {
    let policy = "environments:\n  prd:\n    repository: oci:prd\n";
    let (_place, ran) = step(policy, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let warning = ran
        .log
        .lines()
        .find(|line| line.starts_with("::warning "))
        .unwrap();
    assert!(
        warning.contains("line=2,col=3") && warning.contains("prd sounds like production"),
        "{warning}"
    );
    let policy = "environments: {a: {repository: oci:a}, b: {repository: oci:b, from: a, production: true, sign: key, signers: [{key: keys/deploy.pub}], gates: {scan: {fail-on: high}}}}";
    let (_place, ran) = step(policy, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.log.contains(
            "note: the environment b is production, and the key keys/deploy.pub pins no ref"
        ),
        "{}",
        ran.log
    );
    assert!(
        ran.log.contains("whose records are not signed"),
        "{}",
        ran.log
    );
}

#[test]
fn gates_and_their_changes_are_shown() {
    let policy = "\
defaults: {sign: key, signers: [{key: keys/deploy.pub}]}
environments:
  dev: {repository: 'oci:dev/{service}', refs: [develop, 'feature/**'], lines: off}
  stage:
    repository: 'oci:stage/{service}'
    from: dev
    immutable: [v*]
    vsa: true
    gates:
      scan: {fail-on: high, max-age: 24h, ignore: [{id: CVE-2026-1, package: 'pkg:deb/*', platform: linux/arm64, reason: x, until: 2027-01-31}], vex: [a.json], attested: true}
      attestations: [{rule: spdx, signed: false}, {rule: cyclonedx, signers: [{key: keys/deploy.pub}]}]
      signature: true
      soak: {for: 24h, still-current: true}
      freeze: [{from: fri 15:00, to: mon 06:00, zone: UTC, override: true}]
      image: {platforms: [linux/amd64], user: non-root, max-size: 1GiB, labels: [a=b]}
services: {web: {dockerfile: web/Dockerfile}, api: {gates: {stage: {scan: {fail-on: low, ignore: []}}}}}
";
    let place = folder(policy);
    std::fs::create_dir_all(place.path("keys")).unwrap();
    std::fs::write(place.path(KEY_FILE), PUBLIC_KEY).unwrap();
    let ran = place.run(&["policy", "--environment=stage"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    insta::assert_snapshot!(ran.out, @"
    policy .github/shipmark.yml
      services          web, api
      promotions        dev -> stage

    stage
      repository        web  oci:stage/web
                        api  oci:stage/api
      from              dev (by promote)
      production        false (default)
      refs              every ref (default)
      tags              version, version lines, SHA tag and environment (default)
      immutable         v*
      lines             on (default)
      unbound           refuse (default)
      exclude-versions  none (default)
      gates             scan          fail-on high, max-age 24h, ignore CVE-2026-1 (pkg:deb/*, linux/arm64, until 2027-02-01T00:00:00.000Z), vex a.json, attested by the signers of from
                        signature     by the signers of from
                        attestations  https://spdx.dev/Document unsigned; https://cyclonedx.org/bom by keys/deploy.pub
                        soak          24h, still-current
                        freeze        fri 15:00 to mon 06:00 (UTC), override
                        image         linux/amd64, user non-root, max-size 1GiB, label a=b
                        of api: scan          fail-on low, max-age 24h, vex a.json, attested by the signers of from
      sign              key
      signers           key         keys/deploy.pub
                        actions     all (default)
                        until       without end (default)
      vsa               true
      records           repository of the images (default)
      adopt-until       adopt is refused (default)
      retention         prune deletes nothing: no prune rules (default)
    ");
    let (place, ran) = step(policy, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let json: Value = serde_json::from_str(&place.output("json")).unwrap();
    let builds = json!({"web": {"dockerfile": "web/Dockerfile", "target": null}});
    assert_eq!(json["builds"], builds);
    let [dev, stage] = [0, 1].map(|at| &json["environments"][at]);
    assert_eq!(dev["refs"], json!(["develop", "feature/**"]));
    assert_eq!(
        (&dev["lines"], &stage["lines"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(
        (&stage["refs"], &stage["vsa"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(stage["immutable"], json!(["v*"]));
    assert_eq!(dev["gates"], json!({}));
    let gates = &stage["gates"];
    assert_eq!(gates["scan"]["failOn"], "high");
    assert_eq!(
        gates["scan"]["ignore"][0]["until"],
        "2027-02-01T00:00:00.000Z"
    );
    assert_eq!(gates["scan"]["attested"], true);
    assert_eq!(
        gates["attestations"][1]["signers"][0]["key"],
        "keys/deploy.pub"
    );
    assert_eq!(gates["signature"], json!({"signers": null}));
    assert_eq!(gates["soak"], json!({"for": "24h", "stillCurrent": true}));
    assert_eq!(gates["image"]["maxSize"], 1 << 30);
    assert_eq!(stage["serviceGates"]["api"]["scan"]["failOn"], "low");
    assert_eq!(stage["serviceGates"]["web"], Value::Null);
    let summary = place.read("summary");
    assert!(summary.contains("fail-on high, max-age 24h"), "{summary}");
}

#[test]
fn a_key_of_a_gate_that_cannot_be_read_is_named_at_the_gate() {
    let policy = "\
environments:
  dev: {repository: 'oci:dev'}
  prod:
    repository: 'oci:prod'
    from: dev
    gates:
      signature: {signers: [{key: keys/nosuch.pub}]}
";
    let (_, ran) = step(policy, &[]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    for part in [
        "the key keys/nosuch.pub in gates.signature.signers of the environment prod cannot be used",
        "names whose signatures the gate accepts",
        "line=7,col=29",
    ] {
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
    }
}

#[test]
fn the_policy_is_shown_with_its_defaults() {
    let ran = folder(POLICY).run(&["policy"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    insta::assert_snapshot!(ran.out, @"
    policy .github/shipmark.yml
      services          web, api
      promotions        dev -> prod

    dev
      repository        web  oci:dev/web
                        api  oci:dev/api
      from              push, or promote without source or with a complete reference (default)
      production        false (default)
      refs              every ref (default)
      tags              type=sha
                        type=raw,value=latest
      immutable         as the rules say (default)
      lines             on (default)
      unbound           allow
      exclude-versions  1.9.9
      gates             none (default)
      sign              off (default)
      signers           none (default)
      vsa               false (default)
      records           repository of the images (default)
      adopt-until       adopt is refused (default)
      retention         prune deletes nothing: no prune rules (default)

    prod
      repository        web  oci:prod/web
                        api  oci:prod/api
      from              dev (by promote)
      production        false (default)
      refs              every ref (default)
      tags              version, version lines, SHA tag and environment (default)
      immutable         as the rules say (default)
      lines             on (default)
      unbound           refuse (default)
      exclude-versions  2024.*, 1.9.9
      gates             none (default)
      sign              off (default)
      signers           none (default)
      vsa               false (default)
      records           repository of the images (default)
      adopt-until       adopt is refused (default)
      retention         prune deletes nothing: no prune rules (default)
    ");
    let one = folder(POLICY).run(&["policy", "--environment=PROD"]);
    assert_eq!(one.status, Some(0), "{}", one.log);
    assert!(
        one.out.contains("\nprod\n") && !one.out.contains("\ndev\n"),
        "{}",
        one.out
    );
    let single = folder("environments: {prod: {repository: ghcr.io/acme/web}}").run(&["policy"]);
    insta::assert_snapshot!(single.out, @"
    policy .github/shipmark.yml

    prod
      repository        ghcr.io/acme/web
      from              push, or promote without source or with a complete reference (default)
      production        false (default)
      refs              every ref (default)
      tags              push: version, version lines, SHA tag and branch; promote: version, version lines, SHA tag and environment (default)
      immutable         as the rules say (default)
      lines             on (default)
      unbound           refuse (default)
      exclude-versions  none (default)
      gates             none (default)
      sign              off (default)
      signers           none (default)
      vsa               false (default)
      records           repository of the images (default)
      adopt-until       adopt is refused (default)
      retention         prune deletes nothing: no prune rules (default)
    ");
    let none = folder("# nothing yet\n").run(&["policy"]);
    assert_eq!(none.status, Some(0), "{}", none.log);
    assert!(
        none.out
            .ends_with("no environment: the policy has no effect\n"),
        "{}",
        none.out
    );
}

const SIGNED: &str = "\
records: ghcr.io/acme/records/{environment}-{service}
environments:
  prod:
    repository: ghcr.io/acme/{service}
    sign: keyless
    signers:
    - identity: https://github.com/acme/web/.github/workflows/promote.yml@refs/heads/main
    - {key: keys/deploy.pub, actions: [deployed, failed], until: 2027-01-31}
    adopt-until: 2026-12-31
services: [web]
";

#[test]
fn signers_and_records_are_shown_with_their_defaults() {
    let place = folder(SIGNED);
    std::fs::create_dir(place.path("keys")).unwrap();
    std::fs::write(place.path(KEY_FILE), PUBLIC_KEY).unwrap();
    let ran = place.run(&["policy"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    insta::assert_snapshot!(ran.out, @"
    policy .github/shipmark.yml
      services          web

    prod
      repository        web  ghcr.io/acme/web
      from              push, or promote without source or with a complete reference (default)
      production        false (default)
      refs              every ref (default)
      tags              push: version, version lines, SHA tag and branch; promote: version, version lines, SHA tag and environment (default)
      immutable         as the rules say (default)
      lines             on (default)
      unbound           refuse (default)
      exclude-versions  none (default)
      gates             none (default)
      sign              keyless
      signers           identity    https://github.com/acme/web/.github/workflows/promote.yml@refs/heads/main
                        issuer      https://token.actions.githubusercontent.com
                        repository  acme/web
                        actions     all (default)
                        until       without end (default)
                        key         keys/deploy.pub
                        actions     deployed, failed
                        until       2027-01-31
      vsa               false (default)
      records           web  ghcr.io/acme/records/prod-web
      adopt-until       2026-12-31
      retention         prune deletes nothing: no prune rules (default)
    ");
    let (place, ran) = step(SIGNED, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let shown: Value = serde_json::from_str(&place.output("json")).unwrap();
    let prod = &shown["environments"][0];
    assert_eq!(prod["sign"], "keyless");
    assert_eq!(prod["adoptUntil"], "2026-12-31");
    let records = json!([{"service": "web", "repository": "ghcr.io/acme/records/prod-web"}]);
    assert_eq!(prod["records"], records);
    let signers = json!([
        {
            "identity": "https://github.com/acme/web/.github/workflows/promote.yml@refs/heads/main",
            "issuer": "https://token.actions.githubusercontent.com",
            "repository": "acme/web",
            "key": null,
            "actions": null,
            "until": null,
        },
        {
            "identity": null,
            "issuer": null,
            "repository": null,
            "key": "keys/deploy.pub",
            "actions": ["deployed", "failed"],
            "until": "2027-01-31",
        },
    ]);
    assert_eq!(prod["signers"], signers);
    let summary = place.read("summary");
    let row = "| `prod` | keyless | `https://github.com/acme/web/.github/workflows/promote.yml@refs/heads/main` all (default)<br>`keys/deploy.pub` deployed, failed, until 2027-01-31 | `ghcr.io/acme/records/prod-{service}` | 2026-12-31 |";
    assert!(summary.contains(row), "{summary}");
    assert!(summary.contains("Records of prod"), "{summary}");
}

/// Who may write records is what the commit says, not what a build made of the working tree.
#[test]
fn promise_5_a_key_of_the_policy_is_that_of_its_commit() {
    let ran = folder(SIGNED).run(&["policy"]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    let missing = "the key keys/deploy.pub in signers of the environment prod cannot be used: the file is not there";
    assert!(ran.log.contains(missing), "{}", ran.log);
    let (_, ran) = step(&SIGNED.replace("deploy.pub", "other.pub"), &[]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(
        ran.log.contains("cannot be used: the file is not there"),
        "{}",
        ran.log
    );
    let (_, ran) = step(&SIGNED.replace("keys/deploy.pub", "/etc/deploy.pub"), &[]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    let outside = "/etc/deploy.pub is not a path in the repository";
    assert!(ran.log.contains(outside), "{}", ran.log);
    let private = "\"-----BEGIN PRIVATE KEY-----\\nsecret\\n-----END PRIVATE KEY-----\"";
    let (_, ran) = step(&SIGNED.replace("keys/deploy.pub", private), &[]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(!ran.log.contains("secret"), "{}", ran.log);
}

#[test]
fn a_named_file_adds_its_environments() {
    let place = folder(POLICY);
    std::fs::write(
        place.path("more.yml"),
        "environments: {test: {repository: 'oci:test'}}",
    )
    .unwrap();
    let ran = place.run(&["policy", "--policy=more.yml"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.out
            .starts_with("policy .github/shipmark.yml with more.yml\n"),
        "{}",
        ran.out
    );
    for name in ["dev", "prod", "test"] {
        assert!(ran.out.contains(&format!("\n{name}\n")), "{}", ran.out);
    }
}

#[test]
fn a_step_shows_the_policy_of_the_workflows_commit() {
    let (place, ran) = step(POLICY, &[("environment", "prod")]);
    assert_eq!((ran.status, ran.out.as_str()), (Some(0), ""), "{}", ran.log);
    let shown: Value = serde_json::from_str(&place.output("json")).unwrap();
    let prod = json!({
        "name": "prod",
        "from": ["dev"],
        "production": false,
        "refs": null,
        "immutable": [],
        "lines": true,
        "gates": {},
        "serviceGates": {},
        "vsa": false,
        "repositories": [
            {"service": "web", "repository": "oci:prod/web"},
            {"service": "api", "repository": "oci:prod/api"},
        ],
        "tags": null,
        "unbound": "refuse",
        "excludeVersions": ["2024.*", "1.9.9"],
        "sign": "off",
        "signers": [],
        "records": [
            {"service": "web", "repository": "oci:prod/web"},
            {"service": "api", "repository": "oci:prod/api"},
        ],
        "adoptUntil": null,
        "githubEnvironment": "prod",
        "retention": {
            "keep": {"released": null, "rollback": null, "tags": [], "pinned": []},
            "prune": [],
            "grace": "24h",
            "limits": {"share": 30, "images": 100},
            "apis": [],
        },
        "stated": ["repository", "from", "exclude-versions"],
    });
    assert_eq!(shown["environments"], json!([prod]));
    assert_eq!(shown["services"], json!(["web", "api"]));
    let summary = place.read("summary");
    let chart = shown["diagram"].as_str().unwrap();
    assert!(
        summary.contains(&format!("```mermaid\n{chart}```\n")),
        "{summary}"
    );
    assert!(chart.contains("  e0 -->|promote| e1\n"), "{chart}");
    let (place, ran) = step(POLICY, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let shown: Value = serde_json::from_str(&place.output("json")).unwrap();
    let dev = &shown["environments"][0];
    assert_eq!(dev["tags"], json!(["type=sha", "type=raw,value=latest"]));
    assert_eq!(
        (&dev["unbound"], &dev["from"]),
        (&json!("allow"), &json!([]))
    );
}

#[test]
fn what_a_release_would_refuse_is_refused() {
    for (policy, flags, status, part) in [
        (
            "",
            &["--environment=prod"][..],
            2,
            "it names no environment",
        ),
        (POLICY, &["--environment=stage"], 2, "it has dev, prod"),
        (POLICY, &["--policy=other.yml"], 2, "other.yml is not there"),
        (
            "services: web",
            &[],
            2,
            "line 1, column 11: expected a list",
        ),
        (
            "environments: {a: {repository: 'oci:x'}, b: {repository: 'oci:link'}}",
            &[],
            1,
            "belongs to two environments",
        ),
    ] {
        let place = folder(policy);
        std::os::unix::fs::symlink("x", place.path("link")).unwrap();
        std::fs::create_dir(place.path("x")).unwrap();
        let ran = place.run(&[&["policy"], flags].concat());
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (Some(status), ""),
            "{}",
            ran.log
        );
        assert!(ran.log.contains(part), "{}", ran.log);
    }
    let without = Place::new().run(&["policy"]);
    assert_eq!((without.status, without.out.as_str()), (Some(2), ""));
    assert!(
        without
            .log
            .contains("there is no policy file .github/shipmark.yml"),
        "{}",
        without.log
    );
}

#[test]
fn promise_8_a_policy_writes_no_markup() {
    let hostile = "oci:x\"]; click e0 \\\"javascript<script>|`%%{init}";
    let policy = format!(
        "environments: {{dev: {{repository: '{}', tags: 'type=raw,value=a|`<b>'}}}}",
        hostile.replace(['{', '}'], "")
    );
    let (place, ran) = step(&policy, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let summary = place.read("summary");
    let chart = summary
        .split("```mermaid\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    assert_eq!(chart.lines().count(), 4, "{chart}");
    assert!(
        !chart.contains("<script") && !chart.contains("%%") && !chart.contains('`'),
        "{chart}"
    );
}

#[test]
fn the_documentation_shows_what_is_printed() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policy.md")).unwrap();
    let policy = page
        .split("```yaml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let (place, ran) = step(policy, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let shown: Value = serde_json::from_str(&place.output("json")).unwrap();
    let chart = format!("```mermaid\n{}```", shown["diagram"].as_str().unwrap());
    documented(
        "docs/policy.md",
        "<!-- diagram: written by tests/it/policy_verb.rs -->\n",
        "",
        &[chart],
    );
    let ran = folder(policy).run(&["policy", "--environment=stage"]);
    let text = format!("```text\n{}```", ran.out);
    documented(
        "docs/policy.md",
        "<!-- report: written by tests/it/policy_verb.rs -->\n",
        "",
        &[text],
    );
}

const RETENTION: &str = "\
environments:
  prod:
    repository: ghcr.io/acme/web
    retention: {keep: {released: 7y, rollback: 5}, limits: {images: 20}}
retention:
  keep: {tags: ['lts-*'], pinned: 'deploy/**/*.yaml'}
  prune:
    - {tags: ['pr-*', buildcache], older-than: 14d}
    - {versions: '*', keep-last: 10}
    - {untagged: true, orphans: true, older-than: 7d}
";

#[test]
fn rules_of_retention_are_shown_as_they_hold_in_an_environment() {
    let (place, ran) = step(RETENTION, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let shown: Value = serde_json::from_str(&place.output("json")).unwrap();
    let rule = |tags: Value, versions: Value| {
        json!({
            "tags": tags, "versions": versions, "untagged": false, "orphans": false,
            "olderThan": null, "keepLast": null,
        })
    };
    let mut expected = [
        rule(json!(["pr-*", "buildcache"]), json!([])),
        rule(json!([]), json!(["*"])),
        rule(json!([]), json!([])),
    ];
    expected[0]["olderThan"] = json!("14d");
    expected[1]["keepLast"] = json!(10);
    expected[2]["olderThan"] = json!("7d");
    expected[2]["untagged"] = json!(true);
    expected[2]["orphans"] = json!(true);
    assert_eq!(
        shown["environments"][0]["retention"],
        json!({
            "keep": {
                "released": "7y", "rollback": 5, "tags": ["lts-*"],
                "pinned": ["deploy/**/*.yaml"],
            },
            "prune": expected,
            "grace": "24h",
            "limits": {"share": 30, "images": 20},
            "apis": [],
        })
    );
    for line in [
        "retention         keep released: 7y",
        "                  keep rollback: 5",
        "                  keep tags: lts-*",
        "                  keep pinned: deploy/**/*.yaml",
        "                  prune tags: pr-* buildcache, older-than: 14d",
        "                  prune versions: *, keep-last: 10",
        "                  prune untagged and orphans, older-than: 7d",
        "                  grace: 24h",
        "                  limits: share: 30%, images: 20",
    ] {
        assert!(ran.log.contains(line), "{line}\n{}", ran.log);
    }
}
