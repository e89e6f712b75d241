//! YAML as far as a policy needs it: text, lists and mappings, each with its place.
//!
//! The parser gives events, so nothing grows beyond what is written: anchors and aliases, which could
//! stand for any amount, are refused, as are tags, a second document and keys that are there twice.
//! Every scalar is the text that is written, so that `no` stays `no` and `010` stays `010`.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::error::{At, PolicyError, Problem, nearest};
use super::{LIMIT, ServiceError};
use crate::notice::printable;
use crate::tagging::EnvironmentError;

/// A value, and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: At,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Text(Text),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) at: At,
    pub(super) text: String,
}

/// Text, and where its own first line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) at: At,
}

/// A mapping whose keys are all known.
pub(super) struct Fields {
    at: At,
    entries: Vec<(Key, Node)>,
}

/// Deeper than any policy.
const DEPTH: usize = 16;
/// The most values, keys among them: as many as the largest policy has, and some.
const VALUES: usize = 50_000;

/// The document; `None` where the file holds none.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Node>, PolicyError> {
    const START: At = At { line: 1, column: 1 };
    if bytes.len() > LIMIT {
        return Err(START.is(Problem::TooLarge));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| START.is(Problem::NotText))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut events = Events(Parser::new_from_str(text), VALUES);
    let mut document = None;
    loop {
        match events.next()? {
            (
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing,
                _,
            ) => {}
            (Event::StreamEnd, _) => return Ok(document),
            (_, at) if document.is_some() => return Err(at.is(Problem::SecondDocument)),
            event => document = Some(events.node(event, DEPTH)?).filter(|node| !node.is_blank()),
        }
    }
}

