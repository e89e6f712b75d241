//! Report of a rollback or a mark of several services, with a line or row for each.

use serde_json::{Value, json};

use super::batch_phrases::{count_states, failures_text, worst_failure};
use super::image_matrix::image_matrix;
use super::phrases::{count_phrase, digest_reference};
use super::styled_text::{StyledText, Tone};
use super::{json_output, mark_report, rollback_report, text_report};
use crate::image::{Destination, Digest};
use crate::notices::TagNews;
use crate::policy::Service;
use crate::record::RecordId;
use crate::release::{
    Failure, MarkOutcome, NamedRoot, RecordBatchOutcome, RollbackOutcome, ServiceOutcome,
};

/// Outcome of a verb of records for one service.
pub(super) trait ServiceRecord {
    /// Name of the verb.
    const VERB: &'static str;

    /// Returns what happened, in a word or two.
    fn state(&self) -> &'static str;
    /// Returns whether something was written, or on a dry run would be.
    fn has_changes(&self) -> bool;
    /// Returns the release that the record is about.
    fn release(&self) -> &NamedRoot;
    /// Returns the image that a later job takes.
    fn image(&self) -> Option<Digest>;
    fn place(&self) -> &Destination;
    fn record_id(&self) -> Option<RecordId>;
    /// Returns a short text of which release and where.
    fn detail(&self) -> String;
    fn notes(&self) -> &[String];
    fn to_text(&self) -> StyledText;
    fn to_json(&self) -> Value;
    /// Returns the failure if it is done only in part.
    fn to_failure(&self) -> Option<Failure>;
}

impl ServiceRecord for RollbackOutcome {
    const VERB: &'static str = "rollback";

    fn state(&self) -> &'static str {
        match (rollback_report::outcome_word(self), self.dry_run) {
            ("unchanged", true) if self.has_changes() => "would be withdrawn",
            (word, _) => word,
        }
    }

    fn has_changes(&self) -> bool {
        Self::has_changes(self)
    }

    fn release(&self) -> &NamedRoot {
        &self.withdrawn
    }

    fn image(&self) -> Option<Digest> {
        self.current.as_ref().map(|current| current.digest)
    }

    fn place(&self) -> &Destination {
        &self.place
    }

    fn record_id(&self) -> Option<RecordId> {
        Self::record_id(self)
    }

    fn detail(&self) -> String {
        let current = self.current.as_ref().map(ToString::to_string);
        let current = current.unwrap_or_else(|| "no release".to_owned());
        format!("{} of {}, on {current}", self.withdrawn, self.place)
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn to_text(&self) -> StyledText {
        rollback_report::to_text(self)
    }

    fn to_json(&self) -> Value {
        rollback_report::to_json(self)
    }

    fn to_failure(&self) -> Option<Failure> {
        Self::to_failure(self)
    }
}

impl ServiceRecord for MarkOutcome {
    const VERB: &'static str = "mark";

    fn state(&self) -> &'static str {
        match self.record {
            Some(_) => mark_report::state_word(self.state),
            None => "unchanged",
        }
    }

    fn has_changes(&self) -> bool {
        self.record.is_some()
    }

    fn release(&self) -> &NamedRoot {
        &self.release
    }

    fn image(&self) -> Option<Digest> {
        Some(self.release.digest)
    }

    fn place(&self) -> &Destination {
        &self.place
    }

    fn record_id(&self) -> Option<RecordId> {
        Self::record_id(self)
    }

    fn detail(&self) -> String {
        format!("{} of {}", self.release, self.place)
    }

    fn notes(&self) -> &[String] {
        &[]
    }

    fn to_text(&self) -> StyledText {
        mark_report::to_text(self)
    }

    fn to_json(&self) -> Value {
        mark_report::to_json(self)
    }

    fn to_failure(&self) -> Option<Failure> {
        None
    }
}

