//! Summary of `verify`: whether the image is signed as expected, and each piece of evidence.

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::failure_page::failure_alert;
use super::follow_up::{cosign_verify, titled_block};
use super::shell_word::shell_word;
use super::signing_facts::{evidence_markdown, signer_name};
use crate::image::{Digest, ImageSource, TagOrDigest};
use crate::release::{SignatureFormat, SignerName, Verification};
use crate::report::markdown::{code_block, code_span, details, escape_text, table_row};
use crate::report::phrases;
use crate::report::verification_report::{
    attestation_text, claim_annotations, image_label, signature_text,
};
use crate::signing::SignatureEvidence;

/// One signature or attestation.
struct EvidenceRow<'a> {
    of: Digest,
    kind: &'static str,
    format: SignatureFormat,
    digest: Digest,
    at: &'a TagOrDigest,
    text: String,
    /// Evidence and annotations as Markdown, one per line.
    lines: Vec<String>,
}

/// Returns the checked signatures of an image as Markdown.
pub(in crate::report) fn verification_summary(
    found: &Verification,
    context: &SummaryContext,
) -> String {
    let outcome = match found.passed() {
        true => "verified",
        false => "not verified",
    };
    let mut page = format!(
        "## {}: {outcome}\n\n{}\n",
        escape_text(&found.source.to_string()),
        outcome_line(found)
    );
    page += &facts(found, context).to_markdown();
    page.extend(
        found
            .to_refusal()
            .map(|refusal| failure_alert(&refusal, None)),
    );
    page += &context.warning_alerts();
    let rows = evidence_rows(found);
    page += &evidence_table(found, &rows);
    page += &missing_list(found);
    page += &references_block(found, &rows);
    page += &follow_up(found, &rows);
    page += &evidence_details(found, &rows);
    page + "\n"
}

fn outcome_line(found: &Verification) -> String {
    let signatures = found.signatures.len() as u64;
    let attestations = found.attestations.len() as u64;
    let good = found
        .signatures
        .iter()
        .filter(|it| it.result.is_ok())
        .count()
        + found
            .attestations
            .iter()
            .filter(|it| it.result.is_ok())
            .count();
    let counts = format!(
        "{} and {} found, {good} valid",
        phrases::count_phrase(signatures, "signature"),
        phrases::count_phrase(attestations, "attestation"),
    );
    match found.passed() {
        true => format!("**Verified** by shipmark verify: {counts}"),
        false => format!("**Not verified** by shipmark verify: {counts}"),
    }
}

fn facts(found: &Verification, context: &SummaryContext) -> FactsTable {
    let mut facts = FactsTable::default();
    facts.add("Image", code_span(&found.source.to_string()));
    facts.add("Digest", code_span(&found.root().to_string()));
    let signer = SignerName::from_requirement(&found.requirement);
    facts.add("Expected signer", signer_name(&signer, ""));
    facts.append(context.run.table());
    facts
}

fn evidence_rows(found: &Verification) -> Vec<EvidenceRow<'_>> {
    let signatures = found.signatures.iter().map(|checked| {
        let evidence = checked.result.as_ref().ok().map(|found| &found.evidence);
        let annotations = claim_annotations(checked).into_iter();
        let annotations = annotations
            .map(|(name, value)| format!("{}: {}", escape_text(&name), code_span(&value)));
        EvidenceRow {
            of: checked.of,
            kind: "signature",
            format: checked.format,
            digest: checked.digest,
            at: &checked.at,
            text: signature_text(checked),
            lines: evidence_lines(evidence)
                .into_iter()
                .chain(annotations)
                .collect(),
        }
    });
    let attestations = found.attestations.iter().map(|checked| EvidenceRow {
        of: checked.of,
        kind: "attestation",
        format: checked.format,
        digest: checked.digest,
        at: &checked.at,
        text: attestation_text(checked),
        lines: evidence_lines(checked.result.as_ref().ok().map(|found| &found.evidence)),
    });
    signatures.chain(attestations).collect()
}

