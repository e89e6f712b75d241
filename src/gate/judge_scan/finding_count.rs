//! Which findings of a report count.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::NAME_LIMIT;
use super::report_check::ReportCheck;
use super::severity_counts::SeverityCounts;
use crate::gate::judged_image::JudgedPlatform;
use crate::gate::scan_report::{FixState, ScanFinding, ScanReport};
use crate::image::Digest;
use crate::notices::to_printable;

/// Findings of a report, counted by a rule.
pub(super) struct FindingCount<'r> {
    /// All findings.
    pub all: SeverityCounts,
    /// Findings that reach the rule's severity and are stated to have no fix, if the rule ignores those.
    pub unfixed: usize,
    /// Findings that fail the gate, the worst first.
    pub counting: Vec<ScanFinding<'r>>,
}

impl<'r> FindingCount<'r> {
    /// Counts the findings of a report on these platforms.
    pub fn new(
        check: &mut ReportCheck<'_>,
        report: &'r ScanReport,
        platforms: &[&JudgedPlatform],
    ) -> Self {
        let names = image_digests(check.facts.image.root, platforms);
        let mut count = Self {
            all: SeverityCounts::default(),
            unfixed: 0,
            counting: Vec::new(),
        };
        for finding in report.findings.iter() {
            count.all.add(finding.severity);
            let exception = check.exceptions.find(finding, platforms);
            if !check.rule.fail_on.is_reached_by(finding.severity) {
                continue;
            }
            if check.rule.ignore_unfixed && finding.fix == FixState::Unfixed {
                count.unfixed += 1;
            } else if let Some(number) = exception {
                check.exceptions.record_suppressed(number);
            } else if let Some(document) = check.vex.suppressing_document(finding, &names) {
                check.vex_suppressed[document].push(finding.id.to_owned());
            } else {
                count.counting.push(finding);
            }
        }
        let order = |finding: &ScanFinding<'_>| (Reverse(finding.severity), Reverse(finding.fix));
        count.counting.sort_by_key(order);
        count
    }

    /// Returns the findings that count, for a reader.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.counting.iter().map(|finding| {
            let package = format!("{} {}", finding.package, finding.version);
            let package = match package.trim() {
                "" => String::new(),
                package => format!(" in {package}"),
            };
            let fix = match finding.fix {
                FixState::Fixable => ", a fix is known",
                FixState::Unfixed => ", no fix is known",
                FixState::NotStated => "",
            };
            let id = to_printable(finding.id, NAME_LIMIT);
            let package = to_printable(&package, NAME_LIMIT);
            match package.as_str() {
                "" => format!("{id} ({}{fix})", finding.severity),
                package => format!("{id} {package} ({}{fix})", finding.severity),
            }
        })
    }
}

/// Returns the digests under which a VEX document can name the image that was scanned.
fn image_digests(root: Digest, platforms: &[&JudgedPlatform]) -> BTreeSet<Digest> {
    let children = platforms.iter().flat_map(|it| [it.manifest, it.config]);
    children.chain([root]).collect()
}
