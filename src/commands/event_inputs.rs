//! The facts that tags are derived from: the runner's event, the checkout, or what the user says.

use std::path::Path;

use super::invocation::Invocation;
use super::local_files::read_file;
use crate::actions::ProcessEnvironment;
use crate::cli::{Input, InputEntry};
use crate::event::{
    EventError, EventFacts, EventInputs as Event, EventName, GitRef, LocalCheckout, WorkflowEvent,
    check_event_name, pull_request_base,
};
use crate::git::{self, GitCheckout, GitError};
use crate::image::CommitId;
use crate::notices::FileLocation;
use crate::release::Failure;

/// The facts; it is an error that there are none.
pub(super) fn find_facts(invocation: &Invocation) -> Result<EventFacts, Failure> {
    let event_override = EventOverride::parse(invocation)?;
    let facts = match event_override.to_facts(&invocation.environment) {
        Some(facts) => facts?,
        None => EventFacts::from_checkout(&open_checkout()?.to_local()),
    };
    with_given_commit(invocation, facts)
}

/// The facts, of the commit that the input names, if it does.
fn with_given_commit(invocation: &Invocation, facts: EventFacts) -> Result<EventFacts, Failure> {
    Ok(match given_commit(invocation)? {
        Some(commit) => EventFacts {
            commit: Some(commit),
            ..facts
        },
        None => facts,
    })
}

/// The commit that the input names.
pub(super) fn given_commit(invocation: &Invocation) -> Result<Option<CommitId>, Failure> {
    match invocation.arguments.is_accepted(Input::Commit) {
        true => Ok(invocation.arguments.value(Input::Commit)?),
        false => Ok(None),
    }
}

/// The facts, where there is an event or a checkout.
pub(super) fn find_optional_facts(invocation: &Invocation) -> Result<Option<EventFacts>, Failure> {
    let event_override = EventOverride::parse(invocation)?;
    let facts = match event_override.to_facts(&invocation.environment) {
        Some(facts) => Some(facts?),
        None => match open_checkout() {
            Ok(checkout) => Some(EventFacts::from_checkout(&checkout.to_local())),
            Err(error) => {
                invocation
                    .log
                    .info(&format!("no event and no checkout to go by: {error}"));
                None
            }
        },
    };
    let facts = facts.map(|facts| with_given_commit(invocation, facts));
    facts.transpose()
}

/// The event in the words of a workflow; `facts` are what was found of it.
pub(super) fn to_workflow_event(
    invocation: &Invocation,
    facts: Option<&EventFacts>,
) -> Result<WorkflowEvent, Failure> {
    let event_override = EventOverride::parse(invocation)?;
    let environment = &invocation.environment;
    let workflow = match &event_override.event {
        None if event_override.git_ref.is_none() && environment.is_in_runner() => {
            of_job(environment)?
        }
        Some(event) => event.to_workflow_event(facts),
        None => facts.map(WorkflowEvent::from_facts).unwrap_or_default(),
    };
    Ok(match given_commit(invocation)? {
        Some(commit) => WorkflowEvent {
            sha: commit.to_string(),
            pull_head: workflow.pull_head.as_ref().map(|_| commit.to_string()),
            ..workflow
        },
        None => workflow,
    })
}

/// The event that this job runs for, whatever the inputs say it is.
pub(super) fn of_job(environment: &ProcessEnvironment) -> Result<WorkflowEvent, Failure> {
    let payload = environment.get("GITHUB_EVENT_PATH").map(PayloadFile::load);
    let payload = payload.transpose()?;
    Ok(WorkflowEvent::parse(&Event {
        payload: payload.as_ref().map(|payload| payload.bytes.as_slice()),
        ..runner_inputs(environment)
    }))
}

/// What the inputs `ref` and `event` say.
#[derive(Debug, Default, PartialEq, Eq)]
struct EventOverride {
    git_ref: Option<GitRef>,
    event: Option<SimulatedEvent>,
}

#[derive(Debug, PartialEq, Eq)]
struct SimulatedEvent {
    name: String,
    payload: Option<PayloadFile>,
}

