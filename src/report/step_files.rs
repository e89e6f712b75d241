//! Writes the outputs, summary, variables and bake files of a step, without secrets.

use std::path::Path;

use anyhow::Context;

use super::json_texts;
use super::run_log::RunLog;
use super::tags_report::{self, TagsResult};
use crate::actions::{self, FileCommandError, ProcessEnvironment};

/// Writes outputs and summary. A failure is a warning only: what was released stays released.
pub(super) fn write_outputs(
    environment: &ProcessEnvironment,
    log: &RunLog,
    outputs: &[(&str, String)],
    summary: &str,
) {
    let warn = |error: FileCommandError| log.warning(&format!("{error}\n hint: {}", error.hint()));
    warn_of_masked_outputs(log, outputs);
    let missing = |name, content| {
        log.warning(&format!("{name} is not set: this step writes no {content}"));
    };
    match environment.path("GITHUB_OUTPUT") {
        Some(file) => actions::append_outputs(file, outputs).unwrap_or_else(warn),
        None => missing("GITHUB_OUTPUT", "outputs"),
    }
    match environment.path("GITHUB_STEP_SUMMARY") {
        Some(file) => actions::append_summary(file, summary).unwrap_or_else(warn),
        None => missing("GITHUB_STEP_SUMMARY", "summary"),
    }
}

/// Warns of outputs with masked text: GitHub passes an empty output to other jobs in their place.
fn warn_of_masked_outputs(log: &RunLog, outputs: &[(&str, String)]) {
    let masked = outputs.iter().filter(|(_, value)| log.is_masked(value));
    let names: Vec<_> = masked.map(|(name, _)| *name).collect();
    if names.is_empty() {
        return;
    }
    let hint = if names.contains(&"digest") {
        "choose a secret that is not part of a digest"
    } else {
        "pass digest to the other job, and put the repository name before it there"
    };
    let names = names.join(", ");
    log.warning(&format!(
        "these outputs contain text that is masked as a secret: {names}. Later steps of this job get them in full, but GitHub passes none of them to other jobs\n hint: {hint}"
    ));
}

/// Returns the outputs without secrets, and warns of those that contained one. Text from outside could
/// contain a secret that somebody put there.
pub(super) fn without_secrets(
    outputs: Vec<(&'static str, String)>,
    log: &RunLog,
    names: &[String],
) -> Vec<(&'static str, String)> {
    let hide = |text: &str| log.without_secrets(text, names);
    let mut hidden = Vec::new();
    let shown = outputs.into_iter().map(|(name, value)| {
        let shown = match name {
            "json" | "matrix" => json_texts::map_texts(&value, hide),
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
            "these outputs contained a secret: {}. *** replaces it",
            hidden.join(", ")
        ));
    }
    shown
}

/// Writes the bake files to `RUNNER_TEMP`, and returns the outputs with their paths for later steps.
pub(super) fn write_bake_files(
    tagged: &TagsResult,
    environment: &ProcessEnvironment,
    log: &RunLog,
) -> Vec<(&'static str, String)> {
    let Some(folder) = environment.path("RUNNER_TEMP") else {
        log.info("RUNNER_TEMP is not set: no bake files are written");
        return Vec::new();
    };
    let outside = tags_report::path_outside_container(folder, environment.path("RUNNER_WORKSPACE"));
    let hide = |text: &str| log.without_secrets(text, &tagged.images);
    let write = |file: tags_report::BakeFile| {
        let content = json_texts::map_texts(&file.content, hide);
        match write_bake_file(&folder.join(file.name), &content) {
            Ok(()) => Some((file.output, outside.join(file.name).display().to_string())),
            Err(error) => {
                log.warning(&format!("{error:#}"));
                None
            }
        }
    };
    tagged.bake_files().into_iter().filter_map(write).collect()
}

fn write_bake_file(path: &Path, content: &str) -> anyhow::Result<()> {
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Exports the outputs as variables for later steps, by the names that docker/metadata-action gives them.
pub(super) fn export_variables(
    environment: &ProcessEnvironment,
    log: &RunLog,
    outputs: &[(&str, String)],
) {
    let Some(file) = environment.path("GITHUB_ENV") else {
        return;
    };
    let variable =
        |(name, value): &(&str, String)| (tags_report::output_variable(name), value.clone());
    let variables: Vec<_> = outputs.iter().map(variable).collect();
    if let Err(error) = actions::append_variables(file, &variables) {
        log.warning(&format!("{error}\n hint: {}", error.hint()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::SecretTexts;
    use crate::report::run_log::LogReader;
    use crate::report::shared_buffer::SharedBuffer;
    use crate::report::{sample_outcomes, step_outputs};

    #[test]
    fn outputs_that_github_hides_from_other_jobs_are_named() {
        for (secret, named, hint) in [
            (
                "team",
                Some("secret: image, tags, json, matrix. "),
                "pass digest",
            ),
            (
                "4813",
                Some("secret: digest, source-digest, image, json, matrix. "),
                "choose a secret",
            ),
            ("made-up-word", None, ""),
        ] {
            let page = SharedBuffer::default();
            let log = RunLog::new(page.clone(), LogReader::Job);
            let mut secrets = SecretTexts::default();
            secrets.add(secret);
            log.add_secrets(&secrets);
            let outcome = step_outputs::release_outputs(&sample_outcomes::promoted_outcome());
            warn_of_masked_outputs(&log, &outcome);
            let text = page.text();
            assert_eq!(text.contains("::warning "), named.is_some(), "{text}");
            assert!(
                text.contains(named.unwrap_or_default()) && text.contains(hint),
                "{text}"
            );
        }
    }
}
