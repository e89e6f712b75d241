//! Verdicts of gates: what each gate decided about one release, with the facts it rests on.

use std::fmt;

/// Gate of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GateName {
    /// Reports of vulnerability scanners.
    Scan,
    /// Signature of the root.
    Signature,
    /// Attestations of the image.
    Attestations,
    /// Time in the environment before.
    Soak,
    /// Times without releases.
    Freeze,
    /// Properties of the image itself.
    Image,
    /// Checks of the source commit on GitHub.
    Checks,
    /// Approvals of the run's deployment on GitHub.
    Approvals,
}

impl GateName {
    /// All gates, in the order of reports.
    pub const ALL: [Self; 8] = [
        Self::Scan,
        Self::Signature,
        Self::Attestations,
        Self::Soak,
        Self::Freeze,
        Self::Image,
        Self::Checks,
        Self::Approvals,
    ];

    /// Returns the key of the gate in the policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Signature => "signature",
            Self::Attestations => "attestations",
            Self::Soak => "soak",
            Self::Freeze => "freeze",
            Self::Image => "image",
            Self::Checks => "checks",
            Self::Approvals => "approvals",
        }
    }
}

impl fmt::Display for GateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a gate decided. Only [`GateState::Passed`] lets a release pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GateState {
    /// The rule holds.
    Passed,
    /// A fact that the rule depends on is missing.
    Unknown,
    /// The rule does not hold.
    Failed,
}

impl GateState {
    /// Returns the word of reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for GateState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Verdict of one gate. Its texts are printable.
///
/// A new verdict has passed; each reason against the release changes its state, and nothing changes it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateVerdict {
    gate: GateName,
    state: GateState,
    facts: Vec<String>,
    reasons: Vec<String>,
    hints: Vec<String>,
    warnings: Vec<String>,
    overridden: Option<String>,
}

impl GateVerdict {
    /// Returns a verdict that passes as long as nothing is added against the release.
    pub fn new(gate: GateName) -> Self {
        Self {
            gate,
            state: GateState::Passed,
            facts: Vec::new(),
            reasons: Vec::new(),
            hints: Vec::new(),
            warnings: Vec::new(),
            overridden: None,
        }
    }

    /// Returns the gate.
    pub fn gate(&self) -> GateName {
        self.gate
    }

    /// Returns what the gate decided.
    pub fn state(&self) -> GateState {
        self.state
    }

    /// Returns whether the gate lets the release pass.
    pub fn has_passed(&self) -> bool {
        self.state == GateState::Passed
    }

    /// Returns the facts that decided, whatever they decided.
    pub fn facts(&self) -> &[String] {
        &self.facts
    }

    /// Returns why the release does not pass; nothing where it does.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// Returns what the reader can do.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Returns what will matter later, or looks wrong, and does not decide.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns the reason for which the run overrides the gate, if it passes by that.
    pub fn override_reason(&self) -> Option<&str> {
        self.overridden.as_deref().filter(|_| self.has_passed())
    }

    /// Returns what the gate decided, with the reason of an override: `passed (overridden: REASON)`.
    pub fn shown_state(&self) -> String {
        match self.override_reason() {
            Some(reason) => format!("{} (overridden: {reason})", self.state),
            None => self.state.to_string(),
        }
    }

    /// Records the reason for which the run overrides the gate.
    pub fn record_override(&mut self, reason: impl Into<String>) {
        self.overridden = Some(reason.into());
    }

    /// Returns the verdict with each of its texts mapped.
    #[must_use]
    pub fn map_texts(&self, map: &dyn Fn(&str) -> String) -> Self {
        let each = |texts: &[String]| texts.iter().map(|text| map(text)).collect();
        Self {
            gate: self.gate,
            state: self.state,
            facts: each(&self.facts),
            reasons: each(&self.reasons),
            hints: each(&self.hints),
            warnings: each(&self.warnings),
            overridden: self.overridden.as_deref().map(map),
        }
    }