fn evidence_lines(evidence: Option<&SignatureEvidence>) -> Vec<String> {
    evidence.map(evidence_markdown).unwrap_or_default()
}

fn evidence_table(found: &Verification, rows: &[EvidenceRow<'_>]) -> String {
    if rows.is_empty() {
        return match found.unread.is_empty() {
            true => "\nNo signatures found.\n".to_owned(),
            false => format!("\nFound {}.\n", escape_text(&found.unread_text())),
        };
    }
    // A column names the image if there are several.
    let first = usize::from(found.images.len() == 1);
    let line = |cells: [&str; 5]| table_row(&cells[first..]);
    let mut table = "\n".to_owned();
    table += &line(["Image", "Kind", "Format", "Digest", "Result"]);
    table += &line([":---"; 5]);
    for row in rows {
        table += &line([
            &code_span(&image_label(found, row.of)),
            row.kind,
            phrases::format_name(row.format),
            &code_span(&row.digest.to_hex()[..12]),
            &escape_text(&row.text),
        ]);
    }
    table
}

/// Returns the missing evidence of each manifest below an index, which the refusal does not name.
fn missing_list(found: &Verification) -> String {
    let missing = found.missing.iter();
    let below = missing.filter(|missing| missing.of.digest != found.root());
    let lines: String = below
        .map(|missing| {
            let image = code_span(&image_label(found, missing.of.digest));
            format!(
                "- {image}: no valid {}\n",
                escape_text(&missing.wanted.to_string())
            )
        })
        .collect();
    match lines.is_empty() {
        true => lines,
        false => format!("\n**Missing**\n\n{lines}"),
    }
}

/// Returns the full references of the evidence in one block.
fn references_block(found: &Verification, rows: &[EvidenceRow<'_>]) -> String {
    let reference = |row: &EvidenceRow<'_>| match (&found.source, row.at) {
        (ImageSource::Registry(source), TagOrDigest::Digest(digest)) => {
            format!("{}@{digest}", source.repository)
        }
        (ImageSource::Registry(source), TagOrDigest::Tag(tag)) => {
            format!("{}:{tag} {}", source.repository, row.digest)
        }
        (_, TagOrDigest::Digest(digest)) => digest.to_string(),
        (_, TagOrDigest::Tag(tag)) => format!("{tag} {}", row.digest),
    };
    let references: Vec<String> = rows.iter().map(reference).collect();
    match references.is_empty() {
        true => String::new(),
        false => format!(
            "\n**References**\n\n{}",
            code_block(references.iter().map(String::as_str))
        ),
    }
}

/// Returns the command that repeats the check with cosign.
fn follow_up(found: &Verification, rows: &[EvidenceRow<'_>]) -> String {
    let ImageSource::Registry(source) = &found.source else {
        return String::new();
    };
    let is_legacy_only = rows.iter().all(|row| row.format == SignatureFormat::Legacy);
    let has_signature = found.signatures.iter().any(|it| it.result.is_ok());
    let image = shell_word(&format!("{}@{}", source.repository, found.root()));
    let signer = SignerName::from_requirement(&found.requirement);
    let command = cosign_verify(&signer, &[image], is_legacy_only);
    match command.filter(|_| found.passed() && has_signature) {
        Some(command) => titled_block("Verify", &command),
        None => String::new(),
    }
}

fn evidence_details(found: &Verification, rows: &[EvidenceRow<'_>]) -> String {
    let mut text = String::new();
    for row in rows.iter().filter(|row| !row.lines.is_empty()) {
        let digest = code_span(&row.digest.to_hex()[..12]);
        let of = escape_text(&image_label(found, row.of));
        text += &format!("- {} {digest} of {of}\n", row.kind);
        for line in &row.lines {
            text += &format!("  - {line}\n");
        }
    }
    details("Evidence", &text)
}
