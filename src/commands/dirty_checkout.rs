//! A checkout whose files differ from its commit: an image of them must not be tagged as the commit's.

use super::event_inputs::{given_commit, open_checkout};
use super::invocation::Invocation;
use crate::cli::Input;
use crate::event::EventFacts;
use crate::image::CommitId;
use crate::release::Failure;
use crate::tagging::TagRuleSet;

/// Returns the facts, without the commit where the checkout's files differ from it. In a runner the event
/// names the commit, and a build may write into the checkout.
///
/// # Errors
/// Refuses a tag of the commit for such files, unless `allow-dirty` is on.
pub(super) fn check(
    invocation: &Invocation,
    rules: &TagRuleSet,
    facts: Option<EventFacts>,
) -> Result<Option<EventFacts>, Failure> {
    let Some(facts) = facts else {
        return Ok(None);
    };
    let Some(commit) = facts.commit.clone() else {
        return Ok(Some(facts));
    };
    if invocation.environment.is_in_runner()
        || given_commit(invocation)?.is_some()
        || !is_changed(&commit)?
    {
        return Ok(Some(facts));
    }
    let allowed = invocation.arguments.switch(Input::AllowDirty)?;
    if !allowed && names_commit(rules, &commit) {
        return Err(dirty_failure(&commit));
    }
    invocation.log.warning(&format!(
        "files of the checkout differ from its commit {}: no tag and no signature names that commit",
        commit.short()
    ));
    Ok(Some(EventFacts {
        commit: None,
        ..facts
    }))
}

/// Whether the commit is the one that is checked out, and files differ from it.
fn is_changed(commit: &CommitId) -> Result<bool, Failure> {
    match open_checkout() {
        Ok(checkout) if checkout.commit == *commit => Ok(checkout.has_changes()?),
        _ => Ok(false),
    }
}

fn names_commit(rules: &TagRuleSet, commit: &CommitId) -> bool {
    rules.is_default() || rules.needs_commit() || rules.mentions(commit.short())
}

fn dirty_failure(commit: &CommitId) -> Failure {
    Failure::refused(format!(
        "the tag of the commit {} for files that differ from it",
        commit.short()
    ))
    .with_reason("the checkout has changes that are not committed, and a commit's tag is immutable")
    .with_hint("commit or stash them and build again, or set --allow-dirty, which gives no tag of the commit")
}
