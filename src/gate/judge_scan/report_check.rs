//! The check of one scan report.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::finding_count::{FindingCount, FindingFilter};
use super::message_limits::{NAME_LIMIT, READ_ERROR_LIMIT};
use super::report_binding::ReportBinding;
use super::scan_facts::{ConsideredReport, JudgedReport, ScanFacts};
use super::scanner_command::ScannerCommand;
use crate::gate::judged_image::JudgedPlatform;
use crate::gate::scan_report::ScanReport;
use crate::gate::scan_rule::ScanRule;
use crate::gate::shown_time::{shown_age, shown_time};
use crate::gate::verdict::{GateState, GateVerdict};
use crate::image::Digest;
use crate::notices::to_printable;
use crate::rule_duration::RuleDuration;

/// Most findings, filters and digests that a message lists.
const LISTED_LIMIT: usize = 10;

/// Check of reports, one after another, and what is known after them.
pub(super) struct ReportCheck<'a> {
    pub rule: &'a ScanRule,
    pub facts: ScanFacts<'a>,
    pub command: ScannerCommand<'a>,
    pub filter: FindingFilter<'a>,
    /// Numbers of the platforms that a report is about.
    pub covered: BTreeSet<usize>,
}

/// Report in the middle of its check: what is said of it goes to the verdict, and its reasons to the report too.
struct OpenReport<'v> {
    name: String,
    verdict: &'v mut GateVerdict,
    judged: JudgedReport,
}

impl OpenReport<'_> {
    fn refuse(&mut self, state: GateState, reason: &str) {
        let reason = format!("{} {reason}", self.name);
        match state {
            GateState::Unknown => self.verdict.leave_unknown(reason.clone()),
            _ => self.verdict.fail(reason.clone()),
        }
        self.judged.reasons.push(reason);
    }

    fn add_fact(&mut self, fact: &str) {
        self.verdict.add_fact(format!("{} {fact}", self.name));
    }
}

impl ReportCheck<'_> {
    /// Judges a report, and returns what came of it.
    pub fn judge(
        &mut self,
        considered: &ConsideredReport,
        verdict: &mut GateVerdict,
    ) -> JudgedReport {
        let mut open = OpenReport {
            name: to_printable(&considered.name, NAME_LIMIT),
            verdict,
            judged: JudgedReport::default(),
        };
        match &considered.content {
            Err(error) => {
                let error = to_printable(&error.to_string(), READ_ERROR_LIMIT);
                open.refuse(GateState::Failed, &format!("cannot be used: {error}"));
            }
            Ok(report) => {
                if let Some(platforms) = self.bind(report, &mut open) {
                    self.judge_bound(report, &platforms, &mut open);
                    self.covered.extend(platforms);
                }
            }
        }
        open.judged
    }

    /// Returns the numbers of the platforms that were scanned, or refuses a report that is not about the image.
    fn bind(&self, report: &ScanReport, open: &mut OpenReport<'_>) -> Option<BTreeSet<usize>> {
        let image = self.facts.image;
        let scan_again = "scan the image that is released, by its digest, and give that report";
        match ReportBinding::find(report, image) {
            ReportBinding::Image(platforms) => Some(platforms),
            ReportBinding::Unbound(platforms) if self.rule.allows_unbound => {
                open.add_fact("names no digest of an image, which gates.scan.unbound allows");
                Some(platforms)
            }
            ReportBinding::Unbound(_) => {
                open.refuse(GateState::Failed, "names no digest of an image");
                open.verdict
                    .add_hint("give the scanner's own JSON, which names the digest of the image");
                None
            }
            ReportBinding::Foreign(digests) => {
                let digests = listed(digests.iter().map(Digest::short), digests.len());
                let root = image.root.short();
                let reason = format!("is about another image: {digests}, expected {root}");
                open.refuse(GateState::Failed, &reason);
                open.verdict.add_hint(scan_again);
                None
            }
            ReportBinding::Contradicting(how) => {
                let reason = format!("has digests that contradict each other: {how}");
                open.refuse(GateState::Failed, &reason);
                open.verdict.add_hint(scan_again);
                None
            }
        }
    }

    fn judge_bound(
        &mut self,
        report: &ScanReport,
        numbers: &BTreeSet<usize>,
        open: &mut OpenReport<'_>,
    ) {
        let image = self.facts.image;
        let platforms: Vec<&JudgedPlatform> =
            numbers.iter().map(|it| &image.platforms[*it]).collect();
        open.judged.platforms = platforms.iter().map(|platform| platform.name()).collect();
        if platforms.is_empty() {
            open.add_fact("does not say which platform was scanned");
        }
        self.judge_age(report, open);
        self.judge_suppressed(report, open);
        let count = self.filter.count(report, &platforms);
        open.judged.findings = count.all;
        open.add_fact(&format!(
            "({}) has {}{}: {}{}",
            tool(report),
            count.all,
            on(&open.judged.platforms),
            scan_time(report, self.facts.now),
            database_age(report, self.facts.now)
        ));
        self.judge_findings(&count, open);
    }

    fn judge_findings(&self, count: &FindingCount<'_>, open: &mut OpenReport<'_>) {
        if count.unfixed > 0 {
            let unfixed = count.unfixed;
            open.add_fact(&format!(
                "has {unfixed} without a fix, which ignore-unfixed takes out"
            ));
        }
        if !count.counting.is_empty() {
            let found = listed(count.texts(), count.counting.len());
            let reason = format!(
                "has {} of {} or above{}: {found}",
                number_of_findings(count.counting.len()),
                self.rule.fail_on,
                on(&open.judged.platforms)
            );
            open.refuse(GateState::Failed, &reason);
            open.verdict.add_hint(
                "update what has a fix, or say in gates.scan.ignore of the policy or in a VEX document why a finding does not apply",
            );
        }
    }

    fn judge_age(&self, report: &ScanReport, open: &mut OpenReport<'_>) {
        let now = self.facts.now;
        match (report.created_at, &self.rule.max_age) {
            (Some(created), None) if created > now => open.verdict.add_warning(format!(
                "{} says that it was made at {}, after the time of this run",
                open.name,
                shown_time(created)
            )),
            (_, None) => {}
            (None, Some(_)) => {
                open.refuse(
                    GateState::Unknown,
                    "does not say when the scan was made, and max-age is set",
                );
                open.verdict
                    .add_hint("give the scanner's own JSON, which says when the scan was made");
            }
            (Some(created), Some(limit)) => judge_created(created, limit, now, open),
        }
    }

    /// Shows what the report itself took out, and refuses it if the rule does.
    fn judge_suppressed(&self, report: &ScanReport, open: &mut OpenReport<'_>) {
        let (findings, filters) = (&report.suppressed, &report.filters);
        let mut shown = Vec::new();
        if !findings.is_empty() {
            let texts = findings.iter().map(|finding| {
                let text = format!("{} ({}, {})", finding.id, finding.severity, finding.cause);
                to_printable(&text, NAME_LIMIT)
            });
            let number = number_of_findings(findings.len());
            shown.push(format!(
                "took out {number}: {}",
                listed(texts, findings.len())
            ));
        }
        if !filters.is_empty() {
            let texts = filters
                .iter()
                .map(|filter| to_printable(filter, NAME_LIMIT));
            shown.push(format!("was filtered: {}", listed(texts, filters.len())));
        }
        for text in shown {
            open.add_fact(&text);
            if self.rule.denies_suppressed {
                let reason = format!("{text}, and gates.scan.suppressed denies it");
                open.refuse(GateState::Failed, &reason);
                open.verdict
                    .add_hint("scan without ignore rules and filters of the scanner's own");
            }
        }
    }

    /// Adds to a verdict what exceptions and VEX documents took out.
    pub fn describe_suppressed(&self, verdict: &mut GateVerdict) {
        for (document, ids) in self.facts.vex.iter().zip(&self.filter.vex_suppressed) {
            if !ids.is_empty() {
                let name = to_printable(&document.name, NAME_LIMIT);
                let number = number_of_findings(ids.len());
                let texts = ids.iter().map(|id| to_printable(id, NAME_LIMIT));
                let texts = listed(texts, ids.len());
                verdict.add_fact(format!("{name} takes out {number}: {texts}"));
            }
        }
        let mut reports = self.facts.reports.iter();
        if reports.any(|report| report.content.is_ok()) {
            self.filter.exceptions.describe(verdict);
        }
    }
}

