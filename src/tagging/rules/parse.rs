//! From an entry of `tags` to a rule.

use super::csv::Field;
use super::list::Entry;
use super::number::number;
use super::problem::{RuleError, RuleProblem};
use super::rule::{RefKind, Rule, RuleKind, Versioned};
use crate::tagging::default::shown;
use crate::tagging::{Finding, Mode, Trap};

const TYPES: [&str; 10] = [
    "schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha", "release", "env",
];
const COMMON: [&str; 6] = [
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
fn own_attributes(kind: &str) -> &'static [&'static str] {
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
struct Attribute {
    key: String,
    value: String,
    key_column: usize,
    value_column: usize,
}

/// What is wrong, at a column.
type At = (usize, RuleProblem);

/// Reads an entry.
pub(super) fn rule(
    entry: &Entry,
    mode: Mode,
    findings: &mut Vec<Finding>,
) -> Result<Rule, RuleError> {
    let mut reading = Reading {
        entry,
        mode,
        findings,
    };
    reading.rule().map_err(|(column, problem)| RuleError {
        input: "tags",
        line: entry.line,
        rule: shown(&entry.text),
        column,
        problem,
    })
}

struct Reading<'a> {
    entry: &'a Entry,
    mode: Mode,
    findings: &'a mut Vec<Finding>,
}

impl Reading<'_> {
    fn rule(&mut self) -> Result<Rule, At> {
        let attributes = Attributes(self.attributes()?);
        let kind_name = match attributes.last("type") {
            Some(at) if TYPES.contains(&at.value.as_str()) => at.value.clone(),
            Some(at) => {
                let problem = RuleProblem::unknown("the type", &at.value, &TYPES);
                return Err((at.value_column, problem));
            }
            None => "raw".to_owned(),
        };
        self.check_keys(&attributes, &kind_name)?;
        let kind = kind(&attributes, &kind_name)?;
        Ok(Rule {
            line: self.entry.line,
            text: self.entry.text.clone(),
            priority: self.priority(&attributes, &kind)?,
            enable: attributes.text("enable").unwrap_or("true").to_owned(),
            prefix: prefix(&attributes, &kind),
            suffix: attributes.text("suffix").map(str::to_owned),
            immutable: attributes
                .choice("immutable", &["true", "false"])?
                .map(|at| at == 0),
            kind,
        })
    }

    fn attributes(&mut self) -> Result<Vec<Attribute>, At> {
        let twice = self.entry.fields_read_twice();
        let fields = match self.mode {
            Mode::Strict => self.entry.fields().to_vec(),
            Mode::Compatible => {
                let twice =
                    twice.map_err(|(column, problem)| (column, RuleProblem::Quote(problem)))?;
                if !self.entry.reads_the_same(&twice) {
                    self.found(
                        Trap::Quotes,
                        "the quotes that protect a comma are lost, so the rule is cut there",
                    );
                }
                twice
            }
        };
        Ok(fields.iter().map(attribute).collect())
    }

    fn check_keys(&mut self, attributes: &Attributes, kind: &str) -> Result<(), At> {
        for (index, attribute) in attributes.0.iter().enumerate() {
            let key = attribute.key.as_str();
            let known = COMMON.contains(&key) || own_attributes(kind).contains(&key);
            let problem = if !known {
                Some((Trap::UnknownAttribute, stray(kind, key)))
            } else if attributes.0[..index].iter().any(|other| other.key == key) {
                let problem = RuleProblem::Twice(shown(key));
                Some((Trap::RepeatedAttribute, problem))
            } else {
                None
            };
            match (problem, self.mode) {
                (Some((_, problem)), Mode::Strict) => return Err((attribute.key_column, problem)),
                (Some((trap, problem)), Mode::Compatible) => {
                    let column = attribute.key_column;
                    self.found(trap, &format!("{problem} (column {column})"));
                }
                (None, _) => {}
            }
        }
        Ok(())
    }

    fn priority(&mut self, attributes: &Attributes, kind: &RuleKind) -> Result<Option<f64>, At> {
        let Some(at) = attributes.last("priority") else {
            return Ok(Some(kind.priority()));
        };
        let priority = number(&at.value);
        if priority.is_none() {
            let problem = RuleProblem::Number {
                attribute: "priority",
                word: shown(&at.value),
            };
            if self.mode == Mode::Strict {
                return Err((at.value_column, problem));
            }
            self.found(Trap::Priority, &problem.to_string());
        }
        Ok(priority)
    }

    fn found(&mut self, trap: Trap, text: &str) {
        let Entry {
            line, text: rule, ..
        } = self.entry;
        let text = format!("tags, line {line}: {text}: {}", shown(rule));
        self.findings.push(Finding::trap(trap, text));
    }
}

