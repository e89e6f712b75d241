use std::io::Write;

use super::tags::{self, Tagged};
use super::{
    BundleVerification, Log, SignedBundle, bundle, cleaned, fleet, json, outputs, summary, text,
    verification,
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
        Ok(Done::Released(outcome)) => {
            let outcome = cleaned::outcome(*outcome, &|text| log.clean(text));
            released(&outcome, environment, log, out)
        }
        Ok(Done::Fleet(outcome)) => {
            let outcome = cleaned::fleet(*outcome, &|text| log.clean(text));
            of_services(verb, &outcome, environment, log, out)
        }
        Ok(Done::Tagged(tagged)) => {
            let tagged = cleaned::tagged(*tagged, &|text| log.clean(text));
            derived(&tagged, environment, log, out)
        }
        Ok(Done::Verified(found)) => {
            let checked = Report {
                text: verification::text(&found),
                summary: verification::summary(&found),
                outputs: verification::outputs(&found),
                refusal: found.refusal(),
                names: vec![found.source.to_string()],
            };
            verified(verb, &checked, environment, log, out)
        }
        Ok(Done::VerifiedBundle(found)) => {
            let checked = Report {
                text: bundle::text(&found),
                summary: bundle::summary(&found),
                outputs: bundle::outputs(&found),
                refusal: bundle::refusal(&found),
                names: vec![found.artifact.clone(), found.bundle.clone()],
            };
            verified(verb, &checked, environment, log, out)
        }
        Ok(Done::SignedBundle(signed)) => {
            let report = Report {
                text: signed.text(),
                summary: signed.summary(),
                outputs: signed.outputs(),
                refusal: None,
                names: vec![signed.artifact.clone(), signed.bundle.clone()],
            };
            verified(verb, &report, environment, log, out)
        }
        Err(failure) => {
            let failure = cleaned::failure(failure, &|text| log.clean(text));
            failed(verb, &failure, environment, log)
        }
    }
}

fn released(outcome: &Outcome, environment: &Environment, log: &Log, out: &mut impl Write) -> u8 {
    let report = text::outcome(outcome);
    if environment.in_runner() {
        log.folded("Report", &report);
        let names = names(outcome);
        let outputs = without_secrets(outputs::outcome(outcome), log, &names);
        let summary = log.without_secrets(&summary::outcome(outcome), &names);
        hand_over(environment, log, &outputs, &summary);
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
        let names: Vec<String> = outcome.done().flat_map(|(_, one)| names(one)).collect();
        let outputs = without_secrets(fleet::outputs(outcome), log, &names);
        let summary = log.without_secrets(&fleet::page(outcome), &names);
        hand_over(environment, log, &outputs, &summary);
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
    /// What the user named, which is no secret.
    names: Vec<String>,
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
        let outputs = without_secrets(found.outputs.clone(), log, &found.names);
        let summary = log.without_secrets(&found.summary, &found.names);
        hand_over(environment, log, &outputs, &summary);
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
    let mut outputs = without_secrets(tagged.outputs(), log, &tagged.images);
    outputs.extend(bake_files(tagged, environment, log));
    let summary = log.without_secrets(&tagged.summary(), &tagged.images);
    hand_over(environment, log, &outputs, &summary);
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
    let hide = |text: &str| log.without_secrets(text, &tagged.images);
    let write = |file: tags::BakeFile| match std::fs::write(
        folder.join(file.name),
        json::with_texts(&file.content, hide),
    ) {
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
        let outputs = without_secrets(outputs, log, &[]);
        let summary = log.without_secrets(&summary::failure(verb, failure), &[]);
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

/// Returns the names that the user gave, which are no secrets even where a part of one is.
fn names(outcome: &Outcome) -> Vec<String> {
    let places = outcome.destinations.iter();
    let places = places.map(|released| released.place.to_string());
    places.chain([outcome.source.to_string()]).collect()
}

/// Returns the outputs as others may read them, and says in which of them a secret was. Texts that come
/// from elsewhere could hold one that somebody put there.
fn without_secrets(
    outputs: Vec<(&'static str, String)>,
    log: &Log,
    names: &[String],
) -> Vec<(&'static str, String)> {
    let hide = |text: &str| log.without_secrets(text, names);
    let mut hidden = Vec::new();
    let shown = outputs.into_iter().map(|(name, value)| {
        let shown = match name {
            "json" | "matrix" => json::with_texts(&value, hide),
            _ => hide(&value),
        };
        if shown != value {
            hidden.push(name);
        }
        (name, shown)
    });
    let shown = shown.collect();
    if !hidden.is_empty() {
        log.warning(&format!(
            "a secret was a part of: {}. It is *** there",
            hidden.join(", ")
        ));
    }
    shown
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
            let said = log.lines().filter(|line| !line.starts_with("::add-mask::"));
            let log = said.collect::<Vec<_>>().join("\n");
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
