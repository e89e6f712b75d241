//! The commit of a promotion without a source: the one that the input `commit` names, else the event's or
//! the checkout's.

use super::event_inputs::{given_commit, open_checkout};
use super::invocation::Invocation;
use super::merged_commit::find_merged;
use super::named_branch::NamedBranch;
use super::naming_inputs::short_sha;
use super::unreleasable_event::refuse_unreleasable_event;
use crate::event::{EventFacts, EventName, GitRef};
use crate::git::GitCheckout;
use crate::image::{CommitId, NamedCommit};
use crate::notices::to_printable;
use crate::release::{CommitSearch, Failure, MergedCommit};
use crate::tagging::{TaggingError, refuse_deleted, released_tag_without_version};

/// Longest part of a name that is shown, in characters.
const SHOWN_LENGTH: usize = 80;

/// Commit whose image is promoted, for the searches of a run.
pub(super) struct SoughtCommit<'a> {
    invocation: &'a Invocation,
    facts: Option<&'a EventFacts>,
    /// Whether the event is to name the version: neither `version` nor rules do.
    needs_version: bool,
    /// Whether a check asks: what is merged next may be asked about then.
    is_check: bool,
    /// What is found, once it was asked for.
    found: Option<CommitSearch>,
}

/// Commit, and what names it.
pub(super) struct PromotedCommit {
    pub(super) commit: NamedCommit,
    /// What names it, for people. Printable.
    pub(super) named_by: String,
    origin: CommitOrigin,
}

/// What names a commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CommitOrigin {
    Input,
    ReleaseBranch,
    Event,
}

impl<'a> SoughtCommit<'a> {
    pub(super) fn new(
        invocation: &'a Invocation,
        facts: Option<&'a EventFacts>,
        needs_version: bool,
        is_check: bool,
    ) -> Self {
        Self {
            invocation,
            facts,
            needs_version,
            is_check,
            found: None,
        }
    }

    /// Returns the search for the image of the commit.
    ///
    /// # Errors
    /// No commit is known, several are, or it is not what its branch has now.
    pub(super) fn search(&mut self) -> Result<CommitSearch, Failure> {
        let found = match self.found.take() {
            Some(found) => found,
            None => self.find()?,
        };
        Ok(self.found.insert(found).clone())
    }

    fn find(&self) -> Result<CommitSearch, Failure> {
        let found = self.find_commit()?;
        self.require_version()?;
        let checkout = open_checkout().ok();
        let merged = match (found.origin, self.facts, &found.commit) {
            (CommitOrigin::ReleaseBranch, Some(facts), commit) => {
                let head = match &facts.merged_pull_request {
                    Some(merged) => merged.head_commit.clone(),
                    None => event_commit(facts, checkout.as_ref()),
                };
                let branch = NamedBranch {
                    named_by: &found.named_by,
                    commit,
                };
                branch.refuse_changed_head(
                    checkout.as_ref(),
                    head.as_ref(),
                    &self.invocation.log,
                )?;
                MergedCommit::NotSought
            }
            (CommitOrigin::Event, Some(facts), NamedCommit::Whole(commit)) => {
                let merged = facts.merged_pull_request.as_ref();
                let head = merged.and_then(|merged| merged.head_commit.clone());
                match head {
                    Some(head) => MergedCommit::Parent(head),
                    None => find_merged(facts, checkout.as_ref(), commit),
                }
            }
            _ => MergedCommit::NotSought,
        };
        Ok(CommitSearch {
            commit: found.commit,
            named_by: found.named_by,
            short_sha: short_sha(self.invocation),
            merged,
        })
    }

    /// Refuses a git tag that names no version: the image would be released again under a version that it
    /// has already.
    fn require_version(&self) -> Result<(), Failure> {
        let Some(facts) = self.facts.filter(|_| self.needs_version) else {
            return Ok(());
        };
        match released_tag_without_version(facts)? {
            Some(tag) => Err(no_version_failure(&tag)),
            None => Ok(()),
        }
    }

    fn find_commit(&self) -> Result<PromotedCommit, Failure> {
        // Also where a release branch names the commit: its pull request may not be merged.
        if let Some(facts) = self.facts
            && given_commit(self.invocation)?.is_none()
        {
            refuse_unreleasable_event(facts, self.is_check)?;
        }
        named_commit(self.invocation, self.facts)?.ok_or_else(no_commit_failure)
    }
}

