//! Inputs that change the gates of a release: they only tighten, apart from the reason to release in a freeze, which
//! the policy permits.

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::recorded_texts::REASON_LIMIT;
use crate::cli::Input;
use crate::gate::SeverityThreshold;
use crate::policy::{EnvironmentGates, EnvironmentRules, ScanGate};
use crate::release::Failure;

const GATE_INPUTS: [Input; 4] = [
    Input::ScanFailOn,
    Input::IgnoreUnfixed,
    Input::Vex,
    Input::OverrideFreeze,
];

/// What inputs change in the gates of a release.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GateOverrides {
    /// Severity from which on a finding fails the scan gate, at least as strict as that of the policy.
    pub(super) fail_on: Option<SeverityThreshold>,
    /// Whether findings without a fix count, whatever the policy says.
    pub(super) counts_unfixed: bool,
    /// Reason to release in a freeze.
    pub(super) freeze_reason: Option<String>,
}

impl GateOverrides {
    /// Reads the inputs, against the gates of the environment and of its services.
    ///
    /// # Errors
    /// An input that would loosen a gate, and one without a gate that it is for.
    pub(super) fn read(
        invocation: &Invocation,
        policy: Option<(&EnvironmentRules, &LoadedPolicy)>,
    ) -> Result<Self, Failure> {
        let arguments = &invocation.arguments;
        let is_given =
            |input: &Input| arguments.is_accepted(*input) && !arguments.entries(*input).is_empty();
        let Some(first) = GATE_INPUTS.into_iter().find(is_given) else {
            return Ok(Self::default());
        };
        let Some((stage, loaded)) = policy else {
            return Err(without_gates(invocation, first));
        };
        let run = GatedRun {
            invocation,
            stage,
            loaded,
        };
        Ok(Self {
            fail_on: run.fail_on()?,
            counts_unfixed: run.counts_unfixed()?,
            freeze_reason: run.freeze_reason()?,
        })
        .and_then(|overrides| run.refuse_other_vex().map(|()| overrides))
    }
}

/// Run with the environment whose gates it passes.
struct GatedRun<'a> {
    invocation: &'a Invocation,
    stage: &'a EnvironmentRules,
    loaded: &'a LoadedPolicy,
}

impl GatedRun<'_> {
    /// Returns the scan gates of the environment and of its services.
    ///
    /// # Errors
    /// None, where the input is for one.
    fn scans(&self, input: Input) -> Result<Vec<&ScanGate>, Failure> {
        let scans: Vec<_> = self
            .stage
            .all_gates()
            .filter_map(EnvironmentGates::scan)
            .collect();
        match scans.is_empty() {
            false => Ok(scans),
            true => Err(without_gates(self.invocation, input)),
        }
    }

    fn fail_on(&self) -> Result<Option<SeverityThreshold>, Failure> {
        let input = Input::ScanFailOn;
        let Some(word) = self.invocation.arguments.choice(input)? else {
            return Ok(None);
        };
        let Ok(threshold) = word.parse::<SeverityThreshold>() else {
            unreachable!("the choices are thresholds");
        };
        let scans = self.scans(input)?;
        let mut rules = scans.iter().map(|scan| scan.rule.fail_on);
        match rules.find(|rule| !threshold.is_at_least_as_strict_as(*rule)) {
            None => Ok(Some(threshold)),
            Some(rule) => Err(self.loosening(
                input,
                &format!(
                    "{} has gates.scan.fail-on: {rule}, and the input can only be stricter",
                    self.loaded.file
                ),
            )),
        }
    }

    fn counts_unfixed(&self) -> Result<bool, Failure> {
        let input = Input::IgnoreUnfixed;
        let Some(word) = self.invocation.arguments.choice(input)? else {
            return Ok(false);
        };
        let scans = self.scans(input)?;
        if word == "false" {
            return Ok(true);
        }
        match scans.iter().all(|scan| scan.rule.ignore_unfixed) {
            true => Ok(false),
            false => Err(self.loosening(
                input,
                &format!(
                    "{} does not leave findings without a fix out",
                    self.loaded.file
                ),
            )),
        }
    }

    /// Documents of the policy count without the input; it names no others.
    fn refuse_other_vex(&self) -> Result<(), Failure> {
        let input = Input::Vex;
        let entries = self.invocation.arguments.entries(input);
        if entries.is_empty() {
            return Ok(());
        }
        let scans = self.scans(input)?;
        let is_known = |path: &String| scans.iter().all(|scan| scan.vex_files.contains(path));
        match entries.iter().all(|entry| is_known(&entry.text)) {
            true => Ok(()),
            false => Err(self.loosening(
                input,
                &format!(
                    "{} says which OpenVEX documents count: gates.scan.vex and vex-signers",
                    self.loaded.file
                ),
            )),
        }
    }

    fn freeze_reason(&self) -> Result<Option<String>, Failure> {
        let input = Input::OverrideFreeze;
        let arguments = &self.invocation.arguments;
        if !arguments.is_accepted(input) {
            return Ok(None);
        }
        let Some(reason) = arguments.text(input) else {
            return Ok(None);
        };
        if reason.chars().count() > REASON_LIMIT {
            let reason = format!("has more than {REASON_LIMIT} characters");
            return Err(arguments.error(input, None, reason).into());
        }
        let mut windows = self.stage.all_gates().flat_map(EnvironmentGates::freeze);
        match windows.next() {
            Some(_) => Ok(Some(reason.to_owned())),
            None => Err(without_gates(self.invocation, input)),
        }
    }

    fn loosening(&self, input: Input, reason: &str) -> Failure {
        Failure::refused(format!(
            "the input {} in a release to the environment {}",
            self.invocation.arguments.given_name(input),
            self.stage.name()
        ))
        .with_reason(reason)
        .with_hint("leave it out, or change gates in the policy")
    }
}

/// Returns the failure for an input without a gate that it is for.
pub(super) fn without_gates(invocation: &Invocation, input: Input) -> Failure {
    let gate = match input {
        Input::OverrideFreeze => "freeze",
        _ => "scan",
    };
    let reason = format!("is given, and no gate {gate} of a policy judges the release");
    Failure::from(invocation.arguments.error(input, None, reason)).with_hint(format!(
        "set gates.{gate} of the environment in the policy, or leave the input out"
    ))
}