/// An event's payload, with the path for messages.
#[derive(Debug, PartialEq, Eq)]
struct PayloadFile {
    path: String,
    bytes: Vec<u8>,
}

impl EventOverride {
    fn parse(invocation: &Invocation) -> Result<Self, Failure> {
        if !invocation.arguments.is_accepted(Input::Event) {
            return Ok(Self::default());
        }
        let event = invocation.arguments.entries(Input::Event).first();
        let event = event.map(|entry| SimulatedEvent::parse(invocation, entry));
        Ok(Self {
            git_ref: parse_git_ref(invocation)?,
            event: event.transpose()?,
        })
    }

    /// What is said, else what the runner says; none where only a checkout could say something.
    fn to_facts(&self, environment: &ProcessEnvironment) -> Option<Result<EventFacts, Failure>> {
        match (&self.event, &self.git_ref) {
            (Some(event), _) => Some(self.facts_of_event(event, environment)),
            (None, Some(git_ref)) => Some(Ok(EventFacts::from_checkout(&local_checkout_at(
                git_ref.clone(),
                environment,
            )))),
            (None, None) => environment
                .is_in_runner()
                .then(|| runner_facts(environment)),
        }
    }

    /// The facts of an event that is said to have happened; the runner or the checkout gives what
    /// is not said.
    fn facts_of_event(
        &self,
        event: &SimulatedEvent,
        environment: &ProcessEnvironment,
    ) -> Result<EventFacts, Failure> {
        let here = match (&self.git_ref, &event.payload) {
            (Some(git_ref), _) => local_checkout_at(git_ref.clone(), environment),
            (None, None) => local_checkout(environment),
            // The payload says which ref and commit it is about, and those here are others.
            (None, Some(_)) => LocalCheckout {
                repository: local_checkout(environment).repository,
                ..LocalCheckout::default()
            },
        };
        let git_ref = here.git_ref.map(|git_ref| git_ref.to_string());
        parse_facts(
            &Event {
                name: &event.name,
                git_ref: git_ref.as_deref(),
                sha: here.commit.as_ref().map(CommitId::as_str),
                repository: here.repository.as_deref(),
                payload: None,
            },
            event.payload.as_ref(),
        )
    }
}

impl SimulatedEvent {
    fn to_workflow_event(&self, facts: Option<&EventFacts>) -> WorkflowEvent {
        let git_ref = facts.and_then(|facts| facts.git_ref.as_ref());
        let git_ref = git_ref.map(ToString::to_string);
        let commit = facts.and_then(|facts| facts.commit.as_ref());
        WorkflowEvent::parse(&Event {
            name: &self.name,
            git_ref: git_ref.as_deref(),
            sha: commit.map(CommitId::as_str),
            repository: None,
            payload: self
                .payload
                .as_ref()
                .map(|payload| payload.bytes.as_slice()),
        })
    }

    fn parse(invocation: &Invocation, entry: &InputEntry) -> Result<Self, Failure> {
        let (name, file) = match entry.text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (entry.text.as_str(), None),
        };
        check_event_name(name).map_err(|reason| {
            let arguments = &invocation.arguments;
            arguments.entry_error(Input::Event, entry, reason)
        })?;
        Ok(Self {
            name: name.to_owned(),
            payload: file.map(PayloadFile::load).transpose()?,
        })
    }
}

impl PayloadFile {
    fn load(path: &str) -> Result<Self, Failure> {
        let bytes = read_file(Path::new(path)).map_err(|error| {
            Failure::input(format!("the event file {path} {error:#}"))
                .at_file(FileLocation::new(path))
        })?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }
}

/// A full ref: `main` could be a branch or a tag.
fn parse_git_ref(invocation: &Invocation) -> Result<Option<GitRef>, Failure> {
    let Some(entry) = invocation.arguments.entries(Input::Ref).first() else {
        return Ok(None);
    };
    let text = entry.text.as_str();
    if !text.starts_with("refs/") {
        let reason =
            "is not a full ref: write refs/heads/NAME for a branch, refs/tags/NAME for a tag";
        return Err(invocation
            .arguments
            .entry_error(Input::Ref, entry, reason)
            .into());
    }
    Ok(Some(GitRef::from(text)))
}

