//! The commit of a promotion without a source: the one that the input `commit` names, else the event's or
//! the checkout's.

use super::event_inputs::{given_commit, open_checkout};
use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::naming_inputs::{SearchedTags, searched_tags};
use super::unreleasable_event::refuse_unreleasable_event;
use crate::event::{EventFacts, EventName, GitRef};
use crate::git::GitCheckout;
use crate::image::Destination;
use crate::image::{CommitId, ImageSource, NamedCommit};
use crate::notices::to_printable;
use crate::policy::EnvironmentRules;
use crate::release::{Failure, SourceLookup};
use crate::tagging::{TaggingError, refuse_deleted, released_tag_without_version};

/// Longest part of a name that is shown, in characters.
const SHOWN_LENGTH: usize = 80;

/// Commit whose image is promoted, for the searches of a run.
pub(super) struct SoughtCommit<'a> {
    invocation: &'a Invocation,
    facts: Option<&'a EventFacts>,
    /// The environment of the policy that is released to.
    stage: Option<(&'a EnvironmentRules, &'a LoadedPolicy)>,
    /// Whether the event is to name the version: neither `version` nor rules do.
    needs_version: bool,
    /// What is found, once it was asked for.
    found: Option<FoundCommit>,
}

/// A commit, what names it, and the SHA tags that its image may have.
struct FoundCommit {
    commit: NamedCommit,
    named_by: String,
    searched: SearchedTags,
}

impl<'a> SoughtCommit<'a> {
    pub(super) fn new(
        invocation: &'a Invocation,
        facts: Option<&'a EventFacts>,
        stage: Option<(&'a EnvironmentRules, &'a LoadedPolicy)>,
        needs_version: bool,
    ) -> Self {
        Self {
            invocation,
            facts,
            stage,
            needs_version,
            found: None,
        }
    }

    /// Returns the search in a place, and its first candidate.
    ///
    /// # Errors
    /// No commit is known, or too few of its digits for the tags of an environment.
    pub(super) fn lookup_in(
        &mut self,
        place: Destination,
    ) -> Result<(ImageSource, Option<SourceLookup>), Failure> {
        let found = match self.found.take() {
            Some(found) => found,
            None => self.find()?,
        };
        let FoundCommit {
            commit,
            named_by,
            searched,
        } = self.found.insert(found);
        let lookup = SourceLookup {
            commit: commit.clone(),
            named_by: named_by.clone(),
            place,
            form: searched.form.clone(),
            tags: searched.tags.clone(),
            found: None,
        };
        match searched.tags.first() {
            Some(tag) => Ok((lookup.image(tag), Some(lookup))),
            None => Err(abbreviated_failure(&lookup)),
        }
    }

    fn find(&self) -> Result<FoundCommit, Failure> {
        let (commit, named_by) = self.find_commit()?;
        self.require_version()?;
        let (stage, policy) = self.stage.unzip();
        Ok(FoundCommit {
            searched: searched_tags(self.invocation, stage, policy, &commit)?,
            commit,
            named_by,
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

    fn find_commit(&self) -> Result<(NamedCommit, String), Failure> {
        // Also where a release branch names the commit: its pull request may not be merged.
        if let Some(facts) = self.facts
            && given_commit(self.invocation)?.is_none()
        {
            refuse_unreleasable_event(facts)?;
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
) -> Result<Option<(NamedCommit, String)>, Failure> {
    if let Some(commit) = given_commit(invocation)? {
        return Ok(Some((
            NamedCommit::Whole(commit),
            "the input commit".to_owned(),
        )));
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
        let commit = complete(checkout.as_ref(), digits);
        return Ok(Some((commit, format!("the branch release/{label}"))));
    }
    let commit = event_commit(facts, checkout.as_ref());
    Ok(commit.map(|commit| (NamedCommit::Whole(commit), event_phrase(facts))))
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
fn complete(checkout: Option<&GitCheckout>, digits: &str) -> NamedCommit {
    let digits = digits.to_ascii_lowercase();
    let whole = checkout.and_then(|checkout| checkout.find_commit(&digits));
    match whole.or_else(|| digits.parse().ok()) {
        Some(commit) => NamedCommit::Whole(commit),
        None => NamedCommit::Abbreviated(digits),
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

fn abbreviated_failure(lookup: &SourceLookup) -> Failure {
    let SourceLookup {
        commit,
        named_by,
        place,
        ..
    } = lookup;
    let environment = lookup
        .form
        .as_ref()
        .map(|form| form.environment.to_string());
    let environment = environment.unwrap_or_default();
    Failure::input(format!(
        "the commit {commit}, which {named_by} names, has fewer digits than the SHA tags in {place}"
    ))
    .with_reason(format!(
        "the rule of {environment} spells them, and no checkout here has the whole commit"
    ))
    .with_hint("check the repository out before this step, with fetch-depth: 0, or give source")
}
