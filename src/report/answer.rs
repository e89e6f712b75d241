use std::io::Write;

use super::tags::{self, Tagged};
use super::{
    BundleVerification, Log, SignedBundle, bundle, fleet, outputs, summary, text, verification,
};
use crate::actions::{self, Environment, FileCommandError};
use crate::release::{Failure, FleetOutcome, Outcome, Verification};

/// What a verb came to.
pub enum Done {
    /// An image was released, or would be.
    Released(Box<Outcome>),
    /// Several services were released, or some of them were not.
    Fleet(Box<FleetOutcome>),
    /// Tags were derived.
    Tagged(Box<Tagged>),
    /// Signatures were checked.
    Verified(Box<Verification>),
    /// A bundle beside a file was checked.
    VerifiedBundle(Box<BundleVerification>),
    /// A file was signed.
    SignedBundle(Box<SignedBundle>),
}

/// Reports what a run of `verb` came to: to a job by log, outputs and summary, else on `out`. Returns the
/// exit status.
pub fn answer(
    verb: &str,
    result: Result<Done, Failure>,
    environment: &Environment,
    log: &Log,
    out: &mut impl Write,
) -> u8 {
    match result {
        Ok(Done::Released(outcome)) => released(&cleaned(*outcome, log), environment, log, out),
        Ok(Done::Fleet(outcome)) => {
            let outcome = fleet::cleaned(*outcome, |text| log.clean(text));
            of_services(verb, &outcome, environment, log, out)
        }
        Ok(Done::Tagged(tagged)) => derived(&tagged, environment, log, out),
        Ok(Done::Verified(found)) => {
            let checked = Report {
                text: verification::text(&found),
                summary: verification::summary(&found),
                outputs: verification::outputs(&found),
                refusal: found.refusal(),
            };
            verified(verb, &checked, environment, log, out)
        }
        Ok(Done::VerifiedBundle(found)) => {
            let checked = Report {
                text: bundle::text(&found),
                summary: bundle::summary(&found),
                outputs: bundle::outputs(&found),
                refusal: bundle::refusal(&found),
            };
            verified(verb, &checked, environment, log, out)
        }
        Ok(Done::SignedBundle(signed)) => {
            let report = Report {
                text: signed.text(),
                summary: signed.summary(),
                outputs: signed.outputs(),
                refusal: None,
            };
            verified(verb, &report, environment, log, out)
        }
        Err(failure) => {
            let failure = text::cleaned_failure(failure, |text| log.clean(text));
            failed(verb, &failure, environment, log)
        }
    }
}

fn released(outcome: &Outcome, environment: &Environment, log: &Log, out: &mut impl Write) -> u8 {
    let report = text::outcome(outcome);
    if environment.in_runner() {
        log.folded("Report", &report);
        hand_over(
            environment,
            log,
            &outputs::outcome(outcome),
            &summary::outcome(outcome),
        );
    } else {
        // Nobody may be reading any more.
        let _ = writeln!(out, "{}", log.clean(&report));
        let _ = out.flush();
    }
    0
}

/// Every service is told, whether or not one of them failed.
fn of_services(
    verb: &str,
    outcome: &FleetOutcome,
    environment: &Environment,
    log: &Log,
    out: &mut impl Write,
) -> u8 {
    let report = fleet::report(outcome);
    if environment.in_runner() {
        log.folded("Report", &report);
        hand_over(
            environment,
            log,
            &fleet::outputs(outcome),
            &fleet::page(outcome),
        );
    } else {
        let _ = writeln!(out, "{}", log.clean(&report));
        let _ = out.flush();
    }
    match fleet::failure(outcome) {
        Some((failure, words)) => {
            log.error(&format!("shipmark {verb}"), &words);
            status(failure)
        }
        None => 0,
    }
}

