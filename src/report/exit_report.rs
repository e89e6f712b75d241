//! Reports the result of a verb, and returns the exit status.

use std::io::Write;

use super::gate_report::{gates_text, service_gates_text};
use super::report_page::{ReportPage, report_written};
use super::result_report::{FailureReport, ResultReport};
use super::run_log::RunLog;
use super::styled_text::StyledText;
use super::summary::{self, RunFacts, SummaryContext};
use super::tags_report::TagsResult;
use super::verb_result::VerbResult;
use super::{cleaned, github_report, json_output, step_files, step_outputs};
use crate::actions::ProcessEnvironment;
use crate::release::Failure;

/// Reports the result of `verb`: in a job by log, outputs and summary, else on `page`, which gets the
/// value that the user chose in any case. Returns the exit status.
pub fn report_result(
    verb: &str,
    result: Result<VerbResult, Failure>,
    environment: &ProcessEnvironment,
    log: &RunLog,
    page: &mut ReportPage<impl Write>,
) -> u8 {
    let reporter = Reporter {
        verb,
        context: SummaryContext {
            run: RunFacts::from_environment(environment),
            warnings: log.warnings(),
            attempt: log.attempt().map_texts(&|text| log.redact(text)),
        },
        environment,
        log,
    };
    let status = match result {
        Ok(VerbResult::Tagged(tagged)) => {
            log.begin_report();
            let tagged = cleaned::tagged(*tagged, &|text| log.redact(text));
            reporter.report_tags(&tagged, page)
        }
        Ok(result) => {
            log.begin_report();
            if !environment.is_in_runner() && !page.shows_text() {
                log.write_group("Gates", &verdict_texts(&result));
            }
            let report = ResultReport::new(result, &reporter.context, &|text| log.redact(text));
            let report = report.with_github(&log.github());
            reporter.report(&report, Vec::new(), page);
            reporter.end(report.failure.as_ref())
        }
        Err(failure) => {
            let failure = cleaned::failure(failure, &|text| log.redact(text));
            reporter.report_failure(&failure, page)
        }
    };
    let written = std::mem::replace(&mut page.written, Ok(()));
    match report_written(written, log) {
        0 => status,
        unwritten if status == 0 => unwritten,
        _ => status,
    }
}

/// Returns the verdicts of the gates of a release, or of each service.
fn verdict_texts(result: &VerbResult) -> StyledText {
    match result {
        VerbResult::Released(outcome) => gates_text(&outcome.gates),
        VerbResult::Batch(batch) => service_gates_text(batch),
        _ => StyledText::default(),
    }
}

/// What all reports of a run have in common.
struct Reporter<'a> {
    verb: &'a str,
    context: SummaryContext,
    environment: &'a ProcessEnvironment,
    log: &'a RunLog,
}

