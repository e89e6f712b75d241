use super::scan_rule::weaker_keys;
use crate::rule_duration::RuleDuration;

/// Parameters of the soak gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoakRule {
    /// Time for which the root must have been current without interruption in the environment that it comes from.
    pub duration: RuleDuration,
    /// Whether it must be current there still.
    pub is_still_current: bool,
}

impl SoakRule {
    /// Returns the keys of the policy in which this rule is weaker than `base`.
    pub fn keys_weaker_than(&self, base: &Self) -> Vec<&'static str> {
        weaker_keys([
            ("for", self.duration < base.duration),
            (
                "still-current",
                base.is_still_current && !self.is_still_current,
            ),
        ])
    }
}
