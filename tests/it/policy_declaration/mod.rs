//! The policy's keys are declared once: the JSON Schema and the documentation's table are written from the
//! declaration, and what the parser accepts, the schema accepts.
//!
//! ```sh
//! UPDATE_DECLARED=1 cargo test --test it declaration
//! ```

mod corpus;
mod editor_view;
mod random_policy;

use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;
use shipmark::cli::{Input, policy_effects_table};
use shipmark::policy::{self, ReleasePolicy, SCHEMA_ADDRESS};

use crate::support::table::{documented, updates_documents};
use corpus::{CORPUS, Judgement};

/// The first line of a policy that tells an editor its schema.
fn schema_comment() -> String {
    format!("# yaml-language-server: $schema={SCHEMA_ADDRESS}")
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

#[test]
fn the_schema_is_what_is_declared() {
    let name = "docs/policy.schema.json";
    if updates_documents() {
        std::fs::write(file(name), policy::json_schema()).unwrap();
        return;
    }
    let stale = "is not what is declared: UPDATE_DECLARED=1 cargo test --test it declaration";
    assert_eq!(read(name), policy::json_schema(), "{name} {stale}");
}

#[test]
fn the_table_of_keys_is_what_is_declared() {
    let begin = "<!-- keys: written from src/policy/declared_keys.rs -->\n";
    documented(
        "docs/policy.md",
        begin,
        "",
        &[policy::key_table().trim_end().to_owned()],
    );
}

#[test]
fn the_table_of_inputs_is_what_is_declared() {
    let begin = "<!-- inputs: written from src/cli/under_policy.rs -->\n";
    let table = policy_effects_table();
    documented("docs/policy.md", begin, "", &[table.trim_end().to_owned()]);
    for input in Input::ALL {
        assert!(table.contains(&format!("`{input}`")), "{input}");
    }
}

/// The schema, compiled by a validator of others.
struct EditorSchema(Schemas, SchemaIndex);

impl EditorSchema {
    fn new() -> Self {
        let schema: Value = serde_json::from_str(&policy::json_schema()).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource(SCHEMA_ADDRESS, schema).unwrap();
        let index = compiler.compile(SCHEMA_ADDRESS, &mut schemas).unwrap();
        Self(schemas, index)
    }

    /// What an editor tells of a policy, if it can be read as YAML.
    fn check(&self, text: &str) -> Option<Result<(), String>> {
        let document = editor_view::read(text)?;
        let checked = self.0.validate(&document, self.1);
        Some(checked.map_err(|error| error.to_string()))
    }
}

fn parse(text: &str) -> Result<(), String> {
    let parsed = ReleasePolicy::parse(text.as_bytes());
    parsed.map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn schema_and_parser_agree_over_the_corpus() {
    let schema = EditorSchema::new();
    assert!(CORPUS.len() >= 60, "{}", CORPUS.len());
    let mut wrong = Vec::new();
    for (judgement, text) in CORPUS {
        let (parsed, checked) = (parse(text), schema.check(text));
        let agrees = match judgement {
            Judgement::Valid => parsed.is_ok() && checked == Some(Ok(())),
            Judgement::Invalid => parsed.is_err() && matches!(checked, Some(Err(_))),
            Judgement::OnlyParser(reason) => {
                let passes = checked.as_ref().is_none_or(Result::is_ok);
                parsed.is_err() && passes && !reason.is_empty()
            }
        };
        if !agrees {
            wrong.push(format!(
                "{judgement:?}\n{text}\nparser: {parsed:?}\nschema: {checked:?}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Mappings of the file: where the schema has their keys, how many there are at least, and a policy with such a
/// mapping, in which `KEY` stands for a key and its value, after those keys that it needs.
const MAPPINGS: [(&str, usize, &str); 16] = [
    ("", 6, "KEY"),
    (
        ENVIRONMENT,
        15,
        "environments: {a: {repository: 'oci:a', KEY}}",
    ),
    (
        "/properties/environments/additionalProperties/properties/signers/items",
        6,
        "environments: {a: {repository: x, signers: [{key: a, KEY}]}}",
    ),
    (GATES, 6, "environments: {a: {repository: x, gates: {KEY}}}"),
    (
        "/properties/environments/additionalProperties/properties/gates/properties/scan",
        9,
        "environments: {a: {repository: x, gates: {scan: {fail-on: high, KEY}}}}",
    ),
    (
        "/properties/environments/additionalProperties/properties/gates/properties/scan/properties/ignore/items",
        5,
        "environments: {a: {repository: x, gates: {scan: {fail-on: high, ignore: [{id: a, reason: b, KEY}]}}}}",
    ),
    (
        "/properties/environments/additionalProperties/properties/gates/properties/attestations/items/anyOf/1",
        3,
        "environments: {a: {repository: x, gates: {attestations: [{rule: spdx, KEY}]}}}",
    ),
    (
        "/properties/environments/additionalProperties/properties/gates/properties/soak/anyOf/1",
        2,
        "environments: {a: {repository: x, gates: {soak: {for: 1d, KEY}}}}",
    ),
    (
        "/properties/environments/additionalProperties/properties/gates/properties/freeze/items",
        4,
        "environments: {a: {repository: x, gates: {freeze: [{from: fri 15:00, to: mon 06:00, zone: UTC, KEY}]}}}",
    ),
    (
        "/properties/environments/additionalProperties/properties/gates/properties/image",
        5,
        "environments: {a: {repository: x, gates: {image: {KEY}}}}",
    ),
    (
        "/properties/defaults",
        9,
        "defaults: {KEY}\nenvironments: {a: {repository: x}}",
    ),
    (
        "/properties/services/anyOf/1/additionalProperties/anyOf/0",
        3,
        "services: {web: {KEY}}",
    ),
    (
        "/properties/retention",
        4,
        "environments: {a: {repository: x}}\nretention: {KEY}",
    ),
    (
        "/properties/retention/properties/keep",
        4,
        "environments: {a: {repository: x}}\nretention: {keep: {KEY}}",
    ),
    (
        "/properties/retention/properties/prune/items",
        6,
        "environments: {a: {repository: x}}\nretention: {prune: [{tags: a, keep-last: 1, KEY}]}",
    ),
    (
        "/properties/retention/properties/limits",
        2,
        "environments: {a: {repository: x}}\nretention: {limits: {KEY}}",
    ),
];

const ENVIRONMENT: &str = "/properties/environments/additionalProperties";
const GATES: &str = "/properties/environments/additionalProperties/properties/gates";

/// A key that is declared and not read would be a rule without effect.
#[test]
fn the_parser_reads_every_declared_key() {
    let schema: Value = serde_json::from_str(&policy::json_schema()).unwrap();
    for (place, least, policy) in MAPPINGS {
        let mapping = schema.pointer(place).unwrap();
        let keys = mapping["properties"].as_object().unwrap().keys();
        assert!(keys.len() >= least, "{place}: {keys:?}");
        for key in keys {
            let mut policy = policy.to_owned();
            for other in [key.as_str(), "key"] {
                let is_choice =
                    other == "key" && ["identity", "issuer", "repository"].contains(&key.as_str());
                if other != key && !(is_choice && place.ends_with("signers/items")) {
                    continue;
                }
                // What the mapping needs is the value that is wrong here.
                for own in [
                    "repository: 'oci:a', ",
                    "key: a, ",
                    "fail-on: high, ",
                    "id: a, ",
                    "reason: b, ",
                    "rule: spdx, ",
                    "tags: a, ",
                    "keep-last: 1, ",
                    "for: 1d, ",
                    "from: fri 15:00, ",
                    "to: mon 06:00, ",
                    "zone: UTC, ",
                ] {
                    if own.starts_with(&format!("{other}: ")) {
                        policy = policy.replace(own, "");
                    }
                }
            }
            if place.ends_with("signers/items") && ["issuer", "repository"].contains(&key.as_str())
            {
                policy = policy.replace("KEY", "identity: a, KEY");
            }
            let error = parse(&policy.replace("KEY", &format!("{key}: [[x]]"))).unwrap_err();
            assert!(error.contains("expected "), "{place} {key}: {error}");
        }
    }
}

#[test]
fn what_the_parser_accepts_the_schema_accepts() {
    let schema = EditorSchema::new();
    let declared: Value = serde_json::from_str(&policy::json_schema()).unwrap();
    let (mut accepted, mut refused, mut signed) = (0, 0, 0);
    for seed in 0..14_000 {
        let text = random_policy::write(seed, &declared);
        match (parse(&text), schema.check(&text)) {
            (Ok(()), Some(Ok(()))) => {
                accepted += 1;
                signed += u32::from(text.contains("signers:"));
            }
            (Ok(()), checked) => panic!("seed {seed}: {checked:?}\n{text}"),
            (Err(_), Some(Err(_))) => refused += 1,
            (Err(_), _) => {}
        }
    }
    assert!(
        accepted > 400 && refused > 600 && signed > 10,
        "{accepted} accepted, {signed} of them with signers, {refused} refused by both"
    );
}

#[test]
fn policies_of_the_documentation_name_their_schema() {
    for name in ["examples/fleet/shipmark.yml", "docs/policy.md"] {
        let text = read(name);
        let line = text.lines().find(|line| line.contains("$schema="));
        assert_eq!(line, Some(schema_comment().as_str()), "{name}");
    }
    let page = read("docs/policy.md");
    let blocks = page.split("```yaml\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    let policies = blocks.filter(|block| block.contains("environments:\n"));
    let policies: Vec<&str> = policies.collect();
    assert!(policies.len() >= 2, "{policies:?}");
    let example = read("examples/fleet/shipmark.yml");
    for text in policies.into_iter().chain([example.as_str()]) {
        assert_eq!(parse(text), Ok(()), "{text}");
        assert_eq!(EditorSchema::new().check(text), Some(Ok(())), "{text}");
    }
}

/// A policy of many services and environments, each with gates.
fn large_policy(services: usize, environments: usize) -> String {
    let mut text = String::from(
        "defaults: {refs: [main], immutable: [v*], gates: {image: {user: non-root}}}\nenvironments:\n",
    );
    for number in 0..environments {
        text += &format!(
            "  e{number}:\n    repository: e{number}.example.com/team/{{service}}\n    sign: keyless\n    signers: [{{identity: 'https://github.com/acme/web/.github/workflows/e{number}.yml@refs/heads/main'}}]\n    gates:\n      scan: {{fail-on: high, max-age: 24h, ignore: [{{id: CVE-2026-1, reason: not reachable}}]}}\n      freeze: [{{from: fri 15:00, to: mon 06:00, zone: Europe/Berlin}}]\n"
        );
        if number > 0 {
            text += &format!("    from: e{}\n", number - 1);
        }
    }
    text += "services:\n";
    for number in 0..services {
        text += &format!(
            "  s{number}: {{dockerfile: s{number}/Dockerfile, gates: {{e0: {{scan: {{ignore: []}}}}}}}}\n"
        );
    }
    text
}

/// Only the release build is fast; a debug build shares its machine.
#[test]
fn a_large_policy_is_read_at_once() {
    let text = large_policy(200, 20);
    let start = std::time::Instant::now();
    let policy = ReleasePolicy::parse(text.as_bytes()).unwrap();
    let needed = start.elapsed();
    println!("{needed:?} for {} bytes", text.len());
    assert_eq!(policy.environments().len() * policy.services().len(), 4_000);
    let limit = if cfg!(debug_assertions) { 2_000 } else { 20 };
    assert!(
        needed < std::time::Duration::from_millis(limit),
        "{needed:?}"
    );
}
