//! One JSON document (RFC 8259), read as a stream in little memory. The document has one meaning for every reader:
//! UTF-8 without a byte order mark, no member twice, nothing after the end, a bounded depth.

mod input_window;
mod json_stream_error;
mod number_grammar;
mod open_members;
mod text_value;

use std::io::Read;

use input_window::InputWindow;
use open_members::OpenMembers;

pub(super) use json_stream_error::JsonStreamError;

/// Most levels of objects and lists (the limit of `serde_json`).
const DEPTH_LIMIT: usize = 127;
/// Most characters of a text that is only shown.
const SHORT_TEXT: usize = 200;

/// Type of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonType {
    Object,
    List,
    Text,
    Number,
    Flag,
    Null,
}

/// Reader of a JSON document. Each method reads one value; a value of another type than expected is read over and
/// noted as a problem, since only the whole document tells whether the value matters.
pub(super) struct JsonStream<'a> {
    input: InputWindow<'a>,
    members: OpenMembers,
    depth: usize,
    /// How many values have begun.
    values: u64,
    /// The text or number that was read last.
    text: Vec<u8>,
    problem: Option<String>,
}

impl<'a> JsonStream<'a> {
    /// Opens a stream of at most `limit` bytes.
    pub fn open(source: &'a mut dyn Read, limit: u64) -> Result<Self, JsonStreamError> {
        let mut input = InputWindow::new(source, limit);
        input.refuse_byte_order_mark()?;
        Ok(Self {
            input,
            members: OpenMembers::default(),
            depth: 0,
            values: 0,
            text: Vec::new(),
            problem: None,
        })
    }

    /// Requires that nothing but white space follows, and returns the problem.
    pub fn end(mut self) -> Result<Option<String>, JsonStreamError> {
        self.input.skip_white_space()?;
        match self.input.peek()? {
            None => Ok(self.problem),
            Some(_) => Err(self.syntax("more follows after its end")),
        }
    }

    /// Notes a problem with the value that was read last, unless one is noted.
    pub fn note_problem(&mut self, problem: &str) {
        let at = self.input.position();
        let short: String = problem.chars().take(SHORT_TEXT).collect();
        let text = || format!("{short}, before byte {at}");
        self.problem.get_or_insert_with(text);
    }

    /// Returns the type of the next value.
    pub fn peek_type(&mut self) -> Result<JsonType, JsonStreamError> {
        self.input.skip_white_space()?;
        match self.input.peek()? {
            Some(b'{') => Ok(JsonType::Object),
            Some(b'[') => Ok(JsonType::List),
            Some(b'"') => Ok(JsonType::Text),
            Some(b'-' | b'0'..=b'9') => Ok(JsonType::Number),
            Some(b't' | b'f') => Ok(JsonType::Flag),
            Some(b'n') => Ok(JsonType::Null),
            Some(_) => Err(self.syntax("expected a value")),
            None => Err(self.truncated()),
        }
    }

