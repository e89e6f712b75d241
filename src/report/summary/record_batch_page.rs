//! Summary of a rollback or a mark of several services: a row for each, and the full references below.

use super::SummaryContext;
use super::failure_page::failure_alerts;
use crate::release::{RecordBatchOutcome, ServiceOutcome};
use crate::report::markdown::{code_block, code_span, escape_text, table_row};
use crate::report::phrases::count_phrase;
use crate::report::record_batch_report::{
    ServiceRecord, images, outcome_word, service_counts, service_state,
};

/// Returns the outcome of several services as Markdown.
pub(in crate::report) fn record_batch_summary<O: ServiceRecord>(
    batch: &RecordBatchOutcome<O>,
    context: &SummaryContext,
) -> String {
    let dry_run = match batch.dry_run {
        true => " (dry run, nothing was written)",
        false => "",
    };
    let mut page = format!(
        "## {}: {} of {}\n\n**{}**{dry_run}: {}\n",
        escape_text(batch.environment.as_str()),
        O::VERB,
        count_phrase(batch.services.len() as u64, "service"),
        title_word(outcome_word(batch)),
        service_counts(batch)
    );
    page += &context.run.table().to_markdown();
    for (service, failure) in batch.failures() {
        page += &failure_alerts(failure, Some(service.as_str()));
    }
    for (service, outcome) in batch.completed() {
        let failure = outcome.to_failure();
        page.extend(failure.map(|it| failure_alerts(&it, Some(service.as_str()))));
    }
    page += &context.warning_alerts();
    page += &services_table(batch);
    let images = images(batch);
    if !images.is_empty() {
        let images = code_block(images.iter().map(String::as_str));
        page += &format!("\n**Images**\n\n{images}");
    }
    for (service, outcome) in batch.completed() {
        for note in outcome.notes() {
            page += &format!("\n{}: {}\n", code_span(service.as_str()), escape_text(note));
        }
    }
    page + "\n"
}

fn title_word(outcome: &str) -> String {
    let mut letters = outcome.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn services_table<O: ServiceRecord>(batch: &RecordBatchOutcome<O>) -> String {
    let mut table = format!(
        "\n{}{}",
        table_row(&["Service", "Outcome", "Release", "Image"]),
        table_row(&[":---"; 4])
    );
    for (service, end) in &batch.services {
        let (release, image) = match end {
            ServiceOutcome::Completed(outcome) => (
                escape_text(&outcome.release().to_string()),
                outcome
                    .image()
                    .map(|image| code_span(&image.to_hex()[..12])),
            ),
            _ => (String::new(), None),
        };
        let state = service_state(end);
        let state = match end {
            ServiceOutcome::Failed(_) => format!("**{state}**"),
            _ => state.to_owned(),
        };
        table += &table_row(&[
            &code_span(service.as_str()),
            &state,
            &release,
            &image.unwrap_or_default(),
        ]);
    }
    table
}
