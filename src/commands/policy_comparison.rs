//! How the policy of a pull request differs from that of its base, which decides.

use std::collections::BTreeSet;

use super::invocation::Invocation;
use super::load_policy::{LoadedPolicy, load_proposed_policy};
use crate::image::Digest;
use crate::notices::FileLocation;
use crate::policy::{
    DifferenceKind, PolicyDifference, PolicyValue, ReleasePolicy, compare_policies,
};
use crate::release::{Diagnostic, Failure};
use crate::report::{PolicyComparison, ProposedPolicy};

/// Most files that are compared. Each can be a request.
const FILES_LIMIT: usize = 50;

/// Returns how the policy of the pull request differs from that of its base; `None` outside of a run for a pull
/// request. What the pull request has wrong is told, and decides nothing.
pub(super) async fn compare_with_base(
    invocation: &Invocation,
    base: Option<&LoadedPolicy>,
) -> Option<PolicyComparison> {
    let (file, proposed) = load_proposed_policy(invocation).await?;
    let proposed = match proposed {
        Ok(proposed) => compare_loaded(invocation, base, proposed.as_ref()).await,
        Err(failure) => told_failure(invocation, &failure),
    };
    Some(PolicyComparison { file, proposed })
}

async fn compare_loaded(
    invocation: &Invocation,
    base: Option<&LoadedPolicy>,
    proposed: Option<&LoadedPolicy>,
) -> ProposedPolicy {
    let rules = |loaded: Option<&LoadedPolicy>| {
        let policy = loaded.map(|loaded| loaded.policy.clone());
        policy.unwrap_or_default()
    };
    let (old, new) = (rules(base), rules(proposed));
    let mut differences = compare_policies(&old, &new);
    match compare_files(invocation, (base, &old), (proposed, &new)).await {
        Ok(files) => differences.extend(files),
        Err(failure) => return unreadable(&failure),
    }
    // A reviewer reads first what lets more pass.
    differences.sort_by_key(|difference| difference.kind);
    ProposedPolicy::Valid(differences)
}

/// Compares the files that both policies name, such as keys of signers: their contents are a part of the policy.
async fn compare_files(
    invocation: &Invocation,
    (base, old): (Option<&LoadedPolicy>, &ReleasePolicy),
    (proposed, new): (Option<&LoadedPolicy>, &ReleasePolicy),
) -> Result<Vec<PolicyDifference>, Failure> {
    let Some((base, proposed)) = base.zip(proposed) else {
        return Ok(Vec::new());
    };
    let (old, new) = (old.named_files(), new.named_files());
    let both: BTreeSet<&String> = old.intersection(&new).collect();
    let mut found = Vec::new();
    for path in both.iter().take(FILES_LIMIT) {
        let before = base.read_named_file(invocation, path).await?;
        let after = proposed.read_named_file(invocation, path).await?;
        if before != after {
            found.push(file_difference(path, before, after));
        }
    }
    if both.len() > FILES_LIMIT {
        let text = format!("{} were not compared", both.len() - FILES_LIMIT);
        let text = vec![PolicyValue::Text(text)];
        found.push(difference("further files", text.clone(), text));
    }
    Ok(found)
}

fn file_difference(
    path: &str,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
) -> PolicyDifference {
    let value = |content: Option<Vec<u8>>| {
        let digest = content.map(|bytes| Digest::from_bytes(&bytes).to_string());
        digest.map(PolicyValue::Text).into_iter().collect()
    };
    difference(&format!("file {path}"), value(before), value(after))
}

fn difference(key: &str, before: Vec<PolicyValue>, after: Vec<PolicyValue>) -> PolicyDifference {
    PolicyDifference {
        environment: None,
        service: None,
        key: key.to_owned(),
        kind: DifferenceKind::Changed,
        before,
        after,
    }
}

/// Returns what a policy with errors comes to, and annotates each of them in the file.
fn told_failure(invocation: &Invocation, failure: &Failure) -> ProposedPolicy {
    let Failure::Input(first) = failure else {
        return unreadable(failure);
    };
    let problems: Vec<&Diagnostic> = [first].into_iter().chain(&first.further).collect();
    if !problems.iter().any(|problem| problem.location.is_some()) {
        return unreadable(failure);
    }
    for problem in &problems {
        let text = format!("in the pull request, {}", problem.what);
        match &problem.location {
            Some(location) => {
                let location: FileLocation = location.as_ref().clone();
                invocation.log.notices().file_warning(location, text);
            }
            None => invocation.log.warning(&text),
        }
    }
    ProposedPolicy::Malformed(problems.iter().map(|it| it.what.clone()).collect())
}

fn unreadable(failure: &Failure) -> ProposedPolicy {
    let text = failure
        .diagnostic()
        .map(|diagnostic| match &diagnostic.why {
            Some(why) => format!("{}: {why}", diagnostic.what),
            None => diagnostic.what.clone(),
        });
    ProposedPolicy::Unreadable(text.unwrap_or_else(|| "the run was cancelled".to_owned()))
}
