//! Report of a batch, with a line or row for each service.

use super::gate_report::{gates_text, service_gates_text};
use super::styled_text::{StyledText, Tone};
use super::{batch_phrases, phrases, text_report};
use crate::release::{BatchOutcome, ServiceOutcome};

/// Returns the report of a batch as text.
pub(super) fn to_text(batch: &BatchOutcome) -> StyledText {
    if let Some(outcome) = batch_phrases::only_outcome(batch) {
        return text_report::release_text(outcome);
    }
    // The failure alone says the rest.
    if let [(_, ServiceOutcome::Failed(failure))] = &batch.services[..] {
        return failure.gates().map(gates_text).unwrap_or_default();
    }
    let names = batch.services.iter().map(|(service, _)| service);
    let name_width = names.map(|name| name.as_str().len()).max();
    let ends = batch
        .services
        .iter()
        .map(|(_, end)| batch_phrases::service_state(end).len());
    let (name_width, end_width) = (
        name_width.unwrap_or_default(),
        ends.max().unwrap_or_default(),
    );
    let mut report = StyledText::default();
    report.push_toned(Tone::Title, phrases::verb_name(batch.verb));
    report.push(&format!(" of {}\n", batch_phrases::service_counts(batch)));
    for (service, end) in &batch.services {
        let (service, state) = (service.as_str(), batch_phrases::service_state(end));
        report.push(&format!("  {service:<name_width$}  "));
        match service_tone(end) {
            Some(tone) => report.push_toned(tone, state),
            None => report.push(state),
        }
        let detail = batch_phrases::service_detail(end);
        if !detail.is_empty() {
            report.push(&format!("{:1$}  {detail}", "", end_width - state.len()));
        }
        report.push("\n");
    }
    for (service, failure) in batch.failures() {
        report.push(&format!("\n{service}: "));
        text_report::push_failure(&mut report, failure);
    }
    report.append(&service_gates_text(batch));
    for note in batch_phrases::distinct_notes(batch) {
        text_report::push_note(&mut report, note);
    }
    report.trim_end();
    report
}

/// Returns the tone of what happened to a service; `None` if nothing did.
fn service_tone(end: &ServiceOutcome) -> Option<Tone> {
    match end {
        ServiceOutcome::Completed(outcome) => outcome.has_changes().then_some(Tone::Done),
        ServiceOutcome::Failed(_) => Some(Tone::Refused),
        ServiceOutcome::NotStarted => Some(Tone::Caution),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_outcomes;

    #[test]
    fn a_report_has_a_line_for_each_service() {
        insta::assert_snapshot!(to_text(&sample_outcomes::batch_outcome()), @r"
    promote of 4 services: 1 released, 1 unchanged, 1 refused, 1 not begun
      web     released   sha256:4813494d137e  prod.example.com/team/web: 1.4.0, prod (version from the label of the image, SHA tag from the tag given as source)
      api     unchanged  sha256:4813494d137e  oci:mirror: 1.4.0 (version from the label of the image, SHA tag from the tag given as source)
      worker  refused
      cron    not begun

    worker: refused: tag 1.4.0 of prod.example.com/team/web names another image
     why:  1.4.0 is an immutable tag
     hint: release 1.4.1

    note: no tag 1 for a 0.x version
    ");
        insta::assert_snapshot!(batch_phrases::to_failure(&sample_outcomes::batch_outcome()).unwrap().1, @r"
    refused: 4 services: 1 released, 1 unchanged, 1 refused, 1 not begun
     worker: tag 1.4.0 of prod.example.com/team/web names another image
      why:  1.4.0 is an immutable tag
      hint: release 1.4.1
     what is released stays: remove the cause, then repeat the run to do the rest
    ");
    }

    #[test]
    fn a_single_failed_service_is_reported_once() {
        let mut batch = sample_outcomes::batch_outcome();
        let failed = |(_, end): &(_, ServiceOutcome)| matches!(end, ServiceOutcome::Failed(_));
        batch.services.retain(failed);
        assert_eq!(to_text(&batch).as_str(), "");
        assert!(batch_phrases::to_failure(&batch).is_some());
    }

    #[test]
    fn a_single_service_is_reported_like_a_single_image() {
        let mut batch = sample_outcomes::batch_outcome();
        batch.services.truncate(1);
        let Some((_, outcome)) = batch.completed().next() else {
            panic!("it is done");
        };
        assert_eq!(to_text(&batch), text_report::release_text(outcome));
        assert!(batch_phrases::to_failure(&batch).is_none());
    }
}
