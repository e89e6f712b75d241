//! Differences between the gates of an environment in two policies.

use super::attestation_gate::AttestationGate;
use super::environment_gates::EnvironmentGates;
use super::gate_signers::GateSigners;
use super::scan_gate::ScanGate;
use super::{attestation_gate, checks_gate, freeze_gate};
use crate::gate::{
    ApprovalsRule, FreezeWindow, GateName, ImageRule, RequiredCheck, ScanException, SoakRule,
};
use crate::policy::policy_difference::{KeyDifference, KeyDifferences};
use crate::policy::{DifferenceKind, PolicyValue};

impl EnvironmentGates {
    /// Returns the differences of `head` from these gates, in the order of the documentation.
    pub(in crate::policy) fn compare(&self, head: &Self) -> KeyDifferences {
        let mut keys = KeyDifferences::default();
        for gate in GateName::ALL {
            let has_gate = |gates: &Self| gates.names().contains(&gate);
            let whole = |gates: &Self| vec![PolicyValue::Gate(gate, Box::new(gates.clone()))];
            let (kind, before, after) = match (has_gate(self), has_gate(head)) {
                (true, true) => {
                    self.compare_gate(gate, head, &mut keys);
                    continue;
                }
                (false, true) => (DifferenceKind::Tightened, Vec::new(), whole(head)),
                (true, false) => (DifferenceKind::Loosened, whole(self), Vec::new()),
                (false, false) => continue,
            };
            keys.add(KeyDifference {
                key: format!("gates.{gate}"),
                kind,
                before,
                after,
            });
        }
        keys
    }

    /// Compares a gate that both have.
    fn compare_gate(&self, gate: GateName, head: &Self, keys: &mut KeyDifferences) {
        match gate {
            GateName::Scan => {
                if let (Some(base), Some(head)) = (self.scan(), head.scan()) {
                    compare_scans(base, head, keys);
                }
            }
            GateName::Signature => {
                if let (Some(base), Some(head)) = (self.signature(), head.signature()) {
                    compare_signatures(base, head, keys);
                }
            }
            GateName::Attestations => self.compare_attestations(head, keys),
            GateName::Soak => {
                if let (Some(base), Some(head)) = (self.soak(), head.soak()) {
                    compare_soaks(base, head, keys);
                }
            }
            GateName::Freeze => self.compare_windows(head, keys),
            GateName::Image => {
                if let (Some(base), Some(head)) = (self.image(), head.image()) {
                    compare_images(base, head, keys);
                }
            }
            GateName::Checks => self.compare_checks(head, keys),
            GateName::Approvals => {
                if let (Some(base), Some(head)) = (self.approvals(), head.approvals()) {
                    compare_approvals(base, head, keys);
                }
            }
        }
    }

    fn compare_checks(&self, head: &Self, keys: &mut KeyDifferences) {
        let (old, new) = (self.checks(), head.checks());
        let kind = DifferenceKind::of_strictness(
            checks_gate::is_at_least_as_strict(new, old),
            checks_gate::is_at_least_as_strict(old, new),
        );
        let value = |check: &RequiredCheck| PolicyValue::Check(check.clone());
        keys.extend(list_difference("gates.checks", kind, (old, new), value));
    }

    fn compare_attestations(&self, head: &Self, keys: &mut KeyDifferences) {
        let (old, new) = (self.attestations(), head.attestations());
        let kind = DifferenceKind::of_strictness(
            attestation_gate::is_at_least_as_strict(new, old),
            attestation_gate::is_at_least_as_strict(old, new),
        );
        let value = |entry: &AttestationGate| PolicyValue::Attestation(entry.clone());
        keys.extend(list_difference(
            "gates.attestations",
            kind,
            (old, new),
            value,
        ));
    }

    fn compare_windows(&self, head: &Self, keys: &mut KeyDifferences) {
        let (old, new) = (self.freeze(), head.freeze());
        let kind = DifferenceKind::of_strictness(
            freeze_gate::is_at_least_as_strict(new, old),
            freeze_gate::is_at_least_as_strict(old, new),
        );
        let value = |window: &FreezeWindow| PolicyValue::Window(window.clone());
        keys.extend(list_difference("gates.freeze", kind, (old, new), value));
    }
}

/// Returns the difference of two lists whose order does not count; `None` if they have the same entries.
fn list_difference<T: PartialEq>(
    key: &str,
    kind: DifferenceKind,
    (before, after): (&[T], &[T]),
    value: impl Fn(&T) -> PolicyValue,
) -> Option<KeyDifference> {
    let alone = |own: &[T], others: &[T]| -> Vec<PolicyValue> {
        let own = own.iter().filter(|entry| !others.contains(entry));
        own.map(&value).collect()
    };
    let (removed, added) = (alone(before, after), alone(after, before));
    (!removed.is_empty() || !added.is_empty()).then(|| KeyDifference {
        key: key.to_owned(),
        kind,
        before: removed,
        after: added,
    })
}

/// Adds a difference for each key of a gate in which one of the two rules is weaker than the other.
fn add_keys(
    gate: GateName,
    (weaker, stricter): (&[&'static str], &[&'static str]),
    values: impl Fn(&str) -> [Vec<PolicyValue>; 2],
    keys: &mut KeyDifferences,
) {
    let others = stricter.iter().filter(|key| !weaker.contains(key));
    for key in weaker.iter().chain(others) {
        let [before, after] = values(key);
        keys.add(KeyDifference {
            key: format!("gates.{gate}.{key}"),
            kind: DifferenceKind::of_strictness(!weaker.contains(key), !stricter.contains(key)),
            before,
            after,
        });
    }
}

