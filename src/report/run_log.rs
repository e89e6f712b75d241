//! Log of a run, for a job, a terminal or a file.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use secrecy::ExposeSecret;

use super::progress_line::ProgressThrottle;
use super::summary::RunAttempt;
use crate::actions::{self, AnnotationLevel, SecretTexts};
use crate::notices::{Notice, Notices, TransferProgress, to_printable};

/// Log of a run, as one stream so that the order is kept. Takes text from anywhere, and writes it
/// without secrets or control characters, and in a job without workflow commands of others.
pub struct RunLog(Mutex<LogState>);

/// Reader of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogReader {
    /// The runner, which acts on workflow commands.
    Job,
    /// A person at a terminal.
    Terminal,
    /// A file or another program.
    File,
}

struct LogState {
    out: Box<dyn Write + Send>,
    reader: LogReader,
    secrets: SecretTexts,
    throttle: ProgressThrottle,
    /// Whether the last line on the terminal shows progress, which the next line replaces.
    in_progress: bool,
    annotations: [usize; 2],
    /// Warnings so far, for the summary.
    warnings: Vec<String>,
    attempt: RunAttempt,
}

/// Annotations of a level that GitHub shows for one step.
const ANNOTATIONS_LIMIT: usize = 10;

/// Most warnings that are kept for the summary.
const WARNINGS_LIMIT: usize = 200;

/// Characters of a line that are shown.
const LINE_LIMIT: usize = 4096;

impl RunLog {
    /// Returns a log that writes to `out`.
    pub fn new(out: impl Write + Send + 'static, reader: LogReader) -> Arc<Self> {
        let throttle = match reader {
            LogReader::Terminal => ProgressThrottle::for_terminal(),
            LogReader::Job | LogReader::File => ProgressThrottle::for_log(),
        };
        Arc::new(Self(Mutex::new(LogState {
            out: Box::new(out),
            reader,
            secrets: SecretTexts::default(),
            throttle,
            in_progress: false,
            annotations: [0; 2],
            warnings: Vec::new(),
            attempt: RunAttempt::default(),
        })))
    }

    /// Returns the receiver of notices from the rest of the program.
    pub fn notices(self: &Arc<Self>) -> Notices {
        let log = self.clone();
        Notices::new(move |notice| match notice {
            Notice::Info(text) => log.info(&text),
            Notice::Warning(text) => log.warning(&text),
            Notice::Secret(secret) => {
                let mut secrets = SecretTexts::default();
                secrets.add(secret.expose_secret());
                log.add_secrets(&secrets);
            }
            Notice::Progress(progress) => log.progress(progress, Instant::now()),
        })
    }

    /// Hides `secrets` in everything that is written from now on, and masks them in a job.
    pub fn add_secrets(&self, secrets: &SecretTexts) {
        let mut inner = self.lock();
        let new = inner.secrets.merge(secrets);
        if inner.reader == LogReader::Job {
            let masks = new.iter().filter_map(|mask| actions::mask_command(mask));
            masks.for_each(|mask| inner.write(&mask));
        }
    }

    /// Returns `text` without secrets and control characters.
    pub fn redact(&self, text: &str) -> String {
        self.lock().redact(text)
    }

    /// Returns a value without secrets. Digests and `names` in it stay.
    pub fn without_secrets(&self, value: &str, names: &[String]) -> String {
        let inner = self.lock();
        inner.secrets.hide_except(value, names).into_owned()
    }

    /// Returns whether the runner masks a part of `text`.
    pub fn is_masked(&self, text: &str) -> bool {
        let inner = self.lock();
        let masked = inner.secrets.iter().any(|secret| text.contains(secret));
        inner.reader == LogReader::Job && masked
    }

    /// Writes a line.
    pub fn info(&self, text: &str) {
        self.lock().write_line(text);
    }

    /// Writes a warning.
    pub fn warning(&self, text: &str) {
        let mut inner = self.lock();
        inner.record_warning(text);
        inner.annotate(AnnotationLevel::Warning, "shipmark", text);
    }

    /// Returns the warnings so far, without secrets; of very many the first.
    pub fn warnings(&self) -> Vec<String> {
        let inner = self.lock();
        let warnings = inner.warnings.iter();
        warnings.map(|text| inner.redact(text)).collect()
    }

    /// Records what the run is asked to do, for the report of a failure.
    pub fn record_attempt(&self, attempt: RunAttempt) {
        self.lock().attempt = attempt;
    }

    /// Returns what the run is asked to do, as far as it is recorded.
    pub fn attempt(&self) -> RunAttempt {
        self.lock().attempt.clone()
    }

    /// Writes why the run failed. `text` begins with the kind of failure.
    pub fn error(&self, title: &str, text: &str) {
        self.lock().annotate(AnnotationLevel::Error, title, text);
    }

    /// Writes several lines, in a job as a folded group with a title.
    pub fn write_group(&self, title: &str, text: &str) {
        let mut inner = self.lock();
        if inner.reader != LogReader::Job {
            return inner.write_line(text);
        }
        let title = inner.redact(title);
        inner.write(&actions::group_command(&title));
        inner.write_line(text);
        inner.write(actions::end_group_command());
    }

