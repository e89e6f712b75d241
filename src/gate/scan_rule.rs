use super::scan_exception::ScanException;
use super::severity::SeverityThreshold;
use crate::rule_duration::RuleDuration;

/// Parameters of the scan gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRule {
    /// Severity from which on a finding fails the gate.
    pub fail_on: SeverityThreshold,
    /// Whether findings do not count that the report states to have no fix.
    pub ignore_unfixed: bool,
    /// Longest time since the scan; `None`: any.
    pub max_age: Option<RuleDuration>,
    /// Whether a report may name no digest at all.
    pub allows_unbound: bool,
    /// Whether findings that the report itself took out refuse it.
    pub denies_suppressed: bool,
    /// Findings that do not count.
    pub ignore: Vec<ScanException>,
}

impl ScanRule {
    /// Returns the keys of the policy in which this rule is weaker than `base`. The exceptions are not compared:
    /// those of a service replace those of its environment.
    pub fn keys_weaker_than(&self, base: &Self) -> Vec<&'static str> {
        let is_older = |age: &RuleDuration| self.max_age.as_ref().is_none_or(|own| own > age);
        let weaker = [
            (
                "fail-on",
                !self.fail_on.is_at_least_as_strict_as(base.fail_on),
            ),
            (
                "ignore-unfixed",
                self.ignore_unfixed && !base.ignore_unfixed,
            ),
            ("max-age", base.max_age.as_ref().is_some_and(is_older)),
            ("unbound", self.allows_unbound && !base.allows_unbound),
            (
                "suppressed",
                base.denies_suppressed && !self.denies_suppressed,
            ),
        ];
        weaker_keys(weaker)
    }
}

/// Returns the keys that are marked as weaker.
pub(super) fn weaker_keys(
    keys: impl IntoIterator<Item = (&'static str, bool)>,
) -> Vec<&'static str> {
    let weaker = keys.into_iter().filter(|(_, is_weaker)| *is_weaker);
    weaker.map(|(key, _)| key).collect()
}
