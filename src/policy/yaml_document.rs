//! YAML as far as a policy needs it: text, lists and mappings, each with its place.
//!
//! The parser gives events, so nothing grows beyond what is written: anchors and aliases, which could
//! stand for any amount, are refused, as are tags, a second document and keys that are there twice.
//! Every scalar is the text that is written, so that `no` stays `no` and `010` stays `010`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::POLICY_LIMIT;
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::problem_list::ProblemList;
use super::yaml_node::{YamlKey, YamlNode, YamlText, YamlValue, printable_text};
use crate::notices::to_printable;

/// Deeper than any policy.
const DEPTH_LIMIT: usize = 16;
/// The most values, keys among them: as many as the largest policy has, and some.
const VALUES: usize = 50_000;

/// Returns the document; `None` where the file holds none. Problems of keys do not end the reading, and are added
/// to `problems`.
pub(super) fn parse_yaml(
    bytes: &[u8],
    problems: &mut ProblemList,
) -> Result<Option<YamlNode>, PolicyError> {
    const START: FilePosition = FilePosition { line: 1, column: 1 };
    if bytes.len() > POLICY_LIMIT {
        return Err(START.to_error(PolicyProblem::TooLarge));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| START.to_error(PolicyProblem::NotText))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut events = YamlEvents {
        parser: Parser::new_from_str(text),
        values_left: VALUES,
        problems,
    };
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
struct YamlEvents<'a, 'p> {
    parser: Parser<'a, StrInput<'a>>,
    values_left: usize,
    problems: &'p mut ProblemList,
}

impl<'a> YamlEvents<'a, '_> {
    fn next_event(&mut self) -> Result<(Event<'a>, FilePosition), PolicyError> {
        match self.parser.next() {
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
        self.values_left = self
            .values_left
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
            let value = self.next_event()?;
            let value = self.parse_node(value, depth)?;
            match check_key(key, &mut seen) {
                Ok(key) => entries.push((key, value)),
                Err(error) => self.problems.add(error),
            }
        }
    }
}

/// Returns a key that is text, without blanks around it, and not in `seen`.
fn check_key(
    key: YamlNode,
    seen: &mut HashMap<String, FilePosition>,
) -> Result<YamlKey, PolicyError> {
    let position = key.position;
    let YamlValue::Text(YamlText { text, .. }) = key.value else {
        return Err(position.to_error(PolicyProblem::KeyNotText));
    };
    // A blank at its end, in quotes, is seen by nobody who reads the file.
    if text.trim().len() < text.len() {
        let name = printable_text(text.trim());
        return Err(position.to_error(PolicyProblem::BlankAroundKey(name)));
    }
    match seen.entry(text.clone()) {
        Entry::Occupied(first) => Err(position.to_error(PolicyProblem::Duplicate {
            what: format!("the key {}", printable_text(&text)),
            first: first.get().line,
        })),
        Entry::Vacant(place) => {
            place.insert(position);
            Ok(YamlKey { position, text })
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
