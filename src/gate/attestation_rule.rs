use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

use super::wildcard_pattern::WildcardPattern;
use crate::notices::to_printable;

/// Attestation that must be there: its predicate type, and values in its predicate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationRule {
    predicate_type: WildcardPattern,
    /// Places in the predicate (RFC 6901), and the values expected there.
    conditions: Vec<(String, WildcardPattern)>,
}

/// Reason why an attestation is not the one that a rule demands. Its texts are printable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AttestationMismatch {
    /// It is of another type, which is named.
    #[error("attestation of type {0}")]
    PredicateType(String),
    /// Another value is at a place of the predicate.
    #[error("{place} in the predicate is {is}, expected {expected}")]
    Condition {
        /// Place in the predicate (RFC 6901).
        place: String,
        /// Value at that place.
        is: String,
        /// Pattern of the rule.
        expected: String,
    },
}

/// Limit on texts of an attestation in a message, in characters.
const SHOWN_LIMIT: usize = 200;

impl AttestationRule {
    /// Returns whether the rule is about attestations of this type.
    pub fn matches_type(&self, predicate_type: &str) -> bool {
        self.predicate_type.matches(predicate_type)
    }

    /// Returns whether the rule has conditions on the predicate.
    pub fn has_conditions(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// Returns whether every attestation that meets this rule meets `base` too, as far as their texts tell.
    pub fn is_at_least_as_strict_as(&self, base: &Self) -> bool {
        let is_same_type = self.predicate_type == base.predicate_type
            || base.predicate_type == WildcardPattern::new("*");
        let mut conditions = base.conditions.iter();
        is_same_type && conditions.all(|condition| self.conditions.contains(condition))
    }

    /// Checks the type and the predicate of an attestation.
    ///
    /// # Errors
    /// Returns the type or the first value that the rule does not accept.
    pub fn check(
        &self,
        predicate_type: &str,
        predicate: &Value,
    ) -> Result<(), AttestationMismatch> {
        let printable = |text: &str| to_printable(text, SHOWN_LIMIT);
        if !self.matches_type(predicate_type) {
            return Err(AttestationMismatch::PredicateType(printable(
                predicate_type,
            )));
        }
        for (place, wanted) in &self.conditions {
            let value = predicate.pointer(place);
            let is = match value {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => "missing".to_owned(),
            };
            if value.is_none() || !wanted.matches(&is) {
                return Err(AttestationMismatch::Condition {
                    place: printable(place),
                    is: printable(&is),
                    expected: printable(&wanted.to_string()),
                });
            }
        }
        Ok(())
    }
}

impl FromStr for AttestationRule {
    type Err = String;

    /// Reads `TYPE[,/path=value]…`; both the type and the values are patterns. A comma in one of them is written
    /// `\\,`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = split_at_commas(text);
        let mut parts = parts.iter().map(|part| part.trim());
        let kind = parts.next().unwrap_or_default();
        if kind == SIGNATURE && parts.len() == 0 {
            return Err(
                "is no attestation: a signature has no predicate; expected a predicate type, and signatures are demanded apart, by the gate signature of a policy"
                    .to_owned(),
            );
        }
        let kind = predicate_type(kind)?;
        let conditions = parts.map(|part| {
            let (place, value) = part
                .split_once('=')
                .filter(|(place, _)| place.starts_with('/'))
                .ok_or_else(|| {
                    format!("has {part:?}, which is not of the form /path/in/predicate=value")
                })?;
            Ok((place.to_owned(), WildcardPattern::new(value)))
        });
        Ok(Self {
            predicate_type: WildcardPattern::new(kind),
            conditions: conditions.collect::<Result<_, String>>()?,
        })
    }
}

/// Word of `verify` for signatures, which are no attestations.
const SIGNATURE: &str = "signature";