/// What was found by checking, in every form.
struct Report {
    text: String,
    summary: String,
    outputs: Vec<(&'static str, String)>,
    refusal: Option<Failure>,
}

/// Everything that was found is told, whether or not it is good.
fn verified(
    verb: &str,
    found: &Report,
    environment: &Environment,
    log: &Log,
    out: &mut impl Write,
) -> u8 {
    if environment.in_runner() {
        log.folded("Report", &found.text);
        hand_over(environment, log, &found.outputs, &log.clean(&found.summary));
    } else {
        let _ = writeln!(out, "{}", log.clean(&found.text));
        let _ = out.flush();
    }
    match &found.refusal {
        None => 0,
        Some(failure) => {
            log.error(&format!("shipmark {verb}"), &text::failure(failure));
            1
        }
    }
}

fn derived(tagged: &Tagged, environment: &Environment, log: &Log, out: &mut impl Write) -> u8 {
    for finding in &tagged.findings {
        match finding.trap {
            Some(_) => log.warning(&format!("{finding} (strict mode differs)")),
            None => log.warning(&finding.text),
        }
    }
    let report = tagged.text();
    if !environment.in_runner() {
        let _ = writeln!(out, "{}", log.clean(&report));
        let _ = out.flush();
        return 0;
    }
    log.folded("Report", &report);
    let mut outputs = tagged.outputs();
    outputs.extend(bake_files(tagged, environment, log));
    hand_over(environment, log, &outputs, &tagged.summary());
    if tagged.exported {
        export(environment, log, &outputs);
    }
    0
}

/// Writes the bake files to the runner's folder, and gives the paths that later steps find them at.
fn bake_files(
    tagged: &Tagged,
    environment: &Environment,
    log: &Log,
) -> Vec<(&'static str, String)> {
    let Some(folder) = environment.path("RUNNER_TEMP") else {
        log.info("RUNNER_TEMP is not set: no bake files are written");
        return Vec::new();
    };
    let outside = tags::outside(folder, environment.path("RUNNER_WORKSPACE"));
    let write = |file: tags::BakeFile| match std::fs::write(folder.join(file.name), &file.content) {
        Ok(()) => Some((file.output, outside.join(file.name).display().to_string())),
        Err(error) => {
            log.warning(&format!("{} cannot be written: {error}", file.name));
            None
        }
    };
    tagged.bake_files().into_iter().filter_map(write).collect()
}

fn export(environment: &Environment, log: &Log, outputs: &[(&str, String)]) {
    let Some(file) = environment.path("GITHUB_ENV") else {
        return;
    };
    let variable = |(name, value): &(&str, String)| (tags::variable(name), value.clone());
    let variables: Vec<_> = outputs.iter().map(variable).collect();
    if let Err(error) = actions::append_variables(file, &variables) {
        log.warning(&format!("{error}\n hint: {}", error.hint()));
    }
}

fn failed(verb: &str, failure: &Failure, environment: &Environment, log: &Log) -> u8 {
    let title = format!("shipmark {verb}");
    log.error(title.trim_end(), &text::failure(failure));
    if environment.in_runner() {
        let outputs = match failure {
            Failure::Refused(complaint) => outputs::refusal(complaint),
            _ => Vec::new(),
        };
        let summary = summary::failure(verb, failure);
        hand_over(environment, log, &outputs, &summary);
    }
    status(failure)
}

fn status(failure: &Failure) -> u8 {
    match failure {
        Failure::Refused(_) => 1,
        Failure::Input(_) => 2,
        Failure::Service(_) => 3,
        Failure::Cancelled => 130,
    }
}

/// What was released stays released where its outputs cannot be handed on, so that is a warning.
fn hand_over(environment: &Environment, log: &Log, outputs: &[(&str, String)], summary: &str) {
    let warn = |error: FileCommandError| log.warning(&format!("{error}\n hint: {}", error.hint()));
    warn_of_masks(log, outputs);
    let missing = |name| log.warning(&format!("{name} is not set: this step hands nothing on"));
    match environment.path("GITHUB_OUTPUT") {
        Some(file) => actions::append_outputs(file, outputs).unwrap_or_else(warn),
        None => missing("GITHUB_OUTPUT"),
    }
    match environment.path("GITHUB_STEP_SUMMARY") {
        Some(file) => actions::append_summary(file, summary).unwrap_or_else(warn),
        None => missing("GITHUB_STEP_SUMMARY"),
    }
}

/// GitHub hands no job output on in which it finds a masked text, and leaves an empty one instead.
fn warn_of_masks(log: &Log, outputs: &[(&str, String)]) {
    let masked = outputs.iter().filter(|(_, value)| log.masks(value));
    let names: Vec<_> = masked.map(|(name, _)| *name).collect();
    if names.is_empty() {
        return;
    }
    let (them, digest) = (names.join(", "), names.contains(&"digest"));
    let way = if digest {
        "choose a secret that is no part of a digest"
    } else {
        "hand digest on, and put the repository's name before it in the job that needs it"
    };
    log.warning(&format!(
        "a text that is masked as a secret is a part of: {them}. Later steps get these outputs whole, but GitHub gives other jobs nothing in place of an output with a masked part\n hint: {way}"
    ));
}

/// Texts that come from elsewhere could hold a secret that somebody put there.
fn cleaned(mut outcome: Outcome, log: &Log) -> Outcome {
    for note in &mut outcome.notes {
        *note = log.clean(note);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::Secrets;
    use crate::report::log::tests::Page;
    use crate::report::{Reader, samples};

    /// Runs `answer` as a step, and returns the exit status, the log, the outputs, the summary.
    fn step(result: Result<Outcome, Failure>) -> (u8, String, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let [output, summary] = ["output", "summary"].map(|name| folder.path().join(name));
        std::fs::write(&output, "").unwrap();
        std::fs::write(&summary, "").unwrap();
        let environment = Environment::from_iter([
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_OUTPUT", output.to_str().unwrap()),
            ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
        ]);
        let page = Page::default();
        let log = Log::new(page.clone(), Reader::Job);
        let mut secrets = Secrets::default();
        secrets.add("made-up-word");
        log.hide(&secrets);
        let mut out = Vec::new();
        let status = answer(
            "push",
            result.map(Box::new).map(Done::Released),
            &environment,
            &log,
            &mut out,
        );
        assert_eq!(out, b"");
        let read = |path| std::fs::read_to_string(path).unwrap();
        (status, page.text(), read(output), read(summary))
    }

    #[test]
    fn a_step_hands_on_outputs_and_summary() {
        let (status, log, outputs, summary) = step(Ok(samples::promoted()));
        assert_eq!(status, 0);
        assert!(log.contains("::group::Report\npromoted oci:dev:git-860c190\n"));
        assert_eq!(outputs.matches("<<shipmark-").count(), 11);
        assert!(summary.starts_with("## shipmark promote: released\n"));
    }

    #[test]
    fn the_exit_status_says_who_has_to_act() {
        for (failure, expected) in [
            (samples::refused(), 1),
            (Failure::input("x"), 2),
            (Failure::service("x"), 3),
            (Failure::Cancelled, 130),
        ] {
            let refused = matches!(failure, Failure::Refused(_));
            let (status, log, outputs, summary) = step(Err(failure));
            assert_eq!(status, expected);
            assert!(log.contains("\n::error title=shipmark push::"));
            assert_eq!(outputs.contains("refused"), refused);
            assert!(summary.starts_with("## shipmark push: "));
        }
    }

    #[test]
    fn a_secret_in_an_answer_is_shown_nowhere() {
        let mut outcome = samples::unchanged();
        outcome.notes.push("the registry says made-up-word".into());
        let failure = Failure::refused("it says made-up-word").why("made-up-word");
        for result in [Ok(outcome), Err(failure)] {
            let (_, log, outputs, summary) = step(result);
            let log = log.replace("::add-mask::made-up-word", "");
            for text in [log, outputs, summary] {
                assert!(
                    !text.contains("made-up") && !text.contains("&#45;up"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn outputs_that_other_jobs_will_not_get_are_named() {
        for (secret, named, hint) in [
            (
                "team",
                Some("of: image, tags, json, matrix. "),
                "hand digest on",
            ),
            (
                "4813",
                Some("of: digest, source-digest, image, json, matrix. "),
                "choose a secret",
            ),
            ("made-up-word", None, ""),
        ] {
            let page = Page::default();
            let log = Log::new(page.clone(), Reader::Job);
            let mut secrets = Secrets::default();
            secrets.add(secret);
            log.hide(&secrets);
            let outcome = outputs::outcome(&samples::promoted());
            warn_of_masks(&log, &outcome);
            let text = page.text();
            assert_eq!(text.contains("::warning "), named.is_some(), "{text}");
            assert!(
                text.contains(named.unwrap_or_default()) && text.contains(hint),
                "{text}"
            );
        }
    }

    #[test]
    fn files_that_are_not_there_are_named() {
        let page = Page::default();
        let log = Log::new(page.clone(), Reader::Job);
        let environment = Environment::from_iter([
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_OUTPUT", "/nowhere/output"),
        ]);
        let result = Ok(samples::unchanged());
        let status = answer(
            "push",
            result.map(Box::new).map(Done::Released),
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
    fn a_person_reads_it_on_the_terminal() {
        let page = Page::default();
        let log = Log::new(page.clone(), Reader::Terminal);
        let environment = Environment::default();
        let mut out = Vec::new();
        let result = Ok(samples::unchanged());
        answer(
            "promote",
            result.map(Box::new).map(Done::Released),
            &environment,
            &log,
            &mut out,
        );
        let out = String::from_utf8(out).unwrap();
        assert!(out.starts_with("nothing had to change for oci:"));
        assert_eq!(page.text(), "");
        answer(
            "promote",
            Err(samples::refused()),
            &environment,
            &log,
            &mut Vec::new(),
        );
        assert!(page.text().starts_with("refused: tag 1.4.0"));
    }
}
