//! Verdicts of gates in reports: text, Markdown and JSON.

use serde::Serialize;

use super::markdown::{escape_text, table_row};
use super::styled_text::{StyledText, Tone};
use crate::gate::{GateReport, GateState, GateVerdict};

/// Verdict of a gate in the output `json`.
#[derive(Serialize)]
pub(super) struct GateVerdictJson<'a> {
    gate: &'static str,
    verdict: &'static str,
    facts: &'a [String],
    reasons: &'a [String],
    warnings: &'a [String],
}

/// Returns the verdicts for the output `json`.
pub(super) fn gate_verdicts_json(report: &GateReport) -> Vec<GateVerdictJson<'_>> {
    let verdicts = report.verdicts().iter();
    verdicts
        .map(|verdict| GateVerdictJson {
            gate: verdict.gate().as_str(),
            verdict: verdict.state().as_str(),
            facts: verdict.facts(),
            reasons: verdict.reasons(),
            warnings: verdict.warnings(),
        })
        .collect()
}

/// Appends the verdicts, a line for each fact; nothing without gates.
pub(super) fn push_gates(text: &mut StyledText, report: &GateReport) {
    if report.verdicts().is_empty() {
        return;
    }
    text.push("\ngates\n");
    for verdict in report.verdicts() {
        text.push(&format!("  {:<12}  ", verdict.gate().as_str()));
        let state = format!("{:<7}", verdict.state().as_str());
        text.push_toned(state_tone(verdict.state()), &state);
        let lines = verdict.facts().iter().chain(verdict.reasons());
        for (number, line) in lines.enumerate() {
            match number {
                0 => text.push(&format!("  {line}\n")),
                _ => text.push(&format!("{:<25}{line}\n", "")),
            }
        }
        if verdict.facts().is_empty() && verdict.reasons().is_empty() {
            text.push("\n");
        }
    }
}

/// Returns the verdicts as a Markdown section; empty without gates.
pub(super) fn gates_section(report: &GateReport) -> String {
    if report.verdicts().is_empty() {
        return String::new();
    }
    let mut section = "\n### Gates\n\n".to_owned();
    section += &table_row(&["Gate", "Verdict", "Facts"]);
    section += &table_row(&[":---", ":---", ":---"]);
    for verdict in report.verdicts() {
        let state = format!("**{}**", verdict.state());
        section += &table_row(&[verdict.gate().as_str(), &state, &facts_cell(verdict)]);
    }
    section
}

fn facts_cell(verdict: &GateVerdict) -> String {
    let facts = verdict.facts().iter().chain(verdict.reasons());
    let facts = facts.map(|fact| escape_text(fact));
    let warnings = verdict.warnings().iter();
    let warnings = warnings.map(|warning| format!("warning: {}", escape_text(warning)));
    facts.chain(warnings).collect::<Vec<_>>().join("<br>")
}

const fn state_tone(state: GateState) -> Tone {
    match state {
        GateState::Passed => Tone::Done,
        GateState::Unknown | GateState::Failed => Tone::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::GateName;
    use crate::report::styled_text::TextStyle;

    fn report() -> GateReport {
        let mut scan = GateVerdict::new(GateName::Scan);
        scan.add_fact("a.json covers linux/amd64: 2 high");
        scan.fail("CVE-2026-1 in <openssl> is high");
        scan.add_warning("the exception for CVE-2026-2 ends on 2026-12-01");
        let mut image = GateVerdict::new(GateName::Image);
        image.add_fact("platforms: linux/amd64");
        image.add_fact("user: 1000");
        GateReport::new(vec![image, scan])
    }

    #[test]
    fn verdicts_read_well() {
        let mut text = StyledText::default();
        push_gates(&mut text, &GateReport::default());
        assert!(text.as_str().is_empty());
        push_gates(&mut text, &report());
        insta::assert_snapshot!(text.render(TextStyle::default()), @r"

        gates
          scan          failed   a.json covers linux/amd64: 2 high
                                 CVE-2026-1 in <openssl> is high
          image         passed   platforms: linux/amd64
                                 user: 1000
        ");
        assert_eq!(gates_section(&GateReport::default()), "");
        insta::assert_snapshot!(gates_section(&report()), @r"

        ### Gates

        | Gate | Verdict | Facts |
        | :--- | :--- | :--- |
        | scan | **failed** | a.json covers linux/amd64: 2 high<br>CVE-2026-1 in \<openssl> is high<br>warning: the exception for CVE-2026-2 ends on 2026-12-01 |
        | image | **passed** | platforms: linux/amd64<br>user: 1000 |
        ");
    }
}
