//! Steps of workflows that documents show, with their expressions filled in.

use std::collections::BTreeMap;

use serde_json::Value;

/// `text` with each expression in it replaced by what the context has.
pub fn filled(text: &str, context: &BTreeMap<&str, String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{ ") {
        let (expression, after) = after.split_once(" }}").unwrap();
        filled += before;
        filled += value_of(expression, context);
        rest = after;
    }
    filled + rest
}

/// The first value of `A || 'text'` that is not empty.
fn value_of<'a>(expression: &'a str, context: &'a BTreeMap<&str, String>) -> &'a str {
    let values = expression.split(" || ").map(|term| {
        let quoted = term
            .strip_prefix('\'')
            .and_then(|term| term.strip_suffix('\''));
        quoted.unwrap_or_else(|| &context[term])
    });
    values
        .into_iter()
        .find(|value| !value.is_empty())
        .unwrap_or("")
}

/// The step of a job that uses shipmark.
pub fn step_of(job: &Value) -> &Value {
    let uses = |step: &&Value| {
        let uses = step["uses"].as_str();
        uses.is_some_and(|uses| uses.starts_with("shipmark/shipmark@"))
    };
    let mut steps = job["steps"].as_array().unwrap().iter();
    steps.find(uses).expect("a step that uses shipmark")
}
