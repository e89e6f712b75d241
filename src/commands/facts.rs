//! The facts that tags are derived from: the runner's event, the checkout, or what the user says.

use std::path::Path;

use super::Given;
use crate::actions::Environment;
use crate::event::{EventError, Facts, GitRef, Given as Event, Local, Workflow};
use crate::git::{self, Checkout, GitError};
use crate::image::Commit;
use crate::release::Failure;

/// The facts; it is an error that there are none.
pub(super) fn find(given: &Given) -> Result<Facts, Failure> {
    let said = Said::read(given)?;
    match said.facts(&given.environment) {
        Some(facts) => facts,
        None => Ok(Facts::local(&checkout()?.local())),
    }
}

/// The facts, where there is an event or a checkout.
pub(super) fn find_if_any(given: &Given) -> Result<Option<Facts>, Failure> {
    let said = Said::read(given)?;
    match said.facts(&given.environment) {
        Some(facts) => facts.map(Some),
        None => Ok(match checkout() {
            Ok(checkout) => Some(Facts::local(&checkout.local())),
            Err(error) => {
                given
                    .log
                    .info(&format!("no event and no checkout to go by: {error}"));
                None
            }
        }),
    }
}

/// The event in the words of a workflow; `facts` are what was found of it.
pub(super) fn workflow(given: &Given, facts: Option<&Facts>) -> Result<Workflow, Failure> {
    let said = Said::read(given)?;
    let environment = &given.environment;
    match &said.event {
        None if said.git_ref.is_none() && environment.in_runner() => of_job(environment),
        Some(event) => Ok(event.workflow(facts)),
        None => Ok(facts.map(Workflow::of).unwrap_or_default()),
    }
}

/// The event that this job runs for, whatever the inputs say it is.
pub(super) fn of_job(environment: &Environment) -> Result<Workflow, Failure> {
    let payload = environment.get("GITHUB_EVENT_PATH").map(Payload::read);
    let payload = payload.transpose()?;
    Ok(Workflow::read(&Event {
        payload: payload.as_ref().map(|payload| payload.bytes.as_slice()),
        ..runner(environment)
    }))
}

/// What the inputs `ref` and `event` say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    git_ref: Option<GitRef>,
    event: Option<SaidEvent>,
}

#[derive(Debug, PartialEq, Eq)]
struct SaidEvent {
    name: String,
    payload: Option<Payload>,
}

/// An event's payload, with the path for messages.
#[derive(Debug, PartialEq, Eq)]
struct Payload {
    path: String,
    bytes: Vec<u8>,
}

impl Said {
    fn read(given: &Given) -> Result<Self, Failure> {
        if !given.arguments.takes("event") {
            return Ok(Self::default());
        }
        let event = given.arguments.text("event");
        Ok(Self {
            git_ref: git_ref(given)?,
            event: event.map(SaidEvent::read).transpose()?,
        })
    }

    /// What is said, else what the runner says; none where only a checkout could say something.
    fn facts(&self, environment: &Environment) -> Option<Result<Facts, Failure>> {
        match (&self.event, &self.git_ref) {
            (Some(event), _) => Some(self.as_event(event, environment)),
            (None, Some(git_ref)) => {
                Some(Ok(Facts::local(&local_at(git_ref.clone(), environment))))
            }
            (None, None) => environment.in_runner().then(|| in_runner(environment)),
        }
    }

    /// The facts of an event that is said to have happened; the runner or the checkout gives what
    /// is not said.
    fn as_event(&self, event: &SaidEvent, environment: &Environment) -> Result<Facts, Failure> {
        let here = match (&self.git_ref, &event.payload) {
            (Some(git_ref), _) => local_at(git_ref.clone(), environment),
            (None, None) => local(environment),
            // The payload says which ref and commit it is about, and those here are others.
            (None, Some(_)) => Local {
                repository: local(environment).repository,
                ..Local::default()
            },
        };
        let git_ref = here.git_ref.map(|git_ref| git_ref.to_string());
        facts(
            &Event {
                name: &event.name,
                git_ref: git_ref.as_deref(),
                sha: here.commit.as_ref().map(Commit::as_str),
                repository: here.repository.as_deref(),
                payload: None,
            },
            event.payload.as_ref(),
        )
    }
}

