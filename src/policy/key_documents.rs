//! Documents that are written from the declaration of the keys: the JSON Schema, and the documentation's
//! table.

use serde_json::{Map, Value, json};

use super::declared_gate_keys::{
    APPROVAL_KEYS, ATTESTATION_KEYS, CHECK_KEYS, EXCEPTION_KEYS, FREEZE_KEYS, GATE_KEYS,
    IMAGE_KEYS, SCAN_KEYS, SOAK_KEYS,
};
use super::declared_keys::{ENVIRONMENT_KEYS, FLAG_WORDS, POLICY_KEYS, SERVICE_KEYS};
use super::declared_signer_keys::SIGNER_KEYS;
use super::key_shapes::{
    EntriesShape, KeyDeclaration, KeySet, ListShape, MappingsShape, ValueShape,
};
use super::text_form::TextForm;

/// Address of the JSON Schema: the one of the newest version 0.x.
pub const SCHEMA_ADDRESS: &str =
    "https://raw.githubusercontent.com/shipmark/shipmark/v0/docs/policy.schema.json";

/// Types of a scalar: the parser takes each as the text that is written, such as `1.10`.
const SCALAR_TYPES: [&str; 3] = ["string", "number", "boolean"];

/// Returns the JSON Schema of the policy file, in draft 7: the draft that language servers for YAML
/// support best.
pub fn json_schema() -> String {
    let mut schema = mapping_schema(&POLICY_KEYS);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["$id"] = json!(SCHEMA_ADDRESS);
    schema["title"] = json!("Policy file of shipmark");
    schema["description"] = json!("Environments and services, in .github/shipmark.yml");
    // An empty file is a policy without environments.
    schema["type"] = json!(["object", "null"]);
    format!("{schema:#}\n")
}

fn mapping_schema(keys: &KeySet) -> Value {
    let properties = keys.known.iter();
    let properties: Map<String, Value> = properties
        .map(|key| (key.name.to_owned(), key_schema(key)))
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !keys.required.is_empty() {
        schema["required"] = json!(keys.required);
    }
    if keys.needs_one {
        schema["minProperties"] = json!(1);
    }
    if !keys.one_of.is_empty() {
        let alternatives = keys.one_of.iter();
        let alternatives = alternatives.map(|key| json!({"required": [key]}));
        schema["oneOf"] = alternatives.collect();
    }
    schema
}

fn key_schema(key: &KeyDeclaration) -> Value {
    let mut schema = shape_schema(&key.shape);
    schema["description"] = json!(key.help.replace('`', ""));
    schema["markdownDescription"] = json!(key.help);
    schema
}

fn shape_schema(shape: &ValueShape) -> Value {
    match shape {
        ValueShape::Text(form) => text_schema(form),
        ValueShape::Choice(words) => {
            let mut schema = word_schema(words);
            schema["default"] = json!(words[0]);
            schema
        }
        ValueShape::Word(words) => word_schema(words),
        ValueShape::Flag => {
            let mut schema = word_schema(&FLAG_WORDS);
            schema["default"] = json!(false);
            schema
        }
        ValueShape::List(shape) => list_schema(shape),
        ValueShape::Either(one, other) => {
            json!({"anyOf": [shape_schema(one), shape_schema(other)]})
        }
        ValueShape::Mapping(keys) => mapping_schema(keys),
        ValueShape::Mappings(shape) => mappings_schema(shape),
        ValueShape::Entries(shape) => entries_schema(shape),
    }
}

/// A word that is a value of another type in YAML counts as the word.
fn word_schema(words: &[&str]) -> Value {
    let flags = words.iter().filter_map(|word| word.parse::<bool>().ok());
    let words = words.iter().map(|word| json!(word));
    json!({"enum": words.chain(flags.map(Value::Bool)).collect::<Vec<_>>()})
}

fn mappings_schema(shape: &MappingsShape) -> Value {
    let mut mapping = mapping_schema(shape.keys);
    if shape.may_be_nothing {
        mapping =
            json!({"anyOf": [mapping, {"type": "null"}, {"type": "string", "pattern": r"^\s*$"}]});
    }
    json!({
        "type": "object",
        "propertyNames": pattern_schema(shape.names, ""),
        "additionalProperties": mapping,
        "maxProperties": shape.limit,
    })
}

