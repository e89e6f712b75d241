use super::payload::{self, EventPayload};
use super::{EventError, EventName, GitRef};
use crate::image::CommitId;

/// Values that the runner, or the command line, gives for the event. Empty text counts as none.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventInputs<'a> {
    /// `GITHUB_EVENT_NAME`
    pub name: &'a str,
    /// `GITHUB_REF`, a full ref. It goes before what the payload says.
    pub git_ref: Option<&'a str>,
    /// `GITHUB_SHA`
    pub sha: Option<&'a str>,
    /// `GITHUB_REPOSITORY`, `owner/name`
    pub repository: Option<&'a str>,
    /// The JSON text of the file that `GITHUB_EVENT_PATH` names.
    pub payload: Option<&'a [u8]>,
}

/// Facts about the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFacts {
    /// Which event it is. A checkout outside a runner counts as a push.
    pub event: EventName,
    /// The ref it is about; for `delete`, and a push that deletes, the ref that is gone.
    pub git_ref: Option<GitRef>,
    /// The commit it is about: a pull request's head, never its merge commit; none where a ref was
    /// deleted, where `GITHUB_SHA` is the default branch's.
    pub commit: Option<CommitId>,
    /// Whether a ref was deleted.
    pub deleted: bool,
    /// The release, of a `release` event.
    pub release: Option<GithubRelease>,
    /// The pull request, of a `pull_request` or `pull_request_target` event.
    pub pull_request: Option<PullRequestFacts>,
    /// The pull request that the commit of a push merged, where the event does not tell it and GitHub does.
    pub merged_pull_request: Option<MergedPullRequest>,
    /// The other run, of a `workflow_run` event.
    pub workflow_run: Option<WorkflowRunFacts>,
    /// The repository's default branch.
    pub default_branch: Option<String>,
    /// The repository, `owner/name`.
    pub repository: Option<String>,
    /// What was defaulted or could not be found out on the way to these facts. May hold text from
    /// outside, made printable.
    pub notes: Vec<String>,
}

/// The release of a `release` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubRelease {
    /// The git tag it is made from.
    pub tag: Option<String>,
    /// Whether it is marked as a pre-release.
    pub prerelease: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// What happened to it: `published`, `created`, …; none without a payload.
    pub action: Option<String>,
}

/// The pull request of a `pull_request` or `pull_request_target` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequestFacts {
    /// Its number.
    pub number: u64,
    /// The branch it comes from. In a fork anybody chooses its name.
    pub head_ref: Option<String>,
    /// The newest commit of that branch.
    pub head_commit: Option<CommitId>,
    /// The branch it goes to.
    pub base_ref: Option<String>,
    /// The commit of that branch that the pull request is compared with.
    pub base_commit: Option<CommitId>,
    /// Whether both branches are in one repository. False where that cannot be told, as with a
    /// fork that was deleted.
    pub same_repository: bool,
    /// Whether it has been merged.
    pub merged: bool,
}

/// The pull request of one repository that a commit merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedPullRequest {
    /// Its number.
    pub number: u64,
    /// The branch that it came from.
    pub head_ref: String,
    /// The newest commit of that branch.
    pub head_commit: Option<CommitId>,
}

/// The other workflow's run, of a `workflow_run` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRunFacts {
    /// The event that it ran for.
    pub event: Option<String>,
    /// How it ended: `success`, `failure`, …; none before it ended.
    pub conclusion: Option<String>,
    /// The repository of its commit, `owner/name`.
    pub head_repository: Option<String>,
    /// The branch that it ran on, without `refs/heads/`; of a run for a tag the tag's name.
    pub head_branch: Option<String>,
    /// The commit that it ran on, if that is one of this repository.
    pub commit: Option<CommitId>,
    /// Whether its commit is of this repository. False where that cannot be told.
    pub same_repository: bool,
}

impl EventFacts {
    /// Parses the values of the runner.
    ///
    /// # Errors
    /// No event's name, a payload that is no JSON object, a field of a wrong type among those the
    /// event is known to have, or a `GITHUB_SHA` that is no commit.
    pub fn parse(given: &EventInputs<'_>) -> Result<Self, EventError> {
        if given.name.is_empty() {
            return Err(EventError::NoName);
        }
        let reading = ParsedEvent {
            event: EventName::from(given.name),
            git_ref: non_empty(given.git_ref).map(GitRef::from),
            sha: match non_empty(given.sha) {
                Some(sha) => payload::parse_commit(sha).map_err(|()| EventError::Sha)?,
                None => None,
            },
            payload: match given.payload {
                Some(bytes) => EventPayload::parse(bytes)?,
                None => EventPayload::default(),
            },
        };
        reading.to_facts(non_empty(given.repository))
    }

