//! Summary of `history`: what the environment is on, a drawing of the timeline, and its entries.

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::failure_page::failure_alert;
use super::links::remark_text;
use crate::release::HistoryOutcome;
use crate::report::drift_text::drift_lines;
use crate::report::history_report::{
    HistoryReport, TimelineReport, empty_phrase, line_cells, line_remarks, period_phrase,
    signing_phrase,
};
use crate::report::markdown::{
    AlertKind, alert, code_block, code_span, details, escape_text, table_row,
};
use crate::report::phrases::digest_reference;
use crate::report::record_words::{seconds, word};
use crate::report::timeline_diagram;

/// Most entries of a table: a summary has at most one MiB.
const ENTRY_LIMIT: usize = 200;

/// Returns the history as Markdown.
pub(in crate::report) fn history_summary(
    shown: &HistoryReport,
    context: &SummaryContext,
) -> String {
    let environment = escape_text(shown.environment.as_str());
    let mut page = format!("## History of {environment}\n\n**Shown** by shipmark history\n");
    for failed in &shown.failed {
        page += &failure_alert(&failed.failure, Some(&failed.name()));
    }
    page += &context.warning_alerts();
    page += &context.run.table().to_markdown();
    for timeline in &shown.timelines {
        page += &timeline_section(shown, timeline);
    }
    page + "\n"
}

fn timeline_section(shown: &HistoryReport, timeline: &TimelineReport) -> String {
    let history = &timeline.history;
    let mut section = format!("\n### {}\n", escape_text(&history.place.to_string()));
    section += &facts(history).to_markdown();
    section += &drift_alert(history);
    let chart = timeline_diagram::timeline(history.environment.as_str(), &history.lines);
    if let Some(chart) = chart {
        section += &format!("\n```mermaid\n{chart}```\n");
    }
    if let Some(current) = &history.current {
        let references = [
            Some(current.root),
            current.good_before.as_ref().map(|it| it.0),
        ];
        let references = references.into_iter().flatten();
        let references: Vec<String> = references
            .map(|root| digest_reference(&history.place, root))
            .collect();
        section += &format!(
            "\n**References**\n\n{}",
            code_block(references.iter().map(String::as_str))
        );
    }
    if let Some((tag, periods)) = shown.tag.as_ref().zip(history.periods.as_ref()) {
        let lines = periods.iter().rev().map(|period| {
            let version = period.version.as_deref().map_or_else(String::new, word);
            table_row(&[
                &escape_text(&period_phrase(period)),
                &escape_text(&version),
                &code_span(&period.root.to_string()),
            ])
        });
        let lines: String = lines.collect();
        section += &format!(
            "\n**{}**\n\n{}{}{lines}",
            escape_text(tag.as_str()),
            table_row(&["Time", "Version", "Digest"]),
            table_row(&[":---"; 3])
        );
        return section;
    }
    section + &entries_table(history, shown.has_policy)
}

fn facts(history: &HistoryOutcome) -> FactsTable {
    let mut facts = FactsTable::default();
    match &history.current {
        Some(current) => {
            let version = current.version.as_deref();
            let version = version.map(|version| format!("{} ", escape_text(&word(version))));
            let digest = code_span(&current.root.to_string());
            facts.add(
                "Current",
                format!("{}{digest}", version.unwrap_or_default()),
            );
            facts.add("Since", seconds(current.since));
            let before = current.good_before.as_ref().map(|(root, version)| {
                let version = version.as_deref().map(word).unwrap_or_default();
                format!("{} {}", escape_text(&version), code_span(&root.to_string()))
            });
            let before = before.unwrap_or_else(|| "unknown".to_owned());
            facts.add("Good before", before.trim_start().to_owned());
        }
        None => facts.add("Current", "unknown"),
    }
    if let Some(place) = &history.entries_at {
        facts.add("Records in", code_span(&place.to_string()));
    }
    if let Some(phrase) = signing_phrase(history.signing) {
        facts.add("Records", phrase);
    }
    facts
}

fn drift_alert(history: &HistoryOutcome) -> String {
    if history.drift.is_empty() {
        return String::new();
    }
    let lines = drift_lines(history).into_iter();
    alert(AlertKind::Warning, lines.map(|line| escape_text(&line)))
}

fn entries_table(history: &HistoryOutcome, has_policy: bool) -> String {
    if history.lines.is_empty() {
        let phrase = empty_phrase(history, has_policy).replacen("no", "No", 1);
        return format!("\n{}.\n", escape_text(&phrase));
    }
    let head = [
        "Time (UTC)",
        "Version",
        "Action",
        "Digest",
        "Commit",
        "Actor",
        "State",
        "Known",
    ];
    let mut table = format!("\n{}{}", table_row(&head), table_row(&[":---"; 8]));
    let mut remarks = Vec::new();
    for line in history.lines.iter().take(ENTRY_LIMIT) {
        let [time, version, action, digest, commit, actor, state, known] = line_cells(line);
        table += &table_row(&[
            &time,
            &escape_text(&version),
            &escape_text(&action),
            &code_span(&digest),
            &code_span(&commit),
            &escape_text(&actor),
            &escape_text(&state),
            known.as_str(),
        ]);
        let of_line = line_remarks(line).into_iter();
        remarks.extend(of_line.map(|remark| format!("- {time}: {}\n", remark_text(&remark))));
    }
    match history.lines.len().saturating_sub(ENTRY_LIMIT) {
        0 => {}
        more => table += &format!("\n{more} more entries are in the output json.\n"),
    }
    table + &details("Remarks", &remarks.concat())
}
