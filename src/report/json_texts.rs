//! Rewrites the texts of a JSON document and keeps its structure.

/// Returns `json` with `change` applied to every text. Keys of letters and dashes are the names of members, and stay.
pub(super) fn map_texts(json: &str, change: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(begin) = rest.find('"') {
        let length = quoted_length(&rest[begin..]);
        let (quoted, after) = rest[begin..].split_at(length);
        let text: String = serde_json::from_str(quoted).unwrap_or_default();
        let is_word = text.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
        let changed = match after.starts_with(':') && is_word {
            true => text.clone(),
            false => change(&text),
        };
        out += &rest[..begin];
        match changed == text {
            true => out += quoted,
            false => out += &serde_json::Value::from(changed).to_string(),
        }
        rest = after;
    }
    out + rest
}

/// Returns the length of the quoted text at the start of `json`, with both quotes.
fn quoted_length(json: &str) -> usize {
    let mut is_escaped = false;
    let end = json.char_indices().skip(1).find(|(_, c)| {
        let is_end = *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        is_end
    });
    end.map_or(json.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_changed_and_json_stays_json() {
        let json = r#"{"note":"a \"note\" \\","null":null,"x/note":["note",1,true,"\\\""]}"#;
        let change = |text: &str| text.replace("note", "\"").replace("null", "*");
        assert_eq!(
            map_texts(json, change),
            r#"{"note":"a \"\"\" \\","null":null,"x/\"":["\"",1,true,"\\\""]}"#
        );
        assert_eq!(map_texts(json, str::to_owned), json);
        let pretty = format!("{:#}", serde_json::json!({"note": {"b": "note"}}));
        assert_eq!(
            map_texts(&pretty, change),
            "{\n  \"note\": {\n    \"b\": \"\\\"\"\n  }\n}"
        );
    }
}
