use std::borrow::Cow;

use super::report_error::ScanReportError;
use super::text_table::TextTable;
use crate::gate::severity::Severity;

/// Most findings of a report.
const FINDING_LIMIT: usize = 1 << 19;
/// Most bytes of their different texts.
const TEXT_LIMIT: usize = 30 << 20;

/// Finding of a report: a vulnerability of one package in one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanFinding<'a> {
    /// Id of the vulnerability, never empty: `CVE-2099-1001`.
    pub id: &'a str,
    /// Name of the package; empty if the file does not name it.
    pub package: &'a str,
    /// Version of the package; empty if the file does not state it.
    pub version: &'a str,
    /// Package URL; empty if the file does not state it.
    pub purl: &'a str,
    /// Part of the image that was scanned: a layer's package database, a lock file; in Grype's JSON the type of the
    /// package. Empty if the format has none.
    pub target: &'a str,
    /// Severity.
    pub severity: Severity,
    /// Whether a fix is known.
    pub fix: FixState,
}

/// Whether a fix of a finding is known, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FixState {
    /// The file states that there is none.
    Unfixed,
    /// The file does not state it.
    NotStated,
    /// A fix is known.
    Fixable,
}

/// Findings of a report in little memory: each text that repeats is kept once.
#[derive(Debug, Clone)]
pub struct FindingTable {
    rows: Vec<FindingRow>,
    texts: TextTable,
}

/// Numbers of the texts of a finding.
#[derive(Debug, Clone, Copy)]
struct FindingRow {
    id: u32,
    package: u32,
    version: u32,
    purl: u32,
    target: u32,
    severity: Severity,
    fix: FixState,
}

/// Names of a finding that replace what the file calls them.
#[derive(Default)]
pub(super) struct FindingNames<'a> {
    /// Id, if it is another than the file's.
    pub id: Option<Cow<'a, str>>,
    pub package: Cow<'a, str>,
    pub version: Cow<'a, str>,
    pub purl: Cow<'a, str>,
}

impl FindingTable {
    /// Returns how many findings there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the findings, in the order of target, package, version and id.
    pub fn iter(&self) -> impl Iterator<Item = ScanFinding<'_>> {
        self.iter_since(0)
    }

    /// Returns the findings from a row on.
    pub(super) fn iter_since(&self, first: usize) -> impl Iterator<Item = ScanFinding<'_>> {
        self.rows[first..].iter().map(|row| self.finding(row))
    }

    /// Adds a finding.
    pub(super) fn push(&mut self, finding: ScanFinding<'_>) -> Result<(), ScanReportError> {
        if self.rows.len() == FINDING_LIMIT {
            let text = format!("it has more than {FINDING_LIMIT} findings");
            return Err(ScanReportError::TooLarge(text));
        }
        let row = FindingRow {
            id: self.texts.add(finding.id)?,
            package: self.texts.add(finding.package)?,
            version: self.texts.add(finding.version)?,
            purl: self.texts.add(finding.purl)?,
            target: self.texts.add(finding.target)?,
            severity: finding.severity,
            fix: finding.fix,
        };
        self.rows.push(row);
        Ok(())
    }

    /// Removes the findings from a row on.
    pub(super) fn truncate(&mut self, first: usize) {
        self.rows.truncate(first);
    }

    /// Gives the findings from a row on their target.
    pub(super) fn set_target(&mut self, first: usize, target: &str) -> Result<(), ScanReportError> {
        let number = self.texts.add(target)?;
        let rows = self.rows[first..].iter_mut();
        rows.for_each(|row| row.target = number);
        Ok(())
    }

    /// Gives the findings from a row on their id, severity and fix.
    pub(super) fn set_vulnerability(
        &mut self,
        first: usize,
        id: &str,
        severity: Severity,
        fix: FixState,
    ) -> Result<(), ScanReportError> {
        let id = self.texts.add(id)?;
        for row in &mut self.rows[first..] {
            (row.id, row.severity, row.fix) = (id, severity, fix);
        }
        Ok(())
    }

    /// Gives each finding its severity and fix, by its row, and removes those without.
    pub(super) fn rate_or_remove(
        &mut self,
        mut rate: impl FnMut(usize, ScanFinding<'_>) -> Option<(Severity, FixState)>,
    ) {
        let mut rows = std::mem::take(&mut self.rows);
        let mut number = 0;
        rows.retain_mut(|row| {
            let rating = rate(number, self.finding(row));
            number += 1;
            if let Some((severity, fix)) = rating {
                (row.severity, row.fix) = (severity, fix);
            }
            rating.is_some()
        });
        self.rows = rows;
    }

    /// Gives the findings the names that `find_names` finds for them, and puts them in their order again. What was
    /// two findings remains two.
    pub(super) fn rename<'a>(
        &mut self,
        find_names: impl Fn(ScanFinding<'_>) -> Option<FindingNames<'a>>,
    ) -> Result<(), ScanReportError> {
        for number in 0..self.rows.len() {
            let row = self.rows[number];
            if let Some(names) = find_names(self.finding(&row)) {
                let id = names.id.map(|id| self.texts.add(&id)).transpose()?;
                self.rows[number] = FindingRow {
                    id: id.unwrap_or(row.id),
                    package: self.texts.add(&names.package)?,
                    version: self.texts.add(&names.version)?,
                    purl: self.texts.add(&names.purl)?,
                    ..row
                };
            }
        }
        self.sort();
        Ok(())
    }

    /// Joins the findings of the same package and id in a target: the highest severity holds, and a known fix.
    pub(super) fn join_duplicates(&mut self) {
        self.sort();
        let texts = &self.texts;
        let key = |row: &FindingRow| {
            [row.target, row.package, row.version, row.id].map(|number| texts.get(number))
        };
        self.rows.dedup_by(|next, first| {
            let same = key(next) == key(first);
            if same {
                first.severity = first.severity.max(next.severity);
                first.fix = first.fix.max(next.fix);
            }
            same
        });
    }

    fn sort(&mut self) {
        let texts = &self.texts;
        let key = |row: &FindingRow| {
            let numbers = [row.target, row.package, row.version, row.id, row.purl];
            (numbers.map(|number| texts.get(number)), row.severity)
        };
        self.rows
            .sort_unstable_by(|left, right| key(left).cmp(&key(right)));
    }

    fn finding(&self, row: &FindingRow) -> ScanFinding<'_> {
        ScanFinding {
            id: self.texts.get(row.id),
            package: self.texts.get(row.package),
            version: self.texts.get(row.version),
            purl: self.texts.get(row.purl),
            target: self.texts.get(row.target),
            severity: row.severity,
            fix: row.fix,
        }
    }
}

impl Default for FindingTable {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            texts: TextTable::new(TEXT_LIMIT),
        }
    }
}

impl PartialEq for FindingTable {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
impl<'a> FromIterator<ScanFinding<'a>> for FindingTable {
    fn from_iter<I: IntoIterator<Item = ScanFinding<'a>>>(findings: I) -> Self {
        let mut table = Self::default();
        for finding in findings {
            table.push(finding).unwrap();
        }
        table.join_duplicates();
        table
    }
}
