//! Verdicts of gates in reports: text, Markdown and JSON.

use serde::Serialize;

use super::markdown::{code_span, details, escape_text, table_row};
use super::styled_text::{StyledText, Tone};
use crate::gate::{GateReport, GateState, GateVerdict};
use crate::release::BatchOutcome;

/// Verdict of a gate in the output `json`.
#[derive(Serialize)]
pub(super) struct GateVerdictJson<'a> {
    gate: &'static str,
    verdict: &'static str,
    /// Reason for which the run overrides the gate, if it passes by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden: Option<&'a str>,
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
            overridden: verdict.override_reason(),
            facts: verdict.facts(),
            reasons: verdict.reasons(),
            warnings: verdict.warnings(),
        })
        .collect()
}

/// Returns the verdicts of a release as text; empty without gates.
pub(super) fn gates_text(report: &GateReport) -> StyledText {
    let mut text = StyledText::default();
    push_gates(&mut text, report);
    text
}

/// Returns the verdicts of each service as text; empty without gates.
pub(super) fn service_gates_text(batch: &BatchOutcome) -> StyledText {
    let mut text = StyledText::default();
    for (service, report) in batch.gate_reports() {
        push_titled(&mut text, &format!("gates of {service}"), report);
    }
    text
}

/// Appends the verdicts, a line for each fact; nothing without gates.
pub(super) fn push_gates(text: &mut StyledText, report: &GateReport) {
    if !report.verdicts().is_empty() {
        push_titled(text, "gates", report);
    }
}

fn push_titled(text: &mut StyledText, title: &str, report: &GateReport) {
    text.push(&format!("\n{title}\n"));
    for verdict in report.verdicts() {
        text.push(&format!("  {:<12}  ", verdict.gate().as_str()));
        let state = format!("{:<7}", verdict.shown_state());
        text.push_toned(state_tone(verdict.state()), &state);
        let lines = verdict.facts().iter().chain(verdict.reasons());
        let is_wide = verdict.override_reason().is_some();
        for (number, line) in lines.enumerate() {
            match number {
                0 if !is_wide => text.push(&format!("  {line}\n")),
                0 => text.push(&format!("\n{:<25}{line}\n", "")),
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
        section += &table_row(&verdict_cells(verdict).each_ref().map(String::as_str));
    }
    section
}

/// Most services whose verdicts a summary lists.
const SHOWN_SERVICES: usize = 50;

/// Returns the verdicts of each service as a Markdown section, folded if all pass; empty without gates.
pub(super) fn service_gates_section(batch: &BatchOutcome) -> String {
    let reports: Vec<_> = batch.gate_reports().collect();
    if reports.is_empty() {
        return String::new();
    }
    let mut table = table_row(&["Service", "Gate", "Verdict", "Facts"]);
    table += &table_row(&[":---"; 4]);
    for (service, report) in reports.iter().take(SHOWN_SERVICES) {
        let service = code_span(service.as_str());
        for verdict in report.verdicts() {
            let [gate, state, facts] = verdict_cells(verdict);
            table += &table_row(&[&service, &gate, &state, &facts]);
        }
    }
    let more = reports.len().saturating_sub(SHOWN_SERVICES);
    if more > 0 {
        table += &format!("\nThe report in the log lists {more} more services.\n");
    }
    match reports.iter().all(|(_, report)| report.has_passed()) {
        true => details("Gates", &table),
        false => format!("\n### Gates\n\n{table}"),
    }
}

/// Returns the gate, its verdict and the facts as cells of a row.
fn verdict_cells(verdict: &GateVerdict) -> [String; 3] {
    let state = match verdict.override_reason() {
        Some(reason) => format!(
            "**{}** (overridden: {})",
            verdict.state(),
            escape_text(reason)
        ),
        None => format!("**{}**", verdict.state()),
    };
    [verdict.gate().to_string(), state, facts_cell(verdict)]
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
    use crate::report::summary::sample_gates;

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
    fn verdicts_of_services_and_overrides_are_shown() {
        let batch = sample_gates();
        insta::assert_snapshot!(service_gates_text(&batch).render(TextStyle::default()), @r"

        gates of web
          scan          failed   trivy.json (trivy 0.68.1, Trivy JSON) has 1 high, 4 low on linux/amd64: scanned at 2026-11-30 20:12 UTC (2 h ago)
                                 trivy.json has 1 finding of high or above on linux/amd64: CVE-2026-1234 (openssl 3.0.1, high)
                                 no scan report is about linux/arm64
          attestations  unknown  no attestation of the type https://slsa.dev/provenance/v1
          freeze        passed (overridden: incident 42: logins fail)
                                 frozen by fri 15:00 to mon 06:00 (Europe/Berlin) until mon 06:00

        gates of api
          scan          passed   api.json (trivy 0.68.1, Trivy JSON) has 2 low on linux/amd64: scanned at 2026-11-30 20:14 UTC (2 h ago)
          freeze        passed (overridden: incident 42: logins fail)
                                 frozen by fri 15:00 to mon 06:00 (Europe/Berlin) until mon 06:00
        ");
        let section = service_gates_section(&batch);
        for row in [
            "| `web` | attestations | **unknown** | no attestation of the type",
            "| `api` | freeze | **passed** (overridden: incident 42: logins fail) | frozen by",
            "<br>warning: the exception for CVE-2026-1100 ended",
        ] {
            assert!(section.contains(row), "{row}: {section}");
        }
        let json = serde_json::to_value(gate_verdicts_json(&batch.gates[1])).unwrap();
        assert_eq!(json[1]["verdict"], "passed");
        assert_eq!(json[1]["overridden"], "incident 42: logins fail");
        assert!(json[0].get("overridden").is_none(), "{json}");
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
