use std::hash::{DefaultHasher, Hash, Hasher};

use super::report_error::ScanReportError;
use crate::gate::severity::Severity;

/// Most findings of a report.
const FINDING_LIMIT: usize = 1 << 20;
/// Most bytes of the different texts in a report's findings.
const TEXT_LIMIT: usize = 24 << 20;
/// Recent texts that are found again, a power of two.
const RECENT_TEXTS: usize = 1 << 13;

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
    /// Part of the image that was scanned: a layer's package database, a lock file. Empty if the format has none.
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
#[derive(Debug, Clone, Default)]
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

/// Texts by number, in one string. A text that was added not long ago has the same number again.
#[derive(Debug, Clone, Default)]
struct TextTable {
    text: String,
    ends: Vec<u32>,
    recent: Vec<u32>,
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
        self.rows.iter().map(|row| self.finding(row))
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

    /// Joins the findings of the same package and id in a target: the highest severity holds, and a known fix.
    pub(super) fn join_duplicates(&mut self) {
        let texts = &self.texts;
        let key = |row: &FindingRow| {
            [row.target, row.package, row.version, row.id].map(|number| texts.get(number))
        };
        self.rows.sort_by(|left, right| key(left).cmp(&key(right)));
        self.rows.dedup_by(|next, first| {
            let same = key(next) == key(first);
            if same {
                first.severity = first.severity.max(next.severity);
                first.fix = first.fix.max(next.fix);
            }
            same
        });
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

impl PartialEq for FindingTable {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a> FromIterator<ScanFinding<'a>> for FindingTable {
    /// Collects findings, up to the limits of a report.
    fn from_iter<I: IntoIterator<Item = ScanFinding<'a>>>(findings: I) -> Self {
        let mut table = Self::default();
        for finding in findings {
            if table.push(finding).is_err() {
                break;
            }
        }
        table.join_duplicates();
        table
    }
}

impl TextTable {
    fn add(&mut self, text: &str) -> Result<u32, ScanReportError> {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let slot = hasher.finish() as usize % RECENT_TEXTS;
        if self.recent.is_empty() {
            self.recent = vec![u32::MAX; RECENT_TEXTS];
        }
        let number = self.recent[slot];
        if number != u32::MAX && self.get(number) == text {
            return Ok(number);
        }
        if self.text.len() + text.len() > TEXT_LIMIT {
            let text = format!("its findings have more than {TEXT_LIMIT} bytes of text");
            return Err(ScanReportError::TooLarge(text));
        }
        self.text.push_str(text);
        let number = self.ends.len() as u32;
        self.ends.push(self.text.len() as u32);
        self.recent[slot] = number;
        Ok(number)
    }

    fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start as usize..self.ends[number] as usize]
    }
}
