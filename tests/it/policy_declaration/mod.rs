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

/// A key that is declared and not read would be a rule without effect.
#[test]
fn the_parser_reads_every_declared_key() {
    let schema: Value = serde_json::from_str(&policy::json_schema()).unwrap();
    let keys = |schema: &Value| -> Vec<String> {
        schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let outer = keys(&schema);
    let environment = &schema["properties"]["environments"]["additionalProperties"];
    let inner = keys(environment);
    let of_signer = keys(&environment["properties"]["signers"]["items"]);
    assert!(outer.len() >= 4 && inner.len() >= 9, "{outer:?} {inner:?}");
    assert_eq!(of_signer.len(), 6, "{of_signer:?}");
    for key in outer {
        let error = parse(&format!("{key}: [[x]]")).unwrap_err();
        assert!(error.contains("expected "), "{key}: {error}");
    }
    for key in inner {
        let own = if key == "repository" {
            ""
        } else {
            "repository: 'oci:a', "
        };
        let error = parse(&format!("environments: {{a: {{{own}{key}: [[x]]}}}}")).unwrap_err();
        assert!(error.contains("expected "), "{key}: {error}");
    }
    for key in of_signer {
        let own = match key.as_str() {
            "identity" | "key" => "",
            "issuer" | "repository" => "identity: a, ",
            _ => "key: a, ",
        };
        let signer = format!("{{{own}{key}: [[x]]}}");
        let error = parse(&format!(
            "environments: {{a: {{repository: x, signers: [{signer}]}}}}"
        ));
        let error = error.unwrap_err();
        assert!(error.contains("expected "), "{key}: {error}");
    }
}

#[test]
fn what_the_parser_accepts_the_schema_accepts() {
    let schema = EditorSchema::new();
    let declared: Value = serde_json::from_str(&policy::json_schema()).unwrap();
    let (mut accepted, mut refused, mut signed) = (0, 0, 0);
    for seed in 0..8_000 {
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
