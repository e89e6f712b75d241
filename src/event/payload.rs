use serde_json::Value;
use thiserror::Error;

use crate::image::CommitId;

/// Why what the runner gave makes no facts. No variant carries the payload's content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EventError {
    /// There is no event's name.
    #[error("no event is named (GITHUB_EVENT_NAME is empty)")]
    NoName,
    /// The payload is not JSON.
    #[error("the event file is not JSON: {problem} at line {line}, column {column}")]
    NotJson {
        /// What is wrong, in words.
        problem: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column, from 1; 0 before a line's first character.
        column: usize,
    },
    /// The payload is JSON, but no object.
    #[error("the event file is not a JSON object")]
    NoObject,
    /// A field has another type than GitHub gives it.
    #[error("{path} in the event file is not {wanted}")]
    Field {
        /// The field, with its parents.
        path: &'static str,
        /// What it should have been.
        wanted: &'static str,
    },
    /// `GITHUB_SHA` is set, but is no full commit id.
    #[error("the commit given (GITHUB_SHA) is not a full commit id of 40 or 64 hex digits")]
    Sha,
}

/// An event's payload. A field that is missing, null or empty text is `None`; one of another type
/// is an error, since a payload that does not say what we think it says cannot be trusted to.
#[derive(Default)]
pub(super) struct EventPayload(Value);

impl EventPayload {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, EventError> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| EventError::NotJson {
            problem: match error.classify() {
                serde_json::error::Category::Eof => "it ends too early",
                _ => "a syntax error",
            },
            line: error.line(),
            column: error.column(),
        })?;
        if !value.is_object() {
            return Err(EventError::NoObject);
        }
        Ok(Self(value))
    }

    fn value_at(&self, path: &'static str) -> Result<Option<&Value>, EventError> {
        let mut value = &self.0;
        for key in path.split('.') {
            value = match value {
                Value::Null => return Ok(None),
                Value::Object(fields) => fields.get(key).unwrap_or(&Value::Null),
                _ => {
                    let wanted = "inside an object";
                    return Err(EventError::Field { path, wanted });
                }
            };
        }
        Ok(Some(value).filter(|value| !value.is_null()))
    }

    fn typed_at<'a, T>(
        &'a self,
        path: &'static str,
        wanted: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, EventError> {
        match self.value_at(path)? {
            None => Ok(None),
            Some(value) => match read(value) {
                Some(typed) => Ok(Some(typed)),
                None => Err(EventError::Field { path, wanted }),
            },
        }
    }

    pub(super) fn text_at(&self, path: &'static str) -> Result<Option<&str>, EventError> {
        let text = self.typed_at(path, "a text", Value::as_str)?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    pub(super) fn flag_at(&self, path: &'static str) -> Result<bool, EventError> {
        Ok(self
            .typed_at(path, "true or false", Value::as_bool)?
            .unwrap_or(false))
    }

    pub(super) fn number_at(&self, path: &'static str) -> Result<Option<u64>, EventError> {
        self.typed_at(path, "a whole number", Value::as_u64)
    }

    /// A commit id. All zeroes, which is how a push says that there is none, is `None`.
    pub(super) fn commit_at(&self, path: &'static str) -> Result<Option<CommitId>, EventError> {
        let wanted = "a full commit id";
        match self.text_at(path)? {
            Some(text) => parse_commit(text).map_err(|()| EventError::Field { path, wanted }),
            None => Ok(None),
        }
    }
}

/// A commit id that may be all zeroes, for "none".
pub(super) fn parse_commit(text: &str) -> Result<Option<CommitId>, ()> {
    if text.len() >= 40 && text.bytes().all(|b| b == b'0') {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(text: &str) -> EventPayload {
        EventPayload::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_not_json_is_told_by_its_place_alone() {
        for (text, message) in [
            (
                "",
                "the event file is not JSON: it ends too early at line 1, column 0",
            ),
            (
                "{\n \"a\": s3cret}",
                "the event file is not JSON: a syntax error at line 2, column 7",
            ),
            ("[1]", "the event file is not a JSON object"),
        ] {
            let error = EventPayload::parse(text.as_bytes()).err().unwrap();
            assert_eq!(error.to_string(), message, "{text:?}");
        }
        assert!(EventPayload::parse(b"{\"a\":\"\xff\"}").is_err());
        assert!(EventPayload::parse("[".repeat(10_000).as_bytes()).is_err());
    }

    #[test]
    fn missing_null_and_empty_are_none() {
        for text in [
            "{}",
            r#"{"a":null}"#,
            r#"{"a":{"b":null}}"#,
            r#"{"a":{"b":""}}"#,
        ] {
            assert_eq!(payload(text).text_at("a.b"), Ok(None), "{text}");
        }
        let zeroes = format!(r#"{{"a":"{}"}}"#, "0".repeat(40));
        assert_eq!(payload(&zeroes).commit_at("a"), Ok(None));
    }

    #[test]
    fn another_type_is_an_error_that_names_the_field() {
        let payload = payload(r#"{"a":{"b":[1]},"n":-1,"c":"main"}"#);
        let field = |path, wanted| EventError::Field { path, wanted };
        assert_eq!(payload.text_at("a.b"), Err(field("a.b", "a text")));
        assert_eq!(payload.flag_at("a.b"), Err(field("a.b", "true or false")));
        assert_eq!(payload.number_at("n"), Err(field("n", "a whole number")));
        assert_eq!(payload.commit_at("c"), Err(field("c", "a full commit id")));
        assert_eq!(
            payload.text_at("c.d"),
            Err(field("c.d", "inside an object"))
        );
    }
}
