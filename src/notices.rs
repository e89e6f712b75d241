//! Log messages and progress as values: the rooms below the surface send them, the surface prints them.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

/// Message for the reader of the log, or progress.
#[derive(Debug, Clone)]
pub enum Notice {
    /// What is being done, was decided, or is tried again: of the few warnings that GitHub shows of a
    /// step, a registry that is slow for a moment must not use up any.
    Info(String),
    /// Change of a tag, which the report of the run names again.
    TagChange(String, TagNews),
    /// Step of the work for a reader who looks for a fault, such as a request.
    Detail(String),
    /// A default that was applied, something that was withheld, or something that looks wrong.
    Warning(String, Option<FileLocation>),
    /// Secret that must not be shown from now on.
    Secret(SecretString),
    /// How far the transfers have come; sent often, to be shown seldom.
    Progress(TransferProgress),
}

/// What became of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagNews {
    /// It points to another image than before, or is new.
    Written,
    /// It points to the same image as before.
    Kept,
}

/// File that a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLocation {
    /// Path, as the input or the program names it.
    pub path: String,
    /// Line and column, both from 1; `None` for the file as a whole.
    pub position: Option<(usize, usize)>,
}

impl FileLocation {
    /// Returns the location of a file as a whole.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            position: None,
        }
    }

    /// Returns the location of a character, by line and column from 1.
    pub fn at(path: impl Into<String>, line: usize, column: usize) -> Self {
        Self {
            path: path.into(),
            position: Some((line, column)),
        }
    }
}

/// How far the transfers of one image have come, and those of the whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferProgress {
    /// Image of which bytes were moved last.
    pub image: ImageProgress,
    /// Bytes of all images moved so far.
    pub moved: u64,
    /// Bytes of all images to move, as far as they are known.
    pub total: u64,
    /// How many images are done, where a run has several: their bytes are known only as their turn
    /// comes.
    pub images: Option<ImageCount>,
}

/// How far the transfers of one image have come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageProgress {
    /// Name of the image, which no other image of the run has.
    pub name: Arc<str>,
    /// Bytes moved so far.
    pub moved: u64,
    /// Bytes to move, as far as they are known.
    pub total: u64,
    /// Whether nothing more is moved.
    pub is_done: bool,
}

/// How many images of a run are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageCount {
    /// Those that are.
    pub done: u64,
    /// All of them.
    pub of: u64,
}

/// Receiver of notices. Cheap to clone.
#[derive(Clone)]
pub struct Notices {
    receiver: Arc<dyn Fn(Notice) + Send + Sync>,
    wants_details: bool,
}

impl Notices {
    /// Sends every notice except details to `receiver`.
    pub fn new(receiver: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        Self {
            receiver: Arc::new(receiver),
            wants_details: false,
        }
    }

    /// Sends details too, if they are wanted.
    #[must_use]
    pub fn with_details(mut self, wanted: bool) -> Self {
        self.wants_details = wanted;
        self
    }

    /// Sends a message about progress or a decision.
    pub fn info(&self, text: impl Into<String>) {
        (self.receiver)(Notice::Info(text.into()));
    }

    /// Sends what became of a tag.
    pub fn tag_change(&self, news: TagNews, text: impl Into<String>) {
        (self.receiver)(Notice::TagChange(text.into(), news));
    }

    /// Sends a step of the work, which is worded only if somebody reads it.
    pub fn detail(&self, text: impl FnOnce() -> String) {
        if self.wants_details {
            (self.receiver)(Notice::Detail(text()));
        }
    }

    /// Sends a warning.
    pub fn warning(&self, text: impl Into<String>) {
        (self.receiver)(Notice::Warning(text.into(), None));
    }

    /// Sends a warning about a file.
    pub fn file_warning(&self, location: FileLocation, text: impl Into<String>) {
        (self.receiver)(Notice::Warning(text.into(), Some(location)));
    }

    /// Announces a secret, before any message that could contain it.
    pub fn secret(&self, text: SecretString) {
        (self.receiver)(Notice::Secret(text));
    }

    /// Sends the progress of the transfers.
    pub fn progress(&self, progress: TransferProgress) {
        (self.receiver)(Notice::Progress(progress));
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notices")
    }
}