    /// Facts that say nothing but the event.
    pub(super) fn new(event: EventName) -> Self {
        Self {
            event,
            git_ref: None,
            commit: None,
            deleted: false,
            release: None,
            pull_request: None,
            merged_pull_request: None,
            workflow_run: None,
            default_branch: None,
            repository: None,
            notes: Vec::new(),
        }
    }
}

fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// [`EventInputs`], parsed.
struct ParsedEvent {
    event: EventName,
    git_ref: Option<GitRef>,
    sha: Option<CommitId>,
    payload: EventPayload,
}

impl ParsedEvent {
    fn to_facts(&self, repository: Option<&str>) -> Result<EventFacts, EventError> {
        let payload = &self.payload;
        let pull_request = self.pull_request()?;
        let workflow_run = self.workflow_run()?;
        let deleted = self.is_deleted()?;
        let repository = match repository {
            Some(name) => Some(name),
            None => payload.text_at("repository.full_name")?,
        };
        Ok(EventFacts {
            git_ref: self.git_ref()?,
            commit: if deleted {
                None
            } else {
                self.commit(pull_request.as_ref(), workflow_run.as_ref())?
            },
            deleted,
            release: self.release()?,
            pull_request,
            merged_pull_request: None,
            workflow_run,
            default_branch: payload
                .text_at("repository.default_branch")?
                .map(str::to_owned),
            repository: repository.map(str::to_owned),
            ..EventFacts::new(self.event.clone())
        })
    }

    fn git_ref(&self) -> Result<Option<GitRef>, EventError> {
        // GITHUB_REF is the default branch there; the payload has the ref that is gone.
        if self.event == EventName::Delete {
            return self.named_ref();
        }
        match &self.git_ref {
            Some(git_ref) => Ok(Some(git_ref.clone())),
            None => self.payload_ref(),
        }
    }

    fn payload_ref(&self) -> Result<Option<GitRef>, EventError> {
        let payload = &self.payload;
        Ok(match self.event {
            EventName::Push | EventName::WorkflowDispatch => {
                payload.text_at("ref")?.map(GitRef::from)
            }
            EventName::Release => payload
                .text_at("release.tag_name")?
                .map(|tag| GitRef::Tag(tag.to_owned())),
            EventName::PullRequest => self.pull_number()?.map(|number| GitRef::Pull { number }),
            EventName::MergeGroup => payload.text_at("merge_group.head_ref")?.map(GitRef::from),
            EventName::Create => self.named_ref()?,
            _ => None,
        })
    }

    /// The ref of `create` and `delete`, a bare name with its type beside it.
    fn named_ref(&self) -> Result<Option<GitRef>, EventError> {
        let name = self.payload.text_at("ref")?.map(str::to_owned);
        Ok(match (self.payload.text_at("ref_type")?, name) {
            (Some("branch"), Some(name)) => Some(GitRef::Branch(name)),
            (Some("tag"), Some(name)) => Some(GitRef::Tag(name)),
            _ => None,
        })
    }

    fn is_deleted(&self) -> Result<bool, EventError> {
        match self.event {
            EventName::Delete => Ok(true),
            EventName::Push => self.payload.flag_at("deleted"),
            _ => Ok(false),
        }
    }

    fn commit(
        &self,
        pull_request: Option<&PullRequestFacts>,
        workflow_run: Option<&WorkflowRunFacts>,
    ) -> Result<Option<CommitId>, EventError> {
        match self.event {
            // GITHUB_SHA is a merge commit there, or the default branch's.
            EventName::PullRequest | EventName::PullRequestTarget => {
                Ok(pull_request.and_then(|pull_request| pull_request.head_commit.clone()))
            }
            EventName::WorkflowRun => Ok(workflow_run.and_then(|run| run.commit.clone())),
            _ if self.sha.is_some() => self.peeled_commit(),
            EventName::Push => self.pushed_commit(),
            EventName::MergeGroup => self.payload.commit_at("merge_group.head_sha"),
            _ => Ok(None),
        }
    }

    /// The commit that is given, or, where that is the object of an annotated tag, the commit which
    /// the payload says it leads to.
    fn peeled_commit(&self) -> Result<Option<CommitId>, EventError> {
        let payload_ref = self.payload_ref()?;
        let is_pushed_tag = self.event == EventName::Push
            && matches!(payload_ref, Some(GitRef::Tag(_)))
            && self
                .git_ref
                .as_ref()
                .is_none_or(|git_ref| Some(git_ref) == payload_ref.as_ref());
        if is_pushed_tag && self.payload.commit_at("after")? == self.sha {
            let commit = self.payload.commit_at("head_commit.id")?;
            return Ok(commit.or_else(|| self.sha.clone()));
        }
        Ok(self.sha.clone())
    }