/// Short names of predicate types that cosign takes as `--type`.
const SHORT_NAMES: [(&str, &str); 10] = [
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("link", "https://in-toto.io/Link/v1"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("openvex", "https://openvex.dev/ns"),
];

/// Returns the predicate type that a text names: itself, or what cosign's short name stands for.
fn predicate_type(text: &str) -> Result<&str, String> {
    if let Some((_, kind)) = SHORT_NAMES.iter().find(|(name, _)| *name == text) {
        return Ok(kind);
    }
    match text {
        "" => Err("names no predicate type before its conditions".to_owned()),
        SIGNATURE => Err(
            "has conditions on a signature, which has no predicate: give signature alone, or the predicate type of an attestation"
                .to_owned(),
        ),
        _ if text.contains(char::is_whitespace) => Err(
            "has a blank in its predicate type: expected a comma before each condition, such as https://slsa.dev/provenance/v1,/path=value"
                .to_owned(),
        ),
        _ if text.contains(['/', ':', '.', '*']) => Ok(text),
        _ => {
            let names: Vec<&str> = SHORT_NAMES.iter().map(|(name, _)| *name).collect();
            Err(format!(
                "is no predicate type: expected its address, such as https://cyclonedx.org/bom, or one of {}",
                names.join(", ")
            ))
        }
    }
}

impl fmt::Display for AttestationRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |text: &str| text.replace(',', "\\,");
        write!(f, "{}", escaped(&self.predicate_type.to_string()))?;
        for (place, value) in &self.conditions {
            let condition = format!("{place}={value}");
            write!(f, ",{}", escaped(&condition))?;
        }
        Ok(())
    }
}

/// Splits a text at its commas, apart from those after a backslash.
fn split_at_commas(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut rest = text;
    while let Some(at) = rest.find(',') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let last = parts.len() - 1;
        match before.strip_suffix('\\') {
            Some(before) => parts[last] += &format!("{before},"),
            None => {
                parts[last] += before;
                parts.push(String::new());
            }
        }
        rest = after;
    }
    let last = parts.len() - 1;
    parts[last] += rest;
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_predicate_is_checked_against_a_rule() {
        let predicate =
            json!({"builder": {"id": "https://github.com/actions/runner"}, "a": [1, true]});
        for (rule, expected) in [
            ("https://slsa.dev/provenance/v1", None),
            ("https://slsa.dev/provenance/*", None),
            (
                "https://slsa.dev/provenance/*,/builder/id=https://github.com/*,/a/1=true",
                None,
            ),
            ("https://slsa.dev/provenance/*, /a/0=1", None),
            (
                "https://spdx.dev/Document",
                Some("attestation of type https://slsa.dev/provenance/v1"),
            ),
            (
                "*,/builder/id=x",
                Some(
                    "/builder/id in the predicate is https://github.com/actions/runner, expected x",
                ),
            ),
            (
                "*,/no/such=*",
                Some("/no/such in the predicate is missing, expected *"),
            ),
        ] {
            let rule: AttestationRule = rule.parse().unwrap();
            let checked = rule.check("https://slsa.dev/provenance/v1", &predicate);
            let error = checked.err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), expected, "{rule}");
        }
        for text in ["", ",/a=b", "x,a=b", "x,/a", "x,/a=1,2"] {
            assert!(text.parse::<AttestationRule>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_comma_belongs_to_a_value_where_a_backslash_is_before_it() {
        let predicate = json!({"who": "Doe, Jane", "path": "C:\\x", "list": [1, 2]});
        for (rule, good) in [
            ("https://example.com/a\\,b,/who=Doe\\, Jane", true),
            ("https://example.com/a\\,b, /who=Doe\\,*, /path=C:\\x", true),
            ("https://example.com/a\\,b,/list=[1\\,2]", true),
            ("https://example.com/a\\,b,/who=Doe", false),
        ] {
            let rule: AttestationRule = rule.parse().unwrap();
            let checked = rule.check("https://example.com/a,b", &predicate);
            assert_eq!(checked.is_ok(), good, "{rule}");
            assert_eq!(rule.to_string().parse::<AttestationRule>().unwrap(), rule);
        }
    }

    #[test]
    fn short_names_stand_for_predicate_types() {
        for (text, expected) in [
            ("cyclonedx", Ok("https://cyclonedx.org/bom")),
            (
                "spdxjson,/name=web",
                Ok("https://spdx.dev/Document,/name=web"),
            ),
            ("https://example.com/x", Ok("https://example.com/x")),
            ("*", Ok("*")),
            ("sbom", Err("is no predicate type: expected its address")),
            ("signature,/x=y", Err("conditions on a signature")),
            (",/x=y", Err("names no predicate type")),
            ("signature", Err("by the gate signature of a policy")),
            (
                "https://slsa.dev/provenance/v1 /a=b",
                Err("expected a comma before each condition"),
            ),
        ] {
            let rule: Result<AttestationRule, String> = text.parse();
            match (rule, expected) {
                (Ok(rule), Ok(expected)) => assert_eq!(rule.to_string(), expected),
                (Err(reason), Err(part)) => assert!(reason.contains(part), "{text}: {reason}"),
                (rule, _) => panic!("{text}: {rule:?}"),
            }
        }
    }
}
