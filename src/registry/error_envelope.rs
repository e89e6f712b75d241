//! Errors that registries write into the body of a refusal (OCI distribution specification, "Error Codes").

use serde::Deserialize;

use crate::notices::to_printable;

/// The error envelope of the distribution specification; registries add codes of their own.
#[derive(Deserialize)]
struct ErrorEnvelope {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default, deserialize_with = "text_or_number")]
    code: Option<String>,
    message: Option<String>,
    detail: Option<serde_json::Value>,
}

/// Most errors of one answer that are repeated.
const ENTRIES_LIMIT: usize = 8;

/// Reads a code, which some write as a number: that of the status.
fn text_or_number<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(value)? {
        serde_json::Value::String(text) if !text.is_empty() => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The code and words of an answer's body.
pub(super) fn parse_error_envelope(body: &[u8]) -> (Option<String>, String) {
    let entries = serde_json::from_slice::<ErrorEnvelope>(body).map(|envelope| envelope.errors);
    let entries = entries.unwrap_or_default();
    let Some(first) = entries.first() else {
        let text = String::from_utf8_lossy(body);
        // A proxy's error page says less than its status.
        let words = if text.trim_start().starts_with('<') {
            String::new()
        } else {
            to_printable(&text, 200)
        };
        return (None, words);
    };
    let code = first.code.as_ref().map(|code| to_printable(code, 60));
    let mut words = Vec::new();
    for (at, entry) in entries.iter().take(ENTRIES_LIMIT).enumerate() {
        // The first code is told apart, since decisions go by it.
        let code = entry.code.as_deref().filter(|_| at > 0);
        let text = entry.words();
        let entry = match (code, text.as_str()) {
            (Some(code), "") => code.to_owned(),
            (Some(code), _) => format!("{code}: {text}"),
            (None, _) => text,
        };
        if !entry.is_empty() && !words.contains(&entry) {
            words.push(entry);
        }
    }
    (code, to_printable(&words.join("; "), 600))
}

impl ErrorEntry {
    /// Returns the message, and the detail unless it says nothing or the same.
    fn words(&self) -> String {
        let message = self.message.as_deref().unwrap_or_default().trim();
        let detail = match &self.detail {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(detail)) => detail.trim().to_owned(),
            Some(serde_json::Value::Array(list)) if list.is_empty() => String::new(),
            Some(serde_json::Value::Object(members)) if members.is_empty() => String::new(),
            Some(detail) => detail.to_string(),
        };
        match (message, detail.as_str()) {
            (_, "") => message.to_owned(),
            ("", _) => detail,
            (message, same) if message.contains(same) => message.to_owned(),
            (message, detail) => format!("{message} ({detail})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_a_refusal_is_told_with_its_detail() {
        for (body, code, message) in [
            (
                r#"{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":{"reason":"layer missing"}}]}"#,
                Some("MANIFEST_INVALID"),
                r#"manifest invalid ({"reason":"layer missing"})"#,
            ),
            (
                r#"{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":{}},{"code":"BLOB_UNKNOWN","message":"blob unknown","detail":"sha256:aa"}]}"#,
                Some("MANIFEST_INVALID"),
                "manifest invalid; BLOB_UNKNOWN: blob unknown (sha256:aa)",
            ),
            (
                r#"{"errors":[{"code":400,"message":"","detail":["a",1]},{"code":"X"}]}"#,
                Some("400"),
                r#"["a",1]; X"#,
            ),
            (
                r#"{"errors":[{"code":"D","message":"denied: x","detail":"x"},{"message":"denied: x"}]}"#,
                Some("D"),
                "denied: x",
            ),
            (r#"{"errors":[]}"#, None, r#"{"errors":[]}"#),
            ("<html>", None, ""),
        ] {
            let parsed = parse_error_envelope(body.as_bytes());
            assert_eq!(
                (parsed.0.as_deref(), parsed.1.as_str()),
                (code, message),
                "{body}"
            );
        }
    }

    #[test]
    fn what_a_refusal_says_is_printable_and_bounded() {
        let entry = r#"{"code":"A","message":"\u001b[31m","detail":{"a":"DETAIL"}}"#;
        let entry = entry.replace("DETAIL", &"x".repeat(5000));
        let body = format!(r#"{{"errors":[{}]}}"#, vec![entry; 50].join(","));
        let (_, message) = parse_error_envelope(body.as_bytes());
        assert!(
            message.chars().count() <= 620 && !message.contains('\u{1b}'),
            "{message}"
        );
    }
}
