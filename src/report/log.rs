use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use secrecy::ExposeSecret;

use super::progress::Pace;
use crate::actions::{self, Level, Secrets};
use crate::notice::{Notice, Notices, Progress, printable};

/// The log of a run: one stream, so that its order is kept. What goes in is text from anywhere;
/// what comes out has no secrets, no control characters, and in a job no commands but ours.
pub struct Log(Mutex<Inner>);

/// Who reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The runner, which acts on workflow commands.
    Job,
    /// A person at a terminal.
    Terminal,
    /// A file or another program.
    File,
}

struct Inner {
    out: Box<dyn Write + Send>,
    reader: Reader,
    secrets: Secrets,
    pace: Pace,
    /// Whether the terminal's last line is one of progress, to be written over.
    in_progress: bool,
    annotations: [usize; 2],
}

/// As many annotations of a kind as GitHub shows of one step.
const ANNOTATIONS: usize = 10;

/// Longer lines than anybody reads.
const LINE_LIMIT: usize = 4096;

impl Log {
    /// A log that is written to `out`.
    pub fn new(out: impl Write + Send + 'static, reader: Reader) -> Arc<Self> {
        let pace = match reader {
            Reader::Terminal => Pace::rewritten(),
            Reader::Job | Reader::File => Pace::logged(),
        };
        Arc::new(Self(Mutex::new(Inner {
            out: Box::new(out),
            reader,
            secrets: Secrets::default(),
            pace,
            in_progress: false,
            annotations: [0; 2],
        })))
    }

    /// What the rooms below send their notices to.
    pub fn notices(self: &Arc<Self>) -> Notices {
        let log = self.clone();
        Notices::new(move |notice| match notice {
            Notice::Info(text) => log.info(&text),
            Notice::Warning(text) => log.warning(&text),
            Notice::Secret(secret) => {
                let mut secrets = Secrets::default();
                secrets.add(secret.expose_secret());
                log.hide(&secrets);
            }
            Notice::Progress(progress) => log.progress(progress, Instant::now()),
        })
    }

    /// Hides `secrets` from now on: call it before anything that could hold one is written.
    pub fn hide(&self, secrets: &Secrets) {
        let mut inner = self.lock();
        let new = inner.secrets.merge(secrets);
        if inner.reader == Reader::Job {
            let masks = new.iter().filter_map(|mask| actions::mask(mask));
            masks.for_each(|mask| inner.write(&mask));
        }
    }

    /// `text` as it may be shown.
    pub fn clean(&self, text: &str) -> String {
        self.lock().clean(text)
    }

    /// Returns a value for others to read, without secrets. Digests and the `names` in it stay.
    pub fn without_secrets(&self, value: &str, names: &[String]) -> String {
        let inner = self.lock();
        inner.secrets.hide_except(value, names).into_owned()
    }

    /// Whether the runner masks a part of `text`.
    pub fn masks(&self, text: &str) -> bool {
        let inner = self.lock();
        let masked = inner.secrets.iter().any(|secret| text.contains(secret));
        inner.reader == Reader::Job && masked
    }

    /// Says what is being done.
    pub fn info(&self, text: &str) {
        self.lock().say(text);
    }

    /// Says what a person should look at.
    pub fn warning(&self, text: &str) {
        self.lock().annotate(Level::Warning, "shipmark", text);
    }

    /// Says why the run failed; the first word of `text` says how.
    pub fn error(&self, title: &str, text: &str) {
        self.lock().annotate(Level::Error, title, text);
    }

    /// Text of some lines, folded away under a title in a job.
    pub fn folded(&self, title: &str, text: &str) {
        let mut inner = self.lock();
        if inner.reader != Reader::Job {
            return inner.say(text);
        }
        let title = inner.clean(title);
        inner.write(&actions::group(&title));
        inner.say(text);
        inner.write(actions::group_end());
    }

    fn progress(&self, progress: Progress, now: Instant) {
        let mut inner = self.lock();
        if let Some(line) = inner.pace.line(progress, now) {
            inner.progress(&line);
        }
    }

