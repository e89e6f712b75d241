//! Evidence of an image in the report of `inspect`: what is listed next to it, and what its releases considered.

use serde_json::Value;

use super::record_words::{seconds, word};
use super::styled_text::StyledText;
use super::verification_report::{attestation_text, outcome_tone, signature_text};
use crate::image::TagOrDigest;
use crate::notices::to_printable;
use crate::record::{RecordTime, RecordedEvidence};
use crate::release::{CheckedAttestation, InspectOutcome, InspectedEvidence, Verification};
use crate::signing::SignatureEvidence;

/// Most characters of a name.
const TEXT_LIMIT: usize = 300;
/// Fewest characters of the column with the kinds.
const KIND_WIDTH: usize = 12;
/// Type of verification summaries.
const SUMMARY_TYPE: &str = "https://slsa.dev/verification_summary/v1";

pub(super) fn push_evidence(text: &mut StyledText, outcome: &InspectOutcome) {
    text.push("\n  evidence\n");
    let documents: Vec<_> = other_documents(outcome).collect();
    if outcome.evidence.is_empty() && documents.is_empty() {
        text.push("    none\n");
    }
    let kinds = outcome.evidence.iter().map(evidence_kind);
    let kinds = kinds.chain(documents.iter().map(|document| word(&document.kind)));
    let width = kinds.map(|kind| kind.chars().count()).max();
    let width = width.unwrap_or_default().max(KIND_WIDTH);
    let indent = " ".repeat(width + 6);
    for evidence in &outcome.evidence {
        let kind = evidence_kind(evidence);
        text.push(&format!("    {kind:<width$}  {}\n", evidence.at));
        for (phrase, is_valid) in evidence_phrases(outcome, evidence) {
            text.push(&indent);
            match is_valid {
                Some(is_valid) => text.push_toned(outcome_tone(is_valid), &phrase),
                None => text.push(&phrase),
            }
            text.push("\n");
        }
    }
    for document in documents {
        let (kind, phrase) = (word(&document.kind), document_phrase(document));
        text.push(&format!(
            "    {kind:<width$}  {}\n{indent}{phrase}\n",
            document.digest
        ));
    }
}

/// Returns the documents that releases considered and that are not listed next to the image.
pub(super) fn other_documents(outcome: &InspectOutcome) -> impl Iterator<Item = &RecordedEvidence> {
    let documents = outcome.image.documents.iter();
    documents.filter(|document| {
        let mut listed = outcome.evidence.iter();
        !listed.any(|evidence| is_document(evidence, document))
    })
}

fn is_document(evidence: &InspectedEvidence, document: &RecordedEvidence) -> bool {
    evidence.at == document.digest.to_string()
}

/// Returns what is known of a piece of evidence: whether it verifies, and what releases made of it.
pub(super) fn evidence_phrases(
    outcome: &InspectOutcome,
    evidence: &InspectedEvidence,
) -> Vec<(String, Option<bool>)> {
    let mut phrases = check_phrases(evidence, outcome.verification.as_ref());
    let documents = outcome.image.documents.iter();
    let considered = documents.filter(|document| is_document(evidence, document));
    phrases.extend(considered.map(|document| (document_phrase(document), None)));
    phrases
}

/// Returns what a release made of a document: the result, the tool, and the name of the file.
pub(super) fn document_phrase(document: &RecordedEvidence) -> String {
    let facts = [&document.result, &document.tool, &document.uri];
    let facts: Vec<String> = facts
        .into_iter()
        .flatten()
        .map(|it| printable(it))
        .collect();
    match facts.is_empty() {
        true => "considered by the release".to_owned(),
        false => format!("considered by the release: {}", facts.join(", ")),
    }
}

fn printable(text: &str) -> String {
    to_printable(text, TEXT_LIMIT)
}

/// Returns the result of a verification summary, with its time and the environment of a release.
fn summary_phrase(attestation: &CheckedAttestation) -> Option<String> {
    let found = attestation.result.as_ref().ok()?;
    if found.predicate_type != SUMMARY_TYPE {
        return None;
    }
    let text = |name: &str| found.predicate.get(name).and_then(Value::as_str);
    let mut phrase = format!("result {}", printable(text("verificationResult")?));
    if let Some(environment) = text("shipmark_environment") {
        phrase += &format!(" in {}", printable(environment));
    }
    if let Some(time) = text("timeVerified") {
        let parsed: Option<RecordTime> = time.parse().ok();
        phrase += &format!(" at {}", parsed.map_or_else(|| printable(time), seconds));
    }
    Some(phrase)
}

/// Returns the kind of a piece of evidence.
pub(super) fn evidence_kind(evidence: &InspectedEvidence) -> String {
    let kind = evidence.kind.as_ref();
    kind.map_or_else(|| "unknown".to_owned(), |kind| to_printable(kind.id(), 60))
}

/// Returns of each signature in a piece of evidence whether it verifies, by whom, or why not; `None` if it was not
/// checked.
fn check_phrases(
    evidence: &InspectedEvidence,
    verification: Option<&Verification>,
) -> Vec<(String, Option<bool>)> {
    let Some(found) = verification else {
        return vec![("not verified: no signer is given".to_owned(), None)];
    };
    let is_it = |at: &TagOrDigest| at.to_string() == evidence.at;
    let signatures = found.signatures.iter().filter(|one| is_it(&one.at));
    let signatures = signatures.map(|one| {
        let proof = one.result.as_ref().ok().map(|signed| &signed.evidence);
        check_phrase(found, signature_text(one), proof)
    });
    let attestations = found.attestations.iter().filter(|one| is_it(&one.at));
    let attestations = attestations.map(|one| {
        let proof = one.result.as_ref().ok().map(|attested| &attested.evidence);
        let text = match summary_phrase(one) {
            Some(summary) => format!("{}, {summary}", attestation_text(one)),
            None => attestation_text(one),
        };
        check_phrase(found, text, proof)
    });
    let phrases: Vec<_> = signatures.chain(attestations).collect();
    match phrases.is_empty() {
        true => vec![("not signed, or in a form that is not read".to_owned(), None)],
        false => phrases,
    }
}

/// Returns a result with its signer, if it is good.
fn check_phrase(
    found: &Verification,
    text: String,
    proof: Option<&SignatureEvidence>,
) -> (String, Option<bool>) {
    let Some(proof) = proof else {
        return (text, Some(false));
    };
    let signer = match &proof.certificate {
        Some(certificate) => printable(&certificate.subject),
        None => found.requirement.to_string(),
    };
    (format!("{text}, by {signer}"), Some(true))
}