fn stray(kind: &str, key: &str) -> RuleProblem {
    let own = own_attributes(kind);
    match ATTRIBUTES.contains(&key) {
        true => RuleProblem::Foreign {
            attribute: shown(key),
            kind: TYPES
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

struct Attributes(Vec<Attribute>);

impl Attributes {
    fn last(&self, key: &str) -> Option<&Attribute> {
        self.0.iter().rev().find(|attribute| attribute.key == key)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.last(key).map(|attribute| attribute.value.as_str())
    }

    fn owned(&self, key: &str) -> String {
        self.text(key).unwrap_or_default().to_owned()
    }

    fn needed(&self, attribute: &'static str, kind: &'static str) -> Result<String, At> {
        match self.text(attribute) {
            Some(text) => Ok(text.to_owned()),
            None => Err((1, RuleProblem::Missing { attribute, kind })),
        }
    }

    /// Which of the words it is.
    fn choice(&self, key: &'static str, words: &[&'static str]) -> Result<Option<usize>, At> {
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

    fn versioned(&self, kind: &'static str) -> Result<Versioned, At> {
        Ok(Versioned {
            pattern: self.needed("pattern", kind)?,
            value: self.owned("value"),
            matching: self.owned("match"),
        })
    }
}

/// Splits at the first `=` with something before it; a field without one is the value.
fn attribute(field: &Field) -> Attribute {
    let text = field.text.as_str();
    let start = field.column + blanks(text);
    match text.find('=') {
        Some(at) if at > 0 => {
            let (key, value) = (&text[..at], &text[at + 1..]);
            let before = key.chars().count() + 1;
            Attribute {
                key: key.trim().to_lowercase(),
                value: value.trim().to_owned(),
                key_column: start,
                value_column: field.column + before + blanks(value),
            }
        }
        _ => Attribute {
            key: "value".to_owned(),
            value: text.trim().to_owned(),
            key_column: start,
            value_column: start,
        },
    }
}

fn blanks(text: &str) -> usize {
    text.chars().take_while(|c| c.is_whitespace()).count()
}

fn kind(attributes: &Attributes, name: &str) -> Result<RuleKind, At> {
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
        "match" => matching(attributes)?,
        "edge" => RuleKind::Edge {
            branch: attributes.owned("branch"),
        },
        "ref" => RuleKind::Ref(ref_kind(attributes)?),
        "sha" => RuleKind::Sha {
            long: attributes.choice("format", &["short", "long"])? == Some(1),
        },
        "env" => RuleKind::Env,
        _ => RuleKind::Raw {
            value: attributes.needed("value", "raw")?,
        },
    })
}

fn matching(attributes: &Attributes) -> Result<RuleKind, At> {
    let pattern = attributes.needed("pattern", "match")?;
    if let Some(at) = attributes.last("group")
        && number(&at.value).is_none()
    {
        let problem = RuleProblem::Number {
            attribute: "group",
            word: shown(&at.value),
        };
        return Err((at.value_column, problem));
    }
    Ok(RuleKind::Match {
        pattern,
        group: attributes.text("group").unwrap_or("0").to_owned(),
        value: attributes.owned("value"),
    })
}

fn ref_kind(attributes: &Attributes) -> Result<RefKind, At> {
    attributes.needed("event", "ref")?;
    let kinds = [RefKind::Branch, RefKind::Tag, RefKind::Pull];
    let index = attributes.choice("event", &["branch", "tag", "pr"])?;
    Ok(kinds[index.unwrap_or_default()])
}

fn prefix(attributes: &Attributes, kind: &RuleKind) -> Option<String> {
    let default = match kind {
        RuleKind::Ref(RefKind::Pull) => Some("pr-"),
        RuleKind::Sha { .. } => Some("sha-"),
        _ => None,
    };
    attributes.text("prefix").or(default).map(str::to_owned)
}
