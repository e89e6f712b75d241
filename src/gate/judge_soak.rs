//! Judge of the soak gate.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::shown_time::{shown_age, shown_time};
use super::soak_rule::SoakRule;
use super::verdict::{GateName, GateVerdict};
use crate::image::Digest;
use crate::notices::to_printable;
use crate::record::{CurrentPeriod, RecordId, RecordTime, ReleaseMark, Timeline};

/// Facts that the soak gate decides on.
#[derive(Debug, Clone, Copy)]
pub struct SoakFacts<'a> {
    /// Environment that the root comes from.
    pub environment: &'a str,
    /// The root.
    pub root: Digest,
    /// Timeline of that environment.
    pub timeline: &'a Timeline,
    /// Times at which records were signed, as far as they are proven.
    pub signed_at: &'a HashMap<RecordId, RecordTime>,
    /// Time of the run.
    pub now: Timestamp,
}

/// Time for which the root was current, from its proven beginning on.
#[derive(Clone, Copy)]
struct ProvenPeriod {
    start: Timestamp,
    end: Timestamp,
    is_open: bool,
}

/// Limit on the name of an environment in a message, in characters.
const NAME_LIMIT: usize = 80;

/// Judges by a soak rule the time for which a root was current without interruption.
pub fn judge_soak(rule: &SoakRule, facts: SoakFacts<'_>) -> GateVerdict {
    let mut verdict = GateVerdict::new(GateName::Soak);
    let environment = to_printable(facts.environment, NAME_LIMIT);
    let root = facts.root.short();
    let periods = facts.timeline.current_periods(facts.root);
    refuse_bad_root(facts, &environment, &mut verdict);
    let is_good = verdict.has_passed();
    if periods.is_empty() {
        verdict.leave_unknown(format!(
            "no record says that {root} was current in {environment}"
        ));
        return verdict;
    }
    let mut proven = Vec::new();
    for period in &periods {
        match prove(period, facts) {
            Some(period) => proven.push(period),
            None => verdict.add_fact(format!(
                "a period in {environment} does not count: the record that began it was not read"
            )),
        }
    }
    let counts = |period: &&ProvenPeriod| period.is_open || !rule.is_still_current;
    let longest = proven.iter().filter(counts).max_by_key(|it| it.length());
    let is_current = periods.last().is_some_and(|period| period.until.is_none());
    match longest {
        Some(period) => judge_longest(rule, *period, &environment, &mut verdict),
        None if is_current || !rule.is_still_current => verdict.leave_unknown(format!(
            "the time for which {root} was current in {environment} is not proven"
        )),
        None => verdict.fail(format!(
            "{root} is not current in {environment}, and still-current is set"
        )),
    }
    if is_good && !verdict.has_passed() {
        verdict.add_hint(hint(rule, &proven, &environment));
    }
    verdict
}

fn refuse_bad_root(facts: SoakFacts<'_>, environment: &str, verdict: &mut GateVerdict) {
    let root = facts.root.short();
    if facts.timeline.is_withdrawn(facts.root) {
        verdict.fail(format!("{root} is withdrawn in {environment}"));
        verdict.add_hint(format!(
            "release another image, or reinstate this one in {environment} first"
        ));
    }
    if facts.timeline.mark(facts.root) == Some(ReleaseMark::Failed) {
        verdict.fail(format!("{root} is marked as failed in {environment}"));
        verdict.add_hint(format!(
            "release another image, or mark this one as deployed in {environment} once it runs"
        ));
    }
}

/// Returns the period from the first moment on at which a record that was read proves it.
fn prove(period: &CurrentPeriod, facts: SoakFacts<'_>) -> Option<ProvenPeriod> {
    let read = period.records.iter().filter(|record| !record.is_summary);
    let starts = read.map(|record| {
        let signed_at = facts.signed_at.get(&record.record);
        signed_at.map_or(record.planned_at, |time| *time.max(&record.planned_at))
    });
    let end = period.until.map(RecordTime::to_timestamp);
    Some(ProvenPeriod {
        start: starts.min()?.to_timestamp(),
        end: end.map_or(facts.now, |end| end.min(facts.now)),
        is_open: period.until.is_none(),
    })
}

fn judge_longest(
    rule: &SoakRule,
    period: ProvenPeriod,
    environment: &str,
    verdict: &mut GateVerdict,
) {
    let wanted = &rule.duration;
    let end = match period.is_open {
        true => "now".to_owned(),
        false => shown_time(period.end),
    };
    let shown = format!(
        "current in {environment} for {}, from {} until {end}",
        shown_age(period.length()),
        shown_time(period.start)
    );
    match period.length() >= wanted.to_duration() {
        true => verdict.add_fact(format!("{shown}, at least {wanted}")),
        false => verdict.fail(format!(
            "{shown}, expected at least {wanted} without interruption"
        )),
    }
}

/// Returns when the gate will pass, if nothing but time is missing, else what leads to that.
fn hint(rule: &SoakRule, proven: &[ProvenPeriod], environment: &str) -> String {
    let open = proven.iter().find(|period| period.is_open);
    let end = open.and_then(|it| it.start.checked_add(rule.duration.to_duration()).ok());
    match end {
        Some(end) => format!(
            "release it at or after {}, if it stays current in {environment} until then",
            shown_time(end)
        ),
        None => format!(
            "release what is current in {environment}, or release this image there again and wait {}",
            rule.duration
        ),
    }
}

impl ProvenPeriod {
    /// Returns the length; zero if it begins after its end.
    fn length(&self) -> Duration {
        let length = self.end.duration_since(self.start);
        length.try_into().unwrap_or_default()
    }
}
