//! Escapes text from outside for Markdown.

use crate::actions;
use crate::notices::to_printable;

/// The most characters of one piece of text that are shown.
const TEXT_LIMIT: usize = 1000;

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

/// Returns a code block, for which GitHub shows a copy button.
pub(super) fn code_block<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let lines: Vec<_> = lines
        .into_iter()
        .map(|line| to_printable(line, TEXT_LIMIT))
        .collect();
    let longest = lines.iter().map(|line| longest_run(line)).max();
    let fence = "`".repeat(3.max(longest.unwrap_or_default() + 1));
    format!("{fence}text\n{}\n{fence}\n", lines.join("\n"))
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
    fn hostile_text_is_shown() {
        for (input, expected) in [
            ("a_b", "a&#95;b"),
            ("<script>", "&#60;script&#62;"),
            (
                "[x](y) @acme #1",
                "&#91;x&#93;&#40;y&#41; &#64;&#8203;acme &#35;&#8203;1",
            ),
            ("a\n# b", "a\u{fffd}&#35;&#8203; b"),
            ("https://x", "https&#58;//x"),
        ] {
            assert_eq!(escape_text(input), expected);
        }
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

    /// Reads references back, and refuses whatever could be markup.
    fn decode(markdown: &str) -> String {
        let mut out = String::new();
        let mut rest = markdown;
        while let Some(c) = rest.chars().next() {
            if let Some((number, after)) = rest
                .strip_prefix("&#")
                .and_then(|rest| rest.split_once(';'))
            {
                out.extend(number.parse().ok().and_then(char::from_u32));
                rest = after;
                continue;
            }
            assert!(
                c.is_ascii_alphanumeric() || !c.is_ascii() || " ,;/%".contains(c),
                "{c:?} in {markdown}"
            );
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
        out
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
        fn text_is_what_was_meant(input in "[ -~\n@#äß|`<>\\[\\]]{0,60}") {
            let read = decode(&escape_text(&input)).replace('\u{200b}', "");
            prop_assert_eq!(read, to_printable(&input, TEXT_LIMIT));
        }

        #[test]
        fn any_text_is_inert(input in any::<String>()) {
            decode(&escape_text(&input));
        }

        #[test]
        fn code_is_what_was_meant(input in "[ab|`\\\\<&\n ]{0,40}") {
            let code = code_span(&input);
            prop_assert!(!code.contains(['|', '\n']));
            let blank_ends = |text: &str| text.split('|').map(|part| part.trim_matches(' ').to_owned()).collect::<Vec<_>>();
            prop_assert_eq!(blank_ends(&decode_code(&code)), blank_ends(&to_printable(&input, TEXT_LIMIT)));
        }
    }
}