/// The events of a file, and how many values may still come.
struct Events<'a>(Parser<'a, StrInput<'a>>, usize);

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<(Event<'a>, At), PolicyError> {
        match self.0.next() {
            Some(Ok((event, span))) => Ok((event, start(&span))),
            Some(Err(error)) => Err(broken(&error)),
            None => Ok((Event::StreamEnd, At { line: 1, column: 1 })),
        }
    }

    /// The value that begins with `event`, of at most `depth` levels.
    fn node(&mut self, (event, at): (Event<'a>, At), depth: usize) -> Result<Node, PolicyError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(at.is(Problem::TooDeep));
        };
        self.1 = self
            .1
            .checked_sub(1)
            .ok_or_else(|| at.is(Problem::TooMany("values", VALUES)))?;
        let value = match event {
            Event::Scalar(text, style, 0, None) => Value::Text(written(&text, style, at)),
            Event::SequenceStart(0, None) => Value::List(self.list(depth)?),
            Event::MappingStart(0, None) => Value::Map(self.map(depth)?),
            _ => return Err(at.is(Problem::NotPlain)),
        };
        Ok(Node { at, value })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, PolicyError> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(nodes),
                event => nodes.push(self.node(event, depth)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, PolicyError> {
        let mut entries = Vec::new();
        let mut seen: HashMap<String, At> = HashMap::new();
        loop {
            let event = self.next()?;
            if matches!(event.0, Event::MappingEnd) {
                return Ok(entries);
            }
            let key = self.node(event, depth)?;
            let Value::Text(Text { text, .. }) = key.value else {
                return Err(key.at.is(Problem::KeyNotText));
            };
            // A blank at its end, in quotes, is seen by nobody who reads the file.
            let text = text.trim().to_owned();
            if let Some(first) = seen.insert(text.clone(), key.at) {
                return Err(key.at.is(Problem::Twice {
                    what: format!("the key {}", shown(&text)),
                    first: first.line,
                }));
            }
            let value = self.next()?;
            let value = self.node(value, depth)?;
            entries.push((Key { at: key.at, text }, value));
        }
    }
}

/// A block is placed at its first line that is not blank; blank ones before it count.
fn written(text: &str, style: ScalarStyle, at: At) -> Text {
    let blank = match style {
        ScalarStyle::Literal => text.bytes().take_while(|byte| *byte == b'\n').count(),
        _ => 0,
    };
    let line = at.line.saturating_sub(blank).max(1);
    Text {
        text: text.to_owned(),
        at: At { line, ..at },
    }
}

fn start(span: &Span) -> At {
    At {
        line: span.start.line().max(1),
        column: span.start.col() + 1,
    }
}

fn broken(error: &ScanError) -> PolicyError {
    let at = At {
        line: error.marker().line().max(1),
        column: error.marker().col() + 1,
    };
    at.is(Problem::Yaml(printable(error.info(), 200)))
}

impl Node {
    pub(super) fn text(self) -> Result<Text, PolicyError> {
        match self.value {
            Value::Text(text) if !text.text.trim().is_empty() => Ok(text),
            _ => Err(self.is_no("text")),
        }
    }

    pub(super) fn list(self) -> Result<Vec<Node>, PolicyError> {
        match self.value {
            Value::List(nodes) => Ok(nodes),
            _ => Err(self.is_no("a list")),
        }
    }

    pub(super) fn map(self) -> Result<Vec<(Key, Node)>, PolicyError> {
        match self.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.is_no("a mapping")),
        }
    }

    /// The text, read as a `T`.
    pub(super) fn parsed<T>(self) -> Result<T, PolicyError>
    where
        T: FromStr,
        T::Err: Reason,
    {
        let Text { text, at } = self.text()?;
        parsed(at, &text)
    }

    /// A mapping of `known` keys; `later` ones are refused by name.
    pub(super) fn fields(
        self,
        known: &'static [&'static str],
        later: &'static [&'static str],
    ) -> Result<Fields, PolicyError> {
        let at = self.at;
        let entries = self.map()?;
        for (key, _) in &entries {
            let text = key.text.as_str();
            if known.contains(&text) {
                continue;
            }
            let all = || known.iter().chain(later).copied();
            let problem = match later.iter().find(|later| **later == text) {
                Some(later) => Problem::Later(later),
                None => Problem::UnknownKey {
                    key: shown(text),
                    nearest: nearest(text, all()).unwrap_or_default(),
                },
            };
            return Err(key.at.is(problem));
        }
        Ok(Fields { at, entries })
    }

    fn is_blank(&self) -> bool {
        matches!(&self.value, Value::Text(text) if text.text.trim().is_empty())
    }

    fn is_no(&self, wanted: &'static str) -> PolicyError {
        let found = match &self.value {
            Value::Text(_) if self.is_blank() => "nothing",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        };
        self.at.is(Problem::Shape { wanted, found })
    }
}

impl Fields {
    /// The value of a key, and where the key stands.
    pub(super) fn take(&mut self, name: &str) -> Option<(At, Node)> {
        let found = self.entries.iter().position(|(key, _)| key.text == name)?;
        let (key, node) = self.entries.swap_remove(found);
        Some((key.at, node))
    }

    /// The value of a key that must be there.
    pub(super) fn need(&mut self, name: &'static str) -> Result<Node, PolicyError> {
        match self.take(name) {
            Some((_, node)) => Ok(node),
            None => Err(self.at.is(Problem::Missing(name))),
        }
    }
}

/// Why a text is none of what it should be.
pub(super) trait Reason: fmt::Display {
    /// As the problem of a policy.
    fn problem(self, text: String) -> Problem;
}

impl Reason for EnvironmentError {
    fn problem(self, name: String) -> Problem {
        Problem::Environment { name, reason: self }
    }
}

impl Reason for ServiceError {
    fn problem(self, name: String) -> Problem {
        Problem::Service { name, reason: self }
    }
}

/// `text`, which stands at `at`, read as a `T`.
pub(super) fn parsed<T>(at: At, text: &str) -> Result<T, PolicyError>
where
    T: FromStr,
    T::Err: Reason,
{
    let text = text.trim();
    text.parse()
        .map_err(|reason: T::Err| at.is(reason.problem(shown(text))))
}

/// Text of the file, for a message.
pub(super) fn shown(text: &str) -> String {
    printable(text, 80)
}
