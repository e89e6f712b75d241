//! Escapes text from outside for Markdown.

use crate::actions;
use crate::notices::to_printable;

/// The most characters of one piece of text that are shown.
const TEXT_LIMIT: usize = 1000;
/// The most characters of a line of a block, which readers copy.
const BLOCK_LINE_LIMIT: usize = 4096;

/// Returns text escaped so that no part of it is markup.
pub(super) fn escape_text(text: &str) -> String {
    actions::markdown(&to_printable(text, TEXT_LIMIT))
}

/// Returns a code span, also for a table cell. A cell ends at any `|`, even in code, so the code ends before each
/// and begins again after it.
pub(super) fn code_span(text: &str) -> String {
    to_printable(text, TEXT_LIMIT)
        .split('|')
        .map(single_span)
        .collect::<Vec<_>>()
        .join("&#124;")
}

fn single_span(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mark = "`".repeat(longest_run(text) + 1);
    // One space on each side is taken off again, so none of the text's own is lost, and a backtick
    // of the text does not join the mark.
    let edge = |c: char| c == '`' || c == ' ';
    let pad = if text.starts_with(edge) || text.ends_with(edge) {
        " "
    } else {
        ""
    };
    format!("{mark}{pad}{text}{pad}{mark}")
}

/// Returns text of several lines, escaped, with breaks between the lines.
pub(super) fn escape_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(escape_text).collect();
    lines.join("<br>")
}

/// Returns a code block, for which GitHub shows a copy button.
pub(super) fn code_block<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let lines = lines.into_iter();
    let lines = lines.map(|line| to_printable(line, BLOCK_LINE_LIMIT));
    fenced_block("text", &lines.collect::<Vec<_>>())
}

/// Returns a code block with a shell command, with a line for each part.
pub(super) fn shell_block(parts: &[String]) -> String {
    let last = parts.len().saturating_sub(1);
    let lines = parts.iter().enumerate().map(|(at, part)| {
        let indent = if at == 0 { "" } else { "  " };
        let end = if at == last { "" } else { " \\" };
        format!("{indent}{}{end}", to_printable(part, BLOCK_LINE_LIMIT))
    });
    fenced_block("sh", &lines.collect::<Vec<_>>())
}

fn fenced_block(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max();
    let fence = "`".repeat(3.max(longest.unwrap_or_default() + 1));
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// Kind of an alert, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlertKind {
    /// Yellow: a warning.
    Warning,
    /// Red: a failure.
    Caution,
}

/// Returns an alert of paragraphs that are already Markdown.
pub(super) fn alert(kind: AlertKind, paragraphs: impl IntoIterator<Item = String>) -> String {
    let kind = match kind {
        AlertKind::Warning => "WARNING",
        AlertKind::Caution => "CAUTION",
    };
    let paragraphs = paragraphs.into_iter();
    let paragraphs: Vec<String> = paragraphs.map(|it| format!("> {it}\n")).collect();
    format!("\n> [!{kind}]\n{}", paragraphs.join(">\n"))
}

/// Returns text, already Markdown, folded below a title of plain words; empty without text.
pub(super) fn details(title: &str, text: &str) -> String {
    match text.is_empty() {
        true => String::new(),
        false => format!("\n<details><summary>{title}</summary>\n\n{text}\n</details>\n"),
    }
}

/// Returns a table row of cells that are already Markdown.
pub(super) fn table_row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_kept_apart() {
        assert_eq!(escape_lines("a\n *b*"), r"a<br>\*b\*");
        assert_eq!(escape_text("a\n# b"), "a\u{fffd}# b");
    }

    #[test]
    fn an_alert_has_paragraphs() {
        let text = alert(AlertKind::Caution, ["a".to_owned(), "b".to_owned()]);
        assert_eq!(text, "\n> [!CAUTION]\n> a\n>\n> b\n");
        assert_eq!(details("Transfer", ""), "");
    }

    #[test]
    fn code_survives_backticks_and_bars() {
        for (input, expected) in [
            ("1.4.0", "`1.4.0`"),
            ("a|b", "`a`&#124;`b`"),
            ("|", "&#124;"),
            ("a``b", "```a``b```"),
            ("`a", "`` `a ``"),
            ("a\n<b>", "`a\u{fffd}<b>`"),
            ("", ""),
        ] {
            assert_eq!(code_span(input), expected);
        }
    }

    #[test]
    fn a_block_ends_where_it_should() {
        assert_eq!(code_block(["a", "```"]), "````text\na\n```\n````\n");
        assert_eq!(code_block(["a\n```"]), "````text\na\u{fffd}```\n````\n");
    }

    /// Reads code spans as CommonMark does: to the next run of as many backticks.
    fn decode_code(markdown: &str) -> String {
        let mut out = String::new();
        let mut rest = markdown;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("&#124;") {
                out.push('|');
                rest = after;
                continue;
            }
            let length = rest.len() - rest.trim_start_matches('`').len();
            assert!(length > 0, "{rest:?} is bare in {markdown:?}");
            let body = &rest[length..];
            let end = closing(body, length).expect("a closing mark");
            let inner = &body[..end];
            let blank = inner.chars().all(|c| c == ' ');
            let trimmed = inner.strip_prefix(' ').and_then(|x| x.strip_suffix(' '));
            out += match trimmed {
                Some(trimmed) if !blank => trimmed,
                _ => inner,
            };
            rest = &body[end + length..];
        }
        out
    }

    fn closing(body: &str, length: usize) -> Option<usize> {
        let mut at = 0;
        while let Some(start) = body[at..].find('`').map(|found| at + found) {
            let run = body[start..].len() - body[start..].trim_start_matches('`').len();
            if run == length {
                return Some(start);
            }
            at = start + run;
        }
        None
    }

    proptest! {
        #[test]
        fn code_is_what_was_meant(input in "[ab|`\\\\<&\n ]{0,40}") {
            let code = code_span(&input);
            prop_assert!(!code.contains(['|', '\n']));
            let blank_ends = |text: &str| text.split('|').map(|part| part.trim_matches(' ').to_owned()).collect::<Vec<_>>();
            prop_assert_eq!(blank_ends(&decode_code(&code)), blank_ends(&to_printable(&input, TEXT_LIMIT)));
        }
    }
}
