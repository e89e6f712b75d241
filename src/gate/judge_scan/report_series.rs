//! Series of attested reports: of the same scanner, signer and platforms the newest counts.
//!
//! Attestations of an image stay for good, so that an old one would refuse its digest for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::report_binding::ReportBinding;
use super::scan_facts::{ConsideredReport, ScanFacts};
use crate::rule_duration::RuleDuration;

/// Reports of an image, the attested ones in their series.
pub(super) struct ReportSeries {
    /// For each report the number of the one that counts in its place.
    newer: Vec<Option<usize>>,
    /// Platforms of which an attested report counts that is not too old.
    scanned_in_time: BTreeSet<usize>,
}

/// Platforms, scanner and signer of a report.
type SeriesKey<'a> = (BTreeSet<usize>, &'a str, &'a str);

/// Attested report with its place in a series.
struct SeriesEntry<'a> {
    number: usize,
    key: SeriesKey<'a>,
    created: Timestamp,
}

impl ReportSeries {
    /// Returns the series of all reports. A report without a scanner or a time, or of a time after now, is in none: it
    /// replaces no other, and none replaces it.
    pub fn new(facts: ScanFacts<'_>, max_age: Option<&RuleDuration>) -> Self {
        let reports = facts.reports.iter().enumerate();
        let entries: Vec<SeriesEntry> = reports
            .filter_map(|(number, report)| SeriesEntry::new(number, report, facts))
            .collect();
        let mut newest: BTreeMap<&SeriesKey, &SeriesEntry> = BTreeMap::new();
        for entry in &entries {
            let known = newest.entry(&entry.key).or_insert(entry);
            if known.created < entry.created {
                *known = entry;
            }
        }
        let mut series = Self {
            newer: vec![None; facts.reports.len()],
            scanned_in_time: BTreeSet::new(),
        };
        for entry in &entries {
            let first = newest[&entry.key];
            if entry.created < first.created {
                series.newer[entry.number] = Some(first.number);
            } else if !is_too_old(entry.created, max_age, facts.now) {
                series.scanned_in_time.extend(&entry.key.0);
            }
        }
        series
    }

    /// Returns the number of the report that counts in place of another.
    pub fn newer_than(&self, number: usize) -> Option<usize> {
        self.newer[number]
    }

    /// Returns whether attested reports that are not too old are about each of the platforms.
    pub fn are_scanned_in_time(&self, mut platforms: impl Iterator<Item = usize>) -> bool {
        platforms.all(|number| self.scanned_in_time.contains(&number))
    }
}

impl<'a> SeriesEntry<'a> {
    fn new(number: usize, report: &'a ConsideredReport, facts: ScanFacts<'_>) -> Option<Self> {
        let signer = report.attested_by.as_deref()?;
        let content = report.content.as_deref().ok()?;
        let ReportBinding::Image(platforms) = ReportBinding::find(content, facts.image) else {
            return None;
        };
        let created = content.created_at.filter(|created| *created <= facts.now)?;
        Some(Self {
            number,
            key: (platforms, content.tool.as_deref()?, signer),
            created,
        })
    }
}

fn is_too_old(created: Timestamp, max_age: Option<&RuleDuration>, now: Timestamp) -> bool {
    let age = Duration::try_from(now.duration_since(created));
    max_age.is_some_and(|limit| age.is_ok_and(|age| age > limit.to_duration()))
}
