//! Standard output of a run: the report, or the one value that the command line asks for.

use std::io::{self, ErrorKind, Write};

use super::run_log::RunLog;
use super::styled_text::{StyledText, TextStyle};
use crate::actions;
use crate::cli::OutputFormat;

/// Standard output of a run.
pub struct ReportPage<W> {
    /// Standard output, or what takes its place.
    pub out: W,
    /// Value that the user chose; `None`: the report, except in a job, which has it in its log.
    pub format: Option<OutputFormat>,
    /// How the report is shown.
    pub style: TextStyle,
    /// Whether the runner reads standard output, and acts on workflow commands in it.
    pub is_in_runner: bool,
    /// Result of the writes so far: the first error.
    pub written: io::Result<()>,
}

/// Logs why standard output does not have all that belongs there. Returns the exit status: 3 then, 0 if all
/// was written or the reader has closed the pipe.
pub fn report_written(written: io::Result<()>, log: &RunLog) -> u8 {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let text = format!("failed: cannot write to standard output: {error}");
            log.error("shipmark", &text, None);
            3
        }
        _ => 0,
    }
}

impl<W: Write> ReportPage<W> {
    /// Returns whether the report is written here.
    pub(super) fn shows_text(&self) -> bool {
        match self.format {
            None => !self.is_in_runner,
            Some(format) => format == OutputFormat::Text,
        }
    }

    /// Returns the output of the step that is written here, if one is.
    pub(super) fn output_name(&self) -> Option<&'static str> {
        let format = self.format.filter(|format| *format != OutputFormat::Text);
        format.map(OutputFormat::name)
    }

    /// Writes the report.
    pub(super) fn write_text(&mut self, text: &StyledText, log: &RunLog) {
        let text = log.render(text, self.style);
        match self.is_in_runner {
            true => self.write_line(&actions::escape_log_text(&text)),
            false => self.write_line(&text),
        }
    }

    /// Writes a value; nothing for an empty one.
    pub(super) fn write_value(&mut self, value: &str) {
        match (value, self.format) {
            ("", _) => {}
            // The runner acts on `##[` anywhere in a line, and in JSON it can be written otherwise.
            (json, Some(OutputFormat::Json)) => {
                self.write_line(&json.replace("##[", "#\\u0023["));
            }
            (value, _) => self.write_line(value),
        }
    }

    fn write_line(&mut self, line: &str) {
        if self.written.is_ok() {
            let written = writeln!(self.out, "{line}");
            self.written = written.and_then(|()| self.out.flush());
        }
    }
}
