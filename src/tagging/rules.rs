use thiserror::Error;

use super::default::shown;
use super::derived::{Derived, Follows, Kind, Names};
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
            let kind = match (rule.immutable, version(rule.tag.as_str())) {
                (true, Some(_)) => Kind::Immutable(Names::Version),
                (true, None) => Kind::Immutable(Names::Other),
                (false, _) => Kind::Moving(Follows::Other),
            };
            derived.plan(
                rule.tag.clone(),
                kind,
                format!("the rule {}", shown(&rule.text)),
            );
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
        let fields: Vec<_> = fields(rule).collect();
        // The type first: what another one's attributes are called is beside the point.
        if let Some(kind) = fields.iter().find(|field| field.key == "type") {
            check_type(kind.value).map_err(|problem| at(rule, kind.value_column, problem))?;
        }
        let [_, value, immutable] = slots(rule, fields)?;
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

/// The fields in the order of [`ATTRIBUTES`].
fn slots<'a>(rule: &str, fields: Vec<Field<'a>>) -> Result<[Option<Field<'a>>; 3], RuleError> {
    let mut slots = [None, None, None];
    for field in fields {
        let slot = slot(&field).map_err(|problem| at(rule, field.key_column, problem))?;
        if slots[slot].is_some() {
            let problem = RuleProblem::Twice(field.key);
            return Err(at(rule, field.key_column, problem));
        }
        slots[slot] = Some(field);
    }
    Ok(slots)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<TagRules, RuleError> {
        TagRules::read([text])
    }

    fn tags(text: &str) -> Vec<(String, bool)> {
        let Ok(TagRules::Given(rules)) = read(text) else {
            return Vec::new();
        };
        let pair = |rule: &Rule| (rule.tag.to_string(), rule.immutable);
        rules.iter().map(pair).collect()
    }

    #[test]
    fn a_rule_is_a_tags_name() {
        for (text, tag, immutable) in [
            ("nightly", "nightly", false),
            ("latest", "latest", false),
            ("1.4", "1.4", false),
            ("1.4.0", "1.4.0", true),
            ("v1.4.0-rc.1", "v1.4.0-rc.1", true),
            ("value=nightly", "nightly", false),
            ("type=raw,value=nightly", "nightly", false),
            (" Type = raw , VALUE = nightly ", "nightly", false),
            ("nightly,immutable=true", "nightly", true),
            ("type=raw,value=1.4.0,immutable=false", "1.4.0", false),
        ] {
            assert_eq!(tags(text), [(tag.to_owned(), immutable)], "{text:?}");
        }
    }

    #[test]
    fn no_rules_mean_the_default() {
        assert_eq!(TagRules::read([]), Ok(TagRules::Default));
        assert_eq!(read("\n  \n# type=semver\n"), Ok(TagRules::Default));
        assert_eq!(tags("a\r\n\n# x\n b").len(), 2);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, message) in [
            (
                "type=semver,pattern={{version}}",
                "type=semver is not supported: this version knows only type=raw \
                 (column 6 of the rule \"type=semver,pattern={{version}}\")",
            ),
            (
                "type=rwa,value=x",
                "the type \"rwa\" is not known; did you mean raw? \
                 (column 6 of the rule \"type=rwa,value=x\")",
            ),
            (
                "type=raw, vlaue=x",
                "the attribute \"vlaue\" is not known; did you mean value? \
                 (column 11 of the rule \"type=raw, vlaue=x\")",
            ),
            (
                "x,enable=true",
                "the attribute enable is not supported: this version knows type, value and \
                 immutable (column 3 of the rule \"x,enable=true\")",
            ),
            (
                "x,immutable=treu",
                "the value of immutable \"treu\" is not known; did you mean true? \
                 (column 13 of the rule \"x,immutable=treu\")",
            ),
            (
                "1.4.0,latest",
                "the attribute value is there twice; a line holds one tag \
                 (column 7 of the rule \"1.4.0,latest\")",
            ),
            (
                "type=raw",
                "the attribute value is missing (column 1 of the rule \"type=raw\")",
            ),
            (
                "type=raw,value={{branch}}",
                "the attribute value holds a template, which this version does not support \
                 (column 16 of the rule \"type=raw,value={{branch}}\")",
            ),
            (
                "a/b",
                "the attribute value is no tag: a tag cannot hold '/': letters, digits, '.', '_' \
                 and '-' only (column 1 of the rule \"a/b\")",
            ),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_rules_or_an_error_within_it(text in "(type|value|raw|=|,|\"|[ -~]|\\PC){0,40}") {
            if let Err(error) = read(&text) {
                prop_assert!((1..=error.rule.chars().count() + 1).contains(&error.column));
            }
        }
    }
}
