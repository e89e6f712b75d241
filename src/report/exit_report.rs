//! Reports the result of a verb, and returns the exit status.

use std::io::Write;

use super::bundle_report::{self, BundleVerification, SignedBundle};
use super::policy_report::PolicyReport;
use super::run_log::RunLog;
use super::summary::{self, RunFacts, SummaryContext};
use super::tags_report::TagsResult;
use super::{
    batch_phrases, batch_report, cleaned, phrases, step_files, step_outputs, text_report,
    verification_report,
};
use crate::actions::ProcessEnvironment;
use crate::release::{BatchOutcome, Failure, ReleaseOutcome, Verification};

/// Result of a verb.
pub enum VerbResult {
    /// Release of one image, or its dry run.
    Released(Box<ReleaseOutcome>),
    /// Release of several services, some of which may have failed.
    Batch(Box<BatchOutcome>),
    /// Derived tags.
    Tagged(Box<TagsResult>),
    /// Checked signatures of an image.
    Verified(Box<Verification>),
    /// Checked bundle of a file.
    VerifiedBundle(Box<BundleVerification>),
    /// Signed file.
    SignedBundle(Box<SignedBundle>),
    /// Policy with its defaults.
    ShownPolicy(Box<PolicyReport>),
}

/// Reports the result of `verb`: in a job by log, outputs and summary, else on `out`. Returns the exit
/// status.
pub fn report_result(
    verb: &str,
    result: Result<VerbResult, Failure>,
    environment: &ProcessEnvironment,
    log: &RunLog,
    out: &mut impl Write,
) -> u8 {
    let context = SummaryContext {
        run: RunFacts::from_environment(environment),
        warnings: log.warnings(),
        attempt: log.attempt().map_texts(&|text| log.redact(text)),
    };
    match result {
        Ok(VerbResult::Released(outcome)) => {
            let outcome = cleaned::outcome(*outcome, &|text| log.redact(text));
            report_release(&outcome, &context, environment, log, out)
        }
        Ok(VerbResult::Batch(outcome)) => {
            let outcome = cleaned::batch(*outcome, &|text| log.redact(text));
            report_batch(&outcome, &context, environment, log, out)
        }
        Ok(VerbResult::Tagged(tagged)) => {
            let tagged = cleaned::tagged(*tagged, &|text| log.redact(text));
            report_tags(&tagged, &context, environment, log, out)
        }
        Ok(VerbResult::Verified(found)) => {
            let checked = CheckReport {
                text: verification_report::to_text(&found),
                summary: summary::verification_summary(&found, &context),
                outputs: verification_report::to_outputs(&found),
                refusal: found.to_refusal(),
                names: vec![found.source.to_string()],
            };
            report_check(verb, &checked, environment, log, out)
        }
        Ok(VerbResult::VerifiedBundle(found)) => {
            let checked = CheckReport {
                text: bundle_report::to_text(&found),
                summary: summary::bundle_summary(&found, &context),
                outputs: bundle_report::to_outputs(&found),
                refusal: bundle_report::to_refusal(&found),
                names: vec![found.artifact.clone(), found.bundle.clone()],
            };
            report_check(verb, &checked, environment, log, out)
        }
        Ok(VerbResult::SignedBundle(signed)) => {
            let report = CheckReport {
                text: signed.text(),
                summary: summary::signed_bundle_summary(&signed, &context),
                outputs: signed.outputs(),
                refusal: None,
                names: vec![signed.artifact.clone(), signed.bundle.clone()],
            };
            report_check(verb, &report, environment, log, out)
        }
        Ok(VerbResult::ShownPolicy(shown)) => {
            let report = CheckReport {
                text: shown.to_text(),
                summary: summary::policy_summary(&shown, &context),
                outputs: shown.to_outputs(),
                refusal: None,
                names: shown.names(),
            };
            report_check(verb, &report, environment, log, out)
        }
        Err(failure) => {
            let failure = cleaned::failure(failure, &|text| log.redact(text));
            report_failure(verb, &failure, &context, environment, log)
        }
    }
}

fn report_release(
    outcome: &ReleaseOutcome,
    context: &SummaryContext,
    environment: &ProcessEnvironment,
    log: &RunLog,
    out: &mut impl Write,
) -> u8 {
    let report = text_report::release_text(outcome);
    if environment.is_in_runner() {
        log.write_group("Report", &report);
        let names = names(outcome);
        let outputs =
            step_files::without_secrets(step_outputs::release_outputs(outcome), log, &names);
        let summary =
            log.without_secrets(&summary::release_summary(outcome, None, context), &names);
        step_files::write_outputs(environment, log, &outputs, &summary);
    } else {
        // The reader may have closed the pipe.
        let _ = writeln!(out, "{}", log.redact(&report));
        let _ = out.flush();
    }
    0
}

