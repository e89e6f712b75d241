//! How a policy differs from another one in effect: what would be allowed that was not, and the reverse.
//!
//! Policies are compared as they hold, with all defaults filled in, and not as they are written: an order or a
//! default that changes nothing is no difference.

mod environment_difference;
mod key_difference;
mod retention_difference;
mod signer_difference;

#[cfg(test)]
mod declared_key_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

use super::environment_rules::EnvironmentRules;
use super::gates::{AttestationGate, EnvironmentGates, GateSigners};
use super::release_policy::ReleasePolicy;
use super::service_name::Service;
use super::signer_rule::{PolicySigner, SignerRule};
use crate::gate::{ApprovalsRule, FreezeWindow, GateName, RequiredCheck, ScanException};
use crate::tagging::EnvironmentName;
use environment_difference::compare_environments;
pub(super) use key_difference::{KeyDifference, KeyDifferences};

/// Effect of a difference on what may be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// More may be released than before, or by more people.
    Loosened,
    /// Something else may be released, or it cannot be told which of the two others it is.
    Changed,
    /// Less may be released than before, or by fewer people.
    Tightened,
}

/// Difference of one key between two policies.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyDifference {
    /// Environment; `None`: the whole file.
    pub environment: Option<EnvironmentName>,
    /// Service; `None`: all services.
    pub service: Option<Service>,
    /// Key below the environment, the service or the file, such as `gates.scan.fail-on`.
    pub key: String,
    /// Effect.
    pub kind: DifferenceKind,
    /// Values that are in the old policy alone; empty if there are none.
    pub before: Vec<PolicyValue>,
    /// Values that are in the new policy alone; empty if there are none.
    pub after: Vec<PolicyValue>,
}

/// Value of a key, for a report.
#[derive(Debug, Clone, PartialEq)]
pub enum PolicyValue {
    /// Text, as the file has it.
    Text(String),
    /// Signer of records.
    Signer(SignerRule),
    /// Signers of a gate.
    GateSigners(GateSigners),
    /// Exception of the scan gate.
    Exception(ScanException),
    /// Entry of the attestations gate.
    Attestation(AttestationGate),
    /// Freeze window.
    Window(FreezeWindow),
    /// Entry of the checks gate.
    Check(RequiredCheck),
    /// The approvals gate.
    Approvals(ApprovalsRule),
    /// Gate with all its parameters.
    Gate(GateName, Box<EnvironmentGates>),
}

impl DifferenceKind {
    /// Returns the kind of a difference by whether each of the two rules is at least as strict as the other.
    pub(super) fn of_strictness(is_new_as_strict: bool, is_old_as_strict: bool) -> Self {
        match (is_new_as_strict, is_old_as_strict) {
            (true, false) => Self::Tightened,
            (false, true) => Self::Loosened,
            _ => Self::Changed,
        }
    }

    /// Returns the word, such as `loosened`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loosened => "loosened",
            Self::Tightened => "tightened",
            Self::Changed => "changed",
        }
    }
}

/// Returns how `head` differs from `base` in effect: of the file first, then of the environments in their order.
pub fn compare_policies(base: &ReleasePolicy, head: &ReleasePolicy) -> Vec<PolicyDifference> {
    let mut found = compare_files(base, head);
    let added = head.environments().iter();
    let added = added.filter(|it| base.stage(it.name()).is_none());
    for environment in base.environments() {
        match head.stage(environment.name()) {
            Some(other) => found.extend(compare_stage((base, environment), (head, other))),
            None => found.push(whole_environment(environment, false)),
        }
    }
    found.extend(added.map(|environment| whole_environment(environment, true)));
    found
}

/// Compares what is of no environment.
fn compare_files(base: &ReleasePolicy, head: &ReleasePolicy) -> Vec<PolicyDifference> {
    let mut keys = KeyDifferences::default();
    let services = |policy: &ReleasePolicy| -> Vec<String> {
        let services = policy.services().iter();
        services.map(ToString::to_string).collect()
    };
    keys.compare_sets("services", &services(base), &services(head), |_, _| {
        DifferenceKind::Changed
    });
    let root = |policy: &ReleasePolicy| policy.trusted_root().map(str::to_owned);
    keys.compare_options("trusted-root", (root(base), root(head)), |_, _| {
        DifferenceKind::Changed
    });
    let [on, attestations] = super::declared_keys::LOG_WORDS;
    let takes_unlogged = |policy: &ReleasePolicy| !policy.logs_attestations();
    let flags = (takes_unlogged(base), takes_unlogged(head));
    keys.compare_flags("transparency-log", flags, [on, attestations]);
    let mut found: Vec<_> = keys.into_differences(None, None).collect();
    for service in base.services() {
        if head.services().contains(service) {
            found.extend(compare_builds(base, head, service));
        }
    }
    found
}

