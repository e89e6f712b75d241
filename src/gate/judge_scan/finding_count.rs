//! Which findings of a report count.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::exception_use::{ExceptionUse, MatchedException};
use super::message_limits::NAME_LIMIT;
use super::scan_facts::ScanFacts;
use super::severity_counts::SeverityCounts;
use super::vex_index::{VexIndex, VexShortfall};
use crate::gate::judged_image::JudgedPlatform;
use crate::gate::scan_report::{FixState, ScanFinding, ScanReport};
use crate::gate::scan_rule::ScanRule;
use crate::gate::shown_time::shown_time;
use crate::gate::vex_document::VexDocument;
use crate::image::Digest;
use crate::notices::to_printable;

/// Findings of a report, counted by a rule.
pub(super) struct FindingCount<'r> {
    /// All findings.
    pub all: SeverityCounts,
    /// Findings that reach the rule's severity and are stated to have no fix, if the rule ignores those.
    pub unfixed: usize,
    /// Findings that fail the gate, the worst first.
    pub counting: Vec<CountingFinding<'r>>,
}

/// Finding that fails the gate.
pub(super) struct CountingFinding<'r> {
    finding: ScanFinding<'r>,
    /// Why an exception or a VEX statement on it does not take it out.
    remark: Option<String>,
}

/// What takes findings out: the rule, its exceptions and VEX documents.
pub(super) struct FindingFilter<'a> {
    rule: &'a ScanRule,
    root: Digest,
    vex: VexIndex<'a>,
    pub exceptions: ExceptionUse<'a>,
    /// For each VEX document the ids of the findings that do not count by it.
    pub vex_suppressed: Vec<Vec<String>>,
    /// Ids of findings that count although a VEX document has a statement on them, by the document and the cause.
    pub vex_shortfalls: BTreeMap<(usize, VexShortfall), BTreeSet<String>>,
}

impl<'a> FindingFilter<'a> {
    /// Returns the filter of a rule, with documents by their numbers.
    pub fn new(
        rule: &'a ScanRule,
        facts: ScanFacts<'a>,
        documents: Vec<(usize, &'a VexDocument)>,
    ) -> Self {
        Self {
            rule,
            root: facts.image.root,
            vex: VexIndex::new(documents.into_iter(), facts.now),
            exceptions: ExceptionUse::new(&rule.ignore, facts.now),
            vex_suppressed: vec![Vec::new(); facts.vex.len()],
            vex_shortfalls: BTreeMap::new(),
        }
    }

    /// Counts the findings of a report on these platforms.
    pub fn count<'r>(
        &mut self,
        report: &'r ScanReport,
        platforms: &[&JudgedPlatform],
    ) -> FindingCount<'r> {
        let names = image_digests(self.root, platforms);
        let mut count = FindingCount {
            all: SeverityCounts::default(),
            unfixed: 0,
            counting: Vec::new(),
        };
        for finding in report.findings.iter() {
            count.all.add(finding.severity);
            let exception = self.exceptions.find(finding, platforms);
            if !self.rule.fail_on.is_reached_by(finding.severity) {
                continue;
            }
            if self.rule.ignore_unfixed && finding.fix == FixState::Unfixed {
                count.unfixed += 1;
            } else if let Some(MatchedException::InEffect(number)) = exception {
                self.exceptions.record_suppressed(number);
            } else if let Some(document) = self.vex.suppressing_document(finding, &names) {
                self.vex_suppressed[document].push(finding.id.to_owned());
            } else {
                let remark = self.remark_on(finding, exception, &names);
                count.counting.push(CountingFinding { finding, remark });
            }
        }
        count
            .counting
            .sort_by_key(|CountingFinding { finding, .. }| {
                (Reverse(finding.severity), Reverse(finding.fix))
            });
        count
    }

    /// Returns why an exception that ended, or a VEX statement, does not take a finding out.
    fn remark_on(
        &mut self,
        finding: ScanFinding<'_>,
        exception: Option<MatchedException>,
        names: &BTreeSet<Digest>,
    ) -> Option<String> {
        let shortfall = self.vex.shortfall(finding, names);
        if let Some(key) = shortfall {
            let ids = self.vex_shortfalls.entry(key).or_default();
            ids.insert(finding.id.to_owned());
        }
        match (exception, shortfall) {
            (Some(MatchedException::Ended(end)), _) => {
                Some(format!("its exception ended at {}", shown_time(end)))
            }
            (_, Some((_, shortfall))) => Some(format!("of its VEX statement: {shortfall}")),
            _ => None,
        }
    }
}

impl FindingCount<'_> {
    /// Returns the findings that count, for a reader.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.counting
            .iter()
            .map(|CountingFinding { finding, remark }| {
                let remark = remark.iter().map(|remark| format!("; {remark}"));
                let remark: String = remark.collect();
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
                    "" => format!("{id} ({}{fix}{remark})", finding.severity),
                    package => format!("{id} {package} ({}{fix}{remark})", finding.severity),
                }
            })
    }
}

/// Returns the digests under which a VEX document can name the image that was scanned.
fn image_digests(root: Digest, platforms: &[&JudgedPlatform]) -> BTreeSet<Digest> {
    let children = platforms.iter().flat_map(|it| [it.manifest, it.config]);
    children.chain([root]).collect()
}