fn judge_created(
    created: Timestamp,
    limit: &RuleDuration,
    now: Timestamp,
    open: &mut OpenReport<'_>,
) {
    let at = shown_time(created);
    let age: Result<Duration, _> = now.duration_since(created).try_into();
    match age {
        Err(_) => open.refuse(
            GateState::Failed,
            &format!(
                "says that it was made at {at}, after the time of this run, {}",
                shown_time(now)
            ),
        ),
        Ok(age) if age > limit.to_duration() => {
            let age = shown_age(age);
            let reason = format!("was made at {at}, {age} ago, expected at most {limit}");
            open.refuse(GateState::Failed, &reason);
            open.verdict.add_hint("scan the image again");
        }
        Ok(_) => {}
    }
}

/// Returns the scanner, its version and the format: `trivy 0.68.1, Trivy JSON`.
fn tool(report: &ScanReport) -> String {
    let tool = report.tool.as_deref().unwrap_or("unknown scanner");
    let version = report.tool_version.as_deref().unwrap_or_default();
    let tool = to_printable(&format!("{tool} {version}"), NAME_LIMIT);
    format!("{tool}, {}", report.format)
}

fn on(platforms: &[String]) -> String {
    match platforms {
        [] => String::new(),
        platforms => format!(" on {}", platforms.join(", ")),
    }
}

fn scan_time(report: &ScanReport, now: Timestamp) -> String {
    match report.created_at {
        Some(created) => format!("scanned at {}", time_and_age(created, now)),
        None => "time of the scan unknown".to_owned(),
    }
}

fn database_age(report: &ScanReport, now: Timestamp) -> String {
    match report.database_built_at {
        Some(built) => format!(", vulnerability database of {}", time_and_age(built, now)),
        None => ", age of the vulnerability database unknown".to_owned(),
    }
}

fn time_and_age(time: Timestamp, now: Timestamp) -> String {
    let age: Result<Duration, _> = now.duration_since(time).try_into();
    match age {
        Ok(age) => format!("{} ({} ago)", shown_time(time), shown_age(age)),
        Err(_) => shown_time(time),
    }
}

fn number_of_findings(number: usize) -> String {
    match number {
        1 => "1 finding".to_owned(),
        number => format!("{number} findings"),
    }
}

/// Joins the first texts of `count`, and says how many more there are.
fn listed(texts: impl Iterator<Item = String>, count: usize) -> String {
    let shown: Vec<String> = texts.take(LISTED_LIMIT).collect();
    match count.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
