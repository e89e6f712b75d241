use std::time::Duration;

use indicatif::{InMemoryTerm, TermLike};

use super::*;
use crate::notices::ImageProgress;
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
    log.error("shipmark push", "refused: no\n why:  it\x1b[0m is so", None);
    log.write_group("Report", &StyledText::from("one\n  two".to_owned()));
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
fn a_quiet_log_has_warnings_and_errors() {
    let (log, page) = log(LogReader::File);
    log.configure(LogSettings {
        verbosity: Verbosity::Quiet,
        ..LogSettings::default()
    });
    tell(&log);
    log.notices()
        .tag_change(TagNews::Written, "oci:x: created tag 1");
    let start = Instant::now();
    for seconds in [0, 20] {
        let now = start + Duration::from_secs(seconds);
        log.progress(&progress("web", seconds, 30), now);
    }
    let text = page.text();
    assert_eq!(
        text,
        "warning: 50% of\nit\nrefused: no\n why:  it\u{fffd}[0m is so\n"
    );
}

#[test]
fn details_are_for_those_who_ask() {
    for (verbosity, expected) in [(Verbosity::Normal, ""), (Verbosity::Verbose, "GET x\n")] {
        let (log, page) = log(LogReader::File);
        log.configure(LogSettings {
            verbosity,
            ..LogSettings::default()
        });
        log.notices().detail(|| "GET x".to_owned());
        assert_eq!(page.text(), expected);
    }
}

#[test]
fn a_tag_is_told_once_and_never_lost() {
    let told = |precedes_report, fails: bool| {
        let (log, page) = log(LogReader::Terminal);
        log.configure(LogSettings {
            precedes_report,
            ..LogSettings::default()
        });
        let notices = log.notices();
        notices.tag_change(TagNews::Written, "oci:x: created tag 1");
        notices.info("between");
        match fails {
            true => log.error("", "failed: x", None),
            false => log.begin_report(),
        }
        page.text()
    };
    assert_eq!(told(false, false), "oci:x: created tag 1\nbetween\n");
    assert_eq!(told(true, false), "between\n");
    assert_eq!(
        told(true, true),
        "between\noci:x: created tag 1\nfailed: x\n"
    );
}

#[test]
fn colours_are_for_the_kind_of_line() {
    let (log, page) = log(LogReader::Terminal);
    log.configure(LogSettings {
        style: TextStyle {
            has_colors: true,
            width: None,
        },
        ..LogSettings::default()
    });
    tell(&log);
    log.notices()
        .tag_change(TagNews::Kept, "oci:x: tag 1: kept");
    let text = page.text();
    for line in [
        "\x1b[33mwarning:\x1b[0m 50% of\nit\n",
        // Something in it must not be shown: it is shown without tones.
        "refused: no\n why:  it\u{fffd}[0m is so\n",
        "\x1b[33moci:x: tag 1: kept\x1b[0m\n",
    ] {
        assert!(text.contains(line), "{line:?} in {text:?}");
    }
}

#[test]
fn annotations_name_files_of_the_checkout() {
    let (log, page) = log(LogReader::Job);
    let environment = [("GITHUB_ACTIONS", "true"), ("GITHUB_WORKSPACE", "/w")];
    let environment = environment.into_iter().collect();
    log.configure(LogSettings {
        checkout: CheckoutPaths::from_environment(&environment, Path::new("/w/sub")),
        ..LogSettings::default()
    });
    log.notices()
        .file_warning(FileLocation::new("scan.json"), "is empty");
    log.error(
        "t",
        "error: x",
        Some(&FileLocation::at("/w/.github/shipmark.yml", 3, 7)),
    );
    log.notices()
        .file_warning(FileLocation::new("/etc/x"), "outside");
    assert_eq!(
        page.text(),
        "::warning file=sub/scan.json,title=shipmark::is empty\n\
         ::error file=.github/shipmark.yml,line=3,col=7,title=t::error: x\n\
         ::warning title=shipmark::outside\n"
    );
}

fn progress(name: &str, moved: u64, total: u64) -> TransferProgress {
    TransferProgress {
        image: ImageProgress {
            name: name.into(),
            moved: moved << 20,
            total: total << 20,
            is_done: moved == total,
        },
        moved,
        total,
        images: None,
    }
}

/// Screen that the log and its progress lines share.
#[derive(Clone)]
struct Screen(InMemoryTerm);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .write_str(&String::from_utf8_lossy(bytes).replace('\n', "\r\n"))?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log_on_screen(lines: u16) -> (Arc<RunLog>, InMemoryTerm) {
    let screen = InMemoryTerm::new(lines, 80);
    let log = RunLog::new(Screen(screen.clone()), LogReader::Terminal);
    let settings = LogSettings {
        progress_height: Some(lines.into()),
        ..LogSettings::default()
    };
    let drawn = screen.clone();
    // As often as it changes, so that the test need not wait.
    log.configure_with(settings, || {
        ProgressDrawTarget::term_like_with_hz(Box::new(drawn), 255)
    });
    (log, screen)
}

#[test]
fn each_image_has_a_line_until_it_is_done() {
    let (log, screen) = log_on_screen(24);
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    log.progress(&progress("web", 1, 40), at(0));
    log.progress(&progress("a-service-with-a-long-name", 2, 10), at(1));
    log.info("one");
    assert_eq!(screen.contents(), "one", "nothing in the first seconds");
    log.progress(&progress("web", 10, 40), at(3));
    log.info("two");
    let shown = screen.contents();
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[..2], ["one", "two"], "{shown}");
    let web = "web                [===>        ]  10.00 MiB/40.00 MiB ";
    assert!(
        lines[2].starts_with(web) && lines[2].ends_with(" left"),
        "{shown}"
    );
    assert!(
        lines[3].starts_with("…-with-a-long-name [==>         ]"),
        "{shown}"
    );
    assert_eq!(lines.len(), 4, "{shown}");
    assert!(
        lines.iter().all(|line| line.chars().count() < 80),
        "{shown}"
    );
    log.progress(&progress("web", 40, 40), at(4));
    log.info("three");
    let shown = screen.contents();
    assert!(
        shown.starts_with("one\ntwo\nthree\n…-with-a-long-name"),
        "{shown}"
    );
    log.begin_report();
    assert_eq!(screen.contents(), "one\ntwo\nthree");
}

#[test]
fn more_images_than_lines_are_counted() {
    let (log, screen) = log_on_screen(8);
    let start = Instant::now();
    for number in 0..10 {
        log.progress(&progress(&format!("image-{number}"), 1, 40), start);
    }
    let later = start + Duration::from_secs(3);
    log.progress(&progress("image-0", 2, 40), later);
    log.info("line");
    let shown = screen.contents();
    assert_eq!(shown.matches("image-").count(), 4, "{shown}");
    assert!(shown.ends_with("and 6 more in transfer"), "{shown}");
    log.progress(&progress("image-9", 40, 40), later);
    log.error("", "failed: x", None);
    assert_eq!(screen.contents(), "line\nfailed: x");
}
