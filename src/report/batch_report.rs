//! Report of a batch, with a line or row for each service.

use super::markdown::{code_span, escape_text, table_row};
use super::styled_text::{StyledText, Tone};
use super::{batch_phrases, job_summary, phrases, references, text_report};
use crate::release::{BatchOutcome, ServiceOutcome};

/// Returns the report of a batch as text.
pub(super) fn to_text(batch: &BatchOutcome) -> StyledText {
    if let Some(outcome) = batch_phrases::only_outcome(batch) {
        return text_report::release_text(outcome);
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
        report.append(&text_report::failure_text(failure));
        report.push("\n");
    }
    for note in distinct_notes(batch) {
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

/// Returns the report of a batch as Markdown for the job summary.
pub(super) fn to_summary(batch: &BatchOutcome) -> String {
    if let Some(outcome) = batch_phrases::only_outcome(batch) {
        return job_summary::release_summary(outcome);
    }
    let mut page = format!(
        "## shipmark {}: {}\n\n",
        phrases::verb_name(batch.verb),
        escape_text(&batch_phrases::service_counts(batch))
    );
    page += &table_row(&["Service", "", "Image", "Tags"]);
    page += &table_row(&["---", "---", "---", "---"]);
    for (service, end) in &batch.services {
        let (images, tags) = match end {
            ServiceOutcome::Completed(outcome) => (
                references::image_references(outcome),
                batch_phrases::tag_names(outcome),
            ),
            _ => (Vec::new(), Vec::new()),
        };
        let [images, mut tags] = [images, tags].map(|them| {
            let them: Vec<_> = them.iter().map(|it| code_span(it)).collect();
            them.join(" ")
        });
        if let ServiceOutcome::Completed(outcome) = end
            && let Some(phrase) = phrases::provenance_phrase(outcome)
        {
            tags += &format!(" ({})", escape_text(&phrase));
        }
        page += &table_row(&[
            &code_span(service.as_str()),
            batch_phrases::service_state(end),
            &images,
            &tags,
        ]);
    }
    for (service, failure) in batch.failures() {
        page += &format!(
            "\n### {}: {}\n\n",
            code_span(service.as_str()),
            text_report::failure_title(failure)
        );
        page += &job_summary::diagnostic_markdown(failure);
    }
    let notes = distinct_notes(batch);
    if !notes.is_empty() {
        page += "\n### Skipped and defaulted\n\n";
        for note in notes {
            page += &format!("- {}\n", escape_text(note));
        }
    }
    page + "\n"
}

/// Returns the notes of all services, each once.
fn distinct_notes(batch: &BatchOutcome) -> Vec<&str> {
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
     repeat the run to do the rest
    ");
    }

    #[test]
    fn a_page_has_a_row_for_each_service() {
        insta::assert_snapshot!(to_summary(&sample_outcomes::batch_outcome()), @r"
    ## shipmark promote: 4 services&#58; 1 released, 1 unchanged, 1 refused, 1 not begun

    | Service |  | Image | Tags |
    | --- | --- | --- | --- |
    | `web` | released | `prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2` | `1.4.0` `prod` (version from the label of the image, SHA tag from the tag given as source) |
    | `api` | unchanged | `oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2` | `1.4.0` (version from the label of the image, SHA tag from the tag given as source) |
    | `worker` | refused |  |  |
    | `cron` | not begun |  |  |

    ### `worker`: refused

    tag 1&#46;4&#46;0 of prod&#46;example&#46;com/team/web names another image

    **Why:** 1&#46;4&#46;0 is an immutable tag

    **Hint:** release 1&#46;4&#46;1


    ### Skipped and defaulted

    - no tag 1 for a 0&#46;x version
    ");
    }

    #[test]
    fn a_single_service_is_reported_like_a_single_image() {
        let mut batch = sample_outcomes::batch_outcome();
        batch.services.truncate(1);
        let Some((_, outcome)) = batch.completed().next() else {
            panic!("it is done");
        };
        assert_eq!(to_text(&batch), text_report::release_text(outcome));
        assert_eq!(to_summary(&batch), job_summary::release_summary(outcome));
        assert!(batch_phrases::to_failure(&batch).is_none());
    }
}
