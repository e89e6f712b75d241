use std::io::{ErrorKind, Read};

use super::json_stream_error::JsonStreamError;

const WINDOW: usize = 64 << 10;

/// Part of a stream that has been read and not used yet.
pub(super) struct InputWindow<'a> {
    source: &'a mut dyn Read,
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes of the stream that were used up to `start`.
    position: u64,
    /// Bytes that the stream may still have.
    left: u64,
    limit: u64,
}

impl<'a> InputWindow<'a> {
    pub fn new(source: &'a mut dyn Read, limit: u64) -> Self {
        Self {
            source,
            bytes: vec![0; WINDOW].into(),
            start: 0,
            end: 0,
            position: 0,
            left: limit,
            limit,
        }
    }

    /// Returns how many bytes were used.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns what was read and not used.
    pub fn unused(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Returns the next byte; `None` at the end.
    pub fn peek(&mut self) -> Result<Option<u8>, JsonStreamError> {
        if self.start == self.end && !self.read_more()? {
            return Ok(None);
        }
        Ok(Some(self.bytes[self.start]))
    }

    /// Marks the next `count` bytes as used.
    pub fn consume(&mut self, count: usize) {
        self.start += count;
        self.position += count as u64;
    }

    pub fn skip_white_space(&mut self) -> Result<(), JsonStreamError> {
        while self.peek()?.is_some() {
            let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
            let spaces = self.unused().iter().position(|byte| !is_space(byte));
            self.consume(spaces.unwrap_or(self.unused().len()));
            if spaces.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// Reads more after the unused bytes; returns false at the end of the stream.
    pub fn read_more(&mut self) -> Result<bool, JsonStreamError> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        loop {
            match self.source.read(&mut self.bytes[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
                        let mebibytes = self.limit >> 20;
                        JsonStreamError::Limit(format!("it has more than {mebibytes} MiB"))
                    })?;
                    self.end += count;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(JsonStreamError::Io(error.to_string())),
            }
        }
    }

    /// Refuses UTF-16, and the byte order mark that RFC 8259 forbids.
    pub fn refuse_byte_order_mark(&mut self) -> Result<(), JsonStreamError> {
        while self.unused().len() < 3 && self.read_more()? {}
        let problem = match self.unused() {
            [0xef, 0xbb, 0xbf, ..] => "it begins with a byte order mark",
            [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => "it is UTF-16, expected UTF-8",
            _ => return Ok(()),
        };
        Err(JsonStreamError::Syntax(problem.to_owned()))
    }
}