impl Reporter<'_> {
    /// Writes a report in every form, also one of a failure. Returns the outputs of the step, with
    /// those of files.
    fn report(
        &self,
        report: &ResultReport,
        files: Vec<(&'static str, String)>,
        page: &mut ReportPage<impl Write>,
    ) -> Vec<(&'static str, String)> {
        let in_runner = self.environment.is_in_runner();
        let has_text = !report.text.as_str().is_empty();
        match has_text && page.shows_text() {
            true => page.write_text(&report.text, self.log),
            false if in_runner && has_text => self.log.write_group("Report", &report.text),
            false => {}
        }
        if let Some(name) = page.output_name()
            && report.has_value(name)
        {
            let value = vec![(name, report.value(name))];
            let value = step_files::without_secrets(value, self.log, &report.names);
            value.iter().for_each(|(_, value)| page.write_value(value));
        }
        if !in_runner {
            return Vec::new();
        }
        let outputs = report.outputs.clone();
        let mut outputs = step_files::without_secrets(outputs, self.log, &report.names);
        outputs.extend(files);
        let summary = self.log.without_secrets(&report.summary, &report.names);
        step_files::write_outputs(self.environment, self.log, &outputs, &summary);
        outputs
    }

    /// Says why the result is a failure, if it is one, and returns the exit status.
    fn end(&self, failure: Option<&FailureReport>) -> u8 {
        let Some(failure) = failure else {
            return 0;
        };
        let title = format!("shipmark {}", self.verb);
        self.log
            .error(title.trim_end(), &failure.text, failure.location.as_ref());
        failure.status
    }

    fn report_tags(&self, tagged: &TagsResult, page: &mut ReportPage<impl Write>) -> u8 {
        for finding in &tagged.findings {
            match finding.difference {
                Some(_) => self
                    .log
                    .warning(&format!("{finding} (strict mode differs)")),
                None if finding.is_note => self.log.info(&format!("note: {finding}")),
                None => self.log.warning(&finding.text),
            }
        }
        let files = match self.environment.is_in_runner() {
            true => step_files::write_bake_files(tagged, self.environment, self.log),
            false => Vec::new(),
        };
        let outputs = self.report(&ResultReport::of_tags(tagged, &self.context), files, page);
        if self.environment.is_in_runner() && tagged.exports_variables {
            step_files::export_variables(self.environment, self.log, &outputs);
        }
        0
    }

    fn report_failure(&self, failure: &Failure, page: &mut ReportPage<impl Write>) -> u8 {
        if let Some(report) = failure.gates() {
            self.log.write_group("Gates", &gates_text(report));
        }
        let status = self.end(Some(&FailureReport::new(failure)));
        for line in github_report::lines(&self.log.github()) {
            self.log.info(&line);
        }
        for further in FailureReport::further(failure) {
            self.end(Some(&further));
        }
        if page.output_name() == Some("json") {
            page.write_value(&json_output::failure_json(failure));
        }
        if self.environment.is_in_runner() {
            let outputs = match failure {
                Failure::Refused(diagnostic) => step_outputs::refusal_outputs(diagnostic),
                _ => Vec::new(),
            };
            let outputs = step_files::without_secrets(outputs, self.log, &[]);
            let summary = summary::failure_summary(self.verb, failure, &self.context);
            let summary = self.log.without_secrets(&summary, &[]);
            step_files::write_outputs(self.environment, self.log, &outputs, &summary);
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::SecretTexts;
    use crate::cli::OutputFormat;
    use crate::release::ReleaseOutcome;
    use crate::report::TextStyle;
    use crate::report::run_log::LogReader;
    use crate::report::sample_outcomes;
    use crate::report::shared_buffer::SharedBuffer;

    /// Reports `result` as a step, and returns the exit status, log, outputs and summary.
    fn step(result: Result<ReleaseOutcome, Failure>) -> (u8, String, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let [output, summary] = ["output", "summary"].map(|name| folder.path().join(name));
        std::fs::write(&output, "").unwrap();
        std::fs::write(&summary, "").unwrap();
        let environment = ProcessEnvironment::from_iter([
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_OUTPUT", output.to_str().unwrap()),
            ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
        ]);
        let page = SharedBuffer::default();
        let log = RunLog::new(page.clone(), LogReader::Job);
        let mut secrets = SecretTexts::default();
        secrets.add("made-up-word");
        log.add_secrets(&secrets);
        let mut out = page_of(None, true);
        let status = report_result(
            "push",
            result.map(Box::new).map(VerbResult::Released),
            &environment,
            &log,
            &mut out,
        );
        assert_eq!(written(&out), "");
        let read = |path| std::fs::read_to_string(path).unwrap();
        (status, page.text(), read(output), read(summary))
    }

    #[test]
    fn a_step_writes_outputs_and_summary() {
        let (status, log, outputs, summary) = step(Ok(sample_outcomes::promoted_outcome()));
        assert_eq!(status, 0);
        assert!(log.contains("::group::Report\npromoted oci:dev:git-860c190\n"));
        assert_eq!(outputs.matches("<<shipmark-").count(), 12);
        assert!(summary.contains("\n**Released** by shipmark promote: "));
    }

    #[test]
    fn the_exit_status_tells_the_kind_of_failure() {
        for (failure, expected) in [
            (sample_outcomes::refused_failure(), 1),
            (Failure::input("x"), 2),
            (Failure::service("x"), 3),
            (Failure::Cancelled, 130),
        ] {
            let refused = matches!(failure, Failure::Refused(_));
            let (status, log, outputs, summary) = step(Err(failure));
            assert_eq!(status, expected);
            assert!(log.contains("\n::error title=shipmark push::"));
            assert_eq!(outputs.contains("refused"), refused);
            assert!(summary.contains("** by shipmark push\n") && summary.contains("[!CAUTION]"));
        }
    }

    #[test]
    fn a_secret_in_a_response_is_shown_nowhere() {
        let mut outcome = sample_outcomes::unchanged_outcome();
        outcome.notes.push("the registry says made-up-word".into());
        let failure = Failure::refused("it says made-up-word").with_reason("made-up-word");
        for result in [Ok(outcome), Err(failure)] {
            let (_, log, outputs, summary) = step(result);
            let unmasked = log.lines().filter(|line| !line.starts_with("::add-mask::"));
            let log = unmasked.collect::<Vec<_>>().join("\n");
            for text in [log, outputs, summary] {
                assert!(
                    !text.contains("made-up") && !text.contains("&#45;up"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn missing_runner_files_are_named() {
        let page = SharedBuffer::default();
        let log = RunLog::new(page.clone(), LogReader::Job);
        let environment = ProcessEnvironment::from_iter([
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_OUTPUT", "/nowhere/output"),
        ]);
        let result = Ok(sample_outcomes::unchanged_outcome());
        let status = report_result(
            "push",
            result.map(Box::new).map(VerbResult::Released),
            &environment,
            &log,
            &mut page_of(None, true),
        );
        assert_eq!(status, 0);
        let text = page.text();
        assert!(text.contains("GITHUB_OUTPUT names /nowhere/output, which cannot be written"));
        assert!(text.contains("GITHUB_STEP_SUMMARY is not set"));
    }

    #[test]
    fn a_terminal_gets_the_plain_report() {
        let page = SharedBuffer::default();
        let log = RunLog::new(page.clone(), LogReader::Terminal);
        let environment = ProcessEnvironment::default();
        let mut out = page_of(None, false);
        let result = Ok(sample_outcomes::unchanged_outcome());
        report_result(
            "promote",
            result.map(Box::new).map(VerbResult::Released),
            &environment,
            &log,
            &mut out,
        );
        assert!(written(&out).starts_with("already up to date: oci:"));
        assert_eq!(page.text(), "");
        report_result(
            "promote",
            Err(sample_outcomes::refused_failure()),
            &environment,
            &log,
            &mut out,
        );
        assert!(page.text().starts_with("refused: tag 1.4.0"));
    }

    fn page_of(format: Option<OutputFormat>, is_in_runner: bool) -> ReportPage<Vec<u8>> {
        ReportPage {
            out: Vec::new(),
            format,
            style: TextStyle::default(),
            is_in_runner,
            written: Ok(()),
        }
    }

    fn written(page: &ReportPage<Vec<u8>>) -> String {
        String::from_utf8(page.out.clone()).unwrap()
    }

    /// Returns the exit status, and what standard output gets.
    fn printed(format: OutputFormat, result: Result<VerbResult, Failure>) -> (u8, String) {
        let log = RunLog::new(std::io::sink(), LogReader::File);
        let mut page = page_of(Some(format), false);
        let environment = ProcessEnvironment::default();
        let status = report_result("promote", result, &environment, &log, &mut page);
        (status, written(&page))
    }

    fn released() -> VerbResult {
        VerbResult::Released(Box::new(sample_outcomes::promoted_outcome()))
    }

    #[test]
    fn standard_output_gets_exactly_the_chosen_value() {
        let digest = sample_outcomes::promoted_outcome().root;
        for (format, expected) in [
            (OutputFormat::Digest, format!("{digest}\n")),
            (
                OutputFormat::Image,
                format!("prod.example.com/team/web@{digest}\noci:mirror@{digest}\n"),
            ),
            (
                OutputFormat::Tags,
                "prod.example.com/team/web:1.4.0\nprod.example.com/team/web:prod\noci:mirror:1.4.0\n"
                    .to_owned(),
            ),
        ] {
            assert_eq!(printed(format, Ok(released())), (0, expected));
        }
        let (_, json) = printed(OutputFormat::Json, Ok(released()));
        assert_eq!(
            json,
            format!(
                "{}\n",
                json_output::outcome_json(&sample_outcomes::promoted_outcome())
            )
        );
        let (_, text) = printed(OutputFormat::Text, Ok(released()));
        assert!(text.starts_with("promoted oci:dev:git-860c190\n"), "{text}");
    }

    #[test]
    fn a_failure_leaves_standard_output_empty_except_for_json() {
        let batch = || VerbResult::Batch(Box::new(sample_outcomes::batch_outcome()));
        let refused = || Err(sample_outcomes::refused_failure());
        for format in [
            OutputFormat::Digest,
            OutputFormat::Image,
            OutputFormat::Tags,
        ] {
            assert_eq!(printed(format, Ok(batch())), (1, String::new()));
            assert_eq!(printed(format, refused()), (1, String::new()));
        }
        for (result, status, outcome) in [
            (Ok(batch()), 1, "refused"),
            (refused(), 1, "refused"),
            (Err(Failure::input("x")), 2, "error"),
            (Err(Failure::service("x")), 3, "failed"),
            (Err(Failure::Cancelled), 130, "cancelled"),
        ] {
            let (exit, json) = printed(OutputFormat::Json, result);
            let json: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!((exit, json["outcome"].as_str()), (status, Some(outcome)));
        }
    }

    #[test]
    fn services_have_a_line_each() {
        let mut batch = sample_outcomes::batch_outcome();
        batch.services.truncate(2);
        let root = sample_outcomes::promoted_outcome().root;
        let printed = |format| printed(format, Ok(VerbResult::Batch(Box::new(batch.clone()))));
        let expected = format!("{root}\n{root}\n");
        assert_eq!(printed(OutputFormat::Digest), (0, expected));
        let expected = format!("prod.example.com/team/web@{root}\noci:mirror@{root}\n");
        assert_eq!(printed(OutputFormat::Image), (0, expected));
    }

    #[test]
    fn promise_8_a_value_is_no_command_of_the_runner() {
        let hostile = || {
            let outcome = sample_outcomes::hostile_outcome();
            Ok(VerbResult::Released(Box::new(outcome)))
        };
        let environment = [("GITHUB_ACTIONS", "true")].into_iter().collect();
        let log = RunLog::new(std::io::sink(), LogReader::Job);
        let mut page = page_of(Some(OutputFormat::Json), true);
        report_result("push", hostile(), &environment, &log, &mut page);
        let json = written(&page);
        assert_eq!(json.lines().count(), 1);
        assert!(!json.contains("##["), "{json}");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(json["notes"][0].as_str().unwrap().contains("##[group]"));
        let mut page = page_of(Some(OutputFormat::Text), true);
        report_result("push", hostile(), &environment, &log, &mut page);
        assert!(written(&page).starts_with("::stop-commands::"));
    }
}
