//! Text with tones, which a terminal shows as colours.

use std::fmt;
use std::ops::Range;

/// Text of which some ranges have a tone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StyledText {
    text: String,
    tones: Vec<(Range<usize>, Tone)>,
}

/// What a range of text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something was created, moved or verified.
    Done,
    /// Something was kept, or needs attention.
    Caution,
    /// Something was refused or failed.
    Refused,
    /// Title.
    Title,
}

/// How text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextStyle {
    /// Whether tones are shown as colours.
    pub has_colors: bool,
    /// Columns of the terminal; `None` if lines are not wrapped.
    pub width: Option<usize>,
}

impl Tone {
    /// Returns the escape sequence that begins the tone: SGR of ECMA-48.
    fn begin(self) -> &'static str {
        match self {
            Self::Done => "\x1b[32m",
            Self::Caution => "\x1b[33m",
            Self::Refused => "\x1b[31m",
            Self::Title => "\x1b[1m",
        }
    }
}

/// Escape sequence that ends every tone.
const END: &str = "\x1b[0m";

/// Columns from which lines are wrapped; below it they stay as they are.
const LEAST_WIDTH: usize = 40;

impl StyledText {
    /// Appends text without a tone.
    pub(super) fn push(&mut self, text: &str) {
        self.text += text;
    }

    /// Appends text with a tone.
    pub(super) fn push_toned(&mut self, tone: Tone, text: &str) {
        let begin = self.text.len();
        self.text += text;
        self.tones.push((begin..self.text.len(), tone));
    }

    /// Appends another text with its tones.
    pub(super) fn append(&mut self, other: &Self) {
        let begin = self.text.len();
        self.text += &other.text;
        let moved = other.tones.iter();
        self.tones
            .extend(moved.map(|(range, tone)| (begin + range.start..begin + range.end, *tone)));
    }

    /// Removes white space from the end.
    pub(super) fn trim_end(&mut self) {
        self.text.truncate(self.text.trim_end().len());
        let length = self.text.len();
        for (range, _) in &mut self.tones {
            range.start = range.start.min(length);
            range.end = range.end.min(length);
        }
    }

    /// Returns the text without tones.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the text for a terminal or file.
    pub(super) fn render(&self, style: TextStyle) -> String {
        let mut out = String::with_capacity(self.text.len());
        let mut tones = self.tones.iter().filter(|_| style.has_colors).peekable();
        let mut breaks = line_breaks(&self.text, style.width).into_iter().peekable();
        let mut end_at = None;
        for (at, c) in self.text.char_indices() {
            if end_at == Some(at) {
                out += END;
                end_at = None;
            }
            if let Some((range, tone)) = tones.next_if(|(range, _)| range.start == at)
                && !range.is_empty()
            {
                out += tone.begin();
                end_at = Some(range.end);
            }
            match breaks.next_if(|(place, _)| *place == at) {
                Some((_, indent)) => out += &format!("\n{:indent$}", ""),
                None => out.push(c),
            }
        }
        if end_at.is_some() {
            out += END;
        }
        out
    }
}

/// Returns the spaces at which lines are broken, with the indent of the line that follows.
fn line_breaks(text: &str, width: Option<usize>) -> Vec<(usize, usize)> {
    let Some(width) = width.filter(|width| *width >= LEAST_WIDTH) else {
        return Vec::new();
    };
    let mut breaks = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        breaks.extend(breaks_of_line(line, width).map(|(at, indent)| (begin + at, indent)));
        begin += line.len();
    }
    breaks
}

/// Returns the breaks of one line. A word that is longer than the line stays whole.
fn breaks_of_line(line: &str, width: usize) -> impl Iterator<Item = (usize, usize)> {
    let indent = line.len() - line.trim_start_matches(' ').len() + 2;
    let mut breaks = Vec::new();
    let (mut column, mut last_space) = (0, None);
    for (at, c) in line.trim_end().char_indices() {
        if c == ' ' && at > indent {
            last_space = Some((at, column));
        }
        column += 1;
        if column > width
            && let Some((space, before)) = last_space.take()
        {
            breaks.push((space, indent));
            column = indent + column - before - 1;
        }
    }
    breaks.into_iter()
}

impl From<String> for StyledText {
    fn from(text: String) -> Self {
        Self {
            text,
            tones: Vec::new(),
        }
    }
}

impl fmt::Display for StyledText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> StyledText {
        let mut text = StyledText::from("  1.4.0  ".to_owned());
        text.push_toned(Tone::Done, "created");
        text.push("  ");
        text.push_toned(Tone::Caution, "kept\n\n");
        text.trim_end();
        text
    }

    #[test]
    fn tones_are_colours_where_there_are_any() {
        assert_eq!(
            sample().render(TextStyle::default()),
            "  1.4.0  created  kept"
        );
        let colored = TextStyle {
            has_colors: true,
            width: None,
        };
        let expected = "  1.4.0  \x1b[32mcreated\x1b[0m  \x1b[33mkept\x1b[0m";
        assert_eq!(sample().render(colored), expected);
        let mut two = sample();
        two.append(&sample());
        assert_eq!(two.render(colored), expected.repeat(2));
    }

    #[test]
    fn long_lines_are_wrapped_at_blanks_with_an_indent() {
        let style = |width| TextStyle {
            has_colors: false,
            width: Some(width),
        };
        let text = StyledText::from(
            "  5 manifests written, 12.3 MiB moved in 4 blobs, 6.0 KiB not moved\nnext".to_owned(),
        );
        assert_eq!(
            text.render(style(40)),
            "  5 manifests written, 12.3 MiB moved in\n    4 blobs, 6.0 KiB not moved\nnext"
        );
        assert_eq!(
            text.render(style(39)),
            text.as_str(),
            "no terminal is that narrow"
        );
        let long = format!("oci:prod@{} x", "a".repeat(60));
        let rendered = StyledText::from(long).render(style(50));
        assert_eq!(rendered, format!("oci:prod@{}\n  x", "a".repeat(60)));
        for width in 40..90 {
            let rendered = text.render(style(width));
            let words = |text: &str| {
                text.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(words(&rendered), words(text.as_str()));
            assert!(
                rendered.lines().all(|line| line.chars().count() <= width),
                "{rendered}"
            );
        }
    }
}
