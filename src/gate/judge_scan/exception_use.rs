//! Exceptions of a scan rule, and what came of them.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::gate::judged_image::JudgedPlatform;
use crate::gate::scan_exception::ScanException;
use crate::gate::scan_report::ScanFinding;
use crate::gate::shown_time::shown_time;
use crate::gate::verdict::GateVerdict;
use crate::notices::to_printable;

/// Time before the end of an exception in which each verdict warns of it.
const END_WARNING: Duration = Duration::from_secs(14 * 86_400);
/// Limit on texts of an exception in a message, in characters.
const SHOWN_LIMIT: usize = 200;

/// Exceptions of a rule at a time, with the findings that they matched.
pub(super) struct ExceptionUse<'a> {
    exceptions: &'a [ScanException],
    by_id: HashMap<String, Vec<usize>>,
    now: Timestamp,
    is_matched: Vec<bool>,
    /// For each exception the findings that do not count by it.
    suppressed: Vec<usize>,
}

/// Exception that matches a finding.
#[derive(Clone, Copy)]
pub(super) enum MatchedException {
    /// It is in effect; the number is that of the exception.
    InEffect(usize),
    /// It ended at this time.
    Ended(Timestamp),
}

impl<'a> ExceptionUse<'a> {
    pub fn new(exceptions: &'a [ScanException], now: Timestamp) -> Self {
        let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, exception) in exceptions.iter().enumerate() {
            let id = exception.id.to_ascii_lowercase();
            by_id.entry(id).or_default().push(number);
        }
        Self {
            exceptions,
            by_id,
            now,
            is_matched: vec![false; exceptions.len()],
            suppressed: vec![0; exceptions.len()],
        }
    }

    /// Marks the exceptions that match a finding on these platforms, and returns the first that is in effect, else the
    /// last that ended.
    pub fn find(
        &mut self,
        finding: ScanFinding<'_>,
        platforms: &[&JudgedPlatform],
    ) -> Option<MatchedException> {
        if self.exceptions.is_empty() {
            return None;
        }
        let numbers = self.by_id.get(&finding.id.to_ascii_lowercase())?;
        let (mut effective, mut ended) = (None, None);
        for number in numbers {
            let exception = &self.exceptions[*number];
            if is_match(exception, finding, platforms) {
                self.is_matched[*number] = true;
                match end_before(exception, self.now) {
                    None => effective = effective.or(Some(*number)),
                    end => ended = ended.max(end),
                }
            }
        }
        let ended = ended.map(MatchedException::Ended);
        effective.map(MatchedException::InEffect).or(ended)
    }

    /// Counts a finding that does not count by an exception.
    pub fn record_suppressed(&mut self, number: usize) {
        self.suppressed[number] += 1;
    }

    /// Adds to a verdict which exceptions took findings out, which end, and which match nothing.
    pub fn describe(&self, verdict: &mut GateVerdict) {
        for (number, exception) in self.exceptions.iter().enumerate() {
            let name = exception_name(exception);
            match self.suppressed[number] {
                0 => {}
                count => verdict.add_fact(format!(
                    "{count} {} of {name} {} not count by an exception: {}",
                    if count == 1 { "finding" } else { "findings" },
                    if count == 1 { "does" } else { "do" },
                    to_printable(&exception.reason, SHOWN_LIMIT)
                )),
            }
            if !self.is_matched[number] {
                verdict.add_warning(format!("the exception for {name} matches no finding"));
            }
            if let Some(warning) = end_warning(exception, &name, self.now) {
                verdict.add_warning(warning);
            }
        }
    }
}

fn is_match(
    exception: &ScanException,
    finding: ScanFinding<'_>,
    platforms: &[&JudgedPlatform],
) -> bool {
    let is_package = exception.package.as_ref().is_none_or(|pattern| {
        let is_purl = !finding.purl.is_empty() && pattern.matches(finding.purl);
        is_purl || !finding.package.is_empty() && pattern.matches(finding.package)
    });
    let is_platform = exception.platform.as_ref().is_none_or(|name| {
        let mut on = platforms.iter().map(|it| it.platform.as_ref());
        !platforms.is_empty() && on.all(|it| it.is_some_and(|it| name.matches(it)))
    });
    is_package && is_platform
}

/// Returns the end of an exception that has ended.
fn end_before(exception: &ScanException, now: Timestamp) -> Option<Timestamp> {
    let until = exception.until.map(|until| until.to_timestamp());
    until.filter(|until| *until <= now)
}

fn end_warning(exception: &ScanException, name: &str, now: Timestamp) -> Option<String> {
    let until = exception.until?.to_timestamp();
    let left: Result<Duration, _> = until.duration_since(now).try_into();
    let shown = shown_time(until);
    match left {
        _ if until <= now => Some(format!(
            "the exception for {name} ended at {shown}: its findings count"
        )),
        Ok(left) if left <= END_WARNING => Some(format!(
            "the exception for {name} ends at {shown}: its findings count from then on"
        )),
        _ => None,
    }
}

/// Returns `CVE-2026-1234 (pkg:deb/*, linux/amd64)`.
fn exception_name(exception: &ScanException) -> String {
    let package = exception.package.as_ref().map(ToString::to_string);
    let platform = exception.platform.as_ref().map(ToString::to_string);
    let limits: Vec<String> = package.into_iter().chain(platform).collect();
    let name = match limits.as_slice() {
        [] => exception.id.clone(),
        limits => format!("{} ({})", exception.id, limits.join(", ")),
    };
    to_printable(&name, SHOWN_LIMIT)
}