/// Returns what a rollback did to a service, as a line for the log while others still run.
pub fn rollback_line(
    service: &Service,
    end: &ServiceOutcome<RollbackOutcome>,
) -> (TagNews, String) {
    service_line(service, end)
}

/// Returns what a mark did to a service, as a line for the log while others still run.
pub fn mark_line(service: &Service, end: &ServiceOutcome<MarkOutcome>) -> (TagNews, String) {
    service_line(service, end)
}

fn service_line<O: ServiceRecord>(service: &Service, end: &ServiceOutcome<O>) -> (TagNews, String) {
    let state = service_state(end);
    match end {
        ServiceOutcome::Completed(outcome) => {
            let line = format!("{service}: {state}  {}", outcome.detail());
            (TagNews::Written, line)
        }
        ServiceOutcome::Failed(failure) => {
            let what = failure.diagnostic().map(|it| format!(": {}", it.what));
            let line = format!("{service}: {state}{}", what.unwrap_or_default());
            (TagNews::Kept, line)
        }
        ServiceOutcome::NotStarted => (TagNews::Kept, format!("{service}: {state}")),
    }
}

/// Returns what happened to a service, in a word or two.
pub(super) fn service_state<O: ServiceRecord>(end: &ServiceOutcome<O>) -> &'static str {
    match end {
        ServiceOutcome::Completed(outcome) => outcome.state(),
        ServiceOutcome::Failed(failure) => text_report::failure_title(failure),
        ServiceOutcome::NotStarted => "not begun",
    }
}

/// Returns a text such as `8 services: 5 withdrawn, 1 refused`.
pub(super) fn service_counts<O: ServiceRecord>(batch: &RecordBatchOutcome<O>) -> String {
    let services = count_phrase(batch.services.len() as u64, "service");
    let states = batch.services.iter().map(|(_, end)| service_state(end));
    format!("{services}: {}", count_states(states))
}

/// Returns the report as text.
pub(super) fn to_text<O: ServiceRecord>(batch: &RecordBatchOutcome<O>) -> StyledText {
    let mut text = StyledText::default();
    text.push_toned(Tone::Title, O::VERB);
    text.push(&format!(
        " in {} of {}\n",
        batch.environment,
        service_counts(batch)
    ));
    let names = batch.services.iter().map(|(service, _)| service.as_str());
    let width = names.map(str::len).max().unwrap_or_default();
    for (service, end) in &batch.services {
        text.push(&format!("  {:<width$}  ", service.as_str()));
        text.push_toned(service_tone(end), service_state(end));
        text.push("\n");
    }
    for (service, outcome) in batch.completed() {
        text.push(&format!("\n{service}: "));
        text.append(&outcome.to_text());
        text.push("\n");
    }
    for (service, failure) in batch.failures() {
        text.push(&format!("\n{service}: "));
        text.append(&text_report::failure_text(failure));
        text.push("\n");
    }
    text.trim_end();
    text
}

fn service_tone<O: ServiceRecord>(end: &ServiceOutcome<O>) -> Tone {
    match end {
        ServiceOutcome::Completed(outcome) if outcome.to_failure().is_some() => Tone::Refused,
        ServiceOutcome::Completed(outcome) if outcome.has_changes() => Tone::Done,
        ServiceOutcome::Failed(_) => Tone::Refused,
        _ => Tone::Caution,
    }
}

/// Returns the failure that decides the exit status, and the text of all; `None` if every service is done.
pub(super) fn to_failure<O: ServiceRecord>(
    batch: &RecordBatchOutcome<O>,
) -> Option<(Failure, String)> {
    let incomplete: Vec<(&Service, Failure)> = batch
        .completed()
        .filter_map(|(service, outcome)| Some((service, outcome.to_failure()?)))
        .collect();
    let incomplete = incomplete
        .iter()
        .map(|(service, failure)| (*service, failure));
    let failures: Vec<_> = batch.failures().chain(incomplete).collect();
    let worst = worst_failure(failures.iter().map(|(_, failure)| *failure))?;
    let title = format!(
        "{}: {}",
        text_report::failure_title(worst),
        service_counts(batch)
    );
    let text = failures_text(title, &failures, &way_on(batch));
    Some((worst.clone(), text))
}