    /// Adds a fact that decided.
    pub fn add_fact(&mut self, fact: impl Into<String>) {
        push_once(&mut self.facts, fact.into());
    }

    /// Adds a warning.
    pub fn add_warning(&mut self, warning: impl Into<String>) {
        push_once(&mut self.warnings, warning.into());
    }

    /// Adds something that the reader can do.
    pub fn add_hint(&mut self, hint: impl Into<String>) {
        push_once(&mut self.hints, hint.into());
    }

    /// Adds a reason against the release: the rule does not hold.
    pub fn fail(&mut self, reason: impl Into<String>) {
        self.state = self.state.max(GateState::Failed);
        push_once(&mut self.reasons, reason.into());
    }

    /// Adds a reason against the release: a fact is missing.
    pub fn leave_unknown(&mut self, reason: impl Into<String>) {
        self.state = self.state.max(GateState::Unknown);
        push_once(&mut self.reasons, reason.into());
    }
}

fn push_once(texts: &mut Vec<String>, text: String) {
    if !texts.contains(&text) {
        texts.push(text);
    }
}

/// Verdicts of all gates of one release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateReport {
    /// Verdicts, in the order of [`GateName::ALL`].
    verdicts: Vec<GateVerdict>,
}

impl GateReport {
    /// Returns the report of these verdicts, in the order of gates.
    pub fn new(mut verdicts: Vec<GateVerdict>) -> Self {
        verdicts.sort_by_key(GateVerdict::gate);
        Self { verdicts }
    }

    /// Returns the verdicts, in the order of [`GateName::ALL`].
    pub fn verdicts(&self) -> &[GateVerdict] {
        &self.verdicts
    }

    /// Returns the report with each text of its verdicts mapped.
    #[must_use]
    pub fn map_texts(&self, map: &dyn Fn(&str) -> String) -> Self {
        let verdicts = self.verdicts.iter();
        Self {
            verdicts: verdicts.map(|verdict| verdict.map_texts(map)).collect(),
        }
    }

    /// Returns whether all gates let the release pass. Without gates it passes.
    pub fn has_passed(&self) -> bool {
        self.verdicts.iter().all(GateVerdict::has_passed)
    }

    /// Returns the verdicts that do not let the release pass.
    pub fn refusals(&self) -> impl Iterator<Item = &GateVerdict> {
        self.verdicts.iter().filter(|verdict| !verdict.has_passed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_never_becomes_better() {
        let mut verdict = GateVerdict::new(GateName::Scan);
        verdict.add_fact("a");
        verdict.add_fact("a");
        assert!(verdict.has_passed());
        assert_eq!(verdict.facts(), ["a"]);
        verdict.leave_unknown("no report");
        assert_eq!(verdict.state(), GateState::Unknown);
        verdict.fail("one critical");
        verdict.leave_unknown("no platform");
        assert_eq!(verdict.state(), GateState::Failed);
        assert_eq!(
            verdict.reasons(),
            ["no report", "one critical", "no platform"]
        );
    }

    #[test]
    fn a_report_passes_only_if_all_gates_do() {
        assert!(GateReport::default().has_passed());
        let fail: fn(&mut GateVerdict) = |verdict| verdict.fail("no");
        let leave_unknown: fn(&mut GateVerdict) = |verdict| verdict.leave_unknown("no");
        for spoil in [fail, leave_unknown] {
            let mut verdicts: Vec<_> = GateName::ALL.map(GateVerdict::new).into_iter().collect();
            verdicts.reverse();
            let report = GateReport::new(verdicts.clone());
            assert!(report.has_passed());
            let gates: Vec<_> = report.verdicts().iter().map(GateVerdict::gate).collect();
            assert_eq!(gates, GateName::ALL);
            spoil(&mut verdicts[2]);
            let report = GateReport::new(verdicts);
            assert!(!report.has_passed());
            let refused: Vec<_> = report.refusals().map(GateVerdict::gate).collect();
            assert_eq!(refused, [GateName::Soak]);
        }
    }
}
