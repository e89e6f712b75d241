//! Differences of the signers of an environment: who was added or removed, and what each may record until when.

use super::{DifferenceKind, KeyDifference, KeyDifferences, PolicyValue};
use crate::policy::SignerRule;

/// Adds a difference for each signer that differs. Without signers anybody who can write to the registry records.
pub(super) fn compare_signers(base: &[SignerRule], head: &[SignerRule], keys: &mut KeyDifferences) {
    let mut added: Vec<&SignerRule> = head.iter().filter(|it| !base.contains(it)).collect();
    let removed = base.iter().filter(|it| !head.contains(it));
    for old in removed {
        let same = added.iter().position(|new| new.signer == old.signer);
        let new = same.map(|at| added.remove(at));
        let kind = match new {
            Some(new) => DifferenceKind::of_strictness(is_within(new, old), is_within(old, new)),
            None if head.is_empty() => DifferenceKind::Loosened,
            None => DifferenceKind::Tightened,
        };
        keys.add(signer_difference(kind, Some(old), new));
    }
    let kind = match base.is_empty() {
        true => DifferenceKind::Tightened,
        false => DifferenceKind::Loosened,
    };
    for new in added {
        keys.add(signer_difference(kind, None, Some(new)));
    }
}

/// Returns whether a signer may record nothing that the same signer may not record by the other rule.
fn is_within(rule: &SignerRule, other: &SignerRule) -> bool {
    let are_actions_within = match (&rule.actions, &other.actions) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(own), Some(other)) => own.iter().all(|action| other.contains(action)),
    };
    let end = |rule: &SignerRule| rule.until.as_ref().map(|until| until.end());
    let is_time_within = match (end(rule), end(other)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(own), Some(other)) => own <= other,
    };
    are_actions_within && is_time_within
}

fn signer_difference(
    kind: DifferenceKind,
    before: Option<&SignerRule>,
    after: Option<&SignerRule>,
) -> KeyDifference {
    let value = |rule: Option<&SignerRule>| {
        let value = rule.map(|rule| PolicyValue::Signer(rule.clone()));
        value.into_iter().collect()
    };
    KeyDifference {
        key: "signers".to_owned(),
        kind,
        before: value(before),
        after: value(after),
    }
}
