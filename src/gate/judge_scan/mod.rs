//! Judge of the scan gate: every report passes, and together they cover every platform that is released.

mod exception_use;
mod finding_count;
mod message_limits;
mod package_url;
mod report_binding;
mod report_check;
mod report_series;
mod report_text;
mod scan_facts;
mod scanner_command;
mod severity_counts;
mod vex_index;

use std::collections::BTreeSet;

use finding_count::FindingFilter;
use message_limits::{NAME_LIMIT, READ_ERROR_LIMIT};
use report_check::ReportCheck;
use report_series::ReportSeries;
use scanner_command::ScannerCommand;

use super::judged_image::JudgedPlatform;
use super::scan_rule::ScanRule;
use super::verdict::{GateName, GateVerdict};
use super::vex_document::VexDocument;
use crate::notices::to_printable;

pub use report_binding::ReportBinding;
pub use scan_facts::{ConsideredReport, ConsideredVex, JudgedReport, ScanFacts, ScanJudgement};
pub use severity_counts::SeverityCounts;

/// Judges an image by the scan rule of its environment.
pub fn judge_scan(rule: &ScanRule, facts: ScanFacts<'_>) -> ScanJudgement {
    let mut verdict = GateVerdict::new(GateName::Scan);
    let documents = usable_documents(facts, &mut verdict);
    let mut check = ReportCheck {
        rule,
        facts,
        command: ScannerCommand::new(facts),
        filter: FindingFilter::new(rule, facts, documents),
        series: ReportSeries::new(facts, rule.max_age.as_ref()),
        covered: BTreeSet::new(),
        unplaced: Vec::new(),
    };
    let numbers = 0..facts.reports.len();
    let reports: Vec<JudgedReport> = numbers
        .map(|number| check.judge(number, &mut verdict))
        .collect();
    check.describe_suppressed(&mut verdict);
    require_coverage(&check, &mut verdict);
    ScanJudgement {
        verdict,
        reports,
        vex_suppressed: check.filter.vex_suppressed.iter().map(Vec::len).collect(),
    }
}

/// Returns the VEX documents that can be read, with their numbers. One that cannot could have the newest
/// statement on a finding, so that the verdict is unknown without it.
fn usable_documents<'a>(
    facts: ScanFacts<'a>,
    verdict: &mut GateVerdict,
) -> Vec<(usize, &'a VexDocument)> {
    let mut usable = Vec::new();
    for (number, document) in facts.vex.iter().enumerate() {
        let name = to_printable(&document.name, NAME_LIMIT);
        match document.content.as_deref() {
            Ok(content) => {
                let mut times = content.statements.iter().map(|it| it.timestamp);
                if times.any(|time| time > facts.now) {
                    verdict.add_warning(format!(
                        "{name} has statements from after the time of this run: they take no findings out"
                    ));
                }
                usable.push((number, content));
            }
            Err(error) => verdict.leave_unknown(format!(
                "the VEX document {name} cannot be used: {}",
                to_printable(&error.to_string(), READ_ERROR_LIMIT)
            )),
        }
    }
    usable
}

/// Requires a usable report of every platform that is released.
fn require_coverage(check: &ReportCheck<'_>, verdict: &mut GateVerdict) {
    let image = check.facts.image;
    if image.released_platforms().next().is_none() {
        verdict.leave_unknown("the release has no image of any platform");
    }
    let uncovered = image.platforms.iter().enumerate();
    let uncovered =
        uncovered.filter(|(number, it)| it.is_released && !check.covered.contains(number));
    let uncovered: Vec<&JudgedPlatform> = uncovered.map(|(_, platform)| platform).collect();
    if check.facts.reports.is_empty() {
        let names: Vec<String> = uncovered.iter().map(|it| it.name()).collect();
        verdict.leave_unknown(format!(
            "no scan report was given or found: expected reports about {}",
            names.join(", ")
        ));
    } else {
        for platform in &uncovered {
            let reason = format!("no scan report is about {}", platform.name());
            verdict.leave_unknown(match check.unplaced.as_slice() {
                [] => reason,
                names => format!(
                    "{reason}: {} names the image and not the platform that was scanned",
                    names.join(", ")
                ),
            });
        }
    }
    for platform in uncovered {
        let step = check.command.for_platform(platform);
        verdict.add_hint(match check.facts.requires_attested {
            false => step.to_file_hint(),
            true => step.to_scan_hint(),
        });
    }
}
