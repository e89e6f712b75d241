//! Values of a policy file: texts, lists and mappings, each with its position.

use std::fmt;
use std::str::FromStr;

use super::ServiceNameError;
use super::declared_keys::{A_FLAG, A_LIST, FLAG_WORDS, TEXT_OR_LIST};
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::key_shapes::{EntriesShape, ListShape};
use super::limits::GATE_TEXT_LENGTH;
use crate::notices::to_printable;
use crate::tagging::EnvironmentNameError;

/// A value, and where it begins.
#[derive(Debug, Clone)]
pub(super) struct YamlNode {
    pub(super) position: FilePosition,
    pub(super) value: YamlValue,
}

/// Content of a value.
#[derive(Debug, Clone)]
pub(super) enum YamlValue {
    /// Nothing, or a word that means nothing: `null` or `~`, without quotes.
    Null(YamlText),
    Text(YamlText),
    List(Vec<YamlNode>),
    Map(Vec<(YamlKey, YamlNode)>),
}

/// A key of a mapping.
#[derive(Debug, Clone)]
pub(super) struct YamlKey {
    pub(super) position: FilePosition,
    pub(super) text: String,
}

/// Text, and where its own first line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlText {
    pub(super) text: String,
    pub(super) position: FilePosition,
}

impl YamlNode {
    pub(super) fn into_text(self) -> Result<YamlText, PolicyError> {
        self.into_text_of("text")
    }

    /// The text; `wanted` says in messages what it should be.
    pub(super) fn into_text_of(self, wanted: &'static str) -> Result<YamlText, PolicyError> {
        match self.value {
            YamlValue::Text(text) if !text.text.trim().is_empty() => Ok(text),
            _ => Err(self.unexpected_kind(wanted)),
        }
    }

    /// The text without blanks around it, of at most `limit` characters.
    pub(super) fn into_short_text(self, limit: usize) -> Result<YamlText, PolicyError> {
        let YamlText { text, position } = self.into_text()?;
        let text = text.trim();
        match text.chars().nth(limit) {
            Some(_) => Err(position.to_error(PolicyProblem::LongText(limit))),
            None => Ok(YamlText {
                text: text.to_owned(),
                position,
            }),
        }
    }

    /// `true` or `false`.
    pub(super) fn into_flag(self) -> Result<bool, PolicyError> {
        let [_, yes] = FLAG_WORDS;
        let is_text = matches!(self.value, YamlValue::Text(_)) && !self.is_blank();
        match is_text {
            true => Ok(self.into_word(&FLAG_WORDS)? == yes),
            false => Err(self.unexpected_kind(A_FLAG)),
        }
    }

