//! Documents that gates considered, for the record: each with what it led to, pass or fail.

use super::found_statement::FoundStatement;
use super::gate_request::{AttestationGateRequest, ScanGateRequest};
use super::scan_verdict::JudgedScan;
use super::statement_facts::{ListFacts, StatementFacts};
use super::unsigned_statements::UnsignedStatement;
use crate::gate::{ConsideredReport, JudgedReport};
use crate::image::Digest;
use crate::notices::to_printable;
use crate::record::RecordedEvidence;
use crate::signing::VerifiedAttestation;

/// Documents that gates considered, each once.
#[derive(Default)]
pub(super) struct EvidenceList {
    entries: Vec<RecordedEvidence>,
}

/// Most characters of the name of a file.
const NAME_LIMIT: usize = 200;
/// Kinds of documents in records.
const SCAN: &str = "scan";
const VEX: &str = "vex";
const SIGNATURE: &str = "signature";
const ATTESTATION: &str = "attestation";

impl EvidenceList {
    /// Adds the reports and OpenVEX documents of the scan gate.
    pub(super) fn add_scan(&mut self, gate: &ScanGateRequest, judged: &JudgedScan<'_>) {
        let mut results = judged.judgement.reports.iter();
        for (given, result) in judged.given.iter().zip(&mut results) {
            self.add(RecordedEvidence {
                size: Some(given.file.size),
                uri: file_name(&given.report.name),
                tool: tool_of(&given.report),
                result: Some(result_of(result)),
                ..evidence(SCAN, given.file.digest)
            });
        }
        for ((found, report), result) in judged.reports.iter().zip(results) {
            self.add(RecordedEvidence {
                tool: tool_of(report),
                result: Some(result_of(result)),
                by: signer_of(found),
                ..evidence(SCAN, found.digest)
            });
        }
        let mut counts = judged.judgement.vex_suppressed.iter();
        let excluded = |count: &usize| Some(format!("excluded {count} findings"));
        for (given, count) in gate.vex.iter().zip(&mut counts) {
            self.add(RecordedEvidence {
                size: Some(given.file.size),
                uri: Some(given.document.name.clone()),
                result: excluded(count),
                ..evidence(VEX, given.file.digest)
            });
        }
        for found in &judged.rejected {
            self.add(RecordedEvidence {
                result: Some(outcome_word(false)),
                ..evidence(ATTESTATION, found.digest)
            });
        }
        for (found, count) in judged.vex.iter().zip(counts) {
            self.add(RecordedEvidence {
                result: excluded(count),
                by: signer_of(found),
                ..evidence(VEX, found.digest)
            });
        }
    }

    /// Adds the signatures of a root.
    pub(super) fn add_signatures(&mut self, root: Digest, found: &ListFacts) {
        for signature in found.signatures.iter().filter(|found| found.of == root) {
            self.add(RecordedEvidence {
                result: Some(outcome_word(signature.result.is_ok())),
                by: signer_of(signature),
                ..evidence(SIGNATURE, signature.digest)
            });
        }
    }

    /// Adds the attestations that meet an entry or were considered for it.
    pub(super) fn add_attestations(
        &mut self,
        gates: &[AttestationGateRequest],
        statements: &StatementFacts,
        unsigned: &[UnsignedStatement],
    ) {
        for gate in gates {
            let rule = &gate.required.rule;
            for found in &statements.of(gate.signers).attestations {
                self.add_attestation(gate, found);
            }
            let unsigned = unsigned.iter().filter(|_| !gate.required.is_signed);
            for found in unsigned.filter(|found| rule.matches_type(&found.predicate_type)) {
                self.add(RecordedEvidence {
                    media_type: Some(found.predicate_type.clone()),
                    result: Some("present, unsigned".to_owned()),
                    ..evidence(ATTESTATION, found.digest)
                });
            }
        }
    }

    fn add_attestation(
        &mut self,
        gate: &AttestationGateRequest,
        found: &FoundStatement<VerifiedAttestation>,
    ) {
        let rule = &gate.required.rule;
        let signed = found.result.as_ref().ok();
        let kind = signed.map(|signed| signed.content.predicate_type.clone());
        if kind.as_ref().is_some_and(|kind| !rule.matches_type(kind)) {
            return;
        }
        let is_met = signed.is_some_and(|signed| signed.content.check_rule(rule).is_ok());
        self.add(RecordedEvidence {
            media_type: kind,
            result: Some(outcome_word(is_met)),
            by: signer_of(found),
            ..evidence(ATTESTATION, found.digest)
        });
    }

    /// Returns the documents.
    pub(super) fn into_entries(self) -> Vec<RecordedEvidence> {
        self.entries
    }

    fn add(&mut self, new: RecordedEvidence) {
        if !self.entries.contains(&new) {
            self.entries.push(new);
        }
    }
}

/// Returns the name of a file without its folders, which say where a job ran.
fn file_name(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next();
    name.filter(|name| !name.is_empty())
        .map(|name| to_printable(name, NAME_LIMIT))
}

fn evidence(kind: &str, digest: Digest) -> RecordedEvidence {
    RecordedEvidence {
        kind: kind.to_owned(),
        media_type: None,
        digest,
        size: None,
        uri: None,
        tool: None,
        result: None,
        by: None,
    }
}

fn outcome_word(has_passed: bool) -> String {
    match has_passed {
        true => "passed".to_owned(),
        false => "failed".to_owned(),
    }
}

fn result_of(judged: &JudgedReport) -> String {
    match judged.is_superseded {
        true => "superseded".to_owned(),
        false => outcome_word(judged.has_passed()),
    }
}

fn signer_of<T>(found: &FoundStatement<T>) -> Option<String> {
    found.result.as_ref().ok().map(|signed| signed.by.clone())
}

/// Returns the scanner of a report, with its version: `trivy 0.68.1`.
fn tool_of(considered: &ConsideredReport) -> Option<String> {
    let report = considered.content.as_ref().ok()?;
    let tool = report.tool.as_ref()?;
    Some(match &report.tool_version {
        Some(version) => format!("{tool} {version}"),
        None => tool.clone(),
    })
}
