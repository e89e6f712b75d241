//! Every key that a policy can have is compared: for each there are two policies that differ in it alone.

use std::collections::BTreeSet;

use super::{DifferenceKind, compare_policies};
use crate::policy::{ReleasePolicy, key_table};

use DifferenceKind::{Changed, Loosened, Tightened};

/// Key of the documentation, the two texts that take the place of VALUE in the policy, key of the difference, and kinds
/// of the differences from the first to the second.
type Row = (
    &'static str,
    [&'static str; 2],
    &'static str,
    &'static [DifferenceKind],
);

/// Policy whose environment `prod` has VALUE.
const ENVIRONMENT: &str = "\
services: [web]
environments:
  dev: {repository: 'dev/{service}', sign: key, signers: [{key: dev.pub}]}
  test: {repository: 'test/{service}'}
  prod: {repository: 'prod/{service}', from: dev, VALUE}
";

/// Policy that has VALUE in the file.
const FILE: &str = "\
VALUE
environments:
  dev: {repository: 'dev/{service}'}
  prod: {repository: 'prod/{service}', from: dev}
";

/// Policy whose scan gate has VALUE.
const SCAN: &str = "gates: {scan: {fail-on: high, ";

const SIGNED: &str = "sign: key, signers: [{key: a.pub}, ";

/// Keys of environments.
const ENVIRONMENT_ROWS: &[Row] = &[
    (
        "production",
        [
            "",
            "production: true, sign: key, signers: [{key: a.pub}], immutable: ['v*'], gates: {attestations: [{rule: 'https://slsa.dev/provenance/v1', signers: [{key: a.pub}]}]}",
        ],
        "production",
        &[Tightened],
    ),
    (
        "refs",
        ["refs: [main]", "refs: [main, develop]"],
        "refs",
        &[Loosened],
    ),
    (
        "tags",
        ["tags: 'type=sha'", "tags: 'type=raw,value=latest'"],
        "tags",
        &[Changed],
    ),
    (
        "immutable",
        ["immutable: ['v*', 'sha-*']", "immutable: ['v*']"],
        "immutable",
        &[Loosened],
    ),
    ("lines", ["lines: on", "lines: off"], "lines", &[Changed]),
    (
        "unbound",
        ["unbound: refuse", "unbound: allow"],
        "unbound",
        &[Loosened],
    ),
    (
        "existing",
        ["existing: fail", "existing: keep"],
        "existing",
        &[Loosened],
    ),
    (
        "exclude-versions",
        ["", "exclude-versions: [1.10.6]"],
        "exclude-versions",
        &[Changed],
    ),
    (
        "gates",
        ["", "gates: {soak: 1d}"],
        "gates.soak",
        &[Tightened],
    ),
    (
        "sign",
        ["", "sign: key, signers: [{key: a.pub}]"],
        "sign",
        &[Tightened],
    ),
    (
        "signers",
        [
            "sign: key, signers: [{key: a.pub}]",
            "sign: key, signers: [{key: a.pub}, {key: b.pub}]",
        ],
        "signers",
        &[Loosened],
    ),
    (
        "vsa",
        [
            "sign: key, signers: [{key: a.pub}]",
            "sign: key, signers: [{key: a.pub}], vsa: true",
        ],
        "vsa",
        &[Tightened],
    ),
    (
        "records",
        ["", "records: 'records/{service}'"],
        "records",
        &[Changed],
    ),
    (
        "adopt-until",
        ["adopt-until: 2027-01-31", "adopt-until: 2027-02-28"],
        "adopt-until",
        &[Loosened],
    ),
    (
        "signers[].identity",
        [
            "sign: keyless, signers: [{identity: 'https://github.com/acme/web/.github/workflows/a.yml@refs/heads/main'}]",
            "sign: keyless, signers: [{identity: 'https://github.com/acme/web/.github/workflows/b.yml@refs/heads/main'}]",
        ],
        "signers",
        &[Tightened, Loosened],
    ),
    (
        "signers[].issuer",
        [
            "sign: keyless, signers: [{identity: me@example.com, issuer: 'https://a.example.com'}]",
            "sign: keyless, signers: [{identity: me@example.com, issuer: 'https://b.example.com'}]",
        ],
        "signers",
        &[Tightened, Loosened],
    ),
    (
        "signers[].repository",
        [
            "sign: keyless, signers: [{identity: 'https://github.com/acme/ci/.github/workflows/a.yml@refs/heads/main', repository: acme/web}]",
            "sign: keyless, signers: [{identity: 'https://github.com/acme/ci/.github/workflows/a.yml@refs/heads/main', repository: acme/api}]",
        ],
        "signers",
        &[Tightened, Loosened],
    ),
    (
        "signers[].key",
        [
            "sign: key, signers: [{key: a.pub}]",
            "sign: key, signers: [{key: b.pub}]",
        ],
        "signers",
        &[Tightened, Loosened],
    ),
    (
        "signers[].actions",
        [
            "SIGNED{key: b.pub, actions: [push]}]",
            "SIGNED{key: b.pub, actions: [push, promote]}]",
        ],
        "signers",
        &[Loosened],
    ),
    (
        "signers[].until",
        [
            "SIGNED{key: b.pub}]",
            "SIGNED{key: b.pub, until: 2027-01-31}]",
        ],
        "signers",
        &[Tightened],
    ),
    (
        "gates.scan",
        ["gates: {scan: {fail-on: high}}", ""],
        "gates.scan",
        &[Loosened],
    ),
    (
        "gates.signature",
        [
            "gates: {signature: true}",
            "gates: {signature: {signers: [{key: a.pub}]}}",
        ],
        "gates.signature",
        &[Changed],
    ),
    (
        "gates.attestations",
        [
            "gates: {attestations: ['https://slsa.dev/provenance/v1']}",
            "",
        ],
        "gates.attestations",
        &[Loosened],
    ),
    (
        "gates.soak",
        ["gates: {soak: 1d}", "gates: {soak: 2d}"],
        "gates.soak.for",
        &[Tightened],
    ),
    (
        "gates.freeze",
        [
            "",
            "gates: {freeze: [{from: fri 15:00, to: mon 08:00, zone: UTC}]}",
        ],
        "gates.freeze",
        &[Tightened],
    ),
    (
        "gates.image",
        ["gates: {image: {user: non-root}}", ""],
        "gates.image",
        &[Loosened],
    ),
    (
        "gates.scan.fail-on",
        ["SCAN}}", "gates: {scan: {fail-on: critical}}"],
        "gates.scan.fail-on",
        &[Loosened],
    ),
    (
        "gates.scan.ignore-unfixed",
        ["SCAN}}", "SCANignore-unfixed: true}}"],
        "gates.scan.ignore-unfixed",
        &[Loosened],
    ),
    (
        "gates.scan.max-age",
        ["SCAN}}", "SCANmax-age: 1d}}"],
        "gates.scan.max-age",
        &[Tightened],
    ),
    (
        "gates.scan.suppressed",
        ["SCAN}}", "SCANsuppressed: deny}}"],
        "gates.scan.suppressed",
        &[Tightened],
    ),
    (
        "gates.scan.ignore",
        ["SCAN}}", "SCANignore: [{id: CVE-2026-1, reason: x}]}}"],
        "gates.scan.ignore",
        &[Loosened],
    ),
    (
        "gates.scan.vex",
        ["SCAN}}", "SCANvex: [a.json]}}"],
        "gates.scan.vex",
        &[Changed],
    ),
    (
        "gates.scan.vex-signers",
        ["SCAN}}", "SCANvex-signers: [{key: a.pub}]}}"],
        "gates.scan.vex-signers",
        &[Changed],
    ),
    (
        "gates.scan.attested",
        ["SCAN}}", "SCANattested: true}}"],
        "gates.scan.attested",
        &[Changed],
    ),
    (
        "gates.scan.attach",
        ["SIGNED], SCANattach: true}}", "SIGNED], SCAN}}"],
        "gates.scan.attach",
        &[Loosened],
    ),
    (
        "gates.scan.ignore[].id",
        [
            "SCANignore: [{id: CVE-2026-1, reason: x}]}}",
            "SCANignore: [{id: CVE-2026-2, reason: x}]}}",
        ],
        "gates.scan.ignore",
        &[Changed],
    ),
    (
        "gates.scan.ignore[].reason",
        [
            "SCANignore: [{id: CVE-2026-1, reason: x}]}}",
            "SCANignore: [{id: CVE-2026-1, reason: y}]}}",
        ],
        "gates.scan.ignore",
        &[Changed],
    ),
    (
        "gates.scan.ignore[].package",
        [
            "SCANignore: [{id: CVE-2026-1, reason: x}]}}",
            "SCANignore: [{id: CVE-2026-1, reason: x, package: openssl}]}}",
        ],
        "gates.scan.ignore",
        &[Tightened],
    ),
    (
        "gates.scan.ignore[].platform",
        [
            "SCANignore: [{id: CVE-2026-1, reason: x}]}}",
            "SCANignore: [{id: CVE-2026-1, reason: x, platform: linux/amd64}]}}",
        ],
        "gates.scan.ignore",
        &[Tightened],
    ),
    (
        "gates.scan.ignore[].until",
        [
            "SCANignore: [{id: CVE-2026-1, reason: x, until: 2027-01-31}]}}",
            "SCANignore: [{id: CVE-2026-1, reason: x}]}}",
        ],
        "gates.scan.ignore",
        &[Loosened],
    ),
    (
        "gates.attestations[].rule",
        [
            "gates: {attestations: [{rule: 'https://slsa.dev/provenance/v1'}]}",
            "gates: {attestations: [{rule: 'https://cyclonedx.org/bom'}]}",
        ],
        "gates.attestations",
        &[Changed],
    ),
    (
        "gates.attestations[].signed",
        [
            "gates: {attestations: [{rule: 'https://slsa.dev/provenance/v1'}]}",
            "gates: {attestations: [{rule: 'https://slsa.dev/provenance/v1', signed: false}]}",
        ],
        "gates.attestations",
        &[Loosened],
    ),
    (
        "gates.attestations[].signers",
        [
            "gates: {attestations: [{rule: 'https://slsa.dev/provenance/v1', signers: [{key: a.pub}]}]}",
            "gates: {attestations: [{rule: 'https://slsa.dev/provenance/v1', signers: [{key: a.pub}, {key: b.pub}]}]}",
        ],
        "gates.attestations",
        &[Loosened],
    ),
    (
        "gates.soak.for",
        ["gates: {soak: {for: 2d}}", "gates: {soak: {for: 1d}}"],
        "gates.soak.for",
        &[Loosened],
    ),
    (
        "gates.soak.still-current",
        [
            "gates: {soak: {for: 1d, still-current: true}}",
            "gates: {soak: {for: 1d}}",
        ],
        "gates.soak.still-current",
        &[Loosened],
    ),
    (
        "gates.freeze[].from",
        [
            "gates: {freeze: [{from: fri 15:00, to: mon 08:00, zone: UTC}]}",
            "gates: {freeze: [{from: sat 15:00, to: mon 08:00, zone: UTC}]}",
        ],
        "gates.freeze",
        &[Changed],
    ),
    (
        "gates.freeze[].to",
        [
            "gates: {freeze: [{from: fri 15:00, to: mon 08:00, zone: UTC}]}",
            "gates: {freeze: [{from: fri 15:00, to: mon 09:00, zone: UTC}]}",
        ],
        "gates.freeze",
        &[Changed],
    ),
    (
        "gates.freeze[].zone",
        [
            "gates: {freeze: [{from: fri 15:00, to: mon 08:00, zone: UTC}]}",
            "gates: {freeze: [{from: fri 15:00, to: mon 08:00, zone: Europe/Berlin}]}",
        ],
        "gates.freeze",
        &[Changed],
    ),
    (
        "gates.freeze[].override",
        [
            "gates: {freeze: [{from: fri 15:00, to: mon 08:00, zone: UTC}]}",
            "gates: {freeze: [{from: fri 15:00, to: mon 08:00, zone: UTC, override: true}]}",
        ],
        "gates.freeze",
        &[Loosened],
    ),
    (
        "gates.image.platforms",
        [
            "gates: {image: {platforms: [linux/amd64]}}",
            "gates: {image: {platforms: [linux/amd64, linux/arm64]}}",
        ],
        "gates.image.platforms",
        &[Tightened],
    ),
    (
        "gates.image.user",
        [
            "gates: {image: {user: app}}",
            "gates: {image: {user: non-root}}",
        ],
        "gates.image.user",
        &[Loosened],
    ),
    (
        "gates.image.max-size",
        [
            "gates: {image: {max-size: 1MB}}",
            "gates: {image: {max-size: 2MB}}",
        ],
        "gates.image.max-size",
        &[Loosened],
    ),
    (
        "gates.image.max-age",
        [
            "gates: {image: {max-age: 2d}}",
            "gates: {image: {max-age: 1d}}",
        ],
        "gates.image.max-age",
        &[Tightened],
    ),
    (
        "gates.image.labels",
        [
            "gates: {image: {labels: [team, owner]}}",
            "gates: {image: {labels: [team]}}",
        ],
        "gates.image.labels",
        &[Loosened],
    ),
    (
        "github-environment",
        ["", "github-environment: production"],
        "github-environment",
        &[Changed],
    ),
    (
        "retention",
        ["", "retention: {keep: {rollback: 3}}"],
        "retention.keep",
        &[Tightened],
    ),
    (
        "gates.checks[].name",
        [
            "gates: {checks: [{name: a, workflow: ci.yml}]}",
            "gates: {checks: [{name: b, workflow: ci.yml}]}",
        ],
        "gates.checks",
        &[Changed],
    ),
    (
        "gates.checks[].app",
        [
            "gates: {checks: [{name: a, app: one}]}",
            "gates: {checks: [{name: a, app: two}]}",
        ],
        "gates.checks",
        &[Changed],
    ),
    (
        "gates.checks[].workflow",
        [
            "gates: {checks: [{name: a, workflow: ci.yml}]}",
            "gates: {checks: [{name: a, workflow: other.yml}]}",
        ],
        "gates.checks",
        &[Changed],
    ),
    (
        "gates.checks[].branches",
        [
            "gates: {checks: [{name: a, workflow: ci.yml}]}",
            "gates: {checks: [{name: a, workflow: ci.yml, branches: [main]}]}",
        ],
        "gates.checks",
        &[Changed],
    ),
    (
        "gates.checks[].status",
        [
            "gates: {checks: [{status: a, creator: x}]}",
            "gates: {checks: [{status: b, creator: x}]}",
        ],
        "gates.checks",
        &[Changed],
    ),
    (
        "gates.checks[].creator",
        [
            "gates: {checks: [{status: a, creator: x}]}",
            "gates: {checks: [{status: a, creator: y}]}",
        ],
        "gates.checks",
        &[Changed],
    ),
    (
        "gates.checks",
        ["gates: {checks: [{status: a, creator: x}]}", ""],
        "gates.checks",
        &[Loosened],
    ),
    (
        "gates.approvals",
        ["", "gates: {approvals: {environment: production}}"],
        "gates.approvals",
        &[Tightened],
    ),
    (
        "gates.approvals.environment",
        [
            "gates: {approvals: {environment: production}}",
            "gates: {approvals: {environment: other}}",
        ],
        "gates.approvals",
        &[Changed],
    ),
    (
        "gates.approvals.min",
        [
            "gates: {approvals: {environment: production}}",
            "gates: {approvals: {environment: production, min: 2}}",
        ],
        "gates.approvals",
        &[Tightened],
    ),
    (
        "gates.approvals.not",
        [
            "gates: {approvals: {environment: production, not: [author]}}",
            "gates: {approvals: {environment: production}}",
        ],
        "gates.approvals",
        &[Loosened],
    ),
];

/// Keys of the file and of services, and those of environments that stand for themselves.
const FILE_ROWS: &[Row] = &[
    (
        "services",
        ["services: [web]", "services: [web, api]"],
        "services",
        &[Changed],
    ),
    (
        "services.NAME.dockerfile",
        [
            "services: {web: {dockerfile: a}}",
            "services: {web: {dockerfile: b}}",
        ],
        "dockerfile",
        &[Changed],
    ),
    (
        "services.NAME.target",
        [
            "services: {web: {target: a}}",
            "services: {web: {target: b}}",
        ],
        "target",
        &[Changed],
    ),
    (
        "services.NAME.gates",
        [
            "services: {web: {}}",
            "services: {web: {gates: {prod: {soak: 1d}}}}",
        ],
        "gates.soak",
        &[Tightened],
    ),
    (
        "defaults",
        [
            "services: [web]",
            "services: [web]\ndefaults: {refs: [main]}",
        ],
        "refs",
        &[Tightened, Tightened],
    ),
    (
        "exclude-versions",
        [
            "services: [web]",
            "services: [web]\nexclude-versions: [1.10.6]",
        ],
        "exclude-versions",
        &[Changed, Changed],
    ),
    (
        "records",
        [
            "services: [web]",
            "services: [web]\nrecords: 'records/{environment}/{service}'",
        ],
        "records",
        &[Changed, Changed],
    ),
    (
        "lines",
        ["services: [web]", "services: [web]\nlines: off"],
        "lines",
        &[Changed, Changed],
    ),
    (
        "retention",
        [
            "services: [web]",
            "services: [web]\nretention: {keep: {rollback: 3}}",
        ],
        "retention.keep",
        &[Tightened, Tightened],
    ),
    (
        "retention.keep",
        [
            "services: [web]",
            "services: [web]\nretention: {keep: {rollback: 3}}",
        ],
        "retention.keep",
        &[Tightened, Tightened],
    ),
    (
        "retention.keep.released",
        [
            "services: [web]\nretention: {keep: {released: 7y}}",
            "services: [web]\nretention: {keep: {released: 1y}}",
        ],
        "retention.keep",
        &[Changed, Changed],
    ),
    (
        "retention.keep.rollback",
        [
            "services: [web]\nretention: {keep: {rollback: 3}}",
            "services: [web]\nretention: {keep: {rollback: 2}}",
        ],
        "retention.keep",
        &[Changed, Changed],
    ),
    (
        "retention.keep.tags",
        [
            "services: [web]\nretention: {keep: {tags: ['a-*', 'b-*']}}",
            "services: [web]\nretention: {keep: {tags: ['a-*']}}",
        ],
        "retention.keep",
        &[Loosened, Loosened],
    ),
    (
        "retention.keep.pinned",
        [
            "services: [web]\nretention: {keep: {pinned: [a.yaml, b.yaml]}}",
            "services: [web]\nretention: {keep: {pinned: [a.yaml]}}",
        ],
        "retention.keep",
        &[Loosened, Loosened],
    ),
    (
        "retention.prune",
        [
            "services: [web]",
            "services: [web]\nretention: {prune: [{tags: 'pr-*', older-than: 14d}]}",
        ],
        "retention.prune",
        &[Loosened, Loosened],
    ),
    (
        "retention.prune[].tags",
        [
            "services: [web]\nretention: {prune: [{tags: 'pr-*', older-than: 14d}]}",
            "services: [web]\nretention: {prune: [{tags: 'qa-*', older-than: 14d}]}",
        ],
        "retention.prune",
        &[Changed, Changed],
    ),
    (
        "retention.prune[].versions",
        [
            "services: [web]\nretention: {prune: [{versions: '1.*', keep-last: 5}]}",
            "services: [web]\nretention: {prune: [{versions: '*', keep-last: 5}]}",
        ],
        "retention.prune",
        &[Changed, Changed],
    ),
    (
        "retention.prune[].untagged",
        [
            "services: [web]",
            "services: [web]\nretention: {prune: [{untagged: true, older-than: 7d}]}",
        ],
        "retention.prune",
        &[Loosened, Loosened],
    ),
    (
        "retention.prune[].older-than",
        [
            "services: [web]\nretention: {prune: [{tags: 'pr-*', older-than: 14d}]}",
            "services: [web]\nretention: {prune: [{tags: 'pr-*', older-than: 7d}]}",
        ],
        "retention.prune",
        &[Changed, Changed],
    ),
    (
        "retention.prune[].keep-last",
        [
            "services: [web]\nretention: {prune: [{tags: 'pr-*', keep-last: 5}]}",
            "services: [web]\nretention: {prune: [{tags: 'pr-*', keep-last: 4}]}",
        ],
        "retention.prune",
        &[Changed, Changed],
    ),
    (
        "retention.prune[].orphans",
        [
            "services: [web]\nretention: {prune: [{untagged: true, older-than: 7d}]}",
            "services: [web]\nretention: {prune: [{untagged: true, older-than: 7d, orphans: true}]}",
        ],
        "retention.prune",
        &[Changed, Changed],
    ),
    (
        "retention.grace",
        [
            "services: [web]\nretention: {grace: 1d}",
            "services: [web]\nretention: {grace: 2d}",
        ],
        "retention.grace",
        &[Changed, Changed],
    ),
    (
        "retention.apis",
        [
            "services: [web]",
            "services: [web]\nretention: {apis: h.example.com=harbor}",
        ],
        "retention.apis",
        &[Changed, Changed],
    ),
    (
        "retention.limits",
        [
            "services: [web]",
            "services: [web]\nretention: {limits: {share: 50%}}",
        ],
        "retention.limits",
        &[Changed, Changed],
    ),
    (
        "retention.limits.share",
        [
            "services: [web]\nretention: {limits: {share: 30%}}",
            "services: [web]\nretention: {limits: {share: 50%}}",
        ],
        "retention.limits",
        &[Changed, Changed],
    ),
    (
        "retention.limits.images",
        [
            "services: [web]\nretention: {limits: {images: 10}}",
            "services: [web]\nretention: {limits: {images: 20}}",
        ],
        "retention.limits",
        &[Changed, Changed],
    ),
    (
        "trusted-root",
        [
            "services: [web]",
            "services: [web]\ntrusted-root: root.json",
        ],
        "trusted-root",
        &[Changed],
    ),
    (
        "transparency-log",
        [
            "services: [web]",
            "services: [web]\ntransparency-log: attestations",
        ],
        "transparency-log",
        &[Loosened],
    ),
];

fn parse(text: &str) -> ReleasePolicy {
    ReleasePolicy::parse(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn check(template: &str, (key, values, named, kinds): &Row) {
    let policies = values.map(|value| {
        let value = value.replace("SCAN", SCAN).replace("SIGNED", SIGNED);
        parse(&template.replace("VALUE", &value))
    });
    let [base, head] = &policies;
    let found = compare_policies(base, head);
    let own = found.iter().filter(|it| it.key == *named);
    let own: Vec<_> = own.map(|it| it.kind).collect();
    assert_eq!(own, *kinds, "{key}: {found:#?}");
    let texts = |it: &&super::PolicyDifference| it.before.is_empty() && it.after.is_empty();
    assert_eq!(found.iter().find(texts), None, "{key}: no value is shown");
    // What loosens in one direction tightens in the other.
    let back = compare_policies(head, base);
    let back: Vec<_> = back.iter().filter(|it| it.key == *named).collect();
    assert_eq!(back.len(), kinds.len(), "{key}: {back:#?}");
    for kind in [Loosened, Tightened, Changed] {
        let reversed = match kind {
            Loosened => Tightened,
            Tightened => Loosened,
            Changed => Changed,
        };
        let count = kinds.iter().filter(|it| **it == kind).count();
        let reverse = back.iter().filter(|it| it.kind == reversed).count();
        assert_eq!(count, reverse, "{key}: {back:#?}");
    }
    for policy in &policies {
        assert_eq!(compare_policies(policy, policy), [], "{key}");
    }
}

#[test]
fn each_declared_key_that_differs_is_named() {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for row in ENVIRONMENT_ROWS {
        check(ENVIRONMENT, row);
        known.insert(format!("environments.NAME.{}", row.0));
    }
    for row in FILE_ROWS {
        check(FILE, row);
        known.insert(row.0.to_owned());
    }
    // Those that every environment has, and the mapping of them.
    known.extend(
        [
            "environments",
            "environments.NAME.repository",
            "environments.NAME.from",
        ]
        .map(str::to_owned),
    );
    let table = key_table();
    let declared = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let declared = declared.filter_map(|line| line.split_once('`'));
    let declared: BTreeSet<String> = declared.map(|(key, _)| key.to_owned()).collect();
    assert_eq!(known, declared);
}

#[test]
fn repositories_sources_and_environments_are_compared() {
    let policy = |prod: &str| {
        parse(&format!(
            "environments:\n  dev: {{repository: dev}}\n  test: {{repository: test}}\n{prod}"
        ))
    };
    let base = policy("  prod: {repository: prod, from: dev}\n");
    for (prod, key, kind) in [
        (
            "  prod: {repository: other, from: dev}\n",
            "repository",
            Changed,
        ),
        ("  prod: {repository: prod, from: test}\n", "from", Changed),
        (
            "  prod: {repository: prod, from: [dev, test]}\n",
            "from",
            Loosened,
        ),
        ("  prod: {repository: prod}\n", "from", Loosened),
        ("", "environments", Changed),
        (
            "  prod: {repository: prod, from: dev}\n  next: {repository: next}\n",
            "environments",
            Changed,
        ),
    ] {
        let head = policy(prod);
        let found = compare_policies(&base, &head);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!((found[0].key.as_str(), found[0].kind), (key, kind));
        let name = found[0].environment.as_ref().map(ToString::to_string);
        assert!(matches!(name.as_deref(), Some("prod" | "next")), "{name:?}");
        assert_eq!(compare_policies(&head, &base).len(), 1);
    }
}
