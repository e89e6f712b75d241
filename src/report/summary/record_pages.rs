//! Summaries of `rollback`, `mark`, `hold`, `unhold` and `adopt`.

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::failure_page::failure_alert;
use super::links::text_or_link;
use crate::release::{AdoptOutcome, HoldOutcome, MarkOutcome, NamedRoot, RollbackOutcome};
use crate::report::adopt_report::{AdoptReport, counts_phrase};
use crate::report::hold_report;
use crate::report::mark_report::{self, state_word};
use crate::report::markdown::{code_block, code_span, escape_text, table_row};
use crate::report::phrases::digest_reference;
use crate::report::rollback_report::{
    between_phrase, change_word, image_reference, tag_reason, title_word,
};

/// Most releases of a table: a summary has at most one MiB.
const ENTRY_LIMIT: usize = 200;

/// Returns a rollback as Markdown.
pub(in crate::report) fn rollback_summary(
    outcome: &RollbackOutcome,
    context: &SummaryContext,
) -> String {
    let environment = escape_text(outcome.environment.as_str());
    let mut page = format!(
        "## Rollback of {environment}: {} {}\n",
        title_word(outcome),
        escape_text(&outcome.withdrawn.to_string())
    );
    page += &context.warning_alerts();
    let failure = outcome.to_failure();
    page.extend(failure.map(|failure| failure_alert(&failure, None)));
    let mut facts = FactsTable::default();
    facts.add("Repository", code_span(&outcome.place.to_string()));
    facts.add("Withdrawn", root_cell(&outcome.withdrawn));
    facts.add_known("Back on", outcome.restored.as_ref().map(root_cell));
    facts.add_known("Current", outcome.current.as_ref().map(root_cell));
    let between = Some(outcome).filter(|outcome| !outcome.between.is_empty());
    facts.add_known(
        "Kept",
        between.map(|outcome| escape_text(&between_phrase(outcome))),
    );
    facts.add_known("Reason", outcome.reason.as_deref().map(escape_text));
    let record = outcome.record_id().map(|id| code_span(&id.to_string()));
    facts.add_known("Record", record);
    facts.append(context.run.table());
    page += &facts.to_markdown();
    page += &tags_table(outcome);
    let image = image_reference(outcome);
    if !image.is_empty() {
        page += &format!("\n**Image**\n\n{}", code_block([image.as_str()]));
    }
    for note in &outcome.notes {
        page += &format!("\n{}\n", escape_text(note));
    }
    page + "\n"
}

fn root_cell(root: &NamedRoot) -> String {
    let digest = code_span(&root.digest.to_string());
    match &root.version {
        Some(version) => format!("{} {digest}", escape_text(version)),
        None => digest,
    }
}

fn tags_table(outcome: &RollbackOutcome) -> String {
    if outcome.tags.is_empty() {
        return String::new();
    }
    let mut table = format!(
        "\n{}{}",
        table_row(&["Tag", "Change", "Why"]),
        table_row(&[":---"; 3])
    );
    for tag in &outcome.tags {
        let reason = tag_reason(tag);
        table += &table_row(&[
            &code_span(tag.tag.as_str()),
            change_word(tag, outcome),
            &escape_text(reason.trim_start_matches([':', ' '])),
        ]);
    }
    table
}

/// Returns a mark as Markdown.
pub(in crate::report) fn mark_summary(outcome: &MarkOutcome, context: &SummaryContext) -> String {
    let environment = escape_text(outcome.environment.as_str());
    let mut page = format!(
        "## {environment}: {} {}\n",
        escape_text(&outcome.release.to_string()),
        state_word(outcome.state)
    );
    page += &context.warning_alerts();
    let mut facts = FactsTable::default();
    facts.add("Image", code_span(&mark_report::image_reference(outcome)));
    facts.add_known("Reason", outcome.reason.as_deref().map(escape_text));
    facts.add_known("Link", outcome.link.as_deref().map(text_or_link));
    let record = outcome.record_id().map(|id| code_span(&id.to_string()));
    facts.add_known("Record", record);
    facts.append(context.run.table());
    page + &facts.to_markdown() + "\n"
}

/// Returns a hold, or its end, as Markdown.
pub(in crate::report) fn hold_summary(outcome: &HoldOutcome, context: &SummaryContext) -> String {
    let mut page = format!(
        "## Hold {}: {}\n",
        escape_text(outcome.name.as_str()),
        hold_report::title_word(outcome)
    );
    page += &context.warning_alerts();
    let mut facts = FactsTable::default();
    let image = hold_report::image_reference(outcome);
    facts.add_known(
        "Image",
        Some(code_span(&image)).filter(|_| !image.is_empty()),
    );
    facts.add("Tag", escape_text(&hold_report::tag_phrase(outcome)));
    facts.add("Reason", escape_text(&outcome.reason));
    let record = outcome.record_id().map(|id| code_span(&id.to_string()));
    facts.add_known("Record", record);
    facts.append(context.run.table());
    page + &facts.to_markdown() + "\n"
}

/// Returns an adoption as Markdown.
pub(in crate::report) fn adopt_summary(report: &AdoptReport, context: &SummaryContext) -> String {
    let environment = escape_text(report.environment.as_str());
    let word = match report.dry_run {
        true => "dry run",
        false => report.outcome_word(),
    };
    let mut page = format!("## Adoption of {environment}: {word}\n");
    page += &context.warning_alerts();
    page += &context.run.table().to_markdown();
    for (_, outcome) in &report.outcomes {
        page += &adoption_section(outcome);
    }
    page + "\n"
}

fn adoption_section(outcome: &AdoptOutcome) -> String {
    let mut section = format!("\n{}\n", escape_text(&counts_phrase(outcome)));
    if let Some(current) = &outcome.current {
        let image = digest_reference(&outcome.place, current.digest);
        section += &format!("\n**Current**\n\n{}", code_block([image.as_str()]));
    }
    if !outcome.adopted.is_empty() {
        section += &format!(
            "\n{}{}",
            table_row(&["Version", "Digest", "Tags"]),
            table_row(&[":---"; 3])
        );
    }
    for release in outcome.adopted.iter().take(ENTRY_LIMIT) {
        let tags: Vec<_> = release
            .tags
            .iter()
            .map(|tag| code_span(tag.as_str()))
            .collect();
        section += &table_row(&[
            &escape_text(release.version.as_deref().unwrap_or("")),
            &code_span(&release.root.to_hex()[..12]),
            &tags.join(" "),
        ]);
    }
    if let more @ 1.. = outcome.adopted.len().saturating_sub(ENTRY_LIMIT) {
        section += &format!("\n{more} more are in the log.\n");
    }
    for note in &outcome.notes {
        section += &format!("\n{}\n", escape_text(note));
    }
    section
}
