//! Verdict of the scan gate: the reports and documents that the run was given, and those that are attested.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::found_statement::FoundStatement;
use super::gate_request::ScanGateRequest;
use super::given_documents::GivenReport;
use super::scan_statements::{attested_report, attested_vex, different_statements};
use super::statement_facts::StatementFacts;
use crate::gate::{
    ConsideredReport, ConsideredVex, GateVerdict, JudgedImage, ReportBinding, ScanFacts,
    ScanJudgement, judge_scan, listed_rejections,
};
use crate::image::{Digest, ImageSource};
use crate::signing::VerifiedAttestation;

/// Verdict of the scan gate, with the attestations that it considered after the files.
pub(super) struct JudgedScan<'a> {
    pub(super) judgement: ScanJudgement,
    /// Files, in the order of the judgement.
    pub(super) given: Vec<&'a GivenReport>,
    /// Attested reports, in the order of the judgement, after the files.
    pub(super) reports: Vec<(&'a FoundStatement<VerifiedAttestation>, ConsideredReport)>,
    /// Attested OpenVEX documents, in the order of the judgement, after the files.
    pub(super) vex: Vec<&'a FoundStatement<VerifiedAttestation>>,
    /// Attestations that do not count.
    pub(super) rejected: Vec<&'a FoundStatement<VerifiedAttestation>>,
}

/// Where the image can be scanned, and who must attest the report.
pub(super) struct ScanPlace<'a> {
    /// Place of the image.
    pub(super) source: &'a ImageSource,
    /// Names of the signers whose attested reports are required; `None` if files are enough.
    pub(super) required_signers: Option<String>,
}

/// Judges an image by its scan gate.
pub(super) fn judge_scan_gate<'a>(
    gate: &'a ScanGateRequest,
    image: &JudgedImage,
    statements: &'a StatementFacts,
    place: &ScanPlace<'_>,
    now: Timestamp,
) -> JudgedScan<'a> {
    let attested = attested_reports(gate, statements);
    let given = gate.reports.of(image);
    let files = given.iter().map(|given| given.report.clone());
    let reports: Vec<ConsideredReport> = files
        .chain(attested.iter().map(|(_, report)| report.clone()))
        .collect();
    let attested_vex = attested_documents(gate, statements);
    let documents = gate.vex.iter().map(|given| given.document.clone());
    let vex: Vec<ConsideredVex> = documents
        .chain(attested_vex.iter().map(|(_, document)| document.clone()))
        .collect();
    let facts = ScanFacts {
        image,
        place: place.source,
        requires_attested: place.required_signers.is_some(),
        reports: &reports,
        vex: &vex,
        now,
    };
    let mut rule = gate.rule.clone();
    // A report without a digest would be about each of several images.
    rule.allows_unbound &= !gate.reports.are_of_several();
    let mut judgement = judge_scan(&rule, facts);
    let rejected = rejected_statements(gate, statements);
    tell_rejected(&rejected, &mut judgement.verdict);
    if let Some(signers) = &place.required_signers {
        let required = RequiredReports {
            attested: &attested,
            rejected: &rejected,
            signers,
        };
        required.require_coverage(image, &mut judgement.verdict);
    }
    JudgedScan {
        judgement,
        given,
        reports: attested,
        vex: attested_vex.into_iter().map(|(found, _)| found).collect(),
        rejected,
    }
}

/// Returns the attestations of the gate's lists of signers that do not count: scan reports and OpenVEX documents as far
/// as their places tell.
fn rejected_statements<'a>(
    gate: &ScanGateRequest,
    statements: &'a StatementFacts,
) -> Vec<&'a FoundStatement<VerifiedAttestation>> {
    let (attested, vex) = (gate.attested, gate.vex_signers);
    let lists = attested.into_iter().chain(vex.filter(|_| vex != attested));
    let found = lists.flat_map(|list| &statements.of(list).attestations);
    found.filter(|found| found.result.is_err()).collect()
}

/// Returns the first reasons for which attestations do not count; `None` if all do.
fn rejections(rejected: &[&FoundStatement<VerifiedAttestation>]) -> Option<String> {
    let reasons = rejected.iter().filter_map(|found| {
        let reason = found.result.as_ref().err()?;
        Some((found.digest, reason.as_str()))
    });
    let reasons: BTreeMap<Digest, &str> = reasons.collect();
    listed_rejections("attestation", reasons.into_iter())
}

fn tell_rejected(rejected: &[&FoundStatement<VerifiedAttestation>], verdict: &mut GateVerdict) {
    if let Some(rejections) = rejections(rejected) {
        verdict.add_fact(format!("do not count: {rejections}"));
    }
}

/// Attested reports that a gate requires, since a file says what a job says, and only signed reports hold against it.
struct RequiredReports<'a> {
    attested: &'a [(&'a FoundStatement<VerifiedAttestation>, ConsideredReport)],
    rejected: &'a [&'a FoundStatement<VerifiedAttestation>],
    /// Names of the signers that must attest them.
    signers: &'a str,
}

impl RequiredReports<'_> {
    /// Requires one of every platform that is released.
    fn require_coverage(&self, image: &JudgedImage, verdict: &mut GateVerdict) {
        let reports = self.attested.iter();
        let usable = reports.filter_map(|(_, report)| report.content.as_ref().ok());
        let bound = usable.filter_map(|report| match ReportBinding::find(report, image) {
            ReportBinding::Image(platforms) => Some(platforms),
            _ => None,
        });
        let covered: BTreeSet<usize> = bound.flatten().collect();
        for (number, platform) in image.platforms.iter().enumerate() {
            if !platform.is_released || covered.contains(&number) {
                continue;
            }
            let reason = format!(
                "no attested scan report of an accepted signer is about {}",
                platform.name()
            );
            verdict.leave_unknown(match rejections(self.rejected) {
                Some(rejections) => format!("{reason}: {rejections}"),
                None => reason,
            });
            verdict.add_hint(format!(
                "attest the reports as {}, such as with sign and scan-report of the run that pushes the image",
                self.signers
            ));
        }
    }
}

fn attested_reports<'a>(
    gate: &ScanGateRequest,
    statements: &'a StatementFacts,
) -> Vec<(&'a FoundStatement<VerifiedAttestation>, ConsideredReport)> {
    let list = gate.attested.into_iter();
    let found = list.flat_map(|list| different_statements(&statements.of(list).attestations));
    found
        .filter_map(|found| Some((found, attested_report(found)?)))
        .collect()
}

fn attested_documents<'a>(
    gate: &ScanGateRequest,
    statements: &'a StatementFacts,
) -> Vec<(&'a FoundStatement<VerifiedAttestation>, ConsideredVex)> {
    let list = gate.vex_signers.into_iter();
    let found = list.flat_map(|list| different_statements(&statements.of(list).attestations));
    found
        .filter_map(|found| Some((found, attested_vex(found)?)))
        .collect()
}
