//! The documented schema of the output `json`, held strictly: a member that it does not name is an error,
//! and so is one that it names and that nothing has.

use std::collections::BTreeSet;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../docs/output.schema.json");
const ADDRESS: &str = "file:///output.schema.json";

pub struct OutputSchema {
    document: Value,
    seen: BTreeSet<String>,
}

impl OutputSchema {
    pub fn load() -> Self {
        let mut document: Value = serde_json::from_str(SCHEMA).unwrap();
        close_objects(&mut document);
        Self {
            document,
            seen: BTreeSet::new(),
        }
    }

    /// Requires that an object is what the schema calls `kind`, and as such is no other.
    pub fn check(&mut self, kind: &str, json: &str) -> Value {
        let value: Value = serde_json::from_str(json).expect(json);
        self.matches(&format!("#/$defs/{kind}"), &value)
            .unwrap_or_else(|error| panic!("{kind}: {error:#}\n{value:#}"));
        self.matches("", &value).expect(kind);
        collect_keys(&value, &mut self.seen);
        value
    }

    fn matches(&self, pointer: &str, value: &Value) -> Result<(), String> {
        let (schemas, index) = self.compile(pointer);
        schemas
            .validate(value, index)
            .map_err(|error| format!("{error:#}"))
    }

    fn compile(&self, pointer: &str) -> (Schemas, SchemaIndex) {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler
            .add_resource(ADDRESS, self.document.clone())
            .unwrap();
        let index = compiler.compile(&format!("{ADDRESS}{pointer}"), &mut schemas);
        (schemas, index.unwrap())
    }

    /// The members that the schema names for these kinds, and that no object had.
    pub fn unseen(&self, kinds: &[&str]) -> Vec<String> {
        let mut named = BTreeSet::new();
        let mut visited = BTreeSet::new();
        for kind in kinds {
            self.collect_named(
                &json!({"$ref": format!("#/$defs/{kind}")}),
                &mut named,
                &mut visited,
            );
        }
        assert!(named.len() > kinds.len());
        named.difference(&self.seen).cloned().collect()
    }

    fn collect_named(
        &self,
        schema: &Value,
        named: &mut BTreeSet<String>,
        visited: &mut BTreeSet<String>,
    ) {
        match schema {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref")
                    && visited.insert(reference.clone())
                {
                    let path = reference.strip_prefix('#').unwrap();
                    let target = self.document.pointer(path).expect(reference);
                    self.collect_named(target, named, visited);
                }
                if let Some(Value::Object(properties)) = members.get("properties") {
                    named.extend(properties.keys().cloned());
                }
                for value in members.values() {
                    self.collect_named(value, named, visited);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.collect_named(item, named, visited);
                }
            }
            _ => {}
        }
    }
}

/// Lets no object have a member that its schema does not name.
fn close_objects(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let named = members.get("properties").is_some_and(Value::is_object);
            if named && members.contains_key("required") {
                assert!(!members.contains_key("additionalProperties"));
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            members.values_mut().for_each(close_objects);
        }
        Value::Array(items) => items.iter_mut().for_each(close_objects),
        _ => {}
    }
}

fn collect_keys(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                keys.insert(key.clone());
                collect_keys(value, keys);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        _ => {}
    }
}
