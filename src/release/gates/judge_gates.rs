//! Judges a release by all gates of its environment.

use jiff::Timestamp;

use super::evidence_list::EvidenceList;
use super::gate_outcome::GateOutcome;
use super::gate_reading::{GateFacts, GateReading};
use super::gate_request::GateRequest;
use super::gated_release::GatedRelease;
use super::scan_verdict::{ScanPlace, judge_scan_gate};
use super::statement_verdicts::{judge_attestation_gate, judge_signature_gate};
use crate::gate::{
    GateName, GateReport, GateVerdict, SoakFacts, judge_approvals, judge_checks, judge_freeze,
    judge_image, judge_soak,
};
use crate::record::RecordTime;
use crate::release::Failure;

/// Judges a release by all of its gates, at each of its times: of verdicts that do not pass, returns the first. None of
/// the gates cuts the others short. `times` are those of the run at each destination, at least one: this machine's, or
/// the registry's where the two differ.
///
/// # Errors
/// Facts that cannot be read: what a store cannot tell is not nothing.
pub(crate) async fn judge_gates(
    request: &GateRequest,
    release: &GatedRelease<'_>,
    reading: GateReading,
    times: &[RecordTime],
) -> Result<GateOutcome, Failure> {
    // What must have been signed before a time has been so at each destination.
    let latest = times.iter().copied().fold(times[0], RecordTime::max);
    let facts = reading.finish(request, release, latest).await?;
    let mut passed = GateOutcome::default();
    // A registry that the run names as a further destination could say another time.
    for time in times {
        let outcome = facts.judge(request, release, time.to_timestamp());
        if !outcome.report.has_passed() {
            return Ok(outcome);
        }
        passed = outcome;
    }
    Ok(passed)
}

/// Judges an image by its gates at a time, and refuses nothing.
///
/// # Errors
/// Facts that cannot be read.
pub(crate) async fn judge_at_once(
    request: &GateRequest,
    release: &GatedRelease<'_>,
    now: RecordTime,
) -> Result<GateReport, Failure> {
    let reading = GateReading::read(request, release).await?;
    let facts = reading.finish(request, release, now).await?;
    Ok(facts.judge(request, release, now.to_timestamp()).report)
}

impl GateFacts {
    fn judge(
        &self,
        request: &GateRequest,
        release: &GatedRelease<'_>,
        now: Timestamp,
    ) -> GateOutcome {
        let root = release.image.source_digest();
        let mut evidence = EvidenceList::default();
        let mut verdicts = Vec::new();
        let mut freeze_override = None;
        if let Some(image) = &self.image {
            if let Some(reports) = &request.unjudged_reports {
                reports.claim(image);
            }
            if let Some(scan) = &request.scan {
                let place = ScanPlace {
                    source: &release.image.location,
                    required_signers: release.required_scan_signers(request),
                };
                let judged = judge_scan_gate(scan, image, &self.statements, &place, now);
                evidence.add_scan(scan, &judged);
                verdicts.push(judged.judgement.verdict);
            }
            if !request.attestations.is_empty() {
                let (statements, unsigned) = (&self.statements, &self.unsigned);
                let gates = &request.attestations;
                verdicts.push(judge_attestation_gate(gates, image, statements, unsigned));
                evidence.add_attestations(gates, statements, unsigned);
            }
            if let Some(rule) = &request.image {
                verdicts.push(judge_image(rule, image, now));
            }
        }
        if let Some(signers) = request.signature {
            let found = self.statements.of(signers);
            verdicts.push(judge_signature_gate(root, found));
            evidence.add_signatures(root, found);
        }
        if let Some(soak) = &request.soak {
            let facts = SoakFacts {
                environment: release.source_environment(),
                root,
                timeline: &self.since_release.timeline,
                signed_at: &self.since_release.signed_at,
                now,
            };
            verdicts.push(judge_soak(soak, facts));
        }
        if !request.freeze.is_empty() {
            let reason = request.freeze_override.as_deref();
            let judged = judge_freeze(&request.freeze, reason, now);
            freeze_override = reason.filter(|_| judged.is_overridden).map(str::to_owned);
            verdicts.push(judged.verdict);
        }
        verdicts.extend(self.judge_github(request));
        GateOutcome {
            report: GateReport::new(verdicts),
            evidence: evidence.into_entries(),
            freeze_override,
        }
    }

    /// Judges what GitHub says. What was not read is unknown.
    fn judge_github(&self, request: &GateRequest) -> Vec<GateVerdict> {
        let unread = |gate: GateName| {
            let mut verdict = GateVerdict::new(gate);
            verdict.leave_unknown("GitHub's API was not called");
            verdict
        };
        let mut verdicts = Vec::new();
        if !request.checks.is_empty() {
            verdicts.push(match &self.github.checks {
                Some(Ok(facts)) => judge_checks(&request.checks, facts),
                Some(Err(unknown)) => {
                    let mut verdict = GateVerdict::new(GateName::Checks);
                    unknown.leave_unknown("source commit", &mut verdict);
                    verdict
                }
                None => unread(GateName::Checks),
            });
        }
        if let Some(rule) = &request.approvals {
            verdicts.push(match &self.github.approvals {
                Some(facts) => judge_approvals(rule, facts),
                None => unread(GateName::Approvals),
            });
        }
        verdicts
    }
}
