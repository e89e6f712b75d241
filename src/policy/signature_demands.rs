//! Gates that need signatures: of the environment itself, or of those that its images come from.

use super::environment_rules::EnvironmentRules;
use super::error::PolicyProblem;
use super::gates::{AttestationGate, EnvironmentGates, GateSigners};
use super::key_position::KeyPosition;
use super::problem_list::ProblemList;
use super::signing_rule::SigningRule;
use super::yaml_node::printable_text;

/// Adds a problem for each gate that needs signatures where nothing is signed.
pub(super) fn check_signature_demands(
    environments: &[EnvironmentRules],
    problems: &mut ProblemList,
) {
    for environment in environments {
        let unsigned = unsigned_sources(environment, environments);
        for gates in environment.all_gates() {
            if is_unsigned(environment) {
                refuse_attach(gates, problems);
            }
            // Of production the environment is named that is not signed.
            if let (Some(from), false) = (&unsigned, environment.is_production()) {
                refuse_unsigned_evidence(gates, from, problems);
            }
        }
    }
}

fn is_unsigned(environment: &EnvironmentRules) -> bool {
    environment.is_signing_read && environment.signing() == SigningRule::Off
}

/// Returns the environments that images come from if none of them signs; `None` if one does, or there is none.
fn unsigned_sources(
    environment: &EnvironmentRules,
    environments: &[EnvironmentRules],
) -> Option<String> {
    let names = environment.from();
    let are_all_unsigned = names.iter().all(|name| {
        let mut sources = environments.iter().filter(|it| it.name() == name);
        sources.next().is_some_and(is_unsigned)
    });
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    (are_all_unsigned && !names.is_empty()).then(|| names.join(" or "))
}

/// Reports are attested by the signature of the release.
fn refuse_attach(gates: &EnvironmentGates, problems: &mut ProblemList) {
    if let Some(scan) = gates.scan().filter(|scan| scan.attaches_reports) {
        let problem = PolicyProblem::NeedsSign("attach");
        scan.attach_at.add_problem(problem, problems);
    }
}

fn refuse_unsigned_evidence(gates: &EnvironmentGates, from: &str, problems: &mut ProblemList) {
    let is_of_source = |signers: &GateSigners| *signers == GateSigners::OfSource;
    let mut refuse = |at: KeyPosition, gate: String| {
        let from = from.to_owned();
        at.add_problem(PolicyProblem::UnsignedEvidence { gate, from }, problems);
    };
    if gates.signature().is_some_and(is_of_source) {
        refuse(gates.signature_at, "the gate signature".to_owned());
    }
    if let Some(scan) = gates.scan()
        && scan.attested.as_ref().is_some_and(is_of_source)
    {
        refuse(scan.attested_at, "attested of the gate scan".to_owned());
    }
    let needs_signer =
        |entry: &&AttestationGate| entry.required.is_signed && is_of_source(&entry.signers);
    for entry in gates.attestations().iter().filter(needs_signer) {
        let rule = printable_text(&entry.required.rule.to_string());
        refuse(entry.position, format!("the attestation {rule}"));
    }
}
