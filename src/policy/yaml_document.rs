//! YAML as far as a policy needs it: text, lists and mappings, each with its place.
//!
//! The parser gives events, so nothing grows beyond what is written: anchors and aliases, which could
//! stand for any amount, are refused, as are tags, a second document and keys that are there twice.
//! Every scalar is the text that is written, so that `no` stays `no` and `010` stays `010`.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::declared_keys::{A_LIST, EntriesShape, KeyDeclaration, KeySet, ListShape};
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::{POLICY_LIMIT, ServiceNameError};
use crate::notices::{similar_word, to_printable};
use crate::tagging::EnvironmentNameError;

/// A value, and where it begins.
#[derive(Debug)]
pub(super) struct YamlNode {
    pub(super) position: FilePosition,
    value: YamlValue,
}

#[derive(Debug)]
enum YamlValue {
    /// Nothing, or a word that means nothing: `null` or `~`, without quotes.
    Null(YamlText),
    Text(YamlText),
    List(Vec<YamlNode>),
    Map(Vec<(YamlKey, YamlNode)>),
}

/// A key of a mapping.
#[derive(Debug)]
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

/// A mapping whose keys are all known.
pub(super) struct YamlFields {
    at: FilePosition,
    entries: Vec<(YamlKey, YamlNode)>,
}

/// Deeper than any policy.
const DEPTH_LIMIT: usize = 16;
/// The most values, keys among them: as many as the largest policy has, and some.
const VALUES: usize = 50_000;

/// The document; `None` where the file holds none.
pub(super) fn parse_yaml(bytes: &[u8]) -> Result<Option<YamlNode>, PolicyError> {
    const START: FilePosition = FilePosition { line: 1, column: 1 };
    if bytes.len() > POLICY_LIMIT {
        return Err(START.to_error(PolicyProblem::TooLarge));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| START.to_error(PolicyProblem::NotText))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut events = YamlEvents(Parser::new_from_str(text), VALUES);
    let mut document = None;
    loop {
        match events.next_event()? {
            (
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing,
                _,
            ) => {}
            (Event::StreamEnd, _) => return Ok(document),
            (_, at) if document.is_some() => return Err(at.to_error(PolicyProblem::SecondDocument)),
            event => {
                document =
                    Some(events.parse_node(event, DEPTH_LIMIT)?).filter(|node| !node.is_blank())
            }
        }
    }
}

/// What stands for no value in YAML's core schema, for editors as for this parser.
const NULL_WORDS: [&str; 5] = ["", "~", "null", "Null", "NULL"];

/// The events of a file, and how many values may still come.
struct YamlEvents<'a>(Parser<'a, StrInput<'a>>, usize);

impl<'a> YamlEvents<'a> {
    fn next_event(&mut self) -> Result<(Event<'a>, FilePosition), PolicyError> {
        match self.0.next() {
            Some(Ok((event, span))) => Ok((event, span_start(&span))),
            Some(Err(error)) => Err(syntax_error(&error)),
            None => Ok((Event::StreamEnd, FilePosition { line: 1, column: 1 })),
        }
    }

    /// The value that begins with `event`, of at most `depth` levels.
    fn parse_node(
        &mut self,
        (event, at): (Event<'a>, FilePosition),
        depth: usize,
    ) -> Result<YamlNode, PolicyError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(at.to_error(PolicyProblem::TooDeep));
        };
        self.1 = self
            .1
            .checked_sub(1)
            .ok_or_else(|| at.to_error(PolicyProblem::TooMany("values", VALUES)))?;
        let value = match event {
            Event::Scalar(text, style, 0, None) => {
                let is_null = style == ScalarStyle::Plain && NULL_WORDS.contains(&text.as_ref());
                match to_text(&text, style, at) {
                    text if is_null => YamlValue::Null(text),
                    text => YamlValue::Text(text),
                }
            }
            Event::SequenceStart(0, None) => YamlValue::List(self.parse_list(depth)?),
            Event::MappingStart(0, None) => YamlValue::Map(self.parse_map(depth)?),
            _ => return Err(at.to_error(PolicyProblem::NotPlain)),
        };
        Ok(YamlNode {
            position: at,
            value,
        })
    }

    fn parse_list(&mut self, depth: usize) -> Result<Vec<YamlNode>, PolicyError> {
        let mut nodes = Vec::new();
        loop {
            match self.next_event()? {
                (Event::SequenceEnd, _) => return Ok(nodes),
                event => nodes.push(self.parse_node(event, depth)?),
            }
        }
    }

    fn parse_map(&mut self, depth: usize) -> Result<Vec<(YamlKey, YamlNode)>, PolicyError> {
        let mut entries = Vec::new();
        let mut seen: HashMap<String, FilePosition> = HashMap::new();
        loop {
            let event = self.next_event()?;
            if matches!(event.0, Event::MappingEnd) {
                return Ok(entries);
            }
            let key = self.parse_node(event, depth)?;
            let YamlValue::Text(YamlText { text, .. }) = key.value else {
                return Err(key.position.to_error(PolicyProblem::KeyNotText));
            };
            // A blank at its end, in quotes, is seen by nobody who reads the file.
            if text.trim().len() < text.len() {
                let name = printable_text(text.trim());
                return Err(key.position.to_error(PolicyProblem::BlankAroundKey(name)));
            }
            if let Some(first) = seen.insert(text.clone(), key.position) {
                return Err(key.position.to_error(PolicyProblem::Duplicate {
                    what: format!("the key {}", printable_text(&text)),
                    first: first.line,
                }));
            }
            let value = self.next_event()?;
            let value = self.parse_node(value, depth)?;
            entries.push((
                YamlKey {
                    position: key.position,
                    text,
                },
                value,
            ));
        }
    }
}