/// Reports every service, also if one of them failed.
fn report_batch(
    outcome: &BatchOutcome,
    context: &SummaryContext,
    environment: &ProcessEnvironment,
    log: &RunLog,
    out: &mut impl Write,
) -> u8 {
    let report = batch_report::to_text(outcome);
    if environment.is_in_runner() {
        log.write_group("Report", &report);
        let names: Vec<String> = outcome
            .completed()
            .flat_map(|(_, one)| names(one))
            .collect();
        let outputs =
            step_files::without_secrets(step_outputs::batch_outputs(outcome), log, &names);
        let summary = log.without_secrets(&summary::batch_summary(outcome, context), &names);
        step_files::write_outputs(environment, log, &outputs, &summary);
    } else {
        let _ = writeln!(out, "{}", log.redact(&report));
        let _ = out.flush();
    }
    match batch_phrases::to_failure(outcome) {
        Some((failure, words)) => {
            let title = format!("shipmark {}", phrases::verb_name(outcome.verb));
            log.error(&title, &words);
            exit_status(failure)
        }
        None => 0,
    }
}

/// Result of a verification, in every form of a report.
struct CheckReport {
    text: String,
    summary: String,
    outputs: Vec<(&'static str, String)>,
    refusal: Option<Failure>,
    /// Names that the user gave, which are not secret.
    names: Vec<String>,
}

/// Reports all evidence, also if it is not valid.
fn report_check(
    verb: &str,
    found: &CheckReport,
    environment: &ProcessEnvironment,
    log: &RunLog,
    out: &mut impl Write,
) -> u8 {
    if environment.is_in_runner() {
        log.write_group("Report", &found.text);
        let outputs = step_files::without_secrets(found.outputs.clone(), log, &found.names);
        let summary = log.without_secrets(&found.summary, &found.names);
        step_files::write_outputs(environment, log, &outputs, &summary);
    } else {
        let _ = writeln!(out, "{}", log.redact(&found.text));
        let _ = out.flush();
    }
    match &found.refusal {
        None => 0,
        Some(failure) => {
            log.error(
                &format!("shipmark {verb}"),
                &text_report::failure_text(failure),
            );
            1
        }
    }
}

fn report_tags(
    tagged: &TagsResult,
    context: &SummaryContext,
    environment: &ProcessEnvironment,
    log: &RunLog,
    out: &mut impl Write,
) -> u8 {
    for finding in &tagged.findings {
        match finding.difference {
            Some(_) => log.warning(&format!("{finding} (strict mode differs)")),
            None if finding.is_note => log.info(&format!("note: {finding}")),
            None => log.warning(&finding.text),
        }
    }
    let report = tagged.to_text();
    if !environment.is_in_runner() {
        let _ = writeln!(out, "{}", log.redact(&report));
        let _ = out.flush();
        return 0;
    }
    log.write_group("Report", &report);
    let mut outputs = step_files::without_secrets(tagged.to_outputs(), log, &tagged.images);
    outputs.extend(step_files::write_bake_files(tagged, environment, log));
    let summary = log.without_secrets(&summary::tags_summary(tagged, context), &tagged.images);
    step_files::write_outputs(environment, log, &outputs, &summary);
    if tagged.exports_variables {
        step_files::export_variables(environment, log, &outputs);
    }
    0
}

fn report_failure(
    verb: &str,
    failure: &Failure,
    context: &SummaryContext,
    environment: &ProcessEnvironment,
    log: &RunLog,
) -> u8 {
    let title = format!("shipmark {verb}");
    log.error(title.trim_end(), &text_report::failure_text(failure));
    if environment.is_in_runner() {
        let outputs = match failure {
            Failure::Refused(diagnostic) => step_outputs::refusal_outputs(diagnostic),
            _ => Vec::new(),
        };
        let outputs = step_files::without_secrets(outputs, log, &[]);
        let summary = summary::failure_summary(verb, failure, context);
        let summary = log.without_secrets(&summary, &[]);
        step_files::write_outputs(environment, log, &outputs, &summary);
    }
    exit_status(failure)
}

fn exit_status(failure: &Failure) -> u8 {
    match failure {
        Failure::Refused(_) => 1,
        Failure::Input(_) => 2,
        Failure::Service(_) => 3,
        Failure::Cancelled => 130,
    }
}

/// Returns the names that the user gave, which are not secret even if they contain one.
fn names(outcome: &ReleaseOutcome) -> Vec<String> {
    let places = outcome.destinations.iter();
    let places = places.map(|released| released.place.to_string());
    places.chain([outcome.source.to_string()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::SecretTexts;
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
        let mut out = Vec::new();
        let status = report_result(
            "push",
            result.map(Box::new).map(VerbResult::Released),
            &environment,
            &log,
            &mut out,
        );
        assert_eq!(out, b"");
        let read = |path| std::fs::read_to_string(path).unwrap();
        (status, page.text(), read(output), read(summary))
    }

    #[test]
    fn a_step_writes_outputs_and_summary() {
        let (status, log, outputs, summary) = step(Ok(sample_outcomes::promoted_outcome()));
        assert_eq!(status, 0);
        assert!(log.contains("::group::Report\npromoted oci:dev:git-860c190\n"));
        assert_eq!(outputs.matches("<<shipmark-").count(), 11);
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
            &mut Vec::new(),
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
        let mut out = Vec::new();
        let result = Ok(sample_outcomes::unchanged_outcome());
        report_result(
            "promote",
            result.map(Box::new).map(VerbResult::Released),
            &environment,
            &log,
            &mut out,
        );
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("already up to date: oci:"));
        assert_eq!(page.text(), "");
        report_result(
            "promote",
            Err(sample_outcomes::refused_failure()),
            &environment,
            &log,
            &mut Vec::new(),
        );
        assert!(page.text().starts_with("refused: tag 1.4.0"));
    }
}
