//! Verdict of the scan gate: the reports and documents that the run was given, and those that are attested.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::found_statement::FoundStatement;
use super::gate_request::ScanGateRequest;
use super::given_documents::GivenReport;
use super::scan_statements::{attested_report, attested_vex};
use super::statement_facts::StatementFacts;
use crate::gate::{
    ConsideredReport, ConsideredVex, GateVerdict, JudgedImage, ReportBinding, ScanFacts,
    ScanJudgement, judge_scan,
};
use crate::image::ImageSource;
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
    if let Some(signers) = &place.required_signers {
        require_attested_coverage(&attested, image, signers, &mut judgement.verdict);
    }
    JudgedScan {
        judgement,
        given,
        reports: attested,
        vex: attested_vex.into_iter().map(|(found, _)| found).collect(),
    }
}

/// Requires an attested report of every platform that is released: a file says what a job says, and only signed
/// reports hold against it.
fn require_attested_coverage(
    reports: &[(&FoundStatement<VerifiedAttestation>, ConsideredReport)],
    image: &JudgedImage,
    signers: &str,
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
            verdict.leave_unknown(format!(
                "no attested scan report of an accepted signer is about {}",
                platform.name()
            ));
            verdict.add_hint(format!(
                "attest the reports as {signers}, such as with sign and scan-report of the run that pushes the image"
            ));
        }
    }
}

fn attested_reports<'a>(
    gate: &ScanGateRequest,
    statements: &'a StatementFacts,
) -> Vec<(&'a FoundStatement<VerifiedAttestation>, ConsideredReport)> {
    let list = gate.attested.into_iter();
    let found = list.flat_map(|list| &statements.of(list).attestations);
    found
        .filter_map(|found| Some((found, attested_report(found)?)))
        .collect()
}

fn attested_documents<'a>(
    gate: &ScanGateRequest,
    statements: &'a StatementFacts,
) -> Vec<(&'a FoundStatement<VerifiedAttestation>, ConsideredVex)> {
    let list = gate.vex_signers.into_iter();
    let found = list.flat_map(|list| &statements.of(list).attestations);
    found
        .filter_map(|found| Some((found, attested_vex(found)?)))
        .collect()
}
