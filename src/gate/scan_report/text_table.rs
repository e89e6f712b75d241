use std::hash::{DefaultHasher, Hash, Hasher};

use super::report_error::ScanReportError;

/// Recent texts that are found again, a power of two.
const RECENT_TEXTS: usize = 1 << 13;

/// Texts by number, in one string. A text that was added not long ago has the same number again.
#[derive(Debug, Clone)]
pub(super) struct TextTable {
    /// Most bytes of the different texts.
    limit: usize,
    text: String,
    ends: Vec<u32>,
    recent: Vec<u32>,
}

impl TextTable {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            text: String::new(),
            ends: Vec::new(),
            recent: Vec::new(),
        }
    }

    /// Returns the number of a text.
    pub fn add(&mut self, text: &str) -> Result<u32, ScanReportError> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let slot = hasher.finish() as usize % RECENT_TEXTS;
        if self.recent.is_empty() {
            self.recent = vec![u32::MAX; RECENT_TEXTS];
        }
        let number = self.recent[slot];
        if number != u32::MAX && self.get(number) == text {
            return Ok(number);
        }
        if self.text.len() + text.len() > self.limit {
            let mebibytes = self.limit >> 20;
            let text = format!("the names of its packages have more than {mebibytes} MiB");
            return Err(ScanReportError::TooLarge(text));
        }
        self.text.push_str(text);
        let number = self.ends.len() as u32;
        self.ends.push(self.text.len() as u32);
        self.recent[slot] = number;
        Ok(number)
    }

    /// Returns the text of a number.
    pub fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[number] as usize]
    }
}
