use super::{JsonStream, JsonStreamError};

/// Most characters of a number.
const NUMBER_LIMIT: usize = 1024;

impl JsonStream<'_> {
    /// Reads a number (RFC 8259, 'Numbers') and keeps it as it is written.
    pub(super) fn read_number(&mut self) -> Result<(), JsonStreamError> {
        self.values += 1;
        self.text.clear();
        self.take_if(|byte| byte == b'-')?;
        if !self.take_if(|byte| byte == b'0')? {
            self.take_digits()?;
        }
        if self.take_if(|byte| byte == b'.')? {
            self.take_digits()?;
        }
        if self.take_if(|byte| matches!(byte, b'e' | b'E'))? {
            self.take_if(|byte| matches!(byte, b'+' | b'-'))?;
            self.take_digits()?;
        }
        Ok(())
    }

    /// Takes one digit or more.
    fn take_digits(&mut self) -> Result<(), JsonStreamError> {
        if self.input.peek()?.is_none() {
            return Err(self.truncated());
        }
        if !self.take_if(|byte| byte.is_ascii_digit())? {
            return Err(self.syntax("expected a digit"));
        }
        while self.take_if(|byte| byte.is_ascii_digit())? {}
        Ok(())
    }

    fn take_if(&mut self, accepts: impl Fn(u8) -> bool) -> Result<bool, JsonStreamError> {
        match self.input.peek()? {
            Some(byte) if accepts(byte) => {
                if self.text.len() == NUMBER_LIMIT {
                    return Err(self.syntax("a number is too long"));
                }
                self.text.push(byte);
                self.input.consume(1);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