fn compare_scans(base: &ScanGate, head: &ScanGate, keys: &mut KeyDifferences) {
    // The key `unbound` is one of the environment.
    let weaker_keys = |gate: &ScanGate, other: &ScanGate| -> Vec<&'static str> {
        let keys = gate.keys_weaker_than(other).into_iter();
        keys.filter(|key| *key != "unbound").collect()
    };
    let (weaker, stricter) = (weaker_keys(head, base), weaker_keys(base, head));
    let values = |key: &str| [base, head].map(|gate| scan_value(gate, key));
    add_keys(GateName::Scan, (&weaker, &stricter), values, keys);
    let (old, new) = (&base.rule.ignore[..], &head.rule.ignore[..]);
    let kind = DifferenceKind::of_strictness(ignores_all_of(old, new), ignores_all_of(new, old));
    let value = |it: &ScanException| PolicyValue::Exception(it.clone());
    keys.extend(list_difference(
        "gates.scan.ignore",
        kind,
        (old, new),
        value,
    ));
}

/// Returns whether each finding that `exceptions` ignore is ignored by `base` too, as far as their texts tell.
fn ignores_all_of(base: &[ScanException], exceptions: &[ScanException]) -> bool {
    exceptions
        .iter()
        .all(|exception| base.iter().any(|own| covers(own, exception)))
}

/// Returns whether an exception ignores each finding that `other` ignores, and as long.
fn covers(own: &ScanException, other: &ScanException) -> bool {
    let lasts_as_long = match (own.until, other.until) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(own), Some(other)) => own >= other,
    };
    let is_package_covered = own.package.is_none() || own.package == other.package;
    let is_platform_covered = own.platform.is_none() || own.platform == other.platform;
    own.id.eq_ignore_ascii_case(&other.id)
        && is_package_covered
        && is_platform_covered
        && lasts_as_long
}

/// Returns the values of a key of the scan gate.
fn scan_value(gate: &ScanGate, key: &str) -> Vec<PolicyValue> {
    let flag = |flag: bool| vec![PolicyValue::Text(flag.to_string())];
    match key {
        "fail-on" => vec![PolicyValue::Text(gate.rule.fail_on.to_string())],
        "ignore-unfixed" => flag(gate.rule.ignore_unfixed),
        "max-age" => texts(&gate.rule.max_age),
        "suppressed" => {
            let word = if gate.rule.denies_suppressed {
                "deny"
            } else {
                "show"
            };
            vec![PolicyValue::Text(word.to_owned())]
        }
        "vex" => texts(&gate.vex_files),
        "vex-signers" => {
            let signers = gate.vex_signers.iter();
            signers.cloned().map(PolicyValue::Signer).collect()
        }
        "attested" => {
            let attested = gate.attested.iter();
            attested.cloned().map(PolicyValue::GateSigners).collect()
        }
        "attach" => flag(gate.attaches_reports),
        _ => Vec::new(),
    }
}

fn compare_signatures(base: &GateSigners, head: &GateSigners, keys: &mut KeyDifferences) {
    let (is_new_as_strict, is_old_as_strict) = (
        head.is_at_least_as_strict_as(base),
        base.is_at_least_as_strict_as(head),
    );
    if is_new_as_strict && is_old_as_strict {
        return;
    }
    keys.add(KeyDifference {
        key: format!("gates.{}", GateName::Signature),
        kind: DifferenceKind::of_strictness(is_new_as_strict, is_old_as_strict),
        before: vec![PolicyValue::GateSigners(base.clone())],
        after: vec![PolicyValue::GateSigners(head.clone())],
    });
}

fn compare_soaks(base: &SoakRule, head: &SoakRule, keys: &mut KeyDifferences) {
    let value = |soak: &SoakRule, key: &str| match key {
        "for" => vec![PolicyValue::Text(soak.duration.to_string())],
        _ => vec![PolicyValue::Text(soak.is_still_current.to_string())],
    };
    let (weaker, stricter) = (head.keys_weaker_than(base), base.keys_weaker_than(head));
    let values = |key: &str| [base, head].map(|soak| value(soak, key));
    add_keys(GateName::Soak, (&weaker, &stricter), values, keys);
}

fn compare_approvals(base: &ApprovalsRule, head: &ApprovalsRule, keys: &mut KeyDifferences) {
    if base == head {
        return;
    }
    let value = |rule: &ApprovalsRule| vec![PolicyValue::Approvals(rule.clone())];
    keys.add(KeyDifference {
        key: format!("gates.{}", GateName::Approvals),
        kind: DifferenceKind::of_strictness(
            head.is_at_least_as_strict_as(base),
            base.is_at_least_as_strict_as(head),
        ),
        before: value(base),
        after: value(head),
    });
}

fn compare_images(base: &ImageRule, head: &ImageRule, keys: &mut KeyDifferences) {
    let value = |image: &ImageRule, key: &str| match key {
        "platforms" => texts(&image.platforms),
        "user" => texts(&image.user),
        "max-size" => texts(&image.max_size),
        "max-age" => texts(&image.max_age),
        _ => texts(&image.labels),
    };
    let (weaker, stricter) = (head.keys_weaker_than(base), base.keys_weaker_than(head));
    let values = |key: &str| [base, head].map(|image| value(image, key));
    add_keys(GateName::Image, (&weaker, &stricter), values, keys);
}

fn texts<'a, T: ToString + 'a>(values: impl IntoIterator<Item = &'a T>) -> Vec<PolicyValue> {
    let values = values.into_iter();
    values.map(|it| PolicyValue::Text(it.to_string())).collect()
}
