//! What rules are expanded for: the event, the time, and what the repository is called.

use std::path::Path;

use jiff::Timestamp;

use super::invocation::Invocation;
use super::{event_inputs, github_inputs};
use crate::cli::Input;
use crate::event::{EventFacts, GitRef, LocalCheckout, RepositoryDetails, WorkflowEvent};
use crate::git::{self, GitCheckout};
use crate::github::GithubApi;
use crate::image::CommitId;
use crate::release::Failure;
use crate::tagging::{CompatMode, EnvironmentName, NamedRelease, TagContext, TagRuleSet};

/// Everything that rules can be about.
pub(super) struct TagInputContext {
    pub(super) context: TagContext,
    pub(super) repository: RepositoryDetails,
}

/// Finds it out: the event says first, then the checkout, then the API, which is asked only for
/// what is needed.
pub(super) async fn collect_context(
    invocation: &Invocation,
    rules: &TagRuleSet,
    facts: Option<EventFacts>,
    workflow: WorkflowEvent,
    further_templates: &str,
) -> Result<TagInputContext, Failure> {
    let variable = |name| invocation.environment.get(name).map(str::to_owned);
    let head = variable("DOCKER_METADATA_PR_HEAD_SHA").unwrap_or_default();
    let subject = TagContext {
        now: run_time(invocation)?,
        commit_time: None,
        default_branch: None,
        environment: invocation
            .arguments
            .value::<EnvironmentName>(Input::Environment)?,
        short_sha: variable("DOCKER_METADATA_SHORT_SHA_LENGTH"),
        uses_pull_head: head.to_lowercase().contains("true"),
        facts,
        workflow,
    };
    let mut about = TagInputContext {
        repository: subject.workflow.repository.clone(),
        context: subject,
    };
    let tells_time = rules.mentions("commit_date") || further_templates.contains("commit_date");
    about.load_repository_details(invocation, rules).await?;
    if tells_time {
        about.load_commit_time(invocation, rules).await?;
    }
    let known = about.context.facts.as_ref();
    about.context.default_branch = about
        .repository
        .default_branch
        .clone()
        .or_else(|| known.and_then(|facts| facts.default_branch.clone()));
    Ok(about)
}

/// The time of the run, which tests may set.
#[expect(clippy::disallowed_methods, reason = "the surface reads the clock")]
pub(super) fn run_time(invocation: &Invocation) -> Result<Timestamp, Failure> {
    let Some(text) = invocation.environment.get(TIME_VARIABLE) else {
        return Ok(Timestamp::now());
    };
    text.parse().map_err(|_| {
        Failure::input(format!("{TIME_VARIABLE} is {text:?}, which is not a time"))
            .with_hint("write it as 2026-11-20T10:00:00Z")
    })
}

/// Sets the clock.
pub(super) const TIME_VARIABLE: &str = "SHIPMARK_NOW";

impl TagInputContext {
    async fn load_repository_details(
        &mut self,
        invocation: &Invocation,
        rules: &TagRuleSet,
    ) -> Result<(), Failure> {
        let labels = invocation.arguments.is_accepted(Input::Labels);
        let wanted = labels || rules.needs_default_branch();
        if !wanted || self.repository.is_complete {
            return Ok(());
        }
        let Some(api) = self.open_api(invocation)? else {
            return Ok(());
        };
        invocation
            .log
            .info("asking GitHub's API about the repository, which the event does not say");
        let told = api
            .get_repository()
            .await
            .map_err(github_inputs::api_failure)?;
        self.repository = std::mem::take(&mut self.repository).or_else(told);
        Ok(())
    }

    async fn load_commit_time(
        &mut self,
        invocation: &Invocation,
        rules: &TagRuleSet,
    ) -> Result<(), Failure> {
        let sha = self.context.revision(rules.mode());
        let (time, source) = match self.context.workflow.commit_time(&sha) {
            Some(time) => (time.parse().ok(), "the event"),
            None => match local_commit_time(invocation, &sha) {
                Some(time) => (Some(time), "the checkout"),
                None => (
                    self.load_commit_time_from_api(invocation, &sha).await?,
                    "GitHub's API",
                ),
            },
        };
        match time {
            Some(_) => invocation
                .log
                .info(&format!("when the commit was made is said by {source}")),
            None => invocation.log.info("nothing says when the commit was made"),
        }
        self.context.commit_time = time;
        Ok(())
    }

