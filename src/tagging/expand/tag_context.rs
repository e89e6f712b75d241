use jiff::Timestamp;

use crate::event::{EventFacts, EventName, WorkflowEvent};
use crate::image::CommitId;
use crate::tagging::{CompatDifference, CompatMode, EnvironmentName};

/// What rules are expanded for.
#[derive(Debug, Clone, PartialEq)]
pub struct TagContext {
    /// The event, as a workflow has it.
    pub workflow: WorkflowEvent,
    /// The event, as far as it is understood.
    pub facts: Option<EventFacts>,
    /// The time of the run.
    pub now: Timestamp,
    /// When the commit was made, where that is known.
    pub commit_time: Option<Timestamp>,
    /// The repository's default branch, where that is known.
    pub default_branch: Option<String>,
    /// The environment that is released to.
    pub environment: Option<EnvironmentName>,
    /// How many characters a short SHA has (`DOCKER_METADATA_SHORT_SHA_LENGTH`).
    pub short_sha: Option<String>,
    /// Whether a pull request's SHA is that of its head (`DOCKER_METADATA_PR_HEAD_SHA`).
    pub uses_pull_head: bool,
}

/// The ref and commit that the tags are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RefView {
    pub(super) git_ref: String,
    pub(super) sha: String,
}

impl TagContext {
    /// A subject of which no more is known than the facts and the time.
    pub fn from_facts(facts: Option<EventFacts>, now: Timestamp) -> Self {
        Self {
            workflow: facts
                .as_ref()
                .map(WorkflowEvent::from_facts)
                .unwrap_or_default(),
            default_branch: facts
                .as_ref()
                .and_then(|facts| facts.default_branch.clone()),
            facts,
            now,
            commit_time: None,
            environment: None,
            short_sha: None,
            uses_pull_head: false,
        }
    }

    /// What docker/metadata-action takes the tags to be about.
    pub(super) fn to_given_view(&self) -> RefView {
        let WorkflowEvent {
            event,
            git_ref,
            sha,
            pull_head,
            ..
        } = &self.workflow;
        let head = pull_head
            .as_ref()
            .filter(|_| self.uses_pull_head && event.contains("pull_request"));
        RefView {
            git_ref: git_ref.clone(),
            sha: head.unwrap_or(sha).clone(),
        }
    }

    /// What they are about: of a pull request its head, of a `workflow_run` what that workflow ran
    /// on, if it was of this repository.
    pub(super) fn to_intended_view(&self) -> RefView {
        let view = self.to_given_view();
        let Some(facts) = &self.facts else {
            return view;
        };
        let sha = facts.commit.as_ref().map(CommitId::to_string);
        match facts.event {
            EventName::PullRequest | EventName::PullRequestTarget => RefView {
                sha: sha.unwrap_or_default(),
                ..view
            },
            EventName::WorkflowRun => {
                let branch = self.workflow.run_branch.as_ref().zip(sha);
                branch.map_or_else(RefView::default, |(branch, sha)| RefView {
                    git_ref: format!("refs/heads/{branch}"),
                    sha,
                })
            }
            _ => view,
        }
    }

    /// The commit that the tags are about.
    pub fn revision(&self, mode: CompatMode) -> String {
        match mode {
            CompatMode::Compatible => self.to_given_view().sha,
            CompatMode::Strict => self.to_intended_view().sha,
        }
    }

    /// Why the two views differ.
    pub(super) fn view_difference(&self) -> CompatDifference {
        match self.facts.as_ref().map(|facts| &facts.event) {
            Some(EventName::WorkflowRun) => CompatDifference::OtherRun,
            _ => CompatDifference::MergeCommit,
        }
    }

    /// Whether the tags are about an image that is built already, of this commit.
    pub(crate) fn for_built_commit(&self, commit: Option<&CommitId>) -> Self {
        let mut subject = self.clone();
        let sha = commit.map(CommitId::to_string);
        subject.workflow.sha = sha.unwrap_or_default();
        subject.uses_pull_head = false;
        if let Some(facts) = &mut subject.facts {
            facts.commit = commit.cloned();
        }
        subject
    }
}

impl RefView {
    pub(super) fn branch(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/heads/")
    }

    pub(super) fn tag(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/tags/")
    }

    pub(super) fn pull_request(&self) -> Option<&str> {
        let pull = self.git_ref.strip_prefix("refs/pull/")?;
        Some(pull.strip_suffix("/merge").unwrap_or(pull))
    }
}
