//! Summary of `verify` with an environment: how each service ended, the verdicts, and what differs.

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::failure_page::failure_alert;
use crate::release::{
    EnvironmentFinding, EnvironmentVerification, ServiceEnd, ServiceVerification, VerifiedPlace,
};
use crate::report::environment_report::{
    UNSCANNED, image_references, outcome_word, place_outcome, place_title, unmatched_phrase,
};
use crate::report::gate_report::gates_section;
use crate::report::markdown::{AlertKind, alert, code_block, code_span, escape_text, table_row};
use crate::report::record_words::{seconds, word};

/// Returns the verification of an environment as Markdown.
pub(in crate::report) fn environment_summary(
    verified: &EnvironmentVerification,
    context: &SummaryContext,
) -> String {
    let environment = escape_text(verified.environment.as_str());
    let outcome = match outcome_word(verified) {
        "verified" => "**Verified**",
        "refused" => "**Not verified**",
        _ => "**Failed**",
    };
    let mut page = format!("## Verification of {environment}\n\n{outcome} by shipmark verify\n");
    for report in &verified.unmatched_reports {
        page += &alert(AlertKind::Caution, [escape_text(&unmatched_phrase(report))]);
    }
    page += &context.run.table().to_markdown();
    for place in &verified.places {
        page += &place_section(verified, place);
    }
    let references = image_references(verified);
    if !references.is_empty() {
        page += &format!("\n**References**\n\n{}", code_block(references.lines()));
    }
    page += &context.warning_alerts();
    page + "\n"
}

fn place_section(verified: &EnvironmentVerification, place: &VerifiedPlace) -> String {
    let title = escape_text(&place_title(verified, place));
    let head = format!("\n### {title}: {}\n", place_outcome(place));
    match &place.end {
        ServiceEnd::Judged(found) => head + &service_section(found),
        ServiceEnd::Unread(failure) => head + &failure_alert(failure, None),
    }
}

fn service_section(found: &ServiceVerification) -> String {
    let mut facts = FactsTable::default();
    match &found.current {
        Some(current) => {
            let version = current.version.as_deref();
            let version = version.map(|version| format!("{} ", escape_text(&word(version))));
            let digest = code_span(&current.root.to_string());
            facts.add(
                "Current",
                format!("{}{digest}", version.unwrap_or_default()),
            );
            facts.add("Since", seconds(current.since));
        }
        None => facts.add("Current", "unknown"),
    }
    if !found.has_scan_gate {
        facts.add("Scan", escape_text(UNSCANNED));
    }
    facts.to_markdown() + &findings_table(&found.findings) + &gates_section(&found.gates)
}

fn findings_table(findings: &[EnvironmentFinding]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut table = format!(
        "\n{}{}",
        table_row(&["Level", "Finding", "Hint"]),
        table_row(&[":---"; 3])
    );
    for finding in findings {
        let level = match finding.kind.is_error() {
            true => "**error**",
            false => "warning",
        };
        let hint = finding.hint.as_deref().unwrap_or_default();
        table += &table_row(&[level, &escape_text(&finding.text), &escape_text(hint)]);
    }
    table
}
