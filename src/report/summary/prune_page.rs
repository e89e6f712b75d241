//! Summaries of `prune` and `restore`.

use super::SummaryContext;
use super::facts_table::FactsTable;
use crate::prune::{AppliedRepository, RestoreOutcome};
use crate::report::markdown::{AlertKind, alert, code_block, code_span, escape_text, table_row};
use crate::report::phrases::{byte_count, count_phrase};
use crate::report::prune_report::{PruneReport, RepositorySection};
use crate::report::restore_report;

/// Most images that the page lists of one rule.
const IMAGE_LIMIT: usize = 30;
/// Most bytes of a page: a summary may have 1 MiB.
const PAGE_LIMIT: usize = 900 << 10;

/// Returns a plan of deletions, or deletions by a plan, as Markdown.
pub(in crate::report) fn prune_summary(report: &PruneReport, context: &SummaryContext) -> String {
    let title = match report.applied {
        Some(_) => "Deletion by retention",
        None => "Plan of retention",
    };
    let mut page = format!("## {title}: {}\n", report.outcome_word());
    page += &context.warning_alerts();
    page += &context.run.table().to_markdown();
    let sections = report.sections();
    let mut left = 0;
    for section in &sections {
        let text = section_page(report, section);
        match page.len() + text.len() > PAGE_LIMIT {
            true => left += 1,
            false => page += &text,
        }
    }
    if left > 0 {
        let left = count_phrase(left, "repository");
        page += &format!("\n{left} more in the log and in the output json.\n");
    }
    for warning in report.warnings() {
        page += &alert(AlertKind::Warning, [escape_text(&warning)]);
    }
    if let Some(file) = &report.plan_file {
        let command = format!("shipmark prune --apply {file}");
        page += &format!(
            "\nThe plan is valid for 24 hours.\n\n{}",
            code_block([command.as_str()])
        );
    }
    page + "\n"
}

fn section_page(report: &PruneReport, section: &RepositorySection<'_>) -> String {
    let place = escape_text(&section.planned.place.to_string());
    let mut page = format!("\n### {place}\n\n{}\n", escape_text(&section.head()));
    for stop in section.stops() {
        page += &alert(
            AlertKind::Caution,
            [format!("**Stopped:** {}", escape_text(&stop))],
        );
    }
    for (reason, images) in section.going() {
        page += &format!("\n**Goes by {}**\n", escape_text(&reason));
        page += &format!(
            "\n{}{}",
            table_row(&["Tags", "Digest", "Age", "Manifests"]),
            table_row(&[":---"; 4])
        );
        for image in images.iter().take(IMAGE_LIMIT) {
            let tags: Vec<String> = image.tags.iter().map(|tag| code_span(tag)).collect();
            let tags = match tags.is_empty() {
                true => "untagged".to_owned(),
                false => tags.join(" "),
            };
            page += &table_row(&[
                &tags,
                &code_span(&image.digest.short()),
                &escape_text(&image.age),
                &(image.others + 1).to_string(),
            ]);
        }
        if let more @ 1.. = images.len().saturating_sub(IMAGE_LIMIT) {
            page += &format!("\n{more} more are in the log.\n");
        }
    }
    for (tag, reason) in section.untied() {
        page += &format!(
            "\n{} goes alone, by {}\n",
            code_span(&tag),
            escape_text(&reason)
        );
    }
    page += &facts(section);
    for line in report.explain(section) {
        page += &format!("\n{}\n", escape_text(&line));
    }
    if let Some(applied) = section.applied {
        page += &applied_page(report, applied);
    }
    page
}

fn facts(section: &RepositorySection<'_>) -> String {
    let mut facts = FactsTable::default();
    for (reason, count) in section.staying() {
        let count = count_phrase(count as u64, "manifest");
        facts.add("Stays", format!("{count}: {}", escape_text(reason)));
    }
    for (digest, words) in section.refused_by_registry() {
        let digest = code_span(&digest.short());
        facts.add(
            "Refused by the registry",
            format!("{digest}: {}", escape_text(&words)),
        );
    }
    if let blobs @ 1.. = section.planned.unnamed_blobs.len() {
        let size = section.planned.unnamed_blobs.iter().map(|it| it.size).sum();
        let blobs = count_phrase(blobs as u64, "blob");
        facts.add("Not named", format!("{blobs}, {}", byte_count(size)));
    }
    facts.to_markdown()
}

fn applied_page(report: &PruneReport, applied: &AppliedRepository) -> String {
    let deleted = count_phrase(applied.deletions.len() as u64, "tag or manifest");
    let deleted = deleted.replace("tag or manifests", "tags and manifests");
    let mut page = format!("\n**Deleted:** {deleted}\n");
    for change in &applied.changes {
        page += &format!("\n{}\n", escape_text(change));
    }
    for refusal in &applied.refusals {
        let text = format!("{}: {}", refusal.name, refusal.reason);
        page += &alert(
            AlertKind::Warning,
            [format!("**Refused:** {}", escape_text(&text))],
        );
    }
    for hole in &applied.holes {
        let text = format!("{} names {}, which is missing", hole.named_by, hole.missing);
        page += &alert(AlertKind::Caution, [escape_text(&text)]);
        let command = hole.restore_command(&applied.place, report.archive.as_deref());
        page += &code_block([command.as_str()]);
    }
    page
}

/// Returns what was brought back as Markdown.
pub(in crate::report) fn restore_summary(
    outcome: &RestoreOutcome,
    context: &SummaryContext,
) -> String {
    let mut page = "## Restored image\n".to_owned();
    page += &context.warning_alerts();
    page += &context.run.table().to_markdown();
    let image = format!("{}@{}", outcome.place, outcome.digest);
    page += &format!("\n{}", code_block([image.as_str()]));
    let referrers = count_phrase(outcome.referrers.len() as u64, "referrer");
    page += &format!("\nWith {referrers}.\n");
    for (tag, end) in &outcome.tags {
        let phrase = restore_report::tag_phrase(*end);
        page += &format!("\n{} {}\n", code_span(tag.as_str()), escape_text(&phrase));
    }
    page + "\n"
}
