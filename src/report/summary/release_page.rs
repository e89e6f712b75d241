//! Summary of the release of one image.

use super::SummaryContext;
use super::follow_up::{follow_up_section, pulled_destination};
use super::links::remark_text;
use super::release_facts::release_facts;
use super::signing_facts::SignatureState;
use super::title;
use crate::policy::Service;
use crate::release::{DestinationOutcome, ReleaseOutcome, SignatureResult, TagChange};
use crate::report::gate_report::gates_section;
use crate::report::markdown::{code_block, code_span, details, escape_text, table_row};
use crate::report::phrases;

/// Most signatures that are shown unfolded.
const SHOWN_SIGNATURES: usize = 4;

/// Returns the report of a release, of `service` if the policy names it, as Markdown.
pub(in crate::report) fn release_summary(
    outcome: &ReleaseOutcome,
    service: Option<&Service>,
    context: &SummaryContext,
) -> String {
    let mut page = format!(
        "## {}\n\n{}\n",
        escape_text(&title::release_title(outcome, service)),
        outcome_line(outcome)
    );
    page.extend(SignatureState::of(outcome).alert(outcome));
    page += &context.warning_alerts();
    page += &release_facts(outcome, context).to_markdown();
    page += &gates_section(&outcome.gates);
    let pulled = pulled_destination(outcome).map(|released| &released.place);
    for released in &outcome.destinations {
        let is_pulled = outcome.destinations.len() == 1 && pulled == Some(&released.place);
        page += &destination_section(outcome, released, is_pulled);
    }
    page += &follow_up_section(outcome, service);
    page += &notes_section(outcome.notes.iter().map(String::as_str));
    page += &transfer_details(outcome);
    page + "\n"
}

/// Returns how the release ended, with the counts of its tags.
fn outcome_line(outcome: &ReleaseOutcome) -> String {
    let counts = title::tag_counts(outcome);
    let dry_run = match outcome.dry_run {
        true => " (dry run, nothing was written)",
        false => "",
    };
    format!(
        "**{}**{dry_run} by shipmark {}: {counts}",
        title::outcome_word(outcome),
        phrases::verb_name(outcome.verb)
    )
}

/// Returns the notes as a list below a title.
pub(super) fn notes_section<'a>(notes: impl Iterator<Item = &'a str>) -> String {
    let notes: String = notes
        .map(|note| format!("- {}\n", escape_text(note)))
        .collect();
    match notes.is_empty() {
        true => notes,
        false => format!("\n**Skipped and defaulted**\n\n{notes}"),
    }
}

/// Returns the tags and signatures at a destination; the image by its digest too, unless it is the only
/// one and the command that pulls it follows.
fn destination_section(
    outcome: &ReleaseOutcome,
    released: &DestinationOutcome,
    is_pulled: bool,
) -> String {
    let mut part = format!("\n### {}\n", escape_text(&released.place.to_string()));
    if !is_pulled && !outcome.dry_run {
        let image = phrases::digest_reference(&released.place, outcome.root);
        part += &format!("\n{}", code_block([image.as_str()]));
    }
    part += "\n";
    part += &tags_table(outcome, released);
    for line in phrases::referrer_lines(&released.referrers, outcome.dry_run) {
        part += &format!("\n{}\n", escape_text(&line));
    }
    if let Some(record) = &released.record {
        part += &format!(
            "\n{}\n",
            escape_text(&phrases::record_phrase(record, outcome.dry_run))
        );
        for note in phrases::record_notes(record) {
            part += &format!("\n{}\n", remark_text(&note));
        }
        if let Some(reason) = &record.superseded {
            part += &format!("\n**Superseded.** {}\n", escape_text(reason));
        }
    }
    part + &signatures_list(outcome, released)
}

fn tags_table(outcome: &ReleaseOutcome, released: &DestinationOutcome) -> String {
    let mut table = table_row(&["Tag", "Change", "Why"]) + &table_row(&[":---", ":---", ":---"]);
    for result in &released.tags {
        let change = tag_change(&result.change, outcome.dry_run);
        let why = phrases::change_reason(&result.change, &result.kind, &result.rule);
        table += &table_row(&[&code_span(result.tag.as_str()), &change, &escape_text(&why)]);
    }
    table
}

/// Returns what happened to a tag, bold if the tag names the image by this run.
fn tag_change(change: &TagChange, dry_run: bool) -> String {
    let phrase = phrases::change_phrase(change, dry_run);
    let (word, digest) = match phrase.rsplit_once(' ') {
        Some((word, digest)) if digest.starts_with("sha256:") => (word, Some(digest)),
        _ => (phrase.as_str(), None),
    };
    let digest = digest.map(|digest| format!(" {}", code_span(digest)));
    let word = match change.writes_root() {
        true => format!("**{word}**"),
        false => word.to_owned(),
    };
    word + &digest.unwrap_or_default()
}

fn signatures_list(outcome: &ReleaseOutcome, released: &DestinationOutcome) -> String {
    let lines = released.signatures.iter();
    let lines: String = lines
        .map(|signed| signature_line(outcome, released, signed))
        .collect();
    match released.signatures.len() {
        0 => String::new(),
        1..=SHOWN_SIGNATURES => format!("\n{lines}"),
        count => details(&format!("{count} signatures and attestations"), &lines),
    }
}

fn signature_line(
    outcome: &ReleaseOutcome,
    released: &DestinationOutcome,
    signed: &SignatureResult,
) -> String {
    let at = phrases::signature_reference(&released.place, signed);
    let at = at
        .map(|at| format!(": {}", code_span(&at)))
        .unwrap_or_default();
    let mut line = format!(
        "- {}{at}\n",
        escape_text(&phrases::signature_phrase(signed, outcome))
    );
    if let Some(url) = &signed.url {
        line += &format!("  uploaded to GitHub: <{url}>\n");
    }
    line
}

/// Returns the figures of the transfer, folded.
fn transfer_details(outcome: &ReleaseOutcome) -> String {
    let line = |released: &DestinationOutcome| {
        format!(
            "- {}: {}\n",
            escape_text(&released.place.to_string()),
            escape_text(&phrases::copy_phrase(&released.copy_stats, outcome.dry_run))
        )
    };
    let lines: String = outcome.destinations.iter().map(line).collect();
    details("Transfer", &lines)
}