/// A block is placed at its first line that is not blank; blank ones before it count.
fn to_text(text: &str, style: ScalarStyle, at: FilePosition) -> YamlText {
    let blank = match style {
        ScalarStyle::Literal => text.bytes().take_while(|byte| *byte == b'\n').count(),
        _ => 0,
    };
    let line = at.line.saturating_sub(blank).max(1);
    YamlText {
        text: text.to_owned(),
        position: FilePosition { line, ..at },
    }
}

fn span_start(span: &Span) -> FilePosition {
    FilePosition {
        line: span.start.line().max(1),
        column: span.start.col() + 1,
    }
}

fn syntax_error(error: &ScanError) -> PolicyError {
    let at = FilePosition {
        line: error.marker().line().max(1),
        column: error.marker().col() + 1,
    };
    at.to_error(PolicyProblem::Yaml(to_printable(error.info(), 200)))
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
        let at = self.position;
        let nodes = self.into_limited_list(shape.noun, shape.limit)?;
        if nodes.is_empty() && !shape.may_be_empty {
            return Err(at.to_error(PolicyProblem::Empty(shape.noun)));
        }
        nodes.into_iter().map(Self::into_text).collect()
    }

    /// The entries of a list of that shape, or one text alone.
    pub(super) fn into_one_or_more_texts(
        self,
        shape: ListShape,
    ) -> Result<Vec<YamlText>, PolicyError> {
        match &self.value {
            YamlValue::List(_) => self.into_texts(shape),
            _ => Ok(vec![self.into_text_of("text or a list")?]),
        }
    }

    /// The entries of a list of mappings.
    pub(super) fn into_entries(self, shape: EntriesShape) -> Result<Vec<Self>, PolicyError> {
        let at = self.position;
        let nodes = self.into_limited_list(shape.noun, shape.limit)?;
        match nodes.is_empty() {
            true => Err(at.to_error(PolicyProblem::Empty(shape.noun))),
            false => Ok(nodes),
        }
    }

    fn into_limited_list(self, noun: &'static str, limit: usize) -> Result<Vec<Self>, PolicyError> {
        let nodes = self.into_list()?;
        match nodes.get(limit) {
            Some(node) => Err(node.position.to_error(PolicyProblem::TooMany(noun, limit))),
            None => Ok(nodes),
        }
    }

    /// A mapping of the keys of `keys`; the reserved ones are refused by name.
    pub(super) fn into_fields(self, keys: &KeySet) -> Result<YamlFields, PolicyError> {
        let at = self.position;
        let entries = self.into_map(keys.shape)?;
        for (key, _) in &entries {
            if keys.find(&key.text).is_none() {
                return Err(key.position.to_error(unknown_key(&key.text, keys)));
            }
        }
        let mut known = keys.known.iter();
        let is_missing =
            |key: &KeyDeclaration| !entries.iter().any(|(entry, _)| entry.text == key.name);
        if let Some(key) = known.find(|key| key.is_required && is_missing(key)) {
            return Err(at.to_error(PolicyProblem::Missing(key.name)));
        }
        require_one_of(keys.one_of, at, &entries)?;
        Ok(YamlFields { at, entries })
    }

    fn is_blank(&self) -> bool {
        match &self.value {
            YamlValue::Null(_) => true,
            YamlValue::Text(text) => text.text.trim().is_empty(),
            YamlValue::List(_) | YamlValue::Map(_) => false,
        }
    }

    fn unexpected_kind(&self, wanted: &'static str) -> PolicyError {
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

/// Requires one of the keys, and not two, where there are any.
fn require_one_of(
    keys: &'static [&'static str],
    at: FilePosition,
    entries: &[(YamlKey, YamlNode)],
) -> Result<(), PolicyError> {
    let is_one = |key: &&YamlKey| keys.contains(&key.text.as_str());
    let mut given = entries.iter().map(|(key, _)| key).filter(is_one);
    match (given.next(), given.next()) {
        (None, _) if !keys.is_empty() => Err(at.to_error(PolicyProblem::NoneOf(keys))),
        (_, Some(second)) => Err(second.position.to_error(PolicyProblem::TwoOf(keys))),
        _ => Ok(()),
    }
}

fn unknown_key(text: &str, keys: &KeySet) -> PolicyProblem {
    let reserved = keys.reserved.iter();
    match reserved.copied().find(|reserved| *reserved == text) {
        Some(reserved) => PolicyProblem::ReservedKey(reserved),
        None => PolicyProblem::UnknownKey {
            key: printable_text(text),
            similar: similar_word(text, keys.names()),
            known: keys.names().collect(),
        },
    }
}

impl YamlFields {
    /// The names of its keys, in the order of `keys`.
    pub(super) fn names(&self, keys: &KeySet) -> Vec<&'static str> {
        let is_given = |name: &&str| self.entries.iter().any(|(key, _)| key.text == *name);
        keys.names().filter(is_given).collect()
    }

    /// The value of a key, and where the key stands.
    pub(super) fn take(&mut self, name: &str) -> Option<(FilePosition, YamlNode)> {
        let found = self.entries.iter().position(|(key, _)| key.text == name)?;
        let (key, node) = self.entries.swap_remove(found);
        Some((key.position, node))
    }

    /// The value of a key that must be there.
    pub(super) fn take_required(&mut self, name: &'static str) -> Result<YamlNode, PolicyError> {
        match self.take(name) {
            Some((_, node)) => Ok(node),
            None => Err(self.at.to_error(PolicyProblem::Missing(name))),
        }
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

/// Text of the file, for a message.
pub(super) fn printable_text(text: &str) -> String {
    to_printable(text, 80)
}
