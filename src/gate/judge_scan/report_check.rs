//! The check of one scan report.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::finding_count::{FindingCount, FindingFilter};
use super::message_limits::{NAME_LIMIT, READ_ERROR_LIMIT};
use super::report_binding::ReportBinding;
use super::report_series::ReportSeries;
use super::report_text::{database_age, listed, number_of_findings, on, scan_time, tool};
use super::scan_facts::{JudgedReport, ScanFacts};
use super::scanner_command::ScannerCommand;
use crate::gate::judged_image::JudgedPlatform;
use crate::gate::scan_report::ScanReport;
use crate::gate::scan_rule::ScanRule;
use crate::gate::shown_time::{shown_age, shown_time};
use crate::gate::verdict::{GateState, GateVerdict};
use crate::image::Digest;
use crate::notices::to_printable;
use crate::rule_duration::RuleDuration;

/// Check of reports, one after another, and what is known after them.
pub(super) struct ReportCheck<'a> {
    pub rule: &'a ScanRule,
    pub facts: ScanFacts<'a>,
    pub command: ScannerCommand<'a>,
    pub filter: FindingFilter<'a>,
    pub series: ReportSeries,
    /// Numbers of the platforms that a report is about.
    pub covered: BTreeSet<usize>,
    /// Names of reports that count and do not say which platform was scanned.
    pub unplaced: Vec<String>,
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
    /// Judges the report of a number, and returns what came of it.
    pub fn judge(&mut self, number: usize, verdict: &mut GateVerdict) -> JudgedReport {
        let considered = &self.facts.reports[number];
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
            Ok(_) if self.is_superseded(number, &mut open) => {}
            Ok(report) => {
                if let Some(platforms) = self.bind(report, &mut open)
                    && !self.is_of_unreleased(number, &platforms, &mut open)
                    && self.judge_bound((number, report), &platforms, &mut open)
                {
                    self.covered.extend(platforms);
                }
            }
        }
        open.judged
    }

    /// Returns whether a newer report counts in place of this one, which is told.
    fn is_superseded(&self, number: usize, open: &mut OpenReport<'_>) -> bool {
        let Some(newer) = self.series.newer_than(number) else {
            return false;
        };
        let newer = to_printable(&self.facts.reports[newer].name, NAME_LIMIT);
        open.add_fact(&format!(
            "does not count: {newer} of the same scanner and signer is newer"
        ));
        open.judged.is_superseded = true;
        true
    }

    /// Returns whether an attested report is of platforms alone that the release leaves out, which is told. A file is
    /// judged: the job can leave it out.
    fn is_of_unreleased(
        &self,
        number: usize,
        numbers: &BTreeSet<usize>,
        open: &mut OpenReport<'_>,
    ) -> bool {
        let platforms = numbers.iter().map(|it| &self.facts.image.platforms[*it]);
        let platforms: Vec<&JudgedPlatform> = platforms.collect();
        let is_unreleased = !platforms.is_empty() && !platforms.iter().any(|it| it.is_released);
        if !is_unreleased || self.facts.reports[number].attested_by.is_none() {
            return false;
        }
        let names: Vec<String> = platforms.iter().map(|platform| platform.name()).collect();
        open.add_fact(&format!(
            "does not count: it is about {}, which is not released",
            names.join(", ")
        ));
        open.judged.platforms = names;
        true
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

    /// Judges a report of platforms of the image; returns whether it is enough for them.
    fn judge_bound(
        &mut self,
        (number, report): (usize, &ScanReport),
        numbers: &BTreeSet<usize>,
        open: &mut OpenReport<'_>,
    ) -> bool {
        let image = self.facts.image;
        let platforms: Vec<&JudgedPlatform> =
            numbers.iter().map(|it| &image.platforms[*it]).collect();
        open.judged.platforms = platforms.iter().map(|platform| platform.name()).collect();
        if platforms.is_empty() {
            open.add_fact("does not say which platform was scanned");
            self.unplaced.push(open.name.clone());
        }
        let is_attested = self.facts.reports[number].attested_by.is_some();
        let may_be_old = is_attested && self.are_scanned_in_time(numbers);
        let is_in_time = self.judge_age(report, may_be_old, open);
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
        is_in_time
    }

    /// Returns whether attested reports in time are about the platforms of a report; of all that are released, if it
    /// does not say which.
    fn are_scanned_in_time(&self, numbers: &BTreeSet<usize>) -> bool {
        let platforms = self.facts.image.platforms.iter().enumerate();
        let mut wanted = platforms.filter(|(number, platform)| {
            platform.is_released && (numbers.is_empty() || numbers.contains(number))
        });
        self.series
            .are_scanned_in_time(&mut wanted.by_ref().map(|(number, _)| number))
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

    /// Judges the time of a scan; returns whether the report is enough for its platforms. One that `may_be_old` covers
    /// none then, and is no reason to refuse the image: others are about its platforms.
    fn judge_age(&self, report: &ScanReport, may_be_old: bool, open: &mut OpenReport<'_>) -> bool {
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
            (Some(created), Some(limit)) => {
                let Some(reason) = too_old(created, limit, now) else {
                    judge_future(created, now, open);
                    return true;
                };
                match may_be_old {
                    true => open.add_fact(&format!("{reason}: it covers no platform")),
                    false => {
                        open.refuse(GateState::Failed, &reason);
                        open.verdict.add_hint("scan the image again");
                    }
                }
                return !may_be_old;
            }
        }
        true
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
                let different: BTreeSet<&String> = ids.iter().collect();
                let texts = different.iter().map(|id| to_printable(id, NAME_LIMIT));
                let texts = listed(texts, different.len());
                verdict.add_fact(format!("{name} takes out {number}: {texts}"));
            }
        }
        for ((document, shortfall), ids) in &self.filter.vex_shortfalls {
            let name = to_printable(&self.facts.vex[*document].name, NAME_LIMIT);
            let texts = ids.iter().map(|id| to_printable(id, NAME_LIMIT));
            let texts = listed(texts, ids.len());
            verdict.add_fact(format!("{name} does not take out {texts}: {shortfall}"));
        }
        let mut reports = self.facts.reports.iter();
        if reports.any(|report| report.content.is_ok()) {
            self.filter.exceptions.describe(verdict);
        }
    }
}

/// Returns why a scan is too old; `None` if it is not.
fn too_old(created: Timestamp, limit: &RuleDuration, now: Timestamp) -> Option<String> {
    let age: Duration = now.duration_since(created).try_into().ok()?;
    (age > limit.to_duration()).then(|| {
        format!(
            "was made at {}, {} ago, expected at most {limit}",
            shown_time(created),
            shown_age(age)
        )
    })
}

/// Refuses a scan of a time after now.
fn judge_future(created: Timestamp, now: Timestamp, open: &mut OpenReport<'_>) {
    if created > now {
        let reason = format!(
            "says that it was made at {}, after the time of this run, {}",
            shown_time(created),
            shown_time(now)
        );
        open.refuse(GateState::Failed, &reason);
        open.verdict
            .add_hint("set the clock of the machine that scans, and scan the image again");
    }
}
