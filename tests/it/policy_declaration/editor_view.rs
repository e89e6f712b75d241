//! A policy as a language server reads it: by YAML's core schema, where `1.10` is a number.

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Value};

/// Returns the first document; `None` if the text is no YAML, or if it has aliases.
pub fn read(text: &str) -> Option<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut events = Parser::new_from_str(text);
    loop {
        match next(&mut events)? {
            Event::StreamStart | Event::DocumentStart(_) => {}
            Event::StreamEnd => return Some(Value::Null),
            event => {
                let document = value(event, &mut events)?;
                // An error after it is one of the file.
                return events.all(|event| event.is_ok()).then_some(document);
            }
        }
    }
}

fn next<'a>(events: &mut Parser<'a, StrInput<'a>>) -> Option<Event<'a>> {
    Some(events.next()?.ok()?.0)
}

fn value<'a>(event: Event<'a>, events: &mut Parser<'a, StrInput<'a>>) -> Option<Value> {
    match event {
        Event::Scalar(text, style, ..) => Some(scalar(&text, style)),
        Event::SequenceStart(..) => {
            let mut list = Vec::new();
            loop {
                match next(events)? {
                    Event::SequenceEnd => return Some(Value::Array(list)),
                    event => list.push(value(event, events)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                match next(events)? {
                    Event::MappingEnd => return Some(Value::Object(map)),
                    Event::Scalar(key, ..) => {
                        let event = next(events)?;
                        map.insert(key.into_owned(), value(event, events)?);
                    }
                    _ => return None,
                }
            }
        }
        _ => None,
    }
}

/// YAML 1.2, "Core Schema".
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::from(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::from(true),
        "false" | "False" | "FALSE" => Value::from(false),
        _ => number(text).map_or_else(|| Value::from(text), Value::from),
    }
}

fn number(text: &str) -> Option<f64> {
    for (prefix, base) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return u64::from_str_radix(digits, base)
                .ok()
                .map(|number| number as f64);
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if [".inf", ".Inf", ".INF"].contains(&unsigned) {
        return Some(f64::MAX);
    }
    let is_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    is_number
        .then(|| text.parse().ok())?
        .map(|number: f64| number.clamp(f64::MIN, f64::MAX))
}