impl SaidEvent {
    fn workflow(&self, facts: Option<&Facts>) -> Workflow {
        let git_ref = facts.and_then(|facts| facts.git_ref.as_ref());
        let git_ref = git_ref.map(ToString::to_string);
        let commit = facts.and_then(|facts| facts.commit.as_ref());
        Workflow::read(&Event {
            name: &self.name,
            git_ref: git_ref.as_deref(),
            sha: commit.map(Commit::as_str),
            repository: None,
            payload: self
                .payload
                .as_ref()
                .map(|payload| payload.bytes.as_slice()),
        })
    }

    fn read(text: &str) -> Result<Self, Failure> {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (text, None),
        };
        Ok(Self {
            name: name.to_owned(),
            payload: file.map(Payload::read).transpose()?,
        })
    }
}

impl Payload {
    fn read(path: &str) -> Result<Self, Failure> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Self {
                path: path.to_owned(),
                bytes,
            }),
            Err(error) => Err(Failure::input(format!(
                "the event file {path} cannot be read: {error}"
            ))),
        }
    }
}

/// A full ref: `main` could be a branch or a tag.
fn git_ref(given: &Given) -> Result<Option<GitRef>, Failure> {
    let Some(entry) = given.arguments.entries("ref").first() else {
        return Ok(None);
    };
    let text = entry.text.as_str();
    if !text.starts_with("refs/") {
        let reason = "is no full ref: write refs/heads/NAME for a branch, refs/tags/NAME for a tag";
        return Err(given.arguments.wrong("ref", entry, reason).into());
    }
    Ok(Some(GitRef::from(text)))
}

fn in_runner(environment: &Environment) -> Result<Facts, Failure> {
    let payload = environment.get("GITHUB_EVENT_PATH").map(Payload::read);
    facts(&runner(environment), payload.transpose()?.as_ref())
}

fn runner(environment: &Environment) -> Event<'_> {
    Event {
        name: environment.get("GITHUB_EVENT_NAME").unwrap_or_default(),
        git_ref: environment.get("GITHUB_REF"),
        sha: environment.get("GITHUB_SHA"),
        repository: environment.get("GITHUB_REPOSITORY"),
        payload: None,
    }
}

fn facts(event: &Event<'_>, payload: Option<&Payload>) -> Result<Facts, Failure> {
    let event = Event {
        payload: payload.map(|payload| payload.bytes.as_slice()),
        ..*event
    };
    Facts::read(&event).map_err(|error| {
        let failure = Failure::input(error.to_string());
        match (payload, error) {
            (_, EventError::NoName | EventError::Sha) | (None, _) => failure,
            (Some(payload), _) => failure.why(format!("the event file is {}", payload.path)),
        }
    })
}

/// What is here: in a runner its ref and commit, else the checkout's, as far as there is one.
fn local(environment: &Environment) -> Local {
    if !environment.in_runner() {
        return checkout().map_or_else(|_| Local::default(), |checkout| checkout.local());
    }
    let text = |name| environment.get(name);
    Local {
        git_ref: text("GITHUB_REF").map(GitRef::from),
        commit: text("GITHUB_SHA").and_then(|sha| sha.parse().ok()),
        tags: Vec::new(),
        repository: text("GITHUB_REPOSITORY").map(str::to_owned),
    }
}

/// What is known here of a ref; the checkout alone can say its commit.
fn local_at(git_ref: GitRef, environment: &Environment) -> Local {
    match checkout() {
        Ok(checkout) => checkout.local_at(git_ref),
        Err(_) => Local {
            git_ref: Some(git_ref),
            commit: None,
            ..local(environment)
        },
    }
}

pub(super) fn checkout() -> Result<Checkout, GitError> {
    git::checkout(Path::new("."))
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        let failure = Self::input(error.to_string());
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests;