    /// One of the words.
    pub(super) fn into_word(
        self,
        words: &'static [&'static str],
    ) -> Result<&'static str, PolicyError> {
        let YamlText { text, position } = self.into_text()?;
        let problem = || PolicyProblem::NotOneOf {
            text: printable_text(&text),
            words,
        };
        let word = words.iter().find(|word| **word == text);
        word.copied().ok_or_else(|| position.to_error(problem()))
    }

    pub(super) fn into_list(self) -> Result<Vec<YamlNode>, PolicyError> {
        match self.value {
            YamlValue::List(nodes) => Ok(nodes),
            _ => Err(self.unexpected_kind(A_LIST)),
        }
    }

    /// The entries of a mapping; `wanted` says in messages what it should be.
    pub(super) fn into_map(
        self,
        wanted: &'static str,
    ) -> Result<Vec<(YamlKey, YamlNode)>, PolicyError> {
        match self.value {
            YamlValue::Map(entries) => Ok(entries),
            _ => Err(self.unexpected_kind(wanted)),
        }
    }

    /// The entries of a list of that shape.
    pub(super) fn into_texts(self, shape: ListShape) -> Result<Vec<YamlText>, PolicyError> {
        let nodes = self.into_limited_list(shape.noun, shape.limit, shape.may_be_empty)?;
        nodes.into_iter().map(Self::into_text).collect()
    }

    /// The entries of a list of that shape, or one text alone.
    pub(super) fn into_one_or_more_texts(
        self,
        shape: ListShape,
    ) -> Result<Vec<YamlText>, PolicyError> {
        match &self.value {
            YamlValue::List(_) => self.into_texts(shape),
            _ => Ok(vec![self.into_text_of(TEXT_OR_LIST)?]),
        }
    }

    /// The entries of a list of mappings.
    pub(super) fn into_entries(self, shape: EntriesShape) -> Result<Vec<Self>, PolicyError> {
        self.into_limited_list(shape.noun, shape.limit, shape.may_be_empty)
    }

    fn into_limited_list(
        self,
        noun: &'static str,
        limit: usize,
        may_be_empty: bool,
    ) -> Result<Vec<Self>, PolicyError> {
        let at = self.position;
        let nodes = self.into_list()?;
        match nodes.get(limit) {
            Some(node) => Err(node.position.to_error(PolicyProblem::TooMany(noun, limit))),
            None if nodes.is_empty() && !may_be_empty => {
                Err(at.to_error(PolicyProblem::Empty(noun)))
            }
            None => Ok(nodes),
        }
    }

    /// Whether it is a mapping.
    pub(super) fn is_map(&self) -> bool {
        matches!(self.value, YamlValue::Map(_))
    }

    /// Whether it is nothing.
    pub(super) fn is_blank(&self) -> bool {
        match &self.value {
            YamlValue::Null(_) => true,
            YamlValue::Text(text) => text.text.trim().is_empty(),
            YamlValue::List(_) | YamlValue::Map(_) => false,
        }
    }

    /// The bytes of its texts and keys, and some for each value: what a copy of it needs at least.
    pub(super) fn size(&self) -> usize {
        const VALUE: usize = 64;
        let size = match &self.value {
            YamlValue::Null(_) => 0,
            YamlValue::Text(text) => text.text.len(),
            YamlValue::List(nodes) => nodes.iter().map(Self::size).sum(),
            YamlValue::Map(entries) => {
                let sizes = entries
                    .iter()
                    .map(|(key, node)| key.text.len() + node.size());
                sizes.sum()
            }
        };
        VALUE + size
    }

    pub(super) fn unexpected_kind(&self, wanted: &'static str) -> PolicyError {
        let found = match &self.value {
            YamlValue::Null(word) if !word.text.is_empty() => "null",
            _ if self.is_blank() => "nothing",
            YamlValue::Null(_) => "nothing",
            YamlValue::Text(_) => "text",
            YamlValue::List(_) => "a list",
            YamlValue::Map(_) => "a mapping",
        };
        self.position
            .to_error(PolicyProblem::Shape { wanted, found })
    }
}

/// Why a text is none of what it should be.
pub(super) trait IntoPolicyProblem: fmt::Display {
    /// As the problem of a policy.
    fn into_problem(self, text: String) -> PolicyProblem;
}

impl IntoPolicyProblem for EnvironmentNameError {
    fn into_problem(self, name: String) -> PolicyProblem {
        PolicyProblem::Environment { name, reason: self }
    }
}

impl IntoPolicyProblem for ServiceNameError {
    fn into_problem(self, name: String) -> PolicyProblem {
        PolicyProblem::Service { name, reason: self }
    }
}

/// `text`, which stands at `at`, read as a `T`.
pub(super) fn parse_value<T>(at: FilePosition, text: &str) -> Result<T, PolicyError>
where
    T: FromStr,
    T::Err: IntoPolicyProblem,
{
    let text = text.trim();
    text.parse()
        .map_err(|reason: T::Err| at.to_error(reason.into_problem(printable_text(text))))
}

/// Reads a text of a gate as a `T`.
pub(super) fn parse_text_value<T>(node: YamlNode) -> Result<T, PolicyError>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    parse_short_value(&node.into_short_text(GATE_TEXT_LENGTH)?)
}

/// Reads a text of at most [`GATE_TEXT_LENGTH`] characters as a `T`.
pub(super) fn parse_short_value<T>(text: &YamlText) -> Result<T, PolicyError>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    let YamlText { text, position } = text;
    let text = text.trim();
    if text.chars().count() > GATE_TEXT_LENGTH {
        return Err(position.to_error(PolicyProblem::LongText(GATE_TEXT_LENGTH)));
    }
    text.parse()
        .map_err(|reason: T::Err| position.to_error(not_a_value(text, reason)))
}

/// The problem that a text is none of what it should be.
pub(super) fn not_a_value(text: &str, reason: impl fmt::Display) -> PolicyProblem {
    PolicyProblem::Value {
        text: printable_text(text),
        reason: reason.to_string(),
    }
}

/// Text of the file, for a message.
pub(super) fn printable_text(text: &str) -> String {
    to_printable(text, 80)
}