    fn progress(&self, progress: TransferProgress, now: Instant) {
        let mut inner = self.lock();
        if let Some(line) = inner.throttle.next_line(progress, now) {
            inner.write_progress(&line);
        }
    }

    /// Locks the state, also after a panic in another thread.
    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogState {
    fn redact(&self, text: &str) -> String {
        // Secrets first: a secret of several lines cannot be found in single lines.
        let lines: Vec<_> = self
            .secrets
            .redact(text)
            .lines()
            .map(|line| {
                let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
                format!("{indent}{}", to_printable(line, LINE_LIMIT))
            })
            .collect();
        lines.join("\n")
    }

    fn record_warning(&mut self, text: &str) {
        if self.warnings.len() < WARNINGS_LIMIT {
            self.warnings.push(text.to_owned());
        }
    }

    fn write_line(&mut self, text: &str) {
        let text = self.redact(text);
        match self.reader {
            LogReader::Job => self.write(&actions::escape_log_text(&text)),
            LogReader::Terminal | LogReader::File => self.write(&text),
        }
    }

    /// Writes an annotation in a job, up to the number that GitHub shows; else a line. Errors begin with
    /// their kind already, other lines get the level as a prefix.
    fn annotate(&mut self, level: AnnotationLevel, title: &str, text: &str) {
        let count = &mut self.annotations[usize::from(level == AnnotationLevel::Error)];
        *count += 1;
        if self.reader == LogReader::Job && *count <= ANNOTATIONS_LIMIT {
            let command = actions::annotation_command(level, title, &self.redact(text));
            self.write(&command);
        } else if level == AnnotationLevel::Error {
            self.write_line(text);
        } else {
            self.write_line(&format!("{}: {text}", level.as_str()));
        }
    }

    fn write_progress(&mut self, line: &str) {
        if self.reader == LogReader::Terminal {
            let _ = write!(self.out, "\r\x1b[2K{line}");
            let _ = self.out.flush();
            self.in_progress = true;
        } else {
            self.write(line);
        }
    }

    /// Writes a line and ignores errors: a closed log must not stop the run.
    fn write(&mut self, text: &str) {
        let clear = if self.in_progress { "\r\x1b[2K" } else { "" };
        self.in_progress = false;
        let _ = writeln!(self.out, "{clear}{text}");
        let _ = self.out.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::shared_buffer::SharedBuffer;

    fn log(reader: LogReader) -> (Arc<RunLog>, SharedBuffer) {
        let page = SharedBuffer::default();
        (RunLog::new(page.clone(), reader), page)
    }

    fn tell(log: &Arc<RunLog>) {
        let mut secrets = SecretTexts::default();
        secrets.add_login("robot", "made-up-word");
        log.add_secrets(&secrets);
        let notices = log.notices();
        notices.info("login of robot:made-up-word");
        notices.warning("50% of\nit");
        log.error("shipmark push", "refused: no\n why:  it\x1b[0m is so");
        log.write_group("Report", "one\n  two");
    }

    #[test]
    fn a_job_gets_commands() {
        let (log, page) = log(LogReader::Job);
        tell(&log);
        insta::assert_snapshot!(page.text(), @r"
        ::add-mask::Y205aWIzUTZiV0ZrWlMxMWNDMTNiM0pr
        ::add-mask::cm9ib3Q6bWFkZS11cC13b3Jk
        ::add-mask::bWFkZS11cC13b3Jk
        ::add-mask::made-up-word
        login of robot:***
        ::warning title=shipmark::50%25 of%0Ait
        ::error title=shipmark push::refused: no%0A why:  it�[0m is so
        ::group::Report
        one
          two
        ::endgroup::
        ");
    }

    #[test]
    fn a_person_gets_text() {
        let (log, page) = log(LogReader::Terminal);
        tell(&log);
        insta::assert_snapshot!(page.text(), @r"
        login of robot:***
        warning: 50% of
        it
        refused: no
         why:  it�[0m is so
        one
          two
        ");
    }

    #[test]
    fn text_from_outside_is_no_command() {
        let (log, page) = log(LogReader::Job);
        log.info("x\n::add-mask::sha256");
        let lines: Vec<_> = page.text().lines().map(str::to_owned).collect();
        assert!(lines[0].starts_with("::stop-commands::"));
        assert_eq!(lines[1..3], ["x", "::add-mask::sha256"]);
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn annotations_end_where_github_stops_showing_them() {
        let (log, page) = log(LogReader::Job);
        (0..12).for_each(|number| log.warning(&number.to_string()));
        assert_eq!(page.text().matches("::warning").count(), 10);
        assert!(page.text().ends_with("\nwarning: 10\nwarning: 11\n"));
    }

    #[test]
    fn progress_is_written_over() {
        let (log, page) = log(LogReader::Terminal);
        let start = Instant::now();
        for (seconds, moved) in [(0, 0), (1, 1), (3, 2), (4, 3)] {
            let at = start + Duration::from_secs(seconds);
            let progress = TransferProgress {
                moved,
                total: 4,
                images: None,
            };
            log.progress(progress, at);
        }
        log.info("done");
        assert_eq!(
            page.text(),
            "\r\x1b[2Ktransferring: 2 B of 4 B (50 %), 0 B/s\r\x1b[2Ktransferring: 3 B of 4 B (75 %), 0 B/s\r\x1b[2Kdone\n"
        );
    }
}