fn compare_builds(
    base: &ReleasePolicy,
    head: &ReleasePolicy,
    service: &Service,
) -> impl Iterator<Item = PolicyDifference> {
    let mut keys = KeyDifferences::default();
    let build = |policy: &ReleasePolicy| policy.build(service).cloned().unwrap_or_default();
    let (base, head) = (build(base), build(head));
    let changed = |_: &String, _: &String| DifferenceKind::Changed;
    keys.compare_options("dockerfile", (base.dockerfile, head.dockerfile), changed);
    keys.compare_options("target", (base.target, head.target), changed);
    keys.into_differences(None, Some(service.clone()))
}

/// Compares an environment that both policies have, each with its policy.
fn compare_stage(
    (base_policy, base): (&ReleasePolicy, &EnvironmentRules),
    (head_policy, head): (&ReleasePolicy, &EnvironmentRules),
) -> Vec<PolicyDifference> {
    let mut keys = compare_environments(base, head);
    let excluded =
        |policy: &ReleasePolicy, stage| policy.excluded_versions(stage).patterns().to_vec();
    let patterns = [excluded(base_policy, base), excluded(head_policy, head)];
    keys.compare_sets("exclude-versions", &patterns[0], &patterns[1], |_, _| {
        DifferenceKind::Changed
    });
    let name = base.name();
    let of_all = keys.clone();
    let mut found: Vec<_> = keys.into_differences(Some(name), None).collect();
    let services: BTreeSet<&Service> = [base, head]
        .into_iter()
        .flat_map(|stage| stage.service_gates().map(|(service, _)| service))
        .collect();
    let is_in_both = |service: &&Service| {
        let has = |policy: &ReleasePolicy| policy.services().contains(*service);
        has(base_policy) && has(head_policy)
    };
    for service in services.into_iter().filter(is_in_both) {
        let gates = |stage: &EnvironmentRules| stage.gates(Some(service)).clone();
        let mut own = gates(base).compare(&gates(head));
        // What the environment changes for all is told once.
        own.remove_all(&of_all);
        found.extend(own.into_differences(Some(name), Some(service.clone())));
    }
    found
}

/// Returns the difference of an environment that one policy alone has.
fn whole_environment(environment: &EnvironmentRules, is_added: bool) -> PolicyDifference {
    let repository = vec![PolicyValue::Text(environment.repository())];
    let (before, after) = match is_added {
        true => (Vec::new(), repository),
        false => (repository, Vec::new()),
    };
    PolicyDifference {
        environment: Some(environment.name().clone()),
        service: None,
        key: "environments".to_owned(),
        kind: DifferenceKind::Changed,
        before,
        after,
    }
}

impl ReleasePolicy {
    /// Returns the files of the repository that the policy names, such as keys of signers, sorted: their contents are
    /// a part of what it says.
    pub fn named_files(&self) -> BTreeSet<String> {
        let mut files: HashSet<&str> = self.trusted_root().into_iter().collect();
        for environment in self.environments() {
            let gates = environment.all_gates();
            let own = gates.flat_map(EnvironmentGates::own_signers);
            let signers = environment.signers().iter().chain(own);
            files.extend(signers.filter_map(|rule| rule.signer.key_file()));
            let scans = environment.all_gates();
            let scans = scans.filter_map(EnvironmentGates::scan);
            files.extend(scans.flat_map(|scan| scan.vex_files.iter().map(String::as_str)));
        }
        files.into_iter().map(str::to_owned).collect()
    }
}

impl PolicySigner {
    /// Returns the path of the file with the signer's key; `None` if the policy has the key itself or the signer has
    /// a certificate.
    fn key_file(&self) -> Option<&str> {
        match self {
            Self::Key(key) if !key.contains("-----BEGIN") => Some(key),
            Self::Key(_) | Self::Identity(_) => None,
        }
    }
}
