//! Log of a run, for a job, a terminal or a file.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use indicatif::ProgressDrawTarget;
use secrecy::ExposeSecret;

use super::progress_bars::ProgressBars;
use super::progress_line::ProgressThrottle;
use super::styled_text::{StyledText, TextStyle, Tone};
use super::summary::RunAttempt;
use crate::actions::{self, AnnotationLevel, CheckoutPaths, SecretTexts};
use crate::cli::Verbosity;
use crate::notices::{FileLocation, Notice, Notices, TagNews, TransferProgress, to_printable};
use crate::release::GithubReport;

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

/// How a log is written.
#[derive(Debug, Clone, Default)]
pub struct LogSettings {
    /// How much it says.
    pub verbosity: Verbosity,
    /// Whether tones are shown as colours, and where lines are wrapped.
    pub style: TextStyle,
    /// Lines of the terminal that shows a line for each image in transfer; `None` without such lines.
    pub progress_height: Option<usize>,
    /// Whether the reader of the log gets the report too, so that it need not say the same before.
    pub precedes_report: bool,
    /// Checkout of the job, from which annotations name files; `None`: they name none.
    pub checkout: Option<CheckoutPaths>,
}

struct LogState {
    out: Box<dyn Write + Send>,
    reader: LogReader,
    settings: LogSettings,
    secrets: SecretTexts,
    throttle: ProgressThrottle,
    bars: Option<ProgressBars>,
    /// Changes of tags that the report will say, unless the run fails.
    unreported: Vec<(String, TagNews)>,
    annotations: [usize; 2],
    /// Warnings so far, for the summary.
    warnings: Vec<String>,
    attempt: RunAttempt,
    github: GithubReport,
}

/// Annotations of a level that GitHub shows for one step.
const ANNOTATIONS_LIMIT: usize = 10;

/// Most warnings that are kept for the summary.
const WARNINGS_LIMIT: usize = 200;

/// Characters of a line that are shown.
const LINE_LIMIT: usize = 4096;

/// Times per second that progress is drawn.
const DRAW_RATE: u8 = 5;

impl RunLog {
    /// Returns a log that writes to `out`.
    pub fn new(out: impl Write + Send + 'static, reader: LogReader) -> Arc<Self> {
        Arc::new(Self(Mutex::new(LogState {
            out: Box::new(out),
            reader,
            settings: LogSettings::default(),
            secrets: SecretTexts::default(),
            throttle: ProgressThrottle::default(),
            bars: None,
            unreported: Vec::new(),
            annotations: [0; 2],
            warnings: Vec::new(),
            attempt: RunAttempt::default(),
            github: GithubReport::default(),
        })))
    }

    /// Changes how the log is written from now on. Progress lines are drawn on standard error.
    pub fn configure(&self, settings: LogSettings) {
        let target = || ProgressDrawTarget::stderr_with_hz(DRAW_RATE);
        self.configure_with(settings, target);
    }

    fn configure_with(&self, settings: LogSettings, target: impl FnOnce() -> ProgressDrawTarget) {
        let mut inner = self.lock();
        let height = settings.progress_height;
        inner.bars = height.map(|height| ProgressBars::new(target(), height));
        inner.settings = settings;
    }