    async fn load_commit_time_from_api(
        &self,
        invocation: &Invocation,
        sha: &str,
    ) -> Result<Option<Timestamp>, Failure> {
        if sha.is_empty() {
            return Ok(None);
        }
        let Some(api) = self.open_api(invocation)? else {
            return Ok(None);
        };
        match api.get_commit_time(sha).await {
            Ok(time) => Ok(time.and_then(|time| time.parse().ok())),
            Err(error) => {
                invocation.log.info(&error.to_string());
                Ok(None)
            }
        }
    }

    /// The API, unless it is not to be asked. Outside a runner that takes a token.
    fn open_api(&self, invocation: &Invocation) -> Result<Option<GithubApi>, Failure> {
        if !invocation.arguments.is_accepted(Input::Labels)
            || invocation.arguments.switch(Input::Offline)?
        {
            return Ok(None);
        }
        let token = invocation.arguments.text(Input::GithubToken);
        if !invocation.environment.is_in_runner() && token.is_none() {
            invocation
                .log
                .info("no call to GitHub's API: there is no github-token");
            return Ok(None);
        }
        let facts = self.context.facts.as_ref();
        let name = match invocation.environment.get("GITHUB_REPOSITORY") {
            Some(name) => Some(name),
            None => facts.and_then(|facts| facts.repository.as_deref()),
        };
        let Some(name) = name else {
            return Err(Failure::input("no repository is named")
                .with_reason("neither GITHUB_REPOSITORY nor the event names one")
                .with_hint("set GITHUB_REPOSITORY to OWNER/NAME, or set offline: true"));
        };
        github_inputs::open_api(invocation, name).map(Some)
    }
}

fn local_commit_time(invocation: &Invocation, sha: &str) -> Option<Timestamp> {
    let commit: CommitId = sha.parse().ok()?;
    match git::checkout(Path::new(".")) {
        Ok(checkout) => Timestamp::from_second(checkout.committed_at(&commit)?).ok(),
        Err(error) => {
            let hint = error.hint().unwrap_or_default();
            invocation
                .log
                .info(&format!("the checkout does not say when: {error} ({hint})"));
            None
        }
    }
}

/// The event, with the ref and commit of the checkout in place of its own.
pub(super) fn event_of_checkout(
    workflow: WorkflowEvent,
) -> Result<(WorkflowEvent, EventFacts), Failure> {
    let checkout: GitCheckout = git::checkout(Path::new("."))?;
    let git_ref = checkout
        .likely_ref()
        .or_else(|| highest_tag(&checkout.tags));
    let facts = EventFacts::from_checkout(&LocalCheckout {
        git_ref: git_ref.clone(),
        ..checkout.to_local()
    });
    let workflow = WorkflowEvent {
        git_ref: git_ref.map_or_else(String::new, |git_ref| git_ref.to_string()),
        sha: checkout.commit.to_string(),
        ..workflow
    };
    Ok((workflow, facts))
}

/// Returns the tag of the highest release among several at one commit.
fn highest_tag(tags: &[String]) -> Option<GitRef> {
    let named = tags.iter().filter_map(|tag| {
        let version = NamedRelease::parse(tag)?.version;
        Some((tag, version))
    });
    let highest = named.max_by(|(_, a), (_, b)| a.cmp_precedence(b));
    highest.map(|(tag, _)| GitRef::Tag(tag.clone()))
}

/// What the event is, in the words of a workflow, and as far as it is understood.
pub(super) fn load_event(
    invocation: &Invocation,
    mode: CompatMode,
) -> Result<(WorkflowEvent, Option<EventFacts>), Failure> {
    let workflow = |facts: Option<&EventFacts>| event_inputs::to_workflow_event(invocation, facts);
    match event_inputs::find_optional_facts(invocation) {
        Ok(found) => Ok((workflow(found.as_ref())?, found)),
        // docker/metadata-action asks less of an event.
        Err(Failure::Input(diagnostic)) if mode == CompatMode::Compatible => {
            invocation.log.info(&diagnostic.what);
            Ok((workflow(None)?, None))
        }
        Err(failure) => Err(failure),
    }
}
