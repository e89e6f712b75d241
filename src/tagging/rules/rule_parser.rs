//! From an entry of `tags` to a rule.

use super::csv::CsvField;
use super::javascript_number::parse_javascript_number;
use super::list_input::ListEntry;
use super::rule::{RefRuleKind, RuleKind, TagRule, VersionRule};
use super::rule_error::{RuleError, RuleProblem};
use crate::notices::similar_word;
use crate::tagging::printable_name::printable_name;
use crate::tagging::{CompatDifference, CompatMode, Finding};

const RULE_TYPES: [&str; 10] = [
    "schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha", "release", "env",
];
const COMMON_ATTRIBUTES: [&str; 6] = [
    "type",
    "enable",
    "priority",
    "prefix",
    "suffix",
    "immutable",
];
const ATTRIBUTES: [&str; 13] = [
    "type",
    "enable",
    "priority",
    "prefix",
    "suffix",
    "immutable",
    "pattern",
    "value",
    "match",
    "group",
    "branch",
    "event",
    "format",
];

/// What rules of a type take besides what all take.
fn type_attributes(kind: &str) -> &'static [&'static str] {
    match kind {
        "schedule" | "release" => &["pattern"],
        "semver" | "pep440" => &["pattern", "value", "match"],
        "match" => &["pattern", "group", "value"],
        "edge" => &["branch"],
        "ref" => &["event"],
        "raw" => &["value"],
        "sha" => &["format"],
        _ => &[],
    }
}

/// An attribute, and where it stands.
struct RuleAttribute {
    key: String,
    value: String,
    key_column: usize,
    value_column: usize,
}

/// What is wrong, at a column.
type RuleProblemAt = (usize, RuleProblem);

/// Reads an entry.
pub(super) fn parse_rule(
    entry: &ListEntry,
    mode: CompatMode,
    findings: &mut Vec<Finding>,
) -> Result<TagRule, RuleError> {
    let mut reading = RuleParser {
        entry,
        mode,
        findings,
    };
    reading.parse().map_err(|(column, problem)| RuleError {
        input: "tags",
        line: entry.line,
        rule: printable_name(&entry.text),
        column,
        problem,
    })
}

struct RuleParser<'a> {
    entry: &'a ListEntry,
    mode: CompatMode,
    findings: &'a mut Vec<Finding>,
}

