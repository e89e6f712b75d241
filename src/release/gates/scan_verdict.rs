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

/// Judges an image by its scan gate.
pub(super) fn judge_scan_gate<'a>(
    gate: &'a ScanGateRequest,
    image: &JudgedImage,
    statements: &'a StatementFacts,
    place: &ImageSource,
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
        place,
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
    if gate.attested.is_some() {
        require_attested_coverage(&attested, &rejected, image, &mut judgement.verdict);
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

/// Requires an attested report of every platform that is released: a file says what a job says, and only signed
/// reports hold against it.
fn require_attested_coverage(
    reports: &[(&FoundStatement<VerifiedAttestation>, ConsideredReport)],
    rejected: &[&FoundStatement<VerifiedAttestation>],
    image: &JudgedImage,
    verdict: &mut GateVerdict,
) {
    let usable = reports
        .iter()
        .filter_map(|(_, report)| report.content.as_ref().ok());
    let bound = usable.filter_map(|report| match ReportBinding::find(report, image) {
        ReportBinding::Image(platforms) => Some(platforms),
        _ => None,
    });
    let covered: BTreeSet<usize> = bound.flatten().collect();
    for (number, platform) in image.platforms.iter().enumerate() {
        if platform.is_released && !covered.contains(&number) {
            let reason = format!(
                "no attested scan report of an accepted signer is about {}",
                platform.name()
            );
            verdict.leave_unknown(match rejections(rejected) {
                Some(rejections) => format!("{reason}: {rejections}"),
                None => reason,
            });
            verdict.add_hint("attest the report where the image is built or scanned, by a signer that the gate accepts");
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