fn entries_schema(shape: &EntriesShape) -> Value {
    let mut entry = mapping_schema(shape.keys);
    if let Some(form) = shape.text {
        entry = json!({"anyOf": [text_schema(form), entry]});
    }
    let mut schema = json!({
        "type": "array",
        "items": entry,
        "maxItems": shape.limit,
    });
    if !shape.may_be_empty {
        schema["minItems"] = json!(1);
    }
    schema
}

/// Entries that are no text are not compared: 1 and 1.0 are one number, and two texts.
fn list_schema(shape: &ListShape) -> Value {
    let mut schema = json!({
        "type": "array",
        "items": text_schema(shape.form),
        "maxItems": shape.limit,
    });
    if !shape.may_be_empty {
        schema["minItems"] = json!(1);
    }
    if shape.is_unique {
        schema["if"] = json!({"items": {"type": "string"}});
        schema["then"] = json!({"uniqueItems": true});
    }
    schema
}

/// The parser removes blanks around a text, those that only Unicode counts as blanks too.
fn text_schema(form: &TextForm) -> Value {
    let mut schema = pattern_schema(form, r"[\s\x85]*");
    schema["type"] = json!(SCALAR_TYPES);
    schema
}

fn pattern_schema(form: &TextForm, around: &str) -> Value {
    let pattern = form.pattern;
    json!({
        "pattern": format!("^{around}{pattern}{around}$"),
        "patternErrorMessage": format!("expected a {}", form.expected),
    })
}

/// Returns the documentation's table of keys, in Markdown.
pub fn key_table() -> String {
    let mut table = String::from("| key | value | |\n|---|---|---|\n");
    for (path, keys) in KEY_TABLE {
        for key in keys.known {
            let required = match keys.required.contains(&key.name) {
                true => ". Required",
                false => "",
            };
            table += &format!(
                "| `{path}{}` | {} | {}{required} |\n",
                key.name,
                shape_phrase(&key.shape),
                key.help
            );
        }
    }
    table
}

/// Keys of the table, and where they are in the file.
const KEY_TABLE: [(&str, &KeySet); 13] = [
    ("", &POLICY_KEYS),
    ("environments.NAME.", &ENVIRONMENT_KEYS),
    ("environments.NAME.signers[].", &SIGNER_KEYS),
    ("environments.NAME.gates.", &GATE_KEYS),
    ("environments.NAME.gates.scan.", &SCAN_KEYS),
    ("environments.NAME.gates.scan.ignore[].", &EXCEPTION_KEYS),
    ("environments.NAME.gates.attestations[].", &ATTESTATION_KEYS),
    ("environments.NAME.gates.soak.", &SOAK_KEYS),
    ("environments.NAME.gates.freeze[].", &FREEZE_KEYS),
    ("environments.NAME.gates.image.", &IMAGE_KEYS),
    ("environments.NAME.gates.checks[].", &CHECK_KEYS),
    ("environments.NAME.gates.approvals.", &APPROVAL_KEYS),
    ("services.NAME.", &SERVICE_KEYS),
];

fn shape_phrase(shape: &ValueShape) -> String {
    match shape {
        ValueShape::Text(form) => form.expected.to_owned(),
        ValueShape::Choice(words) | ValueShape::Word(words) => words_phrase(words),
        ValueShape::Flag => words_phrase(&FLAG_WORDS),
        ValueShape::List(shape) => format!("list, each a {}", shape.form.expected),
        ValueShape::Either(one, other) => {
            format!("{}, or {}", shape_phrase(one), shape_phrase(other))
        }
        ValueShape::Entries(shape) => {
            let text = shape.text.map(|form| format!("a {}, or ", form.expected));
            let text = text.unwrap_or_default();
            format!("list of {}, each {text}{}", shape.noun, shape.keys.shape)
        }
        ValueShape::Mapping(keys) => keys.shape.to_owned(),
        ValueShape::Mappings(shape) => format!("mapping, each key a {}", shape.names.expected),
    }
}

fn words_phrase(words: &[&str]) -> String {
    match words {
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
        [] => String::new(),
    }
}
