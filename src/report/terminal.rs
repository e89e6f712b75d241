//! Terminals of the process, and what they and the environment say about the look of text.

use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;

use super::report_page::ReportPage;
use super::run_log::{LogReader, LogSettings};
use super::styled_text::TextStyle;
use crate::actions::{CheckoutPaths, ProcessEnvironment};
use crate::cli::{ColorChoice, OutputFlags, OutputFormat, Verbosity};

/// Size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    columns: usize,
    lines: usize,
}

/// Terminals that a person watches; `None` for a stream that goes to a file, a program or a job's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terminals {
    out: Option<TerminalSize>,
    log: Option<TerminalSize>,
}

/// Size of a terminal that does not say it.
const USUAL_SIZE: TerminalSize = TerminalSize {
    columns: 80,
    lines: 24,
};

impl Terminals {
    /// Returns the terminals of standard output and standard error.
    pub fn of_process(
        environment: &ProcessEnvironment,
        out: &(impl AsFd + IsTerminal),
        log: &(impl AsFd + IsTerminal),
    ) -> Self {
        // CI services give their jobs a terminal too, of which every line stays.
        if environment.is_in_runner() || environment.get("CI").is_some() {
            return Self::default();
        }
        Self {
            out: terminal_size(out),
            log: terminal_size(log),
        }
    }

    /// Returns who reads the log. A job's log goes to one stream, so that its order is kept.
    pub fn log_reader(&self, environment: &ProcessEnvironment) -> LogReader {
        match (environment.is_in_runner(), self.log) {
            (true, _) => LogReader::Job,
            (false, Some(_)) => LogReader::Terminal,
            (false, None) => LogReader::File,
        }
    }

    /// Returns how the log is written. `current` is the folder of the process.
    pub fn log_settings(
        &self,
        environment: &ProcessEnvironment,
        flags: OutputFlags,
        current: &Path,
    ) -> LogSettings {
        let is_report = matches!(flags.format, None | Some(OutputFormat::Text));
        LogSettings {
            verbosity: verbosity(environment, flags.verbosity),
            style: text_style(environment, flags.color, self.log),
            progress_height: self
                .log
                .filter(|_| !is_dumb(environment))
                .map(|size| size.lines),
            precedes_report: is_report && self.log.is_some() && self.out.is_some(),
            checkout: CheckoutPaths::from_environment(environment, current),
        }
    }

    /// Returns the page for the report.
    pub fn report_page<W: Write>(
        &self,
        environment: &ProcessEnvironment,
        flags: OutputFlags,
        out: W,
    ) -> ReportPage<W> {
        ReportPage {
            written: Ok(()),
            out,
            format: flags.format,
            style: text_style(environment, flags.color, self.out),
            is_in_runner: environment.is_in_runner(),
        }
    }
}

/// Returns the size of a stream's terminal; `None` if it has none.
fn terminal_size(stream: &(impl AsFd + IsTerminal)) -> Option<TerminalSize> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok();
    let size = size.map(|size| TerminalSize {
        columns: size.ws_col.into(),
        lines: size.ws_row.into(),
    });
    let known = size.filter(|size| size.columns > 0 && size.lines > 0);
    Some(known.unwrap_or(USUAL_SIZE))
}

/// Returns how much the log says: everything in a job that is run again with debug logging.
fn verbosity(environment: &ProcessEnvironment, wanted: Verbosity) -> Verbosity {
    let is_debugged = environment.is_in_runner() && environment.get("RUNNER_DEBUG") == Some("1");
    match wanted {
        Verbosity::Normal if is_debugged => Verbosity::Verbose,
        wanted => wanted,
    }
}

/// Returns how text is shown on a stream.
fn text_style(
    environment: &ProcessEnvironment,
    color: ColorChoice,
    terminal: Option<TerminalSize>,
) -> TextStyle {
    TextStyle {
        has_colors: has_colors(environment, color, terminal.is_some()),
        width: terminal.map(|size| size.columns),
    }
}

/// Returns whether text has colours, by <https://no-color.org> and <https://bixense.com/clicolors>.
fn has_colors(environment: &ProcessEnvironment, choice: ColorChoice, is_terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if environment.get("NO_COLOR").is_some() => false,
        ColorChoice::Auto => match environment.get("CLICOLOR_FORCE") {
            Some(force) if force != "0" => true,
            _ => {
                let is_off = environment.get("CLICOLOR") == Some("0") || is_dumb(environment);
                is_terminal && !is_off
            }
        },
    }
}

/// Returns whether the terminal knows no escape sequences.
fn is_dumb(environment: &ProcessEnvironment) -> bool {
    environment.get("TERM") == Some("dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_flag_then_the_variables_then_the_terminal() {
        use ColorChoice::{Always, Auto, Never};
        for (variables, choice, is_terminal, expected) in [
            (&[][..], Auto, true, true),
            (&[], Auto, false, false),
            (&[], Always, false, true),
            (&[], Never, true, false),
            (&[("NO_COLOR", "1")], Auto, true, false),
            (&[("NO_COLOR", "1")], Always, true, true),
            (&[("NO_COLOR", "")], Auto, true, true),
            (&[("CLICOLOR_FORCE", "1")], Auto, false, true),
            (&[("CLICOLOR_FORCE", "0")], Auto, false, false),
            (&[("CLICOLOR_FORCE", "1")], Never, true, false),
            (
                &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
                Auto,
                true,
                false,
            ),
            (&[("CLICOLOR", "0")], Auto, true, false),
            (&[("TERM", "dumb")], Auto, true, false),
            (
                &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")],
                Auto,
                true,
                true,
            ),
        ] {
            let environment = variables.iter().copied().collect();
            let colored = has_colors(&environment, choice, is_terminal);
            assert_eq!(colored, expected, "{variables:?} {choice:?} {is_terminal}");
        }
    }

    #[test]
    fn a_report_on_the_same_terminal_is_not_told_before() {
        let both = Terminals {
            out: Some(USUAL_SIZE),
            log: Some(USUAL_SIZE),
        };
        let piped = Terminals { out: None, ..both };
        let environment = ProcessEnvironment::default();
        for (terminals, format, expected) in [
            (both, None, true),
            (both, Some(OutputFormat::Text), true),
            (both, Some(OutputFormat::Digest), false),
            (piped, None, false),
            (Terminals::default(), None, false),
        ] {
            let flags = OutputFlags {
                format,
                ..OutputFlags::default()
            };
            let settings = terminals.log_settings(&environment, flags, Path::new("/"));
            assert_eq!(
                settings.precedes_report, expected,
                "{terminals:?} {format:?}"
            );
        }
        let dumb = [("TERM", "dumb")].into_iter().collect();
        let flags = OutputFlags::default();
        let height = |environment| both.log_settings(environment, flags, Path::new("/"));
        assert_eq!(height(&environment).progress_height, Some(24));
        assert_eq!(height(&dumb).progress_height, None);
    }

    #[test]
    fn debug_logging_of_a_job_shows_requests() {
        let debug = ("RUNNER_DEBUG", "1");
        let job = [("GITHUB_ACTIONS", "true"), debug].into_iter().collect();
        assert_eq!(verbosity(&job, Verbosity::Normal), Verbosity::Verbose);
        assert_eq!(verbosity(&job, Verbosity::Quiet), Verbosity::Quiet);
        let shell = [debug].into_iter().collect();
        assert_eq!(verbosity(&shell, Verbosity::Normal), Verbosity::Normal);
    }
}
