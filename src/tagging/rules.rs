use thiserror::Error;

use super::derived::{Derived, Follows, Kind};
use crate::event::version;
use crate::image::{Tag, TagError};

/// Which tags are wanted: the input `tags`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagRules {
    /// Those of the default table.
    Default,
    /// Those of the rules, in place of the table; at least one.
    Given(Vec<Rule>),
}

/// One rule of `tags`. In this version a tag's name, alone or as `type=raw,value=NAME`, perhaps
/// with `immutable=true` or `false`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    text: String,
    tag: Tag,
    immutable: bool,
}

/// Why a line of `tags` is no [`Rule`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem} (column {column} of the rule {rule:?})")]
pub struct RuleError {
    /// The rule.
    pub rule: String,
    /// Where in it, in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: RuleProblem,
}

/// What is wrong in a rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleProblem {
    /// A type of rule that this version does not have.
    #[error("type={0} is not supported: this version knows only type=raw")]
    Type(String),
    /// An attribute that this version does not have.
    #[error("the attribute {0} is not supported: this version knows type, value and immutable")]
    Attribute(String),
    /// A word that means nothing here.
    #[error("{what} {word:?} is not known; did you mean {nearest}?")]
    Unknown {
        /// What the word is: an attribute, a type, a value.
        what: &'static str,
        /// The word.
        word: String,
        /// The valid word nearest to it.
        nearest: &'static str,
    },
    /// An attribute is there twice.
    #[error("the attribute {0} is there twice; a line holds one tag")]
    Twice(String),
    /// No tag is named.
    #[error("the attribute value is missing")]
    NoValue,
    /// The value holds a template.
    #[error("the attribute value holds a template, which this version does not support")]
    Template,
    /// The value is no tag.
    #[error("the attribute value is no tag: {0}")]
    Value(#[from] TagError),
}

const TYPES: [&str; 8] = [
    "raw", "semver", "pep440", "match", "edge", "ref", "sha", "schedule",
];
const ATTRIBUTES: [&str; 3] = ["type", "value", "immutable"];
const LATER_ATTRIBUTES: [&str; 9] = [
    "enable", "priority", "prefix", "suffix", "pattern", "match", "group", "branch", "event",
];

impl TagRules {
    /// Reads the entries of `tags`, each one rule or several lines of them. Blank lines and those
    /// that begin with `#` are none. No rule at all is [`TagRules::Default`].
    ///
    /// # Errors
    /// The first rule that is malformed or that this version does not have.
    pub fn read<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, RuleError> {
        let rules = entries
            .into_iter()
            .flat_map(str::lines)
            .filter(|line| !line.starts_with('#'))
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(Rule::read)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(if rules.is_empty() {
            Self::Default
        } else {
            Self::Given(rules)
        })
    }

    /// What the rules give in place of the default table.
    pub(super) fn given(&self) -> Option<Derived> {
        let Self::Given(rules) = self else {
            return None;
        };
        let mut derived = Derived {
            version: rules.first().map(|rule| rule.tag.to_string()),
            ..Derived::default()
        };
        for rule in rules {
            let kind = if rule.immutable {
                Kind::Immutable
            } else {
                Kind::Moving(Follows::Other)
            };
            derived.plan(rule.tag.clone(), kind, format!("the rule {}", rule.text));
        }
        Some(derived)
    }
}

/// A field of a rule, and where it stands.
struct Field<'a> {
    key: String,
    value: &'a str,
    key_column: usize,
    value_column: usize,
}

impl Rule {
    fn read(rule: &str) -> Result<Self, RuleError> {
        let mut values: [Option<Field<'_>>; 3] = [None, None, None];
        for field in fields(rule) {
            let slot = slot(&field).map_err(|problem| at(rule, field.key_column, problem))?;
            if values[slot].is_some() {
                let problem = RuleProblem::Twice(field.key);
                return Err(at(rule, field.key_column, problem));
            }
            values[slot] = Some(field);
        }
        let [kind, value, immutable] = values;
        if let Some(kind) = kind {
            check_type(kind.value).map_err(|problem| at(rule, kind.value_column, problem))?;
        }
        let value = value.ok_or_else(|| at(rule, 1, RuleProblem::NoValue))?;
        let tag = tag(value.value).map_err(|problem| at(rule, value.value_column, problem))?;
        let immutable = match immutable {
            Some(field) => {
                flag(field.value).map_err(|problem| at(rule, field.value_column, problem))?
            }
            // Full versions are immutable, other names move, unless the rule says otherwise.
            None => version(tag.as_str()).is_some(),
        };
        Ok(Self {
            text: rule.to_owned(),
            tag,
            immutable,
        })
    }
}

fn at(rule: &str, column: usize, problem: RuleProblem) -> RuleError {
    RuleError {
        rule: rule.to_owned(),
        column,
        problem,
    }
}

/// The fields between the commas; one without `=` is the value.
fn fields(rule: &str) -> impl Iterator<Item = Field<'_>> {
    let mut start = 1;
    rule.split(',').map(move |field| {
        let column = start + blanks(field);
        start += field.chars().count() + 1;
        let (key, value, value_column) = match field.trim_start().split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                let column = column + key.chars().count() + 1 + blanks(value);
                (key.trim().to_lowercase(), value.trim(), column)
            }
            _ => ("value".to_owned(), field.trim(), column),
        };
        Field {
            key,
            value,
            key_column: column,
            value_column,
        }
    })
}

/// How many blanks the text begins with.
fn blanks(text: &str) -> usize {
    text.chars().take_while(|c| c.is_whitespace()).count()
}

fn slot(field: &Field<'_>) -> Result<usize, RuleProblem> {
    let key = field.key.as_str();
    match ATTRIBUTES.iter().position(|known| *known == key) {
        Some(slot) => Ok(slot),
        None if LATER_ATTRIBUTES.contains(&key) => Err(RuleProblem::Attribute(key.to_owned())),
        None => Err(unknown("the attribute", key, &ATTRIBUTES)),
    }
}

fn check_type(value: &str) -> Result<(), RuleProblem> {
    match value {
        "raw" => Ok(()),
        known if TYPES.contains(&known) => Err(RuleProblem::Type(known.to_owned())),
        other => Err(unknown("the type", other, &TYPES)),
    }
}

fn tag(value: &str) -> Result<Tag, RuleProblem> {
    if value.is_empty() {
        Err(RuleProblem::NoValue)
    } else if value.contains("{{") {
        Err(RuleProblem::Template)
    } else {
        Ok(value.parse()?)
    }
}

fn flag(value: &str) -> Result<bool, RuleProblem> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(unknown("the value of immutable", other, &["true", "false"])),
    }
}

fn unknown(what: &'static str, word: &str, valid: &[&'static str]) -> RuleProblem {
    let distance = |known: &&&str| strsim::damerau_levenshtein(known, word);
    RuleProblem::Unknown {
        what,
        word: word.to_owned(),
        nearest: valid
            .iter()
            .min_by_key(distance)
            .copied()
            .unwrap_or_default(),
    }
}