    /// Reads an object, and calls `member` for each of its members. A member whose value `member` does not read is
    /// skipped. Returns whether there is an object; null counts as absent.
    pub fn object<E: From<JsonStreamError>>(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), E>,
    ) -> Result<bool, E> {
        if !self.expect(JsonType::Object)? {
            return Ok(false);
        }
        self.enter()?;
        self.members.open_object();
        let mut name = String::new();
        let mut is_first = true;
        while self.has_next(b'}', is_first)? {
            is_first = false;
            self.read_name(&mut name)?;
            let before = self.values;
            member(self, &name)?;
            if self.values == before {
                self.skip()?;
            }
        }
        self.members.close_object();
        self.depth -= 1;
        Ok(true)
    }

    /// Reads a list, and calls `element` for each of its elements. An element that `element` does not read is
    /// skipped. Returns whether there is a list; null counts as absent.
    pub fn list<E: From<JsonStreamError>>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<bool, E> {
        if !self.expect(JsonType::List)? {
            return Ok(false);
        }
        self.enter()?;
        let mut is_first = true;
        while self.has_next(b']', is_first)? {
            is_first = false;
            let before = self.values;
            element(self)?;
            if self.values == before {
                self.skip()?;
            }
        }
        self.depth -= 1;
        Ok(true)
    }

    /// Reads a text; `None` for null.
    pub fn text(&mut self) -> Result<Option<&str>, JsonStreamError> {
        if !self.expect(JsonType::Text)? {
            return Ok(None);
        }
        self.read_text(true)?;
        self.kept_text().map(Some)
    }

    /// Reads a text into `target`; null leaves it empty.
    pub fn text_into(&mut self, target: &mut String) -> Result<(), JsonStreamError> {
        target.clear();
        if let Some(text) = self.text()? {
            target.push_str(text);
        }
        Ok(())
    }

    /// Reads a text as a value of its own; `None` for null and for an empty text.
    pub fn owned_text(&mut self) -> Result<Option<String>, JsonStreamError> {
        let text = self.text()?.filter(|text| !text.is_empty());
        Ok(text.map(str::to_owned))
    }

    /// Reads the beginning of a text, at most 200 characters; `None` for null and for an empty text.
    pub fn short_text(&mut self) -> Result<Option<String>, JsonStreamError> {
        let text = self.text()?.filter(|text| !text.is_empty());
        Ok(text.map(|text| text.chars().take(SHORT_TEXT).collect()))
    }

    /// Reads a number as it is written; `None` for null.
    pub fn number(&mut self) -> Result<Option<&str>, JsonStreamError> {
        if !self.expect(JsonType::Number)? {
            return Ok(None);
        }
        self.read_number()?;
        self.kept_text().map(Some)
    }

    /// Reads true or false; `None` for null.
    pub fn flag(&mut self) -> Result<Option<bool>, JsonStreamError> {
        if !self.expect(JsonType::Flag)? {
            return Ok(None);
        }
        let is_true = self.input.peek()? == Some(b't');
        self.read_word(if is_true { "true" } else { "false" })?;
        Ok(Some(is_true))
    }

    /// Reads over a value of any type.
    pub fn skip(&mut self) -> Result<(), JsonStreamError> {
        let found = self.peek_type()?;
        self.values += 1;
        match found {
            JsonType::Object => self.object(|_, _| Ok::<_, JsonStreamError>(())).map(drop),
            JsonType::List => self.list(|_| Ok::<_, JsonStreamError>(())).map(drop),
            JsonType::Text => self.read_text(false),
            JsonType::Number => self.read_number(),
            JsonType::Flag => self.flag().map(drop),
            JsonType::Null => self.read_word("null"),
        }
    }

    /// Returns whether the next value is of a type; reads over it otherwise.
    fn expect(&mut self, expected: JsonType) -> Result<bool, JsonStreamError> {
        let found = self.peek_type()?;
        self.values += 1;
        if found == expected {
            return Ok(true);
        }
        self.skip()?;
        if found != JsonType::Null {
            self.note_problem(&format!(
                "expected {}, got {}",
                expected.name(),
                found.name()
            ));
        }
        Ok(false)
    }

    fn enter(&mut self) -> Result<(), JsonStreamError> {
        self.input.consume(1);
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(self.syntax(&format!("more than {DEPTH_LIMIT} levels are nested")));
        }
        Ok(())
    }

    /// Returns whether another member or element follows in the object or list that `closing` ends.
    fn has_next(&mut self, closing: u8, is_first: bool) -> Result<bool, JsonStreamError> {
        self.input.skip_white_space()?;
        let Some(byte) = self.input.peek()? else {
            return Err(self.truncated());
        };
        if byte == closing {
            self.input.consume(1);
            return Ok(false);
        }
        if is_first {
            return Ok(true);
        }
        if byte != b',' {
            return Err(self.syntax("expected a comma"));
        }
        self.input.consume(1);
        Ok(true)
    }

    /// Reads the name of a member, and the colon.
    fn read_name(&mut self, name: &mut String) -> Result<(), JsonStreamError> {
        self.input.skip_white_space()?;
        match self.input.peek()? {
            Some(b'"') => self.read_text(true)?,
            Some(_) => return Err(self.syntax("expected the name of a member")),
            None => return Err(self.truncated()),
        }
        name.clear();
        name.push_str(self.kept_text()?);
        self.members.add(name)?;
        self.input.skip_white_space()?;
        match self.input.peek()? {
            Some(b':') => {
                self.input.consume(1);
                Ok(())
            }
            Some(_) => Err(self.syntax("expected a colon")),
            None => Err(self.truncated()),
        }
    }

    fn read_word(&mut self, word: &str) -> Result<(), JsonStreamError> {
        for byte in word.bytes() {
            match self.input.peek()? {
                Some(next) if next == byte => self.input.consume(1),
                Some(_) => return Err(self.syntax("expected true, false or null")),
                None => return Err(self.truncated()),
            }
        }
        Ok(())
    }

    fn syntax(&self, problem: &str) -> JsonStreamError {
        JsonStreamError::Syntax(format!("{problem} at byte {}", self.input.position()))
    }

    fn truncated(&self) -> JsonStreamError {
        let bytes = self.input.position();
        JsonStreamError::Syntax(format!("it ends too early, after {bytes} bytes"))
    }
}

impl JsonType {
    /// Returns the name with its article, `an object`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::List => "a list",
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::Null => "null",
        }
    }
}

#[cfg(test)]
mod tests;
