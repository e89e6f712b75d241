//! What the key `production` demands of an environment, and of those that its images come from.

use std::collections::BTreeSet;

use super::environment_rules::EnvironmentRules;
use super::error::{FilePosition, PolicyProblem};
use super::policy_finding::PolicyFinding;
use super::problem_list::ProblemList;
use super::ref_pin::RefPin;
use super::signer_rule::{PolicyIdentity, PolicySigner, SignerRule};
use super::signing_rule::SigningRule;
use super::yaml_node::printable_text;
use crate::gate::{GateName, RequiredCheck};
use crate::record::RecordAction;
use crate::tagging::CompatMode;

/// Account of the token that every job of GitHub Actions has.
const ACTIONS_ACCOUNT: &str = "github-actions[bot]";

/// A production environment that is checked.
struct ProductionCheck<'a> {
    environments: &'a [EnvironmentRules],
    environment: &'a EnvironmentRules,
    problems: &'a mut ProblemList,
    findings: &'a mut Vec<PolicyFinding>,
}

/// Adds the problems of production environments, and returns what their authors should know.
pub(super) fn check_production(
    environments: &[EnvironmentRules],
    problems: &mut ProblemList,
) -> Vec<PolicyFinding> {
    let mut findings = Vec::new();
    for environment in environments {
        if environment.is_production() {
            let mut check = ProductionCheck {
                environments,
                environment,
                problems,
                findings: &mut findings,
            };
            check.check();
        } else if environment.name().is_production() && !environment.states("production") {
            let name = environment.name();
            findings.push(PolicyFinding::warning(
                environment.name_at,
                format!(
                    "the environment {name} sounds like production and does not have production: true, which demands signatures, gates and signers that pin a ref; production: false turns this warning off"
                ),
            ));
        }
    }
    findings
}

impl ProductionCheck<'_> {
    fn check(&mut self) {
        self.require_own_rules();
        let environment = self.environment;
        for signer in environment.signers() {
            self.check_signer(signer);
        }
        let gates = [environment.gates(None)].into_iter();
        let gates = gates.chain(environment.service_gates().map(|(_, gates)| gates));
        let mut resting = BTreeSet::new();
        let mut forgeable = BTreeSet::new();
        for gates in gates {
            forgeable.extend(gates.checks().iter().filter_map(forgeable_status));
            resting.extend(gates.resting_on_source().iter().map(|gate| gate.as_str()));
            gates
                .own_signers()
                .for_each(|signer| self.check_signer(signer));
        }
        for context in forgeable {
            let (name, context) = (environment.name(), printable_text(context));
            self.findings.push(PolicyFinding::warning(
                environment.name_at,
                format!("the environment {name} is production, and every job that may write statuses can post the status {context} as {ACTIONS_ACCOUNT}: demand the job itself, with name and workflow"),
            ));
        }
        let resting: Vec<&str> = resting.into_iter().collect();
        for (from, at) in environment.from().iter().zip(&environment.from_at) {
            let mut sources = self.environments.iter();
            if let Some(source) = sources.find(|source| source.name() == from) {
                self.check_source(source, *at, &resting);
            }
        }
        let mut signers = environment.signers().iter();
        let may_roll_back = signers.any(|signer| signer.may_record(&RecordAction::Rollback));
        if !may_roll_back && !environment.signers().is_empty() {
            let name = environment.name();
            self.findings.push(PolicyFinding::warning(
                environment.name_at,
                format!("the environment {name} is production, and no entry of signers may record a rollback"),
            ));
        }
    }

    /// Requires signatures, a gate of evidence and an immutable tag.
    fn require_own_rules(&mut self) {
        let environment = self.environment;
        let at = environment.production_at;
        if environment.signing() == SigningRule::Off {
            self.problems
                .add(at.to_error(PolicyProblem::UnsignedProduction));
        }
        let gates = environment.gates(None).names();
        if !gates.contains(&GateName::Scan) && !gates.contains(&GateName::Attestations) {
            self.problems
                .add(at.to_error(PolicyProblem::UngatedProduction));
        }
        let rules = environment.rules(CompatMode::Compatible).ok().flatten();
        if rules.is_some_and(|rules| !rules.gives_immutable_tag()) {
            self.problems
                .add(at.to_error(PolicyProblem::NoImmutableTag));
        }
    }

    /// Requires that a signer pins a ref, and notes a signer that cannot.
    fn check_signer(&mut self, signer: &SignerRule) {
        match RefPin::of(signer) {
            RefPin::Ref => {}
            RefPin::Holder => {
                let (name, signer_name) = (self.environment.name(), signer_name(signer));
                let text = format!(
                    "the environment {name} is production, and {signer_name} pins no ref: whoever holds it can sign in a workflow of any branch"
                );
                self.findings
                    .push(PolicyFinding::note(signer.position, text));
            }
            RefPin::Nothing => {
                let environment = self.environment.name().to_string();
                let problem = PolicyProblem::UnpinnedSigner {
                    subject: signer_name(signer),
                    environment,
                };
                self.problems.add(signer.position.to_error(problem));
            }
        }
    }

    /// Asks the same of an environment that images come from: it must be so where gates rest on its records or
    /// attestations.
    fn check_source(&mut self, source: &EnvironmentRules, at: FilePosition, resting: &[&str]) {
        let name = self.environment.name();
        if source.signing() == SigningRule::Off {
            let problem = PolicyProblem::UnsignedSource {
                from: source.name().to_string(),
                gates: resting.join(", "),
            };
            match resting.is_empty() {
                true => self.findings.push(PolicyFinding::warning(
                    at,
                    format!("the environment {name} is production, and takes its images from {}, whose records are not signed", source.name()),
                )),
                false => self.problems.add(at.to_error(problem)),
            }
        }
        for signer in source.signers() {
            if RefPin::of(signer) != RefPin::Nothing {
                continue;
            }
            let subject = signer_name(signer);
            match resting.is_empty() {
                true => self.findings.push(PolicyFinding::warning(
                    signer.position,
                    format!("the environment {name} is production and takes its images from {}, and {subject} pins no ref: an edited workflow on another branch can sign there", source.name()),
                )),
                false => self.problems.add(signer.position.to_error(
                    PolicyProblem::UnpinnedSource {
                        subject,
                        environment: name.to_string(),
                        gates: resting.join(", "),
                    },
                )),
            }
        }
    }
}

/// Returns the name of a commit status that every job can post.
fn forgeable_status(check: &RequiredCheck) -> Option<&str> {
    match check {
        RequiredCheck::Status { context, creator } => creator
            .eq_ignore_ascii_case(ACTIONS_ACCOUNT)
            .then_some(context),
        _ => None,
    }
}

/// Returns the name of a signer in a message.
fn signer_name(signer: &SignerRule) -> String {
    match &signer.signer {
        PolicySigner::Identity(PolicyIdentity { subject, .. }) => printable_text(subject),
        PolicySigner::Key(key) if key.contains("-----BEGIN") => "the key in signers".to_owned(),
        PolicySigner::Key(path) => format!("the key {}", printable_text(path)),
    }
}
