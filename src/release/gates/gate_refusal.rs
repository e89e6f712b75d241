//! Refusal of a release that does not pass its gates: all reasons, and what to do about each.

use crate::gate::GateReport;
use crate::image::Digest;
use crate::release::Failure;

/// Refuses a root that does not pass the gates of a report.
///
/// # Errors
/// A refusal with the reasons of all gates that do not pass.
pub(crate) fn require_passed(root: Digest, report: &GateReport) -> Result<(), Failure> {
    match report.has_passed() {
        true => Ok(()),
        false => Err(gate_refusal(root, report)),
    }
}

fn gate_refusal(root: Digest, report: &GateReport) -> Failure {
    let refusing: Vec<String> = report
        .refusals()
        .map(|verdict| format!("{} ({})", verdict.gate(), verdict.state()))
        .collect();
    let reasons = report.refusals().flat_map(|verdict| {
        let reasons = verdict.reasons().iter();
        reasons.map(move |reason| format!("{}: {reason}", verdict.gate()))
    });
    let hints = report.refusals().flat_map(|verdict| verdict.hints());
    let hints: Vec<&str> = hints.map(String::as_str).collect();
    let failure = Failure::refused(format!(
        "{root} does not pass {} of {} gates: {}",
        refusing.len(),
        report.verdicts().len(),
        refusing.join(", ")
    ))
    .with_reason(reasons.collect::<Vec<_>>().join("; "));
    match hints.is_empty() {
        true => failure,
        false => failure.with_hint(hints.join("; ")),
    }
}
