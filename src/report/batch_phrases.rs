//! States, counts and the failure of a batch, as its reports and outputs word them.

use std::fmt::Display;

use super::{phrases, references, text_report};
use crate::policy::Service;
use crate::release::{BatchOutcome, Failure, ReleaseOutcome, ServiceOutcome};

/// Most failures that the error message shows in full.
const FULL_FAILURES_LIMIT: usize = 10;

/// Returns what happened to a service, as a line for the log while others still run.
pub fn service_line(service: &Service, end: &ServiceOutcome) -> String {
    let mut line = format!("{service}: {}", service_state(end));
    match end {
        ServiceOutcome::Completed(outcome) => {
            line += &format!("  {}", service_detail(end));
            for released in &outcome.destinations {
                line += &format!(
                    "; {}",
                    phrases::copy_phrase(&released.copy_stats, outcome.dry_run)
                );
            }
        }
        ServiceOutcome::Failed(failure) => {
            let diagnostic = failure.diagnostic();
            line.extend(diagnostic.map(|diagnostic| format!(": {}", diagnostic.what)));
        }
        ServiceOutcome::NotStarted => {}
    }
    line
}

/// Returns the failure that decides the exit status, and the text of all failures; `None` if no service
/// failed.
pub(super) fn to_failure(batch: &BatchOutcome) -> Option<(&Failure, String)> {
    let worst = worst_failure(batch.failures().map(|(_, failure)| failure))?;
    if let [(_, ServiceOutcome::Failed(failure))] = &batch.services[..] {
        return Some((failure, text_report::failure_text(failure).to_string()));
    }
    let title = format!(
        "{}: {}",
        text_report::failure_title(worst),
        service_counts(batch)
    );
    let failures: Vec<_> = batch.failures().collect();
    Some((worst, failures_text(title, &failures, next_step(batch))))
}

/// Returns how to go on after a failure; empty where a repeated run would fail in the same way.
fn next_step(batch: &BatchOutcome) -> &'static str {
    if !batch.started || batch.dry_run {
        return "nothing was written";
    }
    let is_temporary = |failure: &Failure| {
        matches!(
            failure,
            Failure::Service(_) | Failure::Incomplete(_) | Failure::Cancelled
        )
    };
    if batch.failures().all(|(_, failure)| is_temporary(failure)) {
        return "repeat the run to do the rest";
    }
    match batch.has_changes() {
        true => "what is released stays: remove the cause, then repeat the run to do the rest",
        false => "",
    }
}

/// Returns the failure that decides the exit status. A refusal has priority, since repeating the run does not
/// resolve it.
pub(super) fn worst_failure<'a>(
    failures: impl Iterator<Item = &'a Failure>,
) -> Option<&'a Failure> {
    failures.min_by_key(|failure| match failure {
        Failure::Refused(_) => 0,
        Failure::Input(_) => 1,
        Failure::Service(_) | Failure::Cancelled => 2,
        Failure::Incomplete(_) => 3,
    })
}

/// Returns a title with the failures of services below it, and how to go on.
pub(super) fn failures_text(
    title: String,
    failures: &[(impl Display, &Failure)],
    end: &str,
) -> String {
    let mut text = title;
    for (service, failure) in failures.iter().take(FULL_FAILURES_LIMIT) {
        let further = failure.diagnostic().map_or(&[][..], |it| &it.further);
        for diagnostic in failure.diagnostic().into_iter().chain(further) {
            let diagnostic = diagnostic.to_string().replace('\n', "\n ");
            text += &format!("\n {service}: {diagnostic}");
        }
    }
    let more = failures.len().saturating_sub(FULL_FAILURES_LIMIT);
    if more > 0 {
        text += &format!("\n and {more} more, listed in the report");
    }
    if !end.is_empty() {
        text += &format!("\n {end}");
    }
    text
}

/// Returns the outcome of the only service, which is reported like a single image.
pub(super) fn only_outcome(batch: &BatchOutcome) -> Option<&ReleaseOutcome> {
    match &batch.services[..] {
        [(_, ServiceOutcome::Completed(outcome))] => Some(outcome),
        _ => None,
    }
}