/// Whether this job runs for a pull request of a fork, with the rights of the fork.
pub(super) fn is_from_fork(environment: &ProcessEnvironment) -> bool {
    let facts = environment
        .is_in_runner()
        .then(|| runner_facts(environment));
    let facts = facts.and_then(Result::ok);
    facts.is_some_and(|facts| {
        let pull_request = facts.pull_request.as_ref();
        facts.event == EventName::PullRequest
            && pull_request.is_some_and(|pull_request| !pull_request.same_repository)
    })
}

/// Returns the commit of the base, of a run for a pull request; `None` if the event does not name it.
///
/// # Errors
/// An event file that cannot be read.
pub(super) fn base_of_pull_request(
    environment: &ProcessEnvironment,
) -> Result<Option<CommitId>, Failure> {
    let Some(path) = environment.get("GITHUB_EVENT_PATH") else {
        return Ok(None);
    };
    let payload = PayloadFile::load(path)?;
    pull_request_base(&payload.bytes).map_err(|error| {
        Failure::input(error.to_string())
            .with_reason(format!("the event file is {path}"))
            .at_file(FileLocation::new(path))
    })
}

/// Returns the facts of the event that this job runs for.
///
/// # Errors
/// An event that cannot be read.
pub(super) fn runner_facts(environment: &ProcessEnvironment) -> Result<EventFacts, Failure> {
    let payload = environment.get("GITHUB_EVENT_PATH").map(PayloadFile::load);
    parse_facts(&runner_inputs(environment), payload.transpose()?.as_ref())
}

fn runner_inputs(environment: &ProcessEnvironment) -> Event<'_> {
    Event {
        name: environment.get("GITHUB_EVENT_NAME").unwrap_or_default(),
        git_ref: environment.get("GITHUB_REF"),
        sha: environment.get("GITHUB_SHA"),
        repository: environment.get("GITHUB_REPOSITORY"),
        payload: None,
    }
}

fn parse_facts(event: &Event<'_>, payload: Option<&PayloadFile>) -> Result<EventFacts, Failure> {
    let event = Event {
        payload: payload.map(|payload| payload.bytes.as_slice()),
        ..*event
    };
    EventFacts::parse(&event).map_err(|error| {
        let failure = Failure::input(error.to_string());
        match (payload, error) {
            (_, EventError::NoName | EventError::Sha) | (None, _) => failure,
            (Some(payload), error) => {
                let position = match error {
                    EventError::NotJson { line, column, .. } => Some((line, column.max(1))),
                    _ => None,
                };
                let location = FileLocation {
                    path: payload.path.clone(),
                    position,
                };
                failure
                    .with_reason(format!("the event file is {}", payload.path))
                    .at_file(location)
            }
        }
    })
}

/// What is here: in a runner its ref and commit, else the checkout's, as far as there is one.
fn local_checkout(environment: &ProcessEnvironment) -> LocalCheckout {
    if !environment.is_in_runner() {
        return open_checkout()
            .map_or_else(|_| LocalCheckout::default(), |checkout| checkout.to_local());
    }
    let text = |name| environment.get(name);
    LocalCheckout {
        git_ref: text("GITHUB_REF").map(GitRef::from),
        commit: text("GITHUB_SHA").and_then(|sha| sha.parse().ok()),
        tags: Vec::new(),
        detached_at: None,
        repository: text("GITHUB_REPOSITORY").map(str::to_owned),
    }
}

/// What is known here of a ref; the checkout alone can say its commit.
fn local_checkout_at(git_ref: GitRef, environment: &ProcessEnvironment) -> LocalCheckout {
    match open_checkout() {
        Ok(checkout) => checkout.to_local_at(git_ref),
        Err(_) => LocalCheckout {
            git_ref: Some(git_ref),
            commit: None,
            ..local_checkout(environment)
        },
    }
}

pub(super) fn open_checkout() -> Result<GitCheckout, GitError> {
    git::checkout(Path::new("."))
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        let failure = Self::input(error.to_string());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests;
