//! The pull request that a pushed commit merged, where git does not tell it: after a squash or rebase merge the commit
//! has one parent, and the image was built from the head of the pull request.

use super::event_inputs::open_checkout;
use super::invocation::Invocation;
use super::own_api::open_own_api;
use crate::event::{EventFacts, EventName, GitRef, MergedPullRequest};
use crate::github::PullRequest;
use crate::image::CommitId;
use crate::notices::to_printable;
use crate::release::Failure;

/// Limit on a name in a message, in characters.
const SHOWN_LENGTH: usize = 80;

/// Adds to the facts of a push the pull request that its commit merged into the pushed branch, as GitHub knows it. Nothing is added where the
/// event or git tells what was merged, and where the API is not called or does not tell it.
///
/// # Errors
/// Several pull requests that the commit merged.
pub(super) async fn add_merged_pull_request(
    invocation: &Invocation,
    mut facts: EventFacts,
) -> Result<EventFacts, Failure> {
    let Some((branch, commit)) = unexplained_commit(&facts) else {
        return Ok(facts);
    };
    let Ok(api) = open_own_api(invocation)? else {
        return Ok(facts);
    };
    let repository = invocation.environment.get("GITHUB_REPOSITORY");
    let listed = match api.list_commit_pull_requests(commit.as_str()).await {
        Ok(listed) => listed,
        Err(error) => {
            let add = error
                .permission()
                .map(|it| format!("; add {it} to the permissions of the job"));
            invocation.log.warning(&format!(
                "the pull request that merged {commit} is not known: {error}{}",
                add.unwrap_or_default()
            ));
            return Ok(facts);
        }
    };
    let is_merged = |pull: &PullRequest| {
        let is_own = |name: &Option<String>| {
            let both = name.as_deref().zip(repository);
            both.is_some_and(|(name, own)| name.eq_ignore_ascii_case(own))
        };
        pull.merged_at.is_some()
            && pull.merge_commit_sha.as_deref() == Some(commit.as_str())
            && pull.base_ref == branch
            && is_own(&pull.base_repository)
            && is_own(&pull.head_repository)
    };
    let merged: Vec<PullRequest> = listed.into_iter().filter(is_merged).collect();
    match merged.as_slice() {
        [] => {}
        [pull] => {
            invocation.log.info(&format!(
                "{commit} merged pull request #{} of {}",
                pull.number,
                to_printable(&pull.head_ref, SHOWN_LENGTH)
            ));
            facts.merged_pull_request = Some(MergedPullRequest {
                number: pull.number,
                head_ref: pull.head_ref.clone(),
                head_commit: pull.head_sha.parse().ok(),
            });
        }
        several => return Err(several_failure(&commit, several)),
    }
    Ok(facts)
}

/// Returns branch and commit of a push to a branch, unless the branch or git tells what is released.
fn unexplained_commit(facts: &EventFacts) -> Option<(String, CommitId)> {
    let branch = match &facts.git_ref {
        Some(GitRef::Branch(branch)) if facts.event == EventName::Push => branch.clone(),
        _ => return None,
    };
    if facts.deleted || !matches!(facts.release_branch(), Ok(None)) {
        return None;
    }
    let commit = facts.commit.clone()?;
    let checkout = open_checkout().ok();
    let found = checkout.and_then(|checkout| checkout.parents_of(&commit));
    match found {
        Some(found) if found.parents.len() > 1 => None,
        _ => Some((branch, commit)),
    }
}

fn several_failure(commit: &CommitId, several: &[PullRequest]) -> Failure {
    let numbers: Vec<String> = several
        .iter()
        .map(|pull| format!("#{}", pull.number))
        .collect();
    Failure::refused(format!(
        "the commit {commit} merged several pull requests: {}",
        numbers.join(", ")
    ))
    .with_reason("each of them can have an image of its own")
    .with_hint("give commit or source")
}