/// Returns what happened to a service, in a word or two.
pub(super) fn service_state(end: &ServiceOutcome) -> &'static str {
    match end {
        ServiceOutcome::Completed(outcome) if !outcome.has_changes() => "unchanged",
        ServiceOutcome::Completed(outcome) if outcome.dry_run => "would be released",
        ServiceOutcome::Completed(outcome) if outcome.is_superseded() => "superseded",
        ServiceOutcome::Completed(_) => "released",
        ServiceOutcome::Failed(failure) => text_report::failure_title(failure),
        ServiceOutcome::NotStarted => "not begun",
    }
}

/// Returns the output `outcome`.
pub(super) fn outcome_word(batch: &BatchOutcome) -> &'static str {
    match to_failure(batch) {
        Some((Failure::Refused(_), _)) => "refused",
        Some(_) => "failed",
        None if batch.has_changes() && !batch.dry_run => "released",
        None => "unchanged",
    }
}

/// Returns a text such as `8 services: 5 released, 2 unchanged, 1 failed`
pub(super) fn service_counts(batch: &BatchOutcome) -> String {
    let services = phrases::count_phrase(batch.services.len() as u64, "service");
    format!("{services}: {}", state_counts(batch))
}

/// Returns a text such as `5 released, 2 unchanged, 1 failed`.
pub(super) fn state_counts(batch: &BatchOutcome) -> String {
    count_states(batch.services.iter().map(|(_, end)| service_state(end)))
}

/// Returns how often each state is there, such as `5 released, 1 failed`.
pub(super) fn count_states<'a>(states: impl Iterator<Item = &'a str>) -> String {
    let mut counts: Vec<(&str, u64)> = Vec::new();
    for state in states {
        match counts.iter_mut().find(|(known, _)| *known == state) {
            Some((_, count)) => *count += 1,
            None => counts.push((state, 1)),
        }
    }
    let each: Vec<_> = counts
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    each.join(", ")
}

pub(super) fn service_detail(end: &ServiceOutcome) -> String {
    let ServiceOutcome::Completed(outcome) = end else {
        return String::new();
    };
    let places: Vec<_> = outcome
        .destinations
        .iter()
        .map(|released| released.place.to_string())
        .collect();
    let (places, tags) = (places.join(" "), tag_names(outcome).join(", "));
    let provenance = phrases::provenance_phrase(outcome);
    let provenance = provenance.map(|phrase| format!(" ({phrase})"));
    format!(
        "{}  {places}: {tags}{}",
        outcome.root.short(),
        provenance.unwrap_or_default()
    )
}

/// Returns the notes of all services, each once.
pub(super) fn distinct_notes(batch: &BatchOutcome) -> Vec<&str> {
    let mut notes: Vec<&str> = Vec::new();
    for (_, outcome) in batch.completed() {
        for note in &outcome.notes {
            if !notes.contains(&note.as_str()) {
                notes.push(note);
            }
        }
    }
    notes
}

/// Returns the tags that point to the image, without the repository name.
pub(super) fn tag_names(outcome: &ReleaseOutcome) -> Vec<String> {
    let results = outcome
        .destinations
        .iter()
        .flat_map(references::tags_naming_root);
    results.map(|result| result.tag.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_outcomes;

    #[test]
    fn a_finished_service_has_one_line() {
        let batch = sample_outcomes::batch_outcome();
        let lines: Vec<_> = batch
            .services
            .iter()
            .map(|(it, end)| service_line(it, end))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
    web: released  sha256:4813494d137e  prod.example.com/team/web: 1.4.0, prod (version from the label of the image, SHA tag from the tag given as source); 5 manifests written, 12.3 MiB moved in 4 blobs, 6.0 KiB not moved (48 B in 1 blob already present, 1.9 KiB in 2 blobs mounted, 4.0 KiB in 3 blobs already copied in this run), 1.0 MiB not sent again after 1 interruption
    api: unchanged  sha256:4813494d137e  oci:mirror: 1.4.0 (version from the label of the image, SHA tag from the tag given as source); nothing to copy
    worker: refused: tag 1.4.0 of prod.example.com/team/web names another image
    cron: not begun
    ");
    }

    #[test]
    fn many_failures_are_cut_and_counted() {
        let mut batch = sample_outcomes::batch_outcome();
        let failed = batch.services.remove(2);
        batch.services.extend(std::iter::repeat_n(failed, 30));
        let told = to_failure(&batch).unwrap().1;
        assert!(
            told.contains("and 20 more") && told.lines().count() < 50,
            "{told}"
        );
    }
}