impl RuleParser<'_> {
    fn parse(&mut self) -> Result<TagRule, RuleProblemAt> {
        let attributes = RuleAttributes(self.parse_attributes()?);
        let kind_name = match attributes.last("type") {
            Some(at) if RULE_TYPES.contains(&at.value.as_str()) => at.value.clone(),
            Some(at) => {
                let problem = RuleProblem::unknown("the type", &at.value, &RULE_TYPES);
                return Err((at.value_column, problem));
            }
            None => "raw".to_owned(),
        };
        self.check_keys(&attributes, &kind_name)?;
        let kind = parse_kind(&attributes, &kind_name)?;
        Ok(TagRule {
            line: self.entry.line,
            text: self.entry.text.clone(),
            priority: self.parse_priority(&attributes, &kind)?,
            enable: attributes.text("enable").unwrap_or("true").to_owned(),
            prefix: default_prefix(&attributes, &kind),
            suffix: attributes.text("suffix").map(str::to_owned),
            immutable: attributes
                .choice("immutable", &["true", "false"])?
                .map(|at| at == 0),
            kind,
        })
    }

    fn parse_attributes(&mut self) -> Result<Vec<RuleAttribute>, RuleProblemAt> {
        let twice = self.entry.reparse_fields();
        let fields = match self.mode {
            CompatMode::Strict => self.entry.fields().to_vec(),
            CompatMode::Compatible => {
                let twice =
                    twice.map_err(|(column, problem)| (column, RuleProblem::Quote(problem)))?;
                if !self.entry.is_same_when_reparsed(&twice) {
                    self.record_difference(
                        CompatDifference::Quotes,
                        "the quotes that protect a comma are lost, so the rule is cut there",
                    );
                }
                twice
            }
        };
        Ok(fields.iter().map(parse_attribute).collect())
    }

    fn check_keys(&mut self, attributes: &RuleAttributes, kind: &str) -> Result<(), RuleProblemAt> {
        for (index, attribute) in attributes.0.iter().enumerate() {
            let key = attribute.key.as_str();
            let known = COMMON_ATTRIBUTES.contains(&key) || type_attributes(kind).contains(&key);
            let problem = if !known {
                Some((
                    CompatDifference::UnknownAttribute,
                    unexpected_attribute(kind, key),
                ))
            } else if attributes.0[..index].iter().any(|other| other.key == key) {
                let problem = RuleProblem::Repeated(printable_name(key));
                Some((CompatDifference::RepeatedAttribute, problem))
            } else {
                None
            };
            match (problem, self.mode) {
                (Some((_, problem)), CompatMode::Strict) => {
                    return Err((attribute.key_column, problem));
                }
                (Some((difference, problem)), CompatMode::Compatible) => {
                    let column = attribute.key_column;
                    self.record_difference(difference, &format!("{problem} (column {column})"));
                }
                (None, _) => {}
            }
        }
        Ok(())
    }

    fn parse_priority(
        &mut self,
        attributes: &RuleAttributes,
        kind: &RuleKind,
    ) -> Result<Option<f64>, RuleProblemAt> {
        let Some(at) = attributes.last("priority") else {
            return Ok(Some(kind.default_priority()));
        };
        let priority = parse_javascript_number(&at.value);
        if priority.is_none() {
            let problem = RuleProblem::NotANumber {
                attribute: "priority",
                word: printable_name(&at.value),
            };
            if self.mode == CompatMode::Strict {
                return Err((at.value_column, problem));
            }
            self.record_difference(CompatDifference::Priority, &problem.to_string());
        }
        Ok(priority)
    }

    fn record_difference(&mut self, difference: CompatDifference, text: &str) {
        let ListEntry {
            line, text: rule, ..
        } = self.entry;
        let text = format!("tags, line {line}: {text}: {}", printable_name(rule));
        self.findings
            .push(Finding::from_difference(difference, text));
    }
}

fn unexpected_attribute(kind: &str, key: &str) -> RuleProblem {
    let own = type_attributes(kind);
    match ATTRIBUTES.contains(&key) {
        true => RuleProblem::WrongType {
            attribute: printable_name(key),
            kind: RULE_TYPES
                .into_iter()
                .find(|name| *name == kind)
                .unwrap_or("raw"),
            valid: match own {
                [] => "no attribute of its own".to_owned(),
                own => own.join(", "),
            },
        },
        false => RuleProblem::unknown("the attribute", key, &ATTRIBUTES),
    }
}

struct RuleAttributes(Vec<RuleAttribute>);

impl RuleAttributes {
    fn last(&self, key: &str) -> Option<&RuleAttribute> {
        self.0.iter().rev().find(|attribute| attribute.key == key)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.last(key).map(|attribute| attribute.value.as_str())
    }

    fn owned(&self, key: &str) -> String {
        self.text(key).unwrap_or_default().to_owned()
    }

    fn required(
        &self,
        attribute: &'static str,
        kind: &'static str,
    ) -> Result<String, RuleProblemAt> {
        match self.text(attribute) {
            Some(text) => Ok(text.to_owned()),
            None => Err(match self.mistyped(attribute) {
                Some(mistyped) => (
                    mistyped.key_column,
                    RuleProblem::unknown("the attribute", &mistyped.key, &[attribute]),
                ),
                None => (1, RuleProblem::Missing { attribute, kind }),
            }),
        }
    }

    /// Returns an unknown attribute that is like a known one.
    fn mistyped(&self, attribute: &'static str) -> Option<&RuleAttribute> {
        let mut unknown = self.0.iter().filter(|written| {
            let key = written.key.as_str();
            !ATTRIBUTES.contains(&key)
        });
        unknown.find(|written| similar_word(&written.key, [attribute].into_iter()).is_some())
    }

