//! Policies, good and bad, with the judgement of the parser and of the schema.

/// Judgement of a policy.
#[derive(Debug)]
pub enum Judgement {
    /// Parser and schema accept it.
    Valid,
    /// Parser and schema refuse it.
    Invalid,
    /// The parser refuses it, for a reason that the schema cannot tell.
    OnlyParser(&'static str),
}

use Judgement::{Invalid, OnlyParser, Valid};

const ACROSS_KEYS: &str = "it depends on another part of the file";
const RULES: &str = "the rule language";
const MEANING: &str = "the text has the right form and another meaning";
const YAML: &str = "the schema sees what YAML makes of the file";
const COUNT: &str = "it counts bytes, levels or products";

pub const CORPUS: &[(Judgement, &str)] = &[
    (Valid, ""),
    (Valid, "# nothing\n"),
    (Valid, "---\n"),
    (Valid, "environments: {}"),
    (
        OnlyParser(ACROSS_KEYS),
        "services: []\nenvironments: {a: {repository: 'oci:{service}'}}",
    ),
    (
        Valid,
        "environments: {prod: {repository: 'ghcr.io/acme/prod'}}",
    ),
    (Valid, "environments: {prod: {repository: web}}"),
    (Valid, "environments: {prod: {repository: acme/web}}"),
    (
        Valid,
        "environments: {prod: {repository: 'localhost:5000/web'}}",
    ),
    (
        Valid,
        "environments: {prod: {repository: '[::1]:5000/a/web'}}",
    ),
    (
        Valid,
        "environments: {prod: {repository: GHCR.io/acme/web}}",
    ),
    (Valid, "environments: {prod: {repository: a__b/c--d.e}}"),
    (
        Valid,
        "environments: {prod: {repository: ' ghcr.io/acme/web '}}",
    ),
    (
        Valid,
        "environments:\n  prod:\n    repository: >\n      ghcr.io/acme/web\n",
    ),
    (
        Valid,
        "environments: {prod: {repository: 'oci:out/{service}/dev'}}\nservices: [web]",
    ),
    (
        Valid,
        "environments: {prod: {repository: 'oci:{service}'}}\nservices: [web]",
    ),
    (
        Valid,
        "environments: {prod: {repository: 'my_org/{service}'}}\nservices: [web, api, a-b.c_d]",
    ),
    (
        Valid,
        "environments: {prod: {repository: 'ghcr.io/a/x-{service}-y'}}\nservices:\n- web\n- 2048\n- true\n",
    ),
    (
        Valid,
        "environments: {prod: {repository: 'ghcr.io/a/{service}'}}\nservices: ['null', 1, 1.0]",
    ),
    (
        Valid,
        "environments: {0x1f: {repository: a}, true: {repository: b}, Prod: {repository: c}}",
    ),
    (
        Valid,
        "environments: {a: {repository: x}, b: {repository: y, from: a}, c: {repository: z, from: A}}",
    ),
    (
        Valid,
        "environments:\n  a:\n    repository: x\n    tags: |\n      type=sha\n\n      # short\n      v1\n",
    ),
    (Valid, "environments: {a: {repository: x, tags: v1}}"),
    (Valid, "environments: {a: {repository: x, tags: 1.0}}"),
    (
        Valid,
        "environments: {a: {repository: x, unbound: allow}, b: {repository: y, unbound: 'refuse'}}",
    ),
    (Valid, "exclude-versions: [1.10, 1.10.6, 2024.*, 1e3, v?.*]"),
    (
        Valid,
        "environments: {a: {repository: x, exclude-versions: []}}\nexclude-versions: []",
    ),
    (Valid, "exclude-versions: [1.10, 1.10]"),
    (
        Valid,
        "environments: {a: {repository: x, sign: 'off', adopt-until: 2026-12-31}}",
    ),
    (Valid, "environments: {a: {repository: x, sign: off}}"),
    (
        Valid,
        "environments: {a: {repository: x, sign: keyless, signers: [{identity: 'https://github.com/acme/web/.github/workflows/a.yml@refs/heads/*'}]}}",
    ),
    (
        Valid,
        "environments: {a: {repository: x, sign: key, signers: [{key: a.pub, actions: [push, deployed], until: 2027-01-31}, {identity: 'ä@example.com', issuer: 'https://x', until: '2027-01-31T12:00:00.5-02:30'}]}}",
    ),
    (
        Valid,
        "environments: {a: {repository: x, sign: keyless, signers: [{identity: '*', repository: acme/web_1.x, issuer: 'http://127.0.0.1:8080/x'}]}}",
    ),
    (
        Valid,
        "environments:\n  a:\n    repository: x\n    sign: key\n    signers:\n    - key: |\n        -----BEGIN PUBLIC KEY-----\n        MFkw\n        -----END PUBLIC KEY-----\n",
    ),
    (
        Valid,
        "records: ghcr.io/acme/{environment}-records\nenvironments: {a: {repository: x}, b: {repository: y, records: 'oci:{environment}'}}",
    ),
    (
        Valid,
        "records: '[::1]:5000/{environment}/{service}'\nenvironments: {a: {repository: 'x/{service}'}}\nservices: [web]",
    ),
    // Gates, defaults and services.
    (
        Valid,
        "environments: {a: {repository: x, refs: [main, 'release/**', '!release/**-alpha', 'refs/tags/v*'], immutable: ['[0-9]*', sha-*], lines: off, vsa: true, sign: key, signers: [{key: a.pub}], production: false}}\nlines: on",
    ),
    (
        Valid,
        "defaults: {sign: key, signers: [{key: a.pub}], gates: {soak: 24h}}\nenvironments: {a: {repository: x}, b: {repository: y, from: [a]}}",
    ),
    (
        Valid,
        "environments: {a: {repository: x, gates: {scan: {fail-on: high, ignore-unfixed: true, max-age: 1d12h, suppressed: deny, vex: [a.json], vex-signers: [{key: a.pub, until: 2027-01-31}], attested: {signers: [{key: a.pub}]}, attach: false, ignore: []}}}}",
    ),
    (
        Valid,
        "environments: {a: {repository: x, gates: {scan: {fail-on: critical, ignore: [{id: CVE-1, reason: r, package: 'pkg:deb/*', platform: linux/arm64, until: 2027-01-31}]}}}}",
    ),
    (
        Valid,
        "environments: {b: {repository: y, sign: key, signers: [{key: a.pub}]}, a: {repository: x, from: b, gates: {signature: true, attestations: [spdx, {rule: 'https://slsa.dev/provenance/v1,/a=b', signed: false}, {rule: vuln, signers: [{key: a.pub}]}], soak: {for: 7d, still-current: true}}}}",
    ),
    (
        Valid,
        "environments: {a: {repository: x, gates: {freeze: [{from: fri 15:00, to: mon 06:00, zone: Europe/Berlin, override: true}, {from: 2026-12-23T00:00, to: 2027-01-02T00:00, zone: UTC}], image: {platforms: [linux/amd64, 'windows(10.0.17763)/amd64'], user: 1000, max-size: 1.5GiB, max-age: 90d, labels: [a, b=c*]}}}}",
    ),
    (
        Valid,
        "services: {web: {dockerfile: docker/web.Dockerfile, target: runtime, gates: {a: {scan: {max-age: 1h}}}}, api: , db: {}}\nenvironments: {a: {repository: 'x/{service}', gates: {scan: {fail-on: low, max-age: 2h}}}}",
    ),
    (Invalid, "services: {Web: {}}"),
    (Invalid, "services: {web: x}"),
    (Invalid, "services: {web: {file: x}}"),
    (Invalid, "services: {web: {dockerfile: /etc/x}}"),
    (Invalid, "services: {web: {gates: [a]}}"),
    (Invalid, "defaults: {repository: x}"),
    (Invalid, "defaults: {production: true}"),
    (Invalid, "lines: maybe"),
    (
        Invalid,
        "environments: {a: {repository: x, production: yes}}",
    ),
    (Invalid, "environments: {a: {repository: x, refs: []}}"),
    (Invalid, "environments: {a: {repository: x, refs: main}}"),
    (
        Invalid,
        "environments: {a: {repository: x, immutable: ['a b']}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, keep: {last: 1}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {}, vsa: 2}}",
    ),
    (Invalid, "environments: {a: {repository: x, gates: [scan]}}"),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {scans: {}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {scan: {}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {scan: {fail-on: unknown}}}}",
    ),
    (
        OnlyParser(YAML),
        "environments: {a: {repository: x, gates: {scan: {fail-on: high, max-age: 24}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {scan: {fail-on: high, unbound: allow}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {scan: {fail-on: high, ignore: [{id: CVE-1}]}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {scan: {fail-on: high, attested: {}}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {scan: {fail-on: high, attested: {signers: [{key: a.pub, actions: [push]}]}}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {soak: 1.5h}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {soak: {still-current: true}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {freeze: []}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {freeze: [{from: fri 15:00, zone: UTC}]}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {freeze: [{from: friday 15:00, to: mon 06:00, zone: UTC}]}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {image: {}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {scan: false}}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x, vsa: true}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x, gates: {scan: {fail-on: high, attach: true}}}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {b: {repository: y}, a: {repository: x, from: b, gates: {signature: true}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {image: {platforms: [amd64]}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {image: {user: ':1'}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {image: {max-size: 500mb}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {image: {labels: ['=a']}}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, gates: {attestations: [[spdx]]}}}",
    ),
    (
        OnlyParser(YAML),
        "environments: {a: {repository: x, production: True}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x, refs: ['!main']}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x, refs: ['a[b']}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x, immutable: ['[9-0]']}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x, gates: {soak: 0h}}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x, gates: {scan: {fail-on: high, vex: [../x]}}}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x, gates: {freeze: [{from: fri 15:00, to: mon 06:00, zone: Europe/Atlantis}]}}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x, gates: {attestations: [sbom]}}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x, gates: {freeze: [{from: fri 15:00, to: fri 15:00, zone: UTC}]}}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x, gates: {soak: 1d}}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x, production: true}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "services: {web: {gates: {a: {scan: {max-age: 3h}}}}}\nenvironments: {a: {repository: 'x/{service}', gates: {scan: {fail-on: low, max-age: 2h}}}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "services: {web: {gates: {b: {}}}}\nenvironments: {a: {repository: 'x/{service}'}}",
    ),
    // Keys.
    (Invalid, "environment: {}"),
    (Invalid, "Environments: {}"),
    (Invalid, "' services': [a]"),
    (Invalid, "record: x"),
    (Invalid, "<<: {}"),
    (Invalid, "environments: {a: {from: b}}"),
    (Invalid, "environments: {a: {repository: x, form: b}}"),
    (
        Invalid,
        "environments: {a: {repository: x, trust: {key: a.pub}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, sign: key, signers: [{keys: a.pub}]}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, sign: key, signers: [{until: 2027-01-31}]}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x, sign: key, signers: [{key: a.pub, identity: 'https://github.com/acme/web/x'}]}}",
    ),
    (Invalid, "environments: {a: {repository: x, services: [a]}}"),
    (Invalid, "environments: {a: {'repository ': x}}"),
    (Invalid, "environments: {'prod ': {repository: x}}"),
    (Invalid, "environments: {de_v: {repository: x}}"),
    (Invalid, "environments: {-dev: {repository: x}}"),
    (Invalid, "environments: {dev.eu: {repository: x}}"),
    (
        Invalid,
        "environments: {a123456789012345678901234567890123: {repository: x}}",
    ),
    // Shapes.
    (Invalid, "[]"),
    (Invalid, "text"),
    (Invalid, "environments:"),
    (Invalid, "environments: []"),
    (Invalid, "environments: [dev]"),
    (Invalid, "environments: {dev: ghcr.io/acme/web}"),
    (Invalid, "environments: {dev: }"),
    (Invalid, "environments: {dev: {repository: }}"),
    (Invalid, "environments: {dev: {repository: null}}"),
    (Invalid, "environments: {dev: {repository: ''}}"),
    (
        Invalid,
        "environments: {dev: {repository: {service}}}\nservices: [a]",
    ),
    (Invalid, "environments: {dev: {repository: [a, b]}}"),
    (Invalid, "environments: {dev: {repository: x, tags: [v1]}}"),
    (Invalid, "environments: {dev: {repository: x, tags: ' '}}"),
    (
        Invalid,
        "environments: {dev: {repository: x, unbound: true}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, unbound: Allow}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, exclude-versions: 1.10}}",
    ),
    (Invalid, "environments: {dev: {repository: x, sign: true}}"),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: key, signers: {key: a.pub}}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: key, signers: [a.pub]}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: key, signers: []}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: key, signers: [{key: a.pub, actions: []}]}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: key, signers: [{key: a.pub, actions: push}]}}",
    ),
    (Invalid, "records: [a]"),
    (Invalid, "records:"),
    (Invalid, "services: web"),
    (Invalid, "services: {web: api}"),
    (Invalid, "services: [[web]]"),
    (Invalid, "services: [~]"),
    (Invalid, "exclude-versions: ['1 0']"),
    // Texts.
    (
        Invalid,
        "environments: {dev: {repository: 'ghcr.io/acme/web:1.4'}}",
    ),
    (Invalid, "environments: {dev: {repository: 'oci:dev:1.4'}}"),
    (
        Invalid,
        "environments: {dev: {repository: 'https://ghcr.io/acme/web'}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: 'oci-archive:web.tar'}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: ghcr.io/Acme/web}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: ./out}}\nservices: 1",
    ),
    (
        Invalid,
        "environments: {dev: {repository: 'ghcr.io/{owner}/web'}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: '{service}.example.com/a'}}\nservices: [web]",
    ),
    (
        Invalid,
        "environments: {dev: {repository: '{service}'}}\nservices: [web]",
    ),
    (
        Invalid,
        "environments: {dev: {repository: 'a/{service}/{service}'}}\nservices: [web]",
    ),
    (
        Invalid,
        "environments: {dev: {repository: 'a/{service}'}}\nservices: [Web]",
    ),
    (
        Invalid,
        "environments: {dev: {repository: 'a/{service}'}}\nservices: [a/b]",
    ),
    (
        Invalid,
        "environments: {dev: {repository: 'a/{service}'}}\nservices: [web, web]",
    ),
    (Invalid, "records: 'ghcr.io/acme/records:1'"),
    (Invalid, "records: 'ghcr.io/acme/{version}'"),
    (Invalid, "records: ghcr.io/Acme/records"),
    (
        Invalid,
        "environments: {dev: {repository: x, adopt-until: soon}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, adopt-until: '2026-12-31T00:00:00Z'}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: key, signers: [{key: a.pub, until: 2027-01-31T12:00}]}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: key, signers: [{key: a.pub, actions: [release]}]}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: key, signers: [{key: a.pub, actions: [push, push]}]}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: keyless, signers: [{identity: 'a b', repository: a/b}]}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: keyless, signers: [{identity: a, repository: acme}]}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: keyless, signers: [{identity: a, repository: 'acme/*'}]}}",
    ),
    (
        Invalid,
        "environments: {dev: {repository: x, sign: keyless, signers: [{identity: a, issuer: example.com}]}}",
    ),
    // What the schema cannot tell.
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {dev: {repository: x, sign: key}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {dev: {repository: x, signers: [{key: a.pub}]}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {dev: {repository: x, sign: keyless, signers: [{key: a.pub}]}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {dev: {repository: x, sign: key, signers: [{key: a.pub, issuer: 'https://x'}]}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {dev: {repository: x, sign: keyless, signers: [{identity: 'https://github.com/acme/*'}]}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "records: a/records\nenvironments: {dev: {repository: 'a/{service}'}}\nservices: [web, api]",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {dev: {repository: a, records: 'a/{service}'}}",
    ),
    (
        OnlyParser(MEANING),
        "records: '{environment}.example.com/a'",
    ),
    (
        OnlyParser(MEANING),
        "environments: {dev: {repository: x, adopt-until: 2026-02-30}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {dev: {repository: x, sign: key, signers: [{key: '-----BEGIN PRIVATE KEY-----'}]}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {dev: {repository: 'a/{service}'}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {dev: {repository: a/b}}\nservices: [web]",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x, from: b}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x, from: a}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x, from: b}, b: {repository: y, from: a}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x}, b: {repository: docker.io/library/x}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: 'x/{service}'}, b: {repository: y, from: a}}\nservices: [web]",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x}, A: {repository: y}}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: 'oci:{service}'}}\nservices: [web, ' web']",
    ),
    (
        OnlyParser(RULES),
        "environments: {a: {repository: x, tags: 'type=sah'}}",
    ),
    (
        OnlyParser(RULES),
        "environments: {a: {repository: x, tags: '# none'}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {latest: {repository: x}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {pr-12: {repository: x}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: 'x..y'}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: 'localhost:99999/x'}}",
    ),
    (OnlyParser(MEANING), "exclude-versions: [1.x]"),
    (OnlyParser(MEANING), "exclude-versions: ['*']"),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: 'a/{service}'}}\nservices: [a-]",
    ),
    (OnlyParser(YAML), "services: []\nservices: []"),
    (
        OnlyParser(YAML),
        "environments: {dev: {repository: x}}\n---\nservices: []",
    ),
    (OnlyParser(YAML), "environments: &a {dev: {repository: x}}"),
    (
        OnlyParser(YAML),
        "environments: !!map {dev: {repository: x}}",
    ),
    (OnlyParser(YAML), "environments: *a"),
    (OnlyParser(YAML), "environments:\n\tdev: 1"),
    (OnlyParser(YAML), "? [a]\n: b"),
    (OnlyParser(YAML), "environments: {null: {repository: x}}"),
    (
        OnlyParser(COUNT),
        "environments: {a: {repository: 'oci:{service}/\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789'}}\n\
        services: [web]",
    ),
    (
        Valid,
        "environments: {a: {repository: x}}\nretention: {keep: {released: 7y, rollback: 5, tags: ['lts-*'], pinned: ['deploy/**/*.yaml']}, prune: [{tags: 'pr-*', older-than: 14d}, {tags: ['buildcache', 'cache-*'], older-than: 3d}, {tags: 'sha-*', older-than: 30d, keep-last: 20}, {versions: '*', keep-last: 10}, {untagged: true, older-than: 7d, orphans: true}], grace: 24h, limits: {share: 30%, images: 100}}",
    ),
    (
        Valid,
        "environments: {a: {repository: x, retention: {keep: {released: 7y, rollback: 5, tags: ['lts-*'], pinned: ['deploy/**/*.yaml']}, prune: [{tags: 'pr-*', older-than: 14d}, {tags: ['buildcache', 'cache-*'], older-than: 3d}, {tags: 'sha-*', older-than: 30d, keep-last: 20}, {versions: '*', keep-last: 10}, {untagged: true, older-than: 7d, orphans: true}], grace: 24h, limits: {share: 30%, images: 100}}}}",
    ),
    (
        Valid,
        "environments: {a: {repository: x}}\nretention: {prune: []}",
    ),
    (
        Valid,
        "environments: {a: {repository: x}}\nretention: {keep: {tags: a, pinned: b.yaml}}",
    ),
    (
        Valid,
        "environments: {a: {repository: x}}\nretention: {limits: {share: 100%}}",
    ),
    (
        Valid,
        "environments: {a: {repository: x}}\nretention: {prune: [{tags: [sha256-*, a], keep-last: 1}]}",
    ),
    (
        Valid,
        "environments: {a: {repository: x}}\nretention: {apis: harbor.example.com:8443=harbor}",
    ),
    (
        Valid,
        "environments: {a: {repository: x, retention: {apis: ['h.example.com=gitlab https://gitlab.example.com/', 'g.example.com=docker-hub']}}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {apis: []}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {apis: harbor}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {apis: 'h.example.com=harbor ftp://h.example.com'}",
    ),
    (Invalid, "environments: {a: {repository: x}}\nretention: {}"),
    (Invalid, "environments: {a: {repository: x}}\nretention: []"),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {keep: {}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {limits: {}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {prune: {}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {prune: [a]}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {grace: '24'}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {grace: 1y}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {keep: {released: '7'}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {keep: {rollback: '0'}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {keep: {rollback: '05'}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {keep: {rollback: '1.5'}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {keep: {tags: []}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {keep: {tags: 'a b'}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {keep: {pinned: /etc/x}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {keep: {last: 3}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {limits: {share: '30'}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {limits: {share: 0%}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {limits: {share: 101%}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {limits: {images: '1000000'}}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {prune: [{older-than: 1d}]}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {prune: [{tags: a, versions: a, older-than: 1d}]}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {prune: [{untagged: false, older-than: 1d}]}",
    ),
    (
        Invalid,
        "environments: {a: {repository: x}}\nretention: {prune: [{untagged: true, orphans: maybe, older-than: 1d}]}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x}}\nretention: {prune: [{tags: a}]}",
    ),
    (
        OnlyParser(ACROSS_KEYS),
        "environments: {a: {repository: x}}\nretention: {prune: [{tags: a, orphans: true, older-than: 1d}]}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x}}\nretention: {prune: [{tags: 'hold.*', older-than: 1d}]}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x}}\nretention: {prune: [{tags: [shipmark.*, 'sha256-*'], older-than: 1d}]}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x}}\nretention: {keep: {pinned: ../x}}",
    ),
    (
        OnlyParser(MEANING),
        "environments: {a: {repository: x}}\nretention: {keep: {released: 1d1y}}",
    ),
];
