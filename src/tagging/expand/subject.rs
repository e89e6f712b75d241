use jiff::Timestamp;

use crate::event::{EventName, Facts, Workflow};
use crate::image::Commit;
use crate::tagging::{Environment, Mode, Trap};

/// What rules are expanded for.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The event, as a workflow has it.
    pub workflow: Workflow,
    /// The event, as far as it is understood.
    pub facts: Option<Facts>,
    /// The time of the run.
    pub now: Timestamp,
    /// When the commit was made, where that is known.
    pub committed: Option<Timestamp>,
    /// The repository's default branch, where that is known.
    pub default_branch: Option<String>,
    /// The environment that is released to.
    pub environment: Option<Environment>,
    /// How many characters a short SHA has (`DOCKER_METADATA_SHORT_SHA_LENGTH`).
    pub short_sha: Option<String>,
    /// Whether a pull request's SHA is that of its head (`DOCKER_METADATA_PR_HEAD_SHA`).
    pub pull_head: bool,
}

/// The ref and commit that the tags are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) git_ref: String,
    pub(super) sha: String,
}

impl Subject {
    /// A subject of which no more is known than the facts and the time.
    pub fn of(facts: Option<Facts>, now: Timestamp) -> Self {
        Self {
            workflow: facts.as_ref().map(Workflow::of).unwrap_or_default(),
            default_branch: facts
                .as_ref()
                .and_then(|facts| facts.default_branch.clone()),
            facts,
            now,
            committed: None,
            environment: None,
            short_sha: None,
            pull_head: false,
        }
    }

    /// What docker/metadata-action takes the tags to be about.
    pub(super) fn as_given(&self) -> View {
        let Workflow {
            event,
            git_ref,
            sha,
            pull_head,
            ..
        } = &self.workflow;
        let head = pull_head
            .as_ref()
            .filter(|_| self.pull_head && event.contains("pull_request"));
        View {
            git_ref: git_ref.clone(),
            sha: head.unwrap_or(sha).clone(),
        }
    }

    /// What they are about: of a pull request its head, of a `workflow_run` what that workflow ran
    /// on, if it was of this repository.
    pub(super) fn as_meant(&self) -> View {
        let view = self.as_given();
        let Some(facts) = &self.facts else {
            return view;
        };
        let sha = facts.commit.as_ref().map(Commit::to_string);
        match facts.event {
            EventName::PullRequest | EventName::PullRequestTarget => View {
                sha: sha.unwrap_or_default(),
                ..view
            },
            EventName::WorkflowRun => {
                let branch = self.workflow.run_branch.as_ref().zip(sha);
                branch.map_or_else(View::default, |(branch, sha)| View {
                    git_ref: format!("refs/heads/{branch}"),
                    sha,
                })
            }
            _ => view,
        }
    }

    /// The commit that the tags are about.
    pub fn revision(&self, mode: Mode) -> String {
        match mode {
            Mode::Compatible => self.as_given().sha,
            Mode::Strict => self.as_meant().sha,
        }
    }

    /// Why the two views differ.
    pub(super) fn difference(&self) -> Trap {
        match self.facts.as_ref().map(|facts| &facts.event) {
            Some(EventName::WorkflowRun) => Trap::OtherRun,
            _ => Trap::MergeCommit,
        }
    }

    /// Whether the tags are about an image that is built already, of this commit.
    pub(in crate::tagging) fn built_from(&self, commit: Option<&Commit>) -> Self {
        let mut subject = self.clone();
        let sha = commit.map(Commit::to_string);
        subject.workflow.sha = sha.unwrap_or_default();
        subject.pull_head = false;
        if let Some(facts) = &mut subject.facts {
            facts.commit = commit.cloned();
        }
        subject
    }
}

impl View {
    pub(super) fn branch(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/heads/")
    }

    pub(super) fn tag(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/tags/")
    }

    pub(super) fn pull(&self) -> Option<&str> {
        let pull = self.git_ref.strip_prefix("refs/pull/")?;
        Some(pull.strip_suffix("/merge").unwrap_or(pull))
    }
}
