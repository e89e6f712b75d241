use thiserror::Error;

use super::template::TemplateProblem;
use crate::tagging::printable_name::printable_name;
use crate::tagging::rules::{RuleKind, TagRule};

/// Result of the expansion of a rule.
pub(super) type RuleResult<T> = Result<T, ExpandError>;

/// Why a rule, or what goes for all, cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{input}{}: {problem} ({}{rule:?})", .line.map_or_else(String::new, |line| format!(", line {line}")), location_text(*.attribute, *.column))]
pub struct ExpandError {
    /// The input: `tags`, `flavor`, `labels`, `annotations` or a variable.
    pub input: &'static str,
    /// The line of the input, from 1.
    pub line: Option<usize>,
    /// The entry. Text from outside, made printable.
    pub rule: String,
    /// The attribute of the entry, where it has some.
    pub attribute: Option<&'static str>,
    /// Where in the entry, in characters from 1, where it stands there.
    pub column: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// Whether the rule is right, and the event gives it a name that no tag may have.
    pub is_refusal: bool,
}

fn location_text(attribute: Option<&str>, column: Option<usize>) -> String {
    let attribute = attribute.map_or_else(String::new, |name| format!("the attribute {name}, "));
    let column = column.map_or_else(String::new, |column| format!("column {column} of "));
    attribute + &column
}

fn reserved(tag: &str) -> String {
    format!(
        "it gives the tag {}, and tags of that form are for signatures, referrers, records and holds alone",
        printable_name(tag)
    )
}

impl ExpandError {
    /// That `attribute` of `rule`, which is `value`, has a problem.
    pub(super) fn for_attribute(
        rule: &TagRule,
        attribute: &'static str,
        value: &str,
        problem: &TemplateProblem,
    ) -> Self {
        let start = rule.text.find(value).filter(|_| !value.is_empty());
        let before = start.map(|start| rule.text[..start].chars().count());
        Self {
            input: "tags",
            line: Some(rule.line),
            rule: printable_name(&rule.text),
            attribute: Some(attribute),
            column: before.map(|before| before + problem.column),
            problem: problem.text.clone(),
            is_refusal: false,
        }
    }

    /// That a rule gives a tag that is for signatures, referrers, records and holds alone.
    pub(super) fn reserved(rule: &TagRule, tag: &str) -> Self {
        Self {
            input: "tags",
            line: Some(rule.line),
            rule: printable_name(&rule.text),
            attribute: None,
            column: None,
            problem: reserved(tag),
            is_refusal: matches!(rule.kind, RuleKind::Ref(_)),
        }
    }

    /// That the flavor gives such a tag.
    pub(super) fn reserved_latest(tag: &str) -> Self {
        Self {
            input: "flavor",
            line: None,
            rule: "latest".to_owned(),
            attribute: None,
            column: None,
            problem: reserved(tag),
            is_refusal: false,
        }
    }

    /// That a text that is all of an entry has a problem.
    pub(super) fn for_entry(
        input: &'static str,
        line: Option<usize>,
        text: &str,
        problem: &TemplateProblem,
    ) -> Self {
        Self {
            input,
            line,
            rule: printable_name(text),
            attribute: None,
            column: Some(problem.column),
            problem: problem.text.clone(),
            is_refusal: false,
        }
    }
}
