//! Documents that are written from the declaration of the keys: the JSON Schema, and the documentation's
//! table.

use serde_json::{Map, Value, json};

use super::declared_keys::{
    ENVIRONMENT_KEYS, EntriesShape, KeyDeclaration, KeySet, ListShape, POLICY_KEYS, SIGNER_KEYS,
    ValueShape,
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
    let required = keys.known.iter().filter(|key| key.is_required);
    let required: Vec<&str> = required.map(|key| key.name).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if !keys.one_of.is_empty() {
        let alternatives = keys.one_of.iter();
        let alternatives = alternatives.map(|key| json!({"required": [key]}));
        schema["oneOf"] = alternatives.collect();
    }
    schema
}

fn key_schema(key: &KeyDeclaration) -> Value {
    let mut schema = match &key.shape {
        ValueShape::Text(form) => text_schema(form),
        ValueShape::Choice(words) => json!({"enum": words, "default": words[0]}),
        ValueShape::List(shape) => list_schema(shape),
        ValueShape::OneOrMore(shape) => {
            json!({"anyOf": [text_schema(shape.form), list_schema(shape)]})
        }
        ValueShape::Mappings { names, limit, keys } => json!({
            "type": "object",
            "propertyNames": pattern_schema(names, ""),
            "additionalProperties": mapping_schema(keys),
            "maxProperties": limit,
        }),
        ValueShape::Entries(EntriesShape { keys, limit, .. }) => json!({
            "type": "array",
            "items": mapping_schema(keys),
            "minItems": 1,
            "maxItems": limit,
        }),
    };
    schema["description"] = json!(key.help.replace('`', ""));
    schema["markdownDescription"] = json!(key.help);
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
    let rows = [
        ("", &POLICY_KEYS),
        ("environments.NAME.", &ENVIRONMENT_KEYS),
        ("environments.NAME.signers[].", &SIGNER_KEYS),
    ];
    for (path, keys) in rows {
        for key in keys.known {
            let required = if key.is_required { ". Required" } else { "" };
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

fn shape_phrase(shape: &ValueShape) -> String {
    match shape {
        ValueShape::Text(form) => form.expected.to_owned(),
        ValueShape::Choice([others @ .., last]) => format!("{} or {last}", others.join(", ")),
        ValueShape::Choice([]) => String::new(),
        ValueShape::List(shape) => format!("list, each a {}", shape.form.expected),
        ValueShape::OneOrMore(shape) => format!("{0}, or a list, each a {0}", shape.form.expected),
        ValueShape::Entries(shape) => format!("list of {}, each {}", shape.noun, shape.keys.shape),
        ValueShape::Mappings { names, .. } => format!("mapping, each key a {}", names.expected),
    }
}
