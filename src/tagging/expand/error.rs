use thiserror::Error;

use super::template::Problem;
use crate::tagging::default::shown;
use crate::tagging::rules::Rule;

/// Why a rule, or what goes for all, cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{input}{}: {problem} ({}{rule:?})", .line.map_or_else(String::new, |line| format!(", line {line}")), place(*.attribute, *.column))]
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
}

fn place(attribute: Option<&str>, column: Option<usize>) -> String {
    let attribute = attribute.map_or_else(String::new, |name| format!("the attribute {name}, "));
    let column = column.map_or_else(String::new, |column| format!("column {column} of "));
    attribute + &column
}

impl ExpandError {
    /// That `attribute` of `rule`, which is `value`, has a problem.
    pub(super) fn of(rule: &Rule, attribute: &'static str, value: &str, problem: &Problem) -> Self {
        let start = rule.text.find(value).filter(|_| !value.is_empty());
        let before = start.map(|start| rule.text[..start].chars().count());
        Self {
            input: "tags",
            line: Some(rule.line),
            rule: shown(&rule.text),
            attribute: Some(attribute),
            column: before.map(|before| before + problem.column),
            problem: problem.text.clone(),
        }
    }

    /// That a text that is all of an entry has a problem.
    pub(super) fn whole(
        input: &'static str,
        line: Option<usize>,
        text: &str,
        problem: &Problem,
    ) -> Self {
        Self {
            input,
            line,
            rule: shown(text),
            attribute: None,
            column: Some(problem.column),
            problem: problem.text.clone(),
        }
    }
}
