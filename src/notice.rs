//! What happens on the way, as values: the rooms that do the work say it, the surface prints it.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

/// Something a person reading the log should know.
#[derive(Debug, Clone)]
pub enum Notice {
    /// What is being done, was decided, or is tried again: of the few warnings that GitHub shows of a
    /// step, a registry that is slow for a moment must not use up any.
    Info(String),
    /// Something that was defaulted, withheld or looks wrong.
    Warning(String),
    /// Something that is secret from now on, and must be shown nowhere.
    Secret(SecretString),
    /// How far the transfers have come; sent often, to be shown seldom.
    Progress(Progress),
}

/// How far the transfers of a run have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes moved so far.
    pub moved: u64,
    /// Bytes to move, as far as they are known.
    pub total: u64,
    /// How many images are done, where a run has several: their bytes are known only as their turn
    /// comes.
    pub images: Option<Images>,
}

/// How many images of a run are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Images {
    /// Those that are.
    pub done: u64,
    /// All of them.
    pub of: u64,
}

/// Where notices go. Cheap to clone.
#[derive(Clone)]
pub struct Notices(Arc<dyn Fn(Notice) + Send + Sync>);

impl Notices {
    /// Sends every notice to `receiver`.
    pub fn new(receiver: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receiver))
    }

    /// Says what is being done.
    pub fn info(&self, text: impl Into<String>) {
        (self.0)(Notice::Info(text.into()));
    }

    /// Says what a person should look at.
    pub fn warning(&self, text: impl Into<String>) {
        (self.0)(Notice::Warning(text.into()));
    }

    /// Says what must not be shown, before anything that could hold it is.
    pub fn secret(&self, text: SecretString) {
        (self.0)(Notice::Secret(text));
    }

    /// Says how far the transfers have come.
    pub fn progress(&self, progress: Progress) {
        (self.0)(Notice::Progress(progress));
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notices")
    }
}

/// `text` as one printable line of at most `limit` characters. For text from outside (registry
/// answers, labels, reports): what is cut is shown as `…`, what cannot be printed as `�`.
pub fn printable(text: &str, limit: usize) -> String {
    let mut line: String = text
        .trim()
        .chars()
        .map(|c| {
            if c.is_control() || is_invisible(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .take(limit)
        .collect();
    if text.trim().chars().nth(limit).is_some() {
        line.push('…');
    }
    line
}

/// Characters that change how their neighbours are shown (bidirectional controls and the like).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_becomes_one_printable_line() {
        assert_eq!(
            printable(" a\n::add-mask::b\x1b[0m ", 80),
            "a�::add-mask::b�[0m"
        );
        assert_eq!(printable("a\u{202e}b", 80), "a�b");
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("äöü", 3), "äöü");
    }
}
