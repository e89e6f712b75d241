//! The commit that a push to a branch merged: main's own is often not built, and the merged one was.

use crate::event::{EventFacts, EventName, GitRef};
use crate::git::GitCheckout;
use crate::image::CommitId;
use crate::notices::to_printable;
use crate::release::MergedCommit;

/// Longest part of a name that is shown, in characters.
const SHOWN_LENGTH: usize = 80;

/// Returns what the pushed commit merged, as far as it is to be searched.
pub(super) fn find_merged(
    facts: &EventFacts,
    checkout: Option<&GitCheckout>,
    pushed: &CommitId,
) -> MergedCommit {
    let is_branch_push =
        facts.event == EventName::Push && matches!(facts.git_ref, Some(GitRef::Branch(_)));
    if !is_branch_push {
        return MergedCommit::NotSought;
    }
    let Some(found) = checkout.and_then(|checkout| checkout.parents_of(pushed)) else {
        return MergedCommit::NotInClone;
    };
    match found.parents.as_slice() {
        [] | [_] => MergedCommit::NoMerge,
        [_, merged] => match found
            .merged_branch
            .filter(|branch| is_foreign(facts, branch))
        {
            Some(branch) => MergedCommit::OfFork(to_printable(&branch, SHOWN_LENGTH)),
            None => MergedCommit::Parent(merged.clone()),
        },
        _ => MergedCommit::SeveralParents,
    }
}

/// Returns whether `owner/branch`, as GitHub's merge message has it, is of another owner than the repository.
fn is_foreign(facts: &EventFacts, branch: &str) -> bool {
    let owner_of = |name: &str| {
        name.split_once('/')
            .map(|(owner, _)| owner.to_ascii_lowercase())
    };
    let own = facts.repository.as_deref().and_then(owner_of);
    own.is_some() && owner_of(branch) != own
}