    /// A panic elsewhere must not take the log with it.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn clean(&self, text: &str) -> String {
        // Secrets first: one of several lines is no longer found once the lines are cut.
        let lines: Vec<_> = self
            .secrets
            .hide(text)
            .lines()
            .map(|line| {
                let indent = &line[..line.len() - line.trim_start_matches(' ').len()];
                format!("{indent}{}", printable(line, LINE_LIMIT))
            })
            .collect();
        lines.join("\n")
    }

    fn say(&mut self, text: &str) {
        let text = self.clean(text);
        match self.reader {
            Reader::Job => self.write(&actions::fenced(&text)),
            Reader::Terminal | Reader::File => self.write(&text),
        }
    }

    /// An annotation in a job, as long as GitHub shows them; else the text after the level's word,
    /// where it does not begin with one of its own.
    fn annotate(&mut self, level: Level, title: &str, text: &str) {
        let count = &mut self.annotations[usize::from(level == Level::Error)];
        *count += 1;
        if self.reader == Reader::Job && *count <= ANNOTATIONS {
            let command = actions::annotation(level, title, &self.clean(text));
            self.write(&command);
        } else if level == Level::Error {
            self.say(text);
        } else {
            self.say(&format!("{}: {text}", level.word()));
        }
    }

    fn progress(&mut self, line: &str) {
        if self.reader == Reader::Terminal {
            let _ = write!(self.out, "\r\x1b[2K{line}");
            let _ = self.out.flush();
            self.in_progress = true;
        } else {
            self.write(line);
        }
    }

    /// A log that nobody takes any more is no reason to stop.
    fn write(&mut self, text: &str) {
        let clear = if self.in_progress { "\r\x1b[2K" } else { "" };
        self.in_progress = false;
        let _ = writeln!(self.out, "{clear}{text}");
        let _ = self.out.flush();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::time::Duration;

    /// What was written, to be read while the log still has it.
    #[derive(Clone, Default)]
    pub(crate) struct Page(Arc<Mutex<Vec<u8>>>);

    impl Page {
        pub(crate) fn text(&self) -> String {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let mut page = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            page.write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn log(reader: Reader) -> (Arc<Log>, Page) {
        let page = Page::default();
        (Log::new(page.clone(), reader), page)
    }

    fn tell(log: &Arc<Log>) {
        let mut secrets = Secrets::default();
        secrets.add_login("robot", "made-up-word");
        log.hide(&secrets);
        let notices = log.notices();
        notices.info("login of robot:made-up-word");
        notices.warning("50% of\nit");
        log.error("shipmark push", "refused: no\n why:  it\x1b[0m is so");
        log.folded("Report", "one\n  two");
    }

    #[test]
    fn a_job_gets_commands() {
        let (log, page) = log(Reader::Job);
        tell(&log);
        insta::assert_snapshot!(page.text(), @r"
        ::add-mask::Y205aWIzUTZiV0ZrWlMxMWNDMTNiM0pr
        ::add-mask::cm9ib3Q6bWFkZS11cC13b3Jk
        ::add-mask::made&#45;up&#45;word
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
        let (log, page) = log(Reader::Terminal);
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
        let (log, page) = log(Reader::Job);
        log.info("x\n::add-mask::sha256");
        let lines: Vec<_> = page.text().lines().map(str::to_owned).collect();
        assert!(lines[0].starts_with("::stop-commands::"));
        assert_eq!(lines[1..3], ["x", "::add-mask::sha256"]);
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn annotations_end_where_github_stops_showing_them() {
        let (log, page) = log(Reader::Job);
        (0..12).for_each(|number| log.warning(&number.to_string()));
        assert_eq!(page.text().matches("::warning").count(), 10);
        assert!(page.text().ends_with("\nwarning: 10\nwarning: 11\n"));
    }

    #[test]
    fn progress_is_written_over() {
        let (log, page) = log(Reader::Terminal);
        let start = Instant::now();
        for (seconds, moved) in [(0, 0), (1, 1), (3, 2), (4, 3)] {
            let at = start + Duration::from_secs(seconds);
            let progress = Progress {
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
