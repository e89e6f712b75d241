use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::{DifferenceKind, compare_policies};
use crate::policy::ReleasePolicy;

fn parse(text: &str) -> ReleasePolicy {
    ReleasePolicy::parse(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// Keys of an environment, each with values that differ in effect.
const KEYS: &[(&str, &[&str])] = &[
    ("from", &["", "from: dev", "from: [dev, test]"]),
    (
        "refs",
        &[
            "",
            "refs: [main]",
            "refs: [main, '!main']",
            "refs: ['release/**']",
        ],
    ),
    (
        "tags",
        &["", "tags: 'type=sha'", "tags: 'type=raw,value=latest'"],
    ),
    (
        "immutable",
        &["", "immutable: ['v*']", "immutable: ['sha-*']"],
    ),
    ("lines", &["", "lines: off"]),
    ("unbound", &["", "unbound: allow"]),
    ("existing", &["", "existing: fail", "existing: keep"]),
    ("exclude-versions", &["", "exclude-versions: [1.10.6]"]),
    (
        "sign",
        &[
            "",
            "sign: key, signers: [{key: a.pub}]",
            "sign: key, signers: [{key: b.pub}]",
        ],
    ),
    ("records", &["", "records: records"]),
    ("adopt-until", &["", "adopt-until: 2027-01-31"]),
    (
        "gates",
        &[
            "",
            "gates: {image: {user: app}}",
            "gates: {scan: {fail-on: high}}",
        ],
    ),
];

/// Returns a policy whose environment `prod` has a value of each key.
fn policy(values: &[Index]) -> ReleasePolicy {
    let values = KEYS
        .iter()
        .zip(values)
        .map(|((_, texts), at)| at.get(texts));
    let values = values.filter(|text| !text.is_empty());
    let values: String = values.map(|text| format!(", {text}")).collect();
    parse(&format!(
        "environments:\n  dev: {{repository: dev}}\n  test: {{repository: test}}\n  prod: {{repository: prod{values}}}\n"
    ))
}

proptest! {
    #[test]
    fn exactly_the_keys_that_differ_are_named(
        base in proptest::collection::vec(any::<Index>(), KEYS.len()),
        head in proptest::collection::vec(any::<Index>(), KEYS.len()),
        changed in subsequence((0..KEYS.len()).collect::<Vec<_>>(), 0..=KEYS.len()),
    ) {
        let mut values = base.clone();
        for at in &changed {
            values[*at] = head[*at];
        }
        let text = |values: &[Index], at: usize| *values[at].get(KEYS[at].1);
        let expected: Vec<&str> = (0..KEYS.len())
            .filter(|at| text(&base, *at) != text(&values, *at))
            .map(|at| KEYS[at].0)
            .collect();
        let found = compare_policies(&policy(&base), &policy(&values));
        let mut named: Vec<&str> = found
            .iter()
            .map(|it| match it.key.split('.').next() {
                // The two are one rule.
                Some("signers") => "sign",
                key => key.unwrap_or_default(),
            })
            .collect();
        let order = |key: &&str| KEYS.iter().position(|(known, _)| known == key);
        named.sort_by_key(order);
        named.dedup();
        prop_assert_eq!(named, expected, "{:#?}", found);
    }

    #[test]
    fn the_order_and_the_spelling_are_no_difference(
        shuffled in Just(["refs: [main, develop]", "immutable: ['v*', 'sha-*']", "unbound: refuse"]).prop_shuffle(),
        form in select(vec!["refs: [develop, main]", "refs: [main, develop, main]"]),
    ) {
        let text = |keys: &[&str]| {
            format!("environments: {{prod: {{repository: prod, {}}}}}", keys.join(", "))
        };
        let base = parse(&text(&["refs: [main, develop]", "immutable: ['v*', 'sha-*']"]));
        let others = [form, "immutable: ['sha-*', 'v*']"];
        for head in [text(&shuffled), text(&others)] {
            prop_assert_eq!(compare_policies(&base, &parse(&head)), []);
        }
    }
}

#[test]
fn a_default_that_is_written_out_is_no_difference() {
    let short = "services: [web]\ndefaults: {refs: [main], gates: {soak: 1d}}\nenvironments:\n  dev: {repository: 'dev/{service}'}\n  prod: {repository: 'prod/{service}', from: dev}\n";
    let long = "services: {web: {}}\nenvironments:\n  prod: {repository: 'prod/{service}', from: [dev], refs: [main], gates: {soak: {for: 24h}}, unbound: refuse, lines: on, sign: off}\n  dev: {repository: 'dev/{service}', refs: [main]}\n";
    assert_eq!(compare_policies(&parse(short), &parse(long)), []);
}

#[test]
fn gates_of_a_service_are_told_apart_from_those_of_its_environment() {
    let policy = |prod: &str, web: &str| {
        parse(&format!(
            "environments:\n  dev: {{repository: 'dev/{{service}}'}}\n  prod: {{repository: 'prod/{{service}}', from: dev, gates: {{{prod}}}}}\nservices:\n  web: {{gates: {{prod: {{{web}}}}}}}\n  api:\n"
        ))
    };
    let base = policy("soak: 1d", "image: {user: non-root}");
    // The gate of the environment is the service's too.
    let found = compare_policies(&base, &policy("soak: 12h", "image: {user: non-root}"));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].service, None);
    let found = compare_policies(&base, &policy("soak: 1d", "image: {max-size: 1GB}"));
    let told: Vec<_> = found
        .iter()
        .map(|it| {
            (
                it.service.as_ref().map(ToString::to_string),
                it.key.as_str(),
                it.kind,
            )
        })
        .collect();
    let web = Some("web".to_owned());
    assert_eq!(
        told,
        [
            (web.clone(), "gates.image.user", DifferenceKind::Loosened),
            (web, "gates.image.max-size", DifferenceKind::Tightened),
        ]
    );
}

#[test]
fn files_that_a_policy_names_are_known() {
    let policy = "trusted-root: root.json\nenvironments:\n  dev: {repository: dev}\n  prod:\n    repository: prod\n    from: dev\n    sign: key\n    signers: [{key: keys/a.pub}, {key: keys/b.pub}]\n    gates:\n      scan: {fail-on: high, vex: [vex.json], vex-signers: [{key: keys/c.pub}]}\n      signature: {signers: [{key: keys/a.pub}]}\n";
    let files: Vec<String> = parse(policy).named_files().into_iter().collect();
    assert_eq!(
        files,
        [
            "keys/a.pub",
            "keys/b.pub",
            "keys/c.pub",
            "root.json",
            "vex.json"
        ]
    );
}
