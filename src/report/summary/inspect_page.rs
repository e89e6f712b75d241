//! Summary of `inspect`: where an image comes from, its evidence, and its environments.

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::links::{remark_text, text_or_link};
use crate::release::{EnvironmentAccount, InspectOutcome};
use crate::report::history_report::line_remarks;
use crate::report::inspect_evidence::{
    document_phrase, evidence_kind, evidence_phrases, other_documents,
};
use crate::report::inspect_report::{
    InspectReport, account_cautions, account_facts, image_facts, image_reference, line_phrase,
};
use crate::report::markdown::{AlertKind, alert, code_block, code_span, escape_text, table_row};
use crate::report::phrases::digest_reference;
use crate::report::timeline_diagram;

/// Returns the accounts of images as Markdown.
pub(in crate::report) fn inspect_summary(
    shown: &InspectReport,
    context: &SummaryContext,
) -> String {
    let mut page = String::new();
    for image in &shown.images {
        page += &image_section(&image.outcome, shown.has_policy);
    }
    page += &context.warning_alerts();
    page += &context.run.table().to_markdown();
    page + "\n"
}

fn image_section(outcome: &InspectOutcome, has_policy: bool) -> String {
    let image = &outcome.image;
    let title = match &outcome.environment {
        Some(environment) => format!("{environment} of {}", image.place),
        None => image.source.to_string(),
    };
    let mut facts = FactsTable::default();
    for (name, value) in image_facts(image) {
        let heading = match name {
            "image" => "Image",
            "version" => "Version",
            "commit" => "Commit",
            _ => "Dockerfile",
        };
        facts.add(heading, escape_text(&value));
    }
    let mut section = format!(
        "## {}\n\n**Shown** by shipmark inspect\n{}",
        escape_text(&title),
        facts.to_markdown()
    );
    section += &evidence_table(outcome);
    for account in &outcome.environments {
        section += &account_section(account, has_policy);
    }
    if outcome.environments.is_empty() {
        section += "\nNo record names this image.\n";
    }
    section += &references(outcome);
    section
}

fn evidence_table(outcome: &InspectOutcome) -> String {
    let checked = outcome.evidence.iter().map(|evidence| {
        let phrases = evidence_phrases(outcome, evidence);
        let phrases: Vec<String> = phrases.iter().map(|(it, _)| escape_text(it)).collect();
        table_row(&[
            &escape_text(&evidence_kind(evidence)),
            &code_span(&evidence.at),
            &phrases.join("<br>"),
        ])
    });
    let documents = other_documents(outcome).map(|document| {
        table_row(&[
            &escape_text(&document.kind),
            &code_span(&document.digest.to_string()),
            &escape_text(&document_phrase(document)),
        ])
    });
    let rows: String = checked.chain(documents).collect();
    match rows.is_empty() {
        true => "\nNo signatures, SBOMs, scan reports or provenance found.\n".to_owned(),
        false => format!(
            "\n**Evidence**\n\n{}{}{rows}",
            table_row(&["Kind", "Digest", "Result"]),
            table_row(&[":---"; 3])
        ),
    }
}

fn account_section(account: &EnvironmentAccount, has_policy: bool) -> String {
    let state = account.state.map(|state| format!(": {state}"));
    let title = format!(
        "{} of {}{}",
        account.environment,
        account.place,
        state.unwrap_or_default()
    );
    let mut section = format!("\n### {}\n\n", escape_text(&title));
    for line in &account.lines {
        section += &format!("- {}\n", escape_text(&line_phrase(line)));
        for remark in line_remarks(line) {
            section += &format!("  - {}\n", remark_text(&remark));
        }
    }
    for (name, value) in account_facts(account) {
        let value = match name {
            "run" => text_or_link(&value),
            "since" | "rests on" => escape_text(&value),
            _ => code_span(&value),
        };
        section += &format!("- {name}: {value}\n");
    }
    let cautions = account_cautions(account, has_policy).into_iter();
    let cautions: Vec<String> = cautions.map(|text| escape_text(&text)).collect();
    if !cautions.is_empty() {
        section += &alert(AlertKind::Warning, cautions);
    }
    let chart = timeline_diagram::timeline(account.environment.as_str(), &account.lines);
    if let Some(chart) = chart {
        section += &format!("\n```mermaid\n{chart}```\n");
    }
    section
}

fn references(outcome: &InspectOutcome) -> String {
    let mut references = vec![image_reference(&outcome.image)];
    for account in &outcome.environments {
        if let Some((root, _)) = &account.good_before {
            references.push(digest_reference(&account.place, *root));
        }
    }
    references.dedup();
    format!(
        "\n**References**\n\n{}",
        code_block(references.iter().map(String::as_str))
    )
}