    /// The pushed commit, if the payload is about the ref in question. `after` is not used for
    /// tags: of an annotated one it is the tag's own object.
    fn pushed_commit(&self) -> Result<Option<CommitId>, EventError> {
        let payload_ref = self.payload_ref()?;
        if self.git_ref.is_some() && self.git_ref != payload_ref {
            return Ok(None);
        }
        match self.payload.commit_at("head_commit.id")? {
            None if matches!(payload_ref, Some(GitRef::Branch(_))) => {
                self.payload.commit_at("after")
            }
            commit => Ok(commit),
        }
    }

    fn workflow_run(&self) -> Result<Option<WorkflowRunFacts>, EventError> {
        if self.event != EventName::WorkflowRun {
            return Ok(None);
        }
        let payload = &self.payload;
        let head_repository = "workflow_run.head_repository.full_name";
        let same_repository = self.is_same_repository(
            ("workflow_run.head_repository.id", "repository.id"),
            (head_repository, "repository.full_name"),
        )?;
        let commit = payload.commit_at("workflow_run.head_sha")?;
        Ok(Some(WorkflowRunFacts {
            event: payload.text_at("workflow_run.event")?.map(str::to_owned),
            conclusion: payload
                .text_at("workflow_run.conclusion")?
                .map(str::to_owned),
            head_repository: payload.text_at(head_repository)?.map(str::to_owned),
            head_branch: payload
                .text_at("workflow_run.head_branch")?
                .map(str::to_owned),
            commit: commit.filter(|_| same_repository),
            same_repository,
        }))
    }

    fn release(&self) -> Result<Option<GithubRelease>, EventError> {
        if self.event != EventName::Release {
            return Ok(None);
        }
        let payload = &self.payload;
        let tag = match &self.git_ref {
            Some(GitRef::Tag(tag)) => Some(tag.as_str()),
            _ => payload.text_at("release.tag_name")?,
        };
        Ok(Some(GithubRelease {
            tag: tag.map(str::to_owned),
            prerelease: payload.flag_at("release.prerelease")?,
            draft: payload.flag_at("release.draft")?,
            action: payload.text_at("action")?.map(str::to_owned),
        }))
    }

    fn pull_number(&self) -> Result<Option<u64>, EventError> {
        if let Some(number) = self.payload.number_at("number")? {
            return Ok(Some(number));
        }
        if let Some(number) = self.payload.number_at("pull_request.number")? {
            return Ok(Some(number));
        }
        Ok(match self.git_ref {
            Some(GitRef::Pull { number }) => Some(number),
            _ => None,
        })
    }

    fn pull_request(&self) -> Result<Option<PullRequestFacts>, EventError> {
        let about_pulls = [EventName::PullRequest, EventName::PullRequestTarget];
        if !about_pulls.contains(&self.event) {
            return Ok(None);
        }
        let Some(number) = self.pull_number()? else {
            return Ok(None);
        };
        let payload = &self.payload;
        Ok(Some(PullRequestFacts {
            number,
            head_ref: payload.text_at("pull_request.head.ref")?.map(str::to_owned),
            head_commit: payload.commit_at("pull_request.head.sha")?,
            base_ref: payload.text_at("pull_request.base.ref")?.map(str::to_owned),
            base_commit: payload.commit_at("pull_request.base.sha")?,
            same_repository: self.is_same_repository(
                ("pull_request.head.repo.id", "pull_request.base.repo.id"),
                (
                    "pull_request.head.repo.full_name",
                    "pull_request.base.repo.full_name",
                ),
            )?,
            merged: payload.flag_at("pull_request.merged")?,
        }))
    }

    /// Whether both sides are one repository: by id and by name, as far as the payload has both,
    /// and by one of the two at least.
    fn is_same_repository(
        &self,
        ids: (&'static str, &'static str),
        names: (&'static str, &'static str),
    ) -> Result<bool, EventError> {
        let ids = (
            self.payload.number_at(ids.0)?,
            self.payload.number_at(ids.1)?,
        );
        let names = (
            self.payload.text_at(names.0)?,
            self.payload.text_at(names.1)?,
        );
        let same_id = ids.0.zip(ids.1).map(|(head, base)| head == base);
        let same_name = names.0.zip(names.1).map(|(head, base)| head == base);
        Ok(match (same_id, same_name) {
            (Some(id), Some(name)) => id && name,
            (one, other) => one.or(other).unwrap_or(false),
        })
    }
}
