//! The annotation in which each of two mirrored tags lists the members of the other.

use serde_json::{Map, Value};

use crate::image::Manifest;

/// The annotation with the members of the other tag, as JSON.
const MIRROR_ANNOTATION: &str = "dev.shipmark.beside";

pub(super) fn set_mirrored_members(json: &mut Map<String, Value>, members: &[Value]) {
    let text = Value::Array(members.to_vec()).to_string();
    let annotations = json
        .entry("annotations")
        .or_insert_with(|| Map::new().into());
    match annotations {
        Value::Object(annotations) => {
            annotations.insert(MIRROR_ANNOTATION.to_owned(), text.into());
        }
        other => *other = serde_json::json!({MIRROR_ANNOTATION: text}),
    }
}

pub(super) fn read_mirrored_members(manifest: Option<&Manifest>) -> Vec<Value> {
    let text = manifest.and_then(|manifest| manifest.annotations.get(MIRROR_ANNOTATION));
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}
