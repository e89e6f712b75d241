use super::{JsonStream, JsonStreamError};

/// Most bytes of a text that is kept.
const TEXT_LIMIT: usize = 2 << 20;

impl JsonStream<'_> {
    /// Reads a text (RFC 8259, 'Strings') from its opening quote on, and keeps it or checks it only.
    pub(super) fn read_text(&mut self, keeps: bool) -> Result<(), JsonStreamError> {
        self.values += 1;
        self.text.clear();
        self.input.consume(1);
        loop {
            self.take_plain_run(keeps)?;
            match self.input.peek()? {
                Some(b'"') => {
                    self.input.consume(1);
                    return Ok(());
                }
                Some(b'\\') => {
                    self.input.consume(1);
                    let character = self.read_escape()?;
                    let mut bytes = [0; 4];
                    self.keep(keeps, character.encode_utf8(&mut bytes).as_bytes())?;
                }
                Some(0..0x20) => return Err(self.syntax("a control character stands in a text")),
                Some(_) => {}
                None => return Err(self.truncated()),
            }
        }
    }

    /// Returns the text or number that was read last.
    pub(super) fn kept_text(&self) -> Result<&str, JsonStreamError> {
        std::str::from_utf8(&self.text).map_err(|_| self.syntax("a text is not UTF-8"))
    }

    /// Takes what is read so far of a text, up to a quote, an escape or a control character.
    fn take_plain_run(&mut self, keeps: bool) -> Result<(), JsonStreamError> {
        if self.input.peek()?.is_none() {
            return Ok(());
        }
        let unused = self.input.unused();
        let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
        let run = unused.iter().position(is_special).unwrap_or(unused.len());
        let valid = match std::str::from_utf8(&unused[..run]) {
            Ok(_) => run,
            // A character may go on in what is not read yet.
            Err(error) if error.error_len().is_none() && run == unused.len() => error.valid_up_to(),
            Err(_) => return Err(self.syntax("a text is not UTF-8")),
        };
        if keeps {
            self.check_kept_length(valid)?;
            self.text.extend_from_slice(&self.input.unused()[..valid]);
        }
        self.input.consume(valid);
        if valid < run && !self.input.read_more()? {
            return Err(self.truncated());
        }
        Ok(())
    }

    fn keep(&mut self, keeps: bool, bytes: &[u8]) -> Result<(), JsonStreamError> {
        if keeps {
            self.check_kept_length(bytes.len())?;
            self.text.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn check_kept_length(&self, more: usize) -> Result<(), JsonStreamError> {
        if self.text.len() + more <= TEXT_LIMIT {
            return Ok(());
        }
        let text = format!("a text has more than {} MiB", TEXT_LIMIT >> 20);
        Err(JsonStreamError::Limit(text))
    }

    /// Reads the rest of an escape sequence.
    fn read_escape(&mut self) -> Result<char, JsonStreamError> {
        let Some(byte) = self.input.peek()? else {
            return Err(self.truncated());
        };
        self.input.consume(1);
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.read_unicode_escape(),
            _ => return Err(self.syntax("an escape sequence is unknown")),
        })
    }

    fn read_unicode_escape(&mut self) -> Result<char, JsonStreamError> {
        let first = self.read_code_unit()?;
        let mut units = [first, 0];
        let mut count = 1;
        if (0xd800..0xdc00).contains(&first) {
            for expected in [b'\\', b'u'] {
                match self.input.peek()? {
                    Some(byte) if byte == expected => self.input.consume(1),
                    Some(_) => return Err(self.syntax("half of a surrogate pair is missing")),
                    None => return Err(self.truncated()),
                }
            }
            units[1] = self.read_code_unit()?;
            count = 2;
        }
        match char::decode_utf16(units.into_iter().take(count)).next() {
            Some(Ok(character)) => Ok(character),
            _ => Err(self.syntax("half of a surrogate pair is missing")),
        }
    }

    fn read_code_unit(&mut self) -> Result<u16, JsonStreamError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = match self.input.peek()? {
                Some(byte) => char::from(byte).to_digit(16),
                None => return Err(self.truncated()),
            };
            let Some(digit) = digit else {
                return Err(self.syntax("expected four hex digits"));
            };
            unit = unit << 4 | digit as u16;
            self.input.consume(1);
        }
        Ok(unit)
    }
}