/// Returns how to go on. A repeated rollback of a service that is done would withdraw another release.
fn way_on<O: ServiceRecord>(batch: &RecordBatchOutcome<O>) -> String {
    let is_undone = |end: &ServiceOutcome<O>| !matches!(end, ServiceOutcome::Completed(_));
    let undone = batch.services.iter().filter(|(_, end)| is_undone(end));
    let undone: Vec<&str> = undone.map(|(service, _)| service.as_str()).collect();
    match (batch.started, undone.is_empty()) {
        (false, _) => "nothing was written".to_owned(),
        (true, true) => String::new(),
        (true, false) => format!(
            "to do the rest, run it for the other services alone, with services: {}",
            undone.join(", ")
        ),
    }
}

/// Returns the output `outcome`.
pub(super) fn outcome_word<O: ServiceRecord>(batch: &RecordBatchOutcome<O>) -> &'static str {
    let has_changes = batch.completed().any(|(_, outcome)| outcome.has_changes());
    match to_failure(batch) {
        Some((Failure::Refused(_), _)) => "refused",
        Some((Failure::Incomplete(_), _)) => "incomplete",
        Some(_) => "failed",
        None if !has_changes || batch.dry_run => "unchanged",
        None if O::VERB == RollbackOutcome::VERB => "withdrawn",
        None => "marked",
    }
}

/// Returns the outputs of the step. Several services have no `digest`, which names one image.
pub(super) fn to_outputs<O: ServiceRecord>(
    batch: &RecordBatchOutcome<O>,
) -> Vec<(&'static str, String)> {
    let records = batch
        .completed()
        .filter_map(|(_, outcome)| Some(outcome.record_id()?.to_string()));
    vec![
        ("image", images(batch).join("\n")),
        ("record", records.collect::<Vec<_>>().join("\n")),
        ("json", to_json(batch).to_string()),
        ("outcome", outcome_word(batch).to_owned()),
        ("matrix", to_matrix(batch)),
    ]
}

/// Returns the image of each service that is done.
pub(super) fn images<O: ServiceRecord>(batch: &RecordBatchOutcome<O>) -> Vec<String> {
    let images = batch.completed().filter_map(|(_, outcome)| {
        let digest = outcome.image()?;
        Some(digest_reference(outcome.place(), digest))
    });
    images.collect()
}

/// Returns the digest of each service, one per line.
pub(super) fn digests<O: ServiceRecord>(batch: &RecordBatchOutcome<O>) -> String {
    let digests = batch
        .completed()
        .filter_map(|(_, outcome)| Some(outcome.image()?.to_string()));
    digests.collect::<Vec<_>>().join("\n")
}

fn to_json<O: ServiceRecord>(batch: &RecordBatchOutcome<O>) -> Value {
    let services = batch.services.iter().map(|(service, end)| {
        let mut value = match end {
            ServiceOutcome::Completed(outcome) => outcome.to_json(),
            ServiceOutcome::Failed(failure) => {
                json_output::service_failure_json(service_state(end), Some(failure))
            }
            ServiceOutcome::NotStarted => {
                json_output::service_failure_json(service_state(end), None)
            }
        };
        value["service"] = service.as_str().into();
        value
    });
    json!({
        "verb": O::VERB,
        "outcome": outcome_word(batch),
        "dryRun": batch.dry_run,
        "environment": batch.environment.as_str(),
        "services": services.collect::<Vec<_>>(),
    })
}

fn to_matrix<O: ServiceRecord>(batch: &RecordBatchOutcome<O>) -> String {
    let images = batch.completed();
    image_matrix(
        images.filter_map(|(service, outcome)| {
            Some((Some(service), outcome.place(), outcome.image()?))
        }),
    )
}

#[cfg(test)]
mod tests;