/// Returns the commit whose image a promotion without `source` takes, and what names it; `None` if no commit
/// is known.
///
/// # Errors
/// A bad input `commit`, a deleted ref, and a release branch whose name cannot be read.
pub(super) fn named_commit(
    invocation: &Invocation,
    facts: Option<&EventFacts>,
) -> Result<Option<PromotedCommit>, Failure> {
    if let Some(commit) = given_commit(invocation)? {
        return Ok(Some(PromotedCommit {
            commit: NamedCommit::Whole(commit),
            named_by: "the input commit".to_owned(),
            origin: CommitOrigin::Input,
        }));
    }
    let Some(facts) = facts else {
        return Ok(None);
    };
    refuse_deleted(facts)?;
    let checkout = open_checkout().ok();
    let branch = facts.release_branch().map_err(TaggingError::from)?;
    if let Some(branch) = &branch
        && let Some(digits) = &branch.commit
    {
        let label = to_printable(&branch.label, SHOWN_LENGTH);
        let named_by = format!("the branch release/{label}");
        return Ok(Some(PromotedCommit {
            commit: complete(checkout.as_ref(), digits, &named_by)?,
            named_by,
            origin: CommitOrigin::ReleaseBranch,
        }));
    }
    let commit = event_commit(facts, checkout.as_ref());
    Ok(commit.map(|commit| PromotedCommit {
        commit: NamedCommit::Whole(commit),
        named_by: event_phrase(facts),
        origin: CommitOrigin::Event,
    }))
}

/// Returns the commit that the event is about. A run may give the object of an annotated tag for it, or
/// none for a ref that the checkout has. Pull requests and `workflow_run` are about another commit than
/// their ref is.
fn event_commit(facts: &EventFacts, checkout: Option<&GitCheckout>) -> Option<CommitId> {
    let is_about_ref = facts.pull_request.is_none() && facts.workflow_run.is_none();
    let git_ref = facts.git_ref.as_ref().filter(|_| is_about_ref);
    let of_ref = || checkout?.resolve_ref(git_ref?).ok();
    let commit = facts.commit.clone().or_else(of_ref)?;
    let peeled = checkout.and_then(|checkout| checkout.peel_to_commit(&commit));
    Some(peeled.unwrap_or(commit))
}

/// Returns the commit of these digits: whole where the checkout has it.
///
/// # Errors
/// Digits that several commits begin with.
fn complete(
    checkout: Option<&GitCheckout>,
    digits: &str,
    named_by: &str,
) -> Result<NamedCommit, Failure> {
    let digits = digits.to_ascii_lowercase();
    let found = checkout.map_or_else(Vec::new, |checkout| checkout.find_commits(&digits));
    match found.as_slice() {
        [] => Ok(match digits.parse() {
            Ok(commit) => NamedCommit::Whole(commit),
            Err(_) => NamedCommit::Abbreviated(digits),
        }),
        [commit] => Ok(NamedCommit::Whole(commit.clone())),
        several => {
            let commits: Vec<_> = several.iter().map(ToString::to_string).collect();
            Err(Failure::refused(format!(
                "{digits}, which {named_by} names, is ambiguous: {} commits begin with it: {}",
                commits.len(),
                commits.join(", ")
            ))
            .with_reason("an abbreviated commit can be two")
            .with_hint("name the branch with more digits of the commit, or give commit or source"))
        }
    }
}

/// Returns what an event is about, for people.
fn event_phrase(facts: &EventFacts) -> String {
    let shown = |name: &str| to_printable(name, SHOWN_LENGTH);
    if let Some(pull_request) = &facts.pull_request {
        return format!("the head of pull request #{}", pull_request.number);
    }
    match (&facts.event, &facts.git_ref) {
        (EventName::WorkflowRun, _) => "the workflow run".to_owned(),
        (_, Some(GitRef::Tag(tag))) => format!("the tag {}", shown(tag)),
        (_, Some(GitRef::Branch(branch))) => format!("the branch {}", shown(branch)),
        (_, Some(GitRef::Pull { number })) => format!("pull request #{number}"),
        (_, Some(GitRef::Other(name))) => format!("the ref {}", shown(name)),
        (_, None) => "the checkout".to_owned(),
    }
}

fn no_version_failure(tag: &str) -> Failure {
    Failure::input(format!(
        "the tag {tag} is not a version, and source is not given"
    ))
    .with_reason(
        "without source a git tag releases the image of its commit under the version that it names",
    )
    .with_hint("trigger the workflow by tags: [\"v*.*.*\"] only, or give version, tags or source")
}

fn no_commit_failure() -> Failure {
    Failure::input("source is not given, and no commit is known to look the image up by")
        .with_reason("neither the event nor a checkout says which commit is promoted")
        .with_hint(
            "give source or commit, or run it in a checkout of the repository that has the ref",
        )
}
