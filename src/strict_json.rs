//! JSON that has one meaning for every reader: of bounded size and depth, in UTF-8, no member twice. Where
//! a shape is given, also without members that the shape does not know, and with only one of those that
//! exclude each other: what one reader passes over, another may go by.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

/// Limits of a document.
#[derive(Debug, Clone, Copy)]
pub struct JsonLimits {
    /// Most bytes.
    pub bytes: u64,
    /// Most levels of lists and objects, at most 127 (the limit of `serde_json`).
    pub depth: usize,
}

/// Reason why a document is not JSON with one meaning.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StrictJsonError {
    /// It has more bytes than a reader takes.
    #[error("it has {0} bytes")]
    Size(usize),
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    Encoding,
    /// It is not JSON, too deep, or has a member twice or of another shape.
    #[error("{0}")]
    Content(String),
}

/// Shape of a value.
pub enum JsonShape {
    /// Any value.
    Anything,
    /// List of values of one shape.
    List(&'static JsonShape),
    /// Object of which some members have a shape; others may have any.
    Open(&'static [(&'static str, &'static JsonShape)]),
    /// Object.
    Members {
        /// Members that it may have.
        known: &'static [(&'static str, &'static JsonShape)],
        /// Members of which it may have only one.
        either: &'static [&'static str],
    },
}

/// Any value.
pub const ANY_SHAPE: &JsonShape = &JsonShape::Anything;

/// Returns the shape of an object with these members.
pub const fn members_shape(known: &'static [(&'static str, &'static JsonShape)]) -> JsonShape {
    JsonShape::Members { known, either: &[] }
}

/// Returns the text of a document with any members.
///
/// # Errors
/// Returns why the document exceeds a limit or has more than one meaning.
pub fn check_json(bytes: &[u8], limits: JsonLimits) -> Result<&str, StrictJsonError> {
    check_shape(bytes, ANY_SHAPE, limits)
}

/// Returns the text of a document of a shape.
///
/// # Errors
/// Returns why the document exceeds a limit, has more than one meaning or another shape.
pub fn check_shape<'a>(
    bytes: &'a [u8],
    shape: &'static JsonShape,
    limits: JsonLimits,
) -> Result<&'a str, StrictJsonError> {
    if bytes.len() as u64 > limits.bytes {
        return Err(StrictJsonError::Size(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| StrictJsonError::Encoding)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let content = |error: serde_json::Error| StrictJsonError::Content(error.to_string());
    let root = ShapedValue {
        shape,
        depth: limits.depth,
    };
    root.deserialize(&mut json).map_err(content)?;
    json.end().map_err(content)?;
    Ok(text)
}

/// Value to read, with the levels that are left below it.
#[derive(Clone, Copy)]
struct ShapedValue {
    shape: &'static JsonShape,
    depth: usize,
}

impl ShapedValue {
    /// Returns the depth below it.
    fn enter<E: Error>(self) -> Result<usize, E> {
        let too_deep = || E::custom("it has too many levels");
        self.depth.checked_sub(1).ok_or_else(too_deep)
    }
}

impl<'de> DeserializeSeed<'de> for ShapedValue {
    /// Whether there is anything, not null.
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ShapedValue {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.shape {
            JsonShape::Anything => "JSON",
            JsonShape::List(_) => "a list",
            JsonShape::Members { .. } | JsonShape::Open(_) => "an object",
        })
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<bool, E> {
        self.shape.scalar()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<bool, E> {
        self.shape.scalar()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<bool, E> {
        self.shape.scalar()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<bool, E> {
        self.shape.scalar()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<bool, E> {
        self.shape.scalar()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let depth = self.enter()?;
        let shape = match self.shape {
            JsonShape::Anything => ANY_SHAPE,
            JsonShape::List(item) => item,
            JsonShape::Members { .. } | JsonShape::Open(_) => {
                return Err(A::Error::custom("a list where an object belongs"));
            }
        };
        while list
            .next_element_seed(ShapedValue { shape, depth })?
            .is_some()
        {}
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let depth = self.enter()?;
        let mut seen = BTreeSet::new();
        let mut present = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let shape = self.shape.member_shape(&name).map_err(A::Error::custom)?;
            // What is null is absent, as in every JSON form of protocol buffers.
            if map.next_value_seed(ShapedValue { shape, depth })? {
                if let Some(other) = self.shape.excluded_by(&name, &present) {
                    return Err(A::Error::custom(format!("it has both {other} and {name}")));
                }
                present.insert(name.clone());
            }
            if let Some(name) = seen.replace(name) {
                return Err(A::Error::custom(format!("it has {name:?} twice")));
            }
        }
        Ok(true)
    }
}

impl JsonShape {
    fn scalar<E: Error>(&self) -> Result<bool, E> {
        match self {
            Self::Anything => Ok(true),
            Self::List(_) => Err(E::custom("a value where a list belongs")),
            Self::Members { .. } | Self::Open(_) => {
                Err(E::custom("a value where an object belongs"))
            }
        }
    }

    fn member_shape(&self, name: &str) -> Result<&'static Self, String> {
        match self {
            Self::Anything => Ok(ANY_SHAPE),
            Self::List(_) => Err("an object where a list belongs".to_owned()),
            Self::Open(known) => Ok(find_member(known, name).unwrap_or(ANY_SHAPE)),
            Self::Members { known, .. } => find_member(known, name)
                .ok_or_else(|| format!("it has a part that is not known, {name:?}")),
        }
    }

    /// The member that was there before, and does not go with this one.
    fn excluded_by(&self, name: &str, seen: &BTreeSet<String>) -> Option<&'static str> {
        match self {
            Self::Members { either, .. } if either.contains(&name) => either
                .iter()
                .find(|other| **other != name && seen.contains(**other))
                .copied(),
            _ => None,
        }
    }
}

fn find_member(
    known: &'static [(&'static str, &'static JsonShape)],
    name: &str,
) -> Option<&'static JsonShape> {
    let mut known = known.iter();
    known.find(|(is, _)| *is == name).map(|(_, shape)| *shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, depth: usize) -> Result<&str, StrictJsonError> {
        check_json(text.as_bytes(), JsonLimits { bytes: 64, depth })
    }

    #[test]
    fn a_document_has_one_meaning() {
        assert_eq!(
            check(r#"{"a": [1, {"b": null}]}"#, 3),
            Ok(r#"{"a": [1, {"b": null}]}"#)
        );
        for wrong in [
            r#"{"a": 1, "a": 2}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"[{"b": {"a": 1, "a": 1}}]"#,
            "{} {}",
            "{",
            "",
            "NaN",
        ] {
            assert!(check(wrong, 3).is_err(), "{wrong}");
        }
    }

    #[test]
    fn limits_hold() {
        assert_eq!(check(&" ".repeat(65), 3), Err(StrictJsonError::Size(65)));
        assert!(check("[[[]]]", 3).is_ok());
        assert!(check("[[[]]]", 2).is_err());
        assert!(check(r#"{"a": {"b": {}}}"#, 2).is_err());
        assert!(check("1", 0).is_ok());
        let error = check_json(b"\xff", JsonLimits { bytes: 1, depth: 1 });
        assert_eq!(error, Err(StrictJsonError::Encoding));
    }
}
