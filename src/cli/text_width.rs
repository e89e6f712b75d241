//! The width of help, and lines of that width.

use std::io;
use std::os::fd::AsFd;

use crate::actions::ProcessEnvironment;

/// Widths of help, in characters: longer lines are hard to read, and shorter ones hold no flag.
const WIDTHS: [usize; 2] = [40, 100];

/// Returns the width for text on standard output: the terminal's, else that of `COLUMNS`, else that of the
/// terminal of standard error, where a pager reads standard output, else 100.
pub(super) fn output_width(environment: &ProcessEnvironment) -> usize {
    let terminal = terminal_width(&io::stdout());
    let columns = environment.get("COLUMNS");
    let columns = || columns.and_then(|columns| columns.parse().ok());
    let [least, most] = WIDTHS;
    let paged = || terminal_width(&io::stderr());
    let width = terminal.or_else(columns).or_else(paged);
    width.unwrap_or(most).clamp(least, most)
}

/// Returns the width of a terminal; `None` if the stream is none, or its width is not known.
fn terminal_width(stream: &impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// Returns a paragraph as lines of at most `width` characters. A longer word has a line of its own.
pub(super) fn wrap_text(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Returns a paragraph with an indent, wrapped and ended by a line break.
pub(super) fn indent_text(text: &str, indent: usize, width: usize) -> String {
    let lines = wrap_text(text, width.saturating_sub(indent)).into_iter();
    lines
        .map(|line| format!("{:indent$}{line}\n", ""))
        .collect()
}

/// Returns a command line as a shell reads it: wrapped before flags, with `\` at the end of all lines but
/// the last.
pub(super) fn wrap_command(line: &str, indent: usize, width: usize) -> String {
    const CONTINUATION: &str = " \\";
    let room = width.saturating_sub(indent + CONTINUATION.len());
    let mut lines: Vec<String> = Vec::new();
    for part in line.split(" --") {
        match lines.last_mut() {
            None => lines.push(part.to_owned()),
            Some(last) if last.chars().count() + 3 + part.chars().count() <= room => {
                last.push_str(" --");
                last.push_str(part);
            }
            Some(_) => lines.push(format!("  --{part}")),
        }
    }
    let separator = format!("{CONTINUATION}\n{:indent$}", "");
    format!("{:indent$}{}\n", "", lines.join(&separator))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_not_longer_than_the_width() {
        assert_eq!(wrap_text("ab cd  ef\ng", 5), ["ab cd", "ef g"]);
        assert_eq!(wrap_text("abcdefgh i", 5), ["abcdefgh", "i"]);
        assert_eq!(indent_text("ab cd", 2, 6), "  ab\n  cd\n");
        assert_eq!(wrap_text("", 5), [""; 0]);
    }

    #[test]
    fn a_wrapped_command_is_the_same_command() {
        let line = "shipmark push --source oci:build --images ghcr.io/acme/web --dry-run";
        let wrapped = wrap_command(line, 2, 40);
        assert_eq!(
            wrapped,
            "  shipmark push --source oci:build \\\n    --images ghcr.io/acme/web \\\n    --dry-run\n"
        );
        let joined = wrapped.replace("\\\n", "");
        assert_eq!(
            joined.split_whitespace().collect::<Vec<_>>(),
            line.split_whitespace().collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_width_is_that_of_columns_within_limits() {
        let width = |columns: &str| output_width(&[("COLUMNS", columns)].into_iter().collect());
        // A test may run in a terminal.
        if rustix::termios::tcgetwinsize(io::stdout()).is_err() {
            assert_eq!(
                [width("72"), width("7"), width("700"), width("x")],
                [72, 40, 100, 100]
            );
        }
    }
}
