//! Summaries of `verify-bundle` and `sign-bundle`.

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::failure_page::failure_alert;
use super::signing_facts::{evidence_markdown, signer_name};
use crate::release::SignerName;
use crate::report::bundle_report::{self, BundleVerification, SignedBundle};
use crate::report::markdown::{code_span, escape_text};
use crate::signing::{FileSigner, SignatureEvidence};

/// Returns the verification of a file's bundle as Markdown.
pub(in crate::report) fn bundle_summary(
    found: &BundleVerification,
    context: &SummaryContext,
) -> String {
    let outcome = match found.result {
        Ok(_) => "Verified",
        Err(_) => "Not verified",
    };
    let mut page = heading(&found.artifact, outcome, "verify-bundle");
    let mut facts = FactsTable::default();
    facts.add("Artifact", code_span(&found.artifact));
    facts.add("Bundle", code_span(&found.bundle));
    facts.add("Expected signer", expected_signer(&found.signer));
    facts.add_known("Evidence", found.result.as_ref().ok().and_then(evidence));
    facts.append(context.run.table());
    page += &facts.to_markdown();
    page.extend(bundle_report::to_refusal(found).map(|refusal| failure_alert(&refusal, None)));
    page += &context.warning_alerts();
    page + "\n"
}

/// Returns the signing of a file as Markdown.
pub(in crate::report) fn signed_bundle_summary(
    signed: &SignedBundle,
    context: &SummaryContext,
) -> String {
    let mut page = heading(&signed.artifact, "Signed", "sign-bundle");
    page += &context.warning_alerts();
    let mut facts = FactsTable::default();
    facts.add("Artifact", code_span(&signed.artifact));
    facts.add("Digest", code_span(&signed.digest.to_string()));
    facts.add("Bundle", code_span(&signed.bundle));
    facts.add("Signer", escape_text(&signed.signer));
    facts.add_known("Evidence", evidence(&signed.evidence));
    facts.append(context.run.table());
    page + &facts.to_markdown() + "\n"
}

fn heading(artifact: &str, outcome: &str, verb: &str) -> String {
    format!(
        "## {}: {}\n\n**{outcome}** by shipmark {verb}\n",
        escape_text(artifact),
        outcome.to_lowercase()
    )
}

fn expected_signer(signer: &FileSigner) -> String {
    match signer {
        FileSigner::Key(_) => escape_text(&signer.to_string()),
        FileSigner::Identity(identity) => signer_name(&SignerName::from_identity(identity), ""),
    }
}

fn evidence(evidence: &SignatureEvidence) -> Option<String> {
    let lines = evidence_markdown(evidence);
    (!lines.is_empty()).then(|| lines.join("<br>"))
}
