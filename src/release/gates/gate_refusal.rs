//! Refusal of a release that does not pass its gates: all reasons, and what to do about each.

use crate::gate::{GateReport, GateVerdict};
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

/// Returns the refusal of a root by the gates of a report that do not pass: a line for each reason and each hint.
fn gate_refusal(root: Digest, report: &GateReport) -> Failure {
    let refusing: Vec<String> = report
        .refusals()
        .map(|verdict| format!("{} ({})", verdict.gate(), verdict.state()))
        .collect();
    let failure = Failure::refused(format!(
        "{root} does not pass {} of {} gates: {}",
        refusing.len(),
        report.verdicts().len(),
        refusing.join(", ")
    ))
    .with_reason(lines(report, GateVerdict::reasons))
    .with_gates(report);
    match lines(report, GateVerdict::hints) {
        hints if hints.is_empty() => failure,
        hints => failure.with_hint(hints),
    }
}

/// Returns a line for each text of the verdicts that do not pass, with its gate.
fn lines(report: &GateReport, texts: fn(&GateVerdict) -> &[String]) -> String {
    let lines = report.refusals().flat_map(|verdict| {
        let texts = texts(verdict).iter();
        texts.map(move |text| format!("{}: {text}", verdict.gate()))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::GateName;

    #[test]
    fn each_reason_and_each_hint_has_a_line() {
        let mut scan = GateVerdict::new(GateName::Scan);
        scan.fail("a.json has 1 finding of high or above: CVE-2026-1");
        scan.leave_unknown("no scan report is about linux/arm64");
        scan.add_hint("scan linux/arm64");
        let mut soak = GateVerdict::new(GateName::Soak);
        soak.fail("current in stage for 1 h, expected 24 h");
        soak.add_hint("release at or after mon 06:00");
        let image = GateVerdict::new(GateName::Image);
        let report = GateReport::new(vec![soak, scan, image]);
        let refusal = gate_refusal(Digest::from_bytes(b""), &report);
        assert_eq!(refusal.gates(), Some(&report));
        insta::assert_snapshot!(refusal.diagnostic().unwrap(), @r"
        sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 does not pass 2 of 3 gates: scan (failed), soak (failed)
         why:  scan: a.json has 1 finding of high or above: CVE-2026-1
               scan: no scan report is about linux/arm64
               soak: current in stage for 1 h, expected 24 h
         hint: scan: scan linux/arm64
               soak: release at or after mon 06:00
        ");
    }
}