    /// Which of the words it is.
    fn choice(
        &self,
        key: &'static str,
        words: &[&'static str],
    ) -> Result<Option<usize>, RuleProblemAt> {
        let Some(at) = self.last(key) else {
            return Ok(None);
        };
        match words.iter().position(|word| *word == at.value) {
            Some(index) => Ok(Some(index)),
            None => {
                let what = match key {
                    "event" => "the value of event",
                    "format" => "the value of format",
                    _ => "the value of immutable",
                };
                Err((
                    at.value_column,
                    RuleProblem::unknown(what, &at.value, words),
                ))
            }
        }
    }

    fn versioned(&self, kind: &'static str) -> Result<VersionRule, RuleProblemAt> {
        Ok(VersionRule {
            pattern: self.required("pattern", kind)?,
            value: self.owned("value"),
            matching: self.owned("match"),
        })
    }
}

/// Splits at the first `=` with something before it; a field without one is the value.
fn parse_attribute(field: &CsvField) -> RuleAttribute {
    let text = field.text.as_str();
    let start = field.column + count_blanks(text);
    match text.find('=') {
        Some(at) if at > 0 => {
            let (key, value) = (&text[..at], &text[at + 1..]);
            let before = key.chars().count() + 1;
            RuleAttribute {
                key: key.trim().to_lowercase(),
                value: value.trim().to_owned(),
                key_column: start,
                value_column: field.column + before + count_blanks(value),
            }
        }
        _ => RuleAttribute {
            key: "value".to_owned(),
            value: text.trim().to_owned(),
            key_column: start,
            value_column: start,
        },
    }
}

fn count_blanks(text: &str) -> usize {
    text.chars().take_while(|c| c.is_whitespace()).count()
}

fn parse_kind(attributes: &RuleAttributes, name: &str) -> Result<RuleKind, RuleProblemAt> {
    let or = |key, default: &str| attributes.text(key).unwrap_or(default).to_owned();
    Ok(match name {
        "schedule" => RuleKind::Schedule {
            pattern: or("pattern", "nightly"),
        },
        "release" => RuleKind::Release {
            pattern: or("pattern", "{{version}}"),
        },
        "semver" => RuleKind::Semver(attributes.versioned("semver")?),
        "pep440" => RuleKind::Pep440(attributes.versioned("pep440")?),
        "match" => parse_match(attributes)?,
        "edge" => RuleKind::Edge {
            branch: attributes.owned("branch"),
        },
        "ref" => RuleKind::Ref(parse_ref_kind(attributes)?),
        "sha" => RuleKind::Sha {
            long: attributes.choice("format", &["short", "long"])? == Some(1),
        },
        "env" => RuleKind::Env,
        _ => RuleKind::Raw {
            value: attributes.required("value", "raw")?,
        },
    })
}

fn parse_match(attributes: &RuleAttributes) -> Result<RuleKind, RuleProblemAt> {
    let pattern = attributes.required("pattern", "match")?;
    if let Some(at) = attributes.last("group")
        && parse_javascript_number(&at.value).is_none()
    {
        let problem = RuleProblem::NotANumber {
            attribute: "group",
            word: printable_name(&at.value),
        };
        return Err((at.value_column, problem));
    }
    Ok(RuleKind::Match {
        pattern,
        group: attributes.text("group").unwrap_or("0").to_owned(),
        value: attributes.owned("value"),
    })
}

fn parse_ref_kind(attributes: &RuleAttributes) -> Result<RefRuleKind, RuleProblemAt> {
    attributes.required("event", "ref")?;
    let kinds = [RefRuleKind::Branch, RefRuleKind::Tag, RefRuleKind::Pull];
    let index = attributes.choice("event", &["branch", "tag", "pr"])?;
    Ok(kinds[index.unwrap_or_default()])
}

fn default_prefix(attributes: &RuleAttributes, kind: &RuleKind) -> Option<String> {
    let default = match kind {
        RuleKind::Ref(RefRuleKind::Pull) => Some("pr-"),
        RuleKind::Sha { .. } => Some("sha-"),
        _ => None,
    };
    attributes.text("prefix").or(default).map(str::to_owned)
}