    /// Returns the receiver of notices from the rest of the program.
    pub fn notices(self: &Arc<Self>) -> Notices {
        let log = self.clone();
        let wants_details = self.lock().settings.verbosity == Verbosity::Verbose;
        let notices = Notices::new(move |notice| match notice {
            Notice::Info(text) => log.info(&text),
            Notice::TagChange(text, news) => log.tag_change(text, news),
            Notice::Detail(text) => log.detail(&text),
            Notice::Warning(text, location) => log.warn(&text, location.as_ref()),
            Notice::Secret(secret) => {
                let mut secrets = SecretTexts::default();
                secrets.add(secret.expose_secret());
                log.add_secrets(&secrets);
            }
            Notice::Progress(progress) => log.progress(&progress, Instant::now()),
        });
        notices.with_details(wants_details)
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

    /// Returns `text` without secrets and control characters, as a terminal or file shows it.
    pub(super) fn render(&self, text: &StyledText, style: TextStyle) -> String {
        self.lock().render(text, style)
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
        let mut inner = self.lock();
        if inner.settings.verbosity >= Verbosity::Normal {
            inner.write_line(&StyledText::from(text.to_owned()));
        }
    }

    /// Writes a line for a reader who looks for a fault.
    pub fn detail(&self, text: &str) {
        let mut inner = self.lock();
        if inner.settings.verbosity == Verbosity::Verbose {
            inner.write_line(&StyledText::from(text.to_owned()));
        }
    }

    /// Writes a warning.
    pub fn warning(&self, text: &str) {
        self.warn(text, None);
    }

    fn warn(&self, text: &str, location: Option<&FileLocation>) {
        let mut inner = self.lock();
        inner.record_warning(text);
        inner.annotate(AnnotationLevel::Warning, "shipmark", text, location);
    }

    /// Returns the warnings so far, without secrets; of very many the first.
    pub fn warnings(&self) -> Vec<String> {
        let inner = self.lock();
        let warnings = inner.warnings.iter();
        warnings.map(|text| inner.redact(text)).collect()
    }

    /// Records what GitHub was told, for the reports.
    pub fn record_github(&self, report: GithubReport) {
        self.lock().github = report;
    }

    /// Returns what GitHub was told, without secrets.
    pub(super) fn github(&self) -> GithubReport {
        let report = self.lock().github.clone();
        report.map_texts(&|text| self.redact(text))
    }

    /// Records what the run is asked to do, for the report of a failure.
    pub fn record_attempt(&self, attempt: RunAttempt) {
        self.lock().attempt = attempt;
    }

    /// Returns what the run is asked to do, as far as it is recorded.
    pub fn attempt(&self) -> RunAttempt {
        self.lock().attempt.clone()
    }

    /// Writes why the run failed, after the tags that it has written by then. `text` begins with the
    /// kind of failure.
    pub fn error(&self, title: &str, text: &str, location: Option<&FileLocation>) {
        let mut inner = self.lock();
        inner.end_progress();
        for (text, news) in std::mem::take(&mut inner.unreported) {
            inner.write_line(&tag_line(&text, news));
        }
        inner.annotate(AnnotationLevel::Error, title, text, location);
    }

    /// Ends what only a run under way shows: its report follows, and says which tags were written.
    pub(super) fn begin_report(&self) {
        let mut inner = self.lock();
        inner.unreported.clear();
        inner.end_progress();
    }

    /// Writes the lines of a text that has any, in a job as a folded group with a title.
    pub(super) fn write_group(&self, title: &str, text: &StyledText) {
        let mut inner = self.lock();
        if inner.settings.verbosity == Verbosity::Quiet || text.as_str().is_empty() {
            return;
        }
        if inner.reader != LogReader::Job {
            return inner.write_line(text);
        }
        let title = inner.redact(title);
        inner.write(&actions::group_command(&title));
        inner.write_line(text);
        inner.write(actions::end_group_command());
    }

    fn tag_change(&self, text: String, news: TagNews) {
        let mut inner = self.lock();
        let settings = &inner.settings;
        if settings.precedes_report && settings.verbosity < Verbosity::Verbose {
            inner.unreported.push((text, news));
        } else if settings.verbosity >= Verbosity::Normal {
            inner.write_line(&tag_line(&text, news));
        }
    }

    fn progress(&self, progress: &TransferProgress, now: Instant) {
        let mut inner = self.lock();
        if inner.settings.verbosity == Verbosity::Quiet {
            return;
        }
        if let Some(bars) = &mut inner.bars {
            return bars.update(progress, now);
        }
        if let Some(line) = inner.throttle.next_line(progress, now) {
            inner.write(&line);
        }
    }

    /// Locks the state, also after a panic in another thread.
    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the line about a tag.
fn tag_line(text: &str, news: TagNews) -> StyledText {
    let mut line = StyledText::default();
    let tone = match news {
        TagNews::Written => Tone::Done,
        TagNews::Kept => Tone::Caution,
    };
    line.push_toned(tone, text);
    line
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

    /// Returns the text with its tones, or without them if something in it must not be shown.
    fn render(&self, text: &StyledText, style: TextStyle) -> String {
        let redacted = self.redact(text.as_str());
        match redacted == text.as_str() {
            true => text.render(style),
            false => StyledText::from(redacted).render(style),
        }
    }

    fn record_warning(&mut self, text: &str) {
        if self.warnings.len() < WARNINGS_LIMIT {
            self.warnings.push(text.to_owned());
        }
    }

    fn end_progress(&mut self) {
        if let Some(mut bars) = self.bars.take() {
            bars.clear();
        }
    }

    fn write_line(&mut self, text: &StyledText) {
        let text = self.render(text, self.settings.style);
        match self.reader {
            LogReader::Job => self.write(&actions::escape_log_text(&text)),
            LogReader::Terminal | LogReader::File => self.write(&text),
        }
    }

    /// Writes an annotation in a job, up to the number that GitHub shows; else a line. Errors begin with
    /// their kind already, other lines get the level as a prefix.
    fn annotate(
        &mut self,
        level: AnnotationLevel,
        title: &str,
        text: &str,
        location: Option<&FileLocation>,
    ) {
        let count = &mut self.annotations[usize::from(level == AnnotationLevel::Error)];
        *count += 1;
        if self.reader == LogReader::Job && *count <= ANNOTATIONS_LIMIT {
            let location = location.and_then(|location| self.in_checkout(location));
            let text = self.redact(text);
            let command = actions::annotation_command(level, title, location.as_ref(), &text);
            return self.write(&command);
        }
        let (prefix, tone) = match level {
            AnnotationLevel::Error => (String::new(), Tone::Refused),
            _ => (format!("{}: ", level.as_str()), Tone::Caution),
        };
        let text = prefix + text;
        let kind = text.find(':').map_or(0, |colon| colon + 1);
        let mut line = StyledText::default();
        line.push_toned(tone, &text[..kind]);
        line.push(&text[kind..]);
        self.write_line(&line);
    }

    /// Returns the location from the root of the checkout; `None` for a file outside of it.
    fn in_checkout(&self, location: &FileLocation) -> Option<FileLocation> {
        let checkout = self.settings.checkout.as_ref()?;
        let path = checkout.relative_path(Path::new(&location.path))?;
        Some(FileLocation {
            path: self.redact(&path),
            position: location.position,
        })
    }

    /// Writes a line and ignores errors: a closed log must not stop the run.
    fn write(&mut self, text: &str) {
        let Self { out, bars, .. } = self;
        let mut write = || {
            let _ = writeln!(out, "{text}");
            let _ = out.flush();
        };
        match bars {
            Some(bars) => bars.write_above(write),
            None => write(),
        }
    }
}

#[cfg(test)]
mod tests;