/// Returns `text` as one printable line of at most `limit` characters. For text from outside (registry
/// answers, labels, reports): what is cut is shown as `…`, a control character as `�`, and a character
/// that nobody sees as its number (`\u{ad}`).
pub fn to_printable(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    for c in text.trim().chars() {
        let before = line.len();
        match c {
            c if c.is_control() => line.push('\u{fffd}'),
            c if is_invisible(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
        length += line[before..].chars().count();
        if length > limit {
            line.truncate(before);
            line.push('…');
            break;
        }
    }
    line
}

/// Returns whether a character shows nothing of its own, or changes how its neighbours are shown:
/// Unicode's format characters (`Cf`), its default-ignorable ones, the separators of lines and
/// paragraphs, and the blank of Braille.
fn is_invisible(c: char) -> bool {
    INVISIBLE
        .binary_search_by(|range| match c {
            c if c < *range.start() => std::cmp::Ordering::Greater,
            c if c > *range.end() => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Equal,
        })
        .is_ok()
}

/// In order.
const INVISIBLE: [std::ops::RangeInclusive<char>; 26] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    // Tags, the further variation selectors, and what is reserved beside them.
    '\u{e0000}'..='\u{e0fff}',
];

/// Returns the word of `known` with the fewest edits from `word`, for "did you mean"; `None` if there is none.
pub fn nearest_word<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A word is not mistyped into a much longer one, and the distance takes quadratic time.
    let word: String = word.chars().take(40).collect();
    known.min_by_key(|known| strsim::damerau_levenshtein(known, &word))
}

/// Returns the word of `known` that is most like `word`; `None` if none is like it.
pub fn similar_word<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = known.map(|known| {
        let likeness = strsim::jaro_winkler(word, known);
        // Two letters in the wrong order make a short word very unlike.
        let is_one_edit = word.len() > 2 && strsim::damerau_levenshtein(word, known) == 1;
        (
            if is_one_edit {
                likeness.max(0.9)
            } else {
                likeness
            },
            known,
        )
    });
    likeness
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// Returns at most `limit` words of `known` that are like `word` or begin with it, the likest first.
pub fn similar_words<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str>,
    limit: usize,
) -> Vec<&'a str> {
    let likeness = known.map(|known| {
        let begins = !word.is_empty() && known.starts_with(word);
        let likeness = strsim::jaro_winkler(word, known);
        (if begins { likeness.max(0.9) } else { likeness }, known)
    });
    let mut near: Vec<_> = likeness.filter(|(likeness, _)| *likeness > 0.8).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.into_iter()
        .take(limit)
        .map(|(_, known)| known)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_becomes_one_printable_line() {
        assert_eq!(
            to_printable(" a\n::add-mask::b\x1b[0m ", 80),
            "a�::add-mask::b�[0m"
        );
        assert_eq!(to_printable("a\u{202e}b", 80), r"a\u{202e}b");
        assert_eq!(to_printable("abcdef", 3), "abc…");
        assert_eq!(to_printable("äöü", 3), "äöü");
        // An escape is shown whole or not at all.
        for limit in 1..=6 {
            assert_eq!(to_printable("a\u{ad}b", limit), "a…", "{limit}");
        }
        assert_eq!(to_printable("a\u{ad}b", 7), r"a\u{ad}…");
        assert_eq!(to_printable("a\u{ad}b", 8), r"a\u{ad}b");
    }

    /// Every character there is, against the tables of another implementation.
    #[test]
    fn promise_8_no_character_that_nobody_sees_is_shown() {
        let invisible = r"^[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]$";
        let invisible = regress::Regex::with_flags(invisible, "u").unwrap();
        let mut escaped = 0;
        for c in '\0'..=char::MAX {
            let shown = to_printable(&format!("[{c}]"), 80);
            let expected = match () {
                () if c.is_control() => "[\u{fffd}]".to_owned(),
                () if invisible.find(&c.to_string()).is_some() => {
                    escaped += 1;
                    format!("[{}]", c.escape_unicode())
                }
                () => format!("[{c}]"),
            };
            assert_eq!(shown, expected, "U+{:04X}", u32::from(c));
        }
        assert!(escaped > 4000, "only {escaped}");
    }
}
