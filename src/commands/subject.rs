//! What rules are expanded for: the event, the time, and what the repository is called.

use std::path::Path;

use jiff::Timestamp;

use super::{Given, api, facts};
use crate::cli::Verb;
use crate::event::{Facts, Repository, Workflow};
use crate::git::{self, Checkout};
use crate::github::Api;
use crate::image::Commit;
use crate::release::Failure;
use crate::tagging::{Environment, Mode, Rules, Subject};

/// Everything that rules can be about.
pub(super) struct About {
    pub(super) subject: Subject,
    pub(super) repository: Repository,
}

/// Finds it out: the event says first, then the checkout, then the API, which is asked only for
/// what is needed.
pub(super) async fn about(
    given: &Given,
    rules: &Rules,
    facts: Option<Facts>,
    workflow: Workflow,
    further_templates: &str,
) -> Result<About, Failure> {
    let variable = |name| given.environment.get(name).map(str::to_owned);
    let head = variable("DOCKER_METADATA_PR_HEAD_SHA").unwrap_or_default();
    let subject = Subject {
        now: now(given)?,
        committed: None,
        default_branch: None,
        environment: given.arguments.value::<Environment>("environment")?,
        short_sha: variable("DOCKER_METADATA_SHORT_SHA_LENGTH"),
        pull_head: head.to_lowercase().contains("true"),
        facts,
        workflow,
    };
    let mut about = About {
        repository: subject.workflow.repository.clone(),
        subject,
    };
    let tells_time = rules.mention("commit_date") || further_templates.contains("commit_date");
    about.ask_repository(given, rules).await?;
    if tells_time {
        about.ask_time(given, rules).await?;
    }
    let known = about.subject.facts.as_ref();
    about.subject.default_branch = about
        .repository
        .default_branch
        .clone()
        .or_else(|| known.and_then(|facts| facts.default_branch.clone()));
    Ok(about)
}

/// The time of the run, which tests may set.
#[expect(clippy::disallowed_methods, reason = "the surface reads the clock")]
fn now(given: &Given) -> Result<Timestamp, Failure> {
    let Some(text) = given.environment.get(NOW) else {
        return Ok(Timestamp::now());
    };
    text.parse().map_err(|_| {
        Failure::input(format!("{NOW} is {text:?}, which is no time"))
            .hint("write it as 2026-11-20T10:00:00Z")
    })
}

/// Sets the clock.
pub(super) const NOW: &str = "SHIPMARK_NOW";

impl About {
    async fn ask_repository(&mut self, given: &Given, rules: &Rules) -> Result<(), Failure> {
        let labels = given.arguments.verb == Verb::Tags;
        let wanted = labels || rules.need_default_branch();
        if !wanted || self.repository.complete {
            return Ok(());
        }
        let Some(api) = self.api(given)? else {
            return Ok(());
        };
        given
            .log
            .info("asking GitHub's API about the repository, which the event does not say");
        let told = api.repository().await.map_err(api::failed)?;
        self.repository = std::mem::take(&mut self.repository).or(told);
        Ok(())
    }

    async fn ask_time(&mut self, given: &Given, rules: &Rules) -> Result<(), Failure> {
        let sha = self.subject.revision(rules.mode());
        let (time, source) = match self.subject.workflow.commit_time(&sha) {
            Some(time) => (time.parse().ok(), "the event"),
            None => match committed_here(given, &sha) {
                Some(time) => (Some(time), "the checkout"),
                None => (self.ask_api_for_time(given, &sha).await?, "GitHub's API"),
            },
        };
        match time {
            Some(_) => given
                .log
                .info(&format!("when the commit was made is said by {source}")),
            None => given.log.info("nothing says when the commit was made"),
        }
        self.subject.committed = time;
        Ok(())
    }

    async fn ask_api_for_time(
        &self,
        given: &Given,
        sha: &str,
    ) -> Result<Option<Timestamp>, Failure> {
        if sha.is_empty() {
            return Ok(None);
        }
        let Some(api) = self.api(given)? else {
            return Ok(None);
        };
        match api.commit_time(sha).await {
            Ok(time) => Ok(time.and_then(|time| time.parse().ok())),
            Err(error) => {
                given.log.info(&error.to_string());
                Ok(None)
            }
        }
    }

    /// The API, unless it is not to be asked. Outside a runner that takes a token.
    fn api(&self, given: &Given) -> Result<Option<Api>, Failure> {
        if given.arguments.verb != Verb::Tags || given.arguments.switch("offline")? {
            return Ok(None);
        }
        let token = given.arguments.text("github-token");
        if !given.environment.in_runner() && token.is_none() {
            given
                .log
                .info("GitHub's API is not asked: there is no github-token");
            return Ok(None);
        }
        let facts = self.subject.facts.as_ref();
        let name = match given.environment.get("GITHUB_REPOSITORY") {
            Some(name) => Some(name),
            None => facts.and_then(|facts| facts.repository.as_deref()),
        };
        let Some(name) = name else {
            return Err(Failure::input("no repository is named")
                .why("neither GITHUB_REPOSITORY nor the event names one")
                .hint("set GITHUB_REPOSITORY to OWNER/NAME, or say offline: true"));
        };
        api::of(given, name).map(Some)
    }
}

fn committed_here(given: &Given, sha: &str) -> Option<Timestamp> {
    let commit: Commit = sha.parse().ok()?;
    match git::checkout(Path::new(".")) {
        Ok(checkout) => Timestamp::from_second(checkout.committed_at(&commit)?).ok(),
        Err(error) => {
            let hint = error.hint().unwrap_or_default();
            given
                .log
                .info(&format!("the checkout does not say when: {error} ({hint})"));
            None
        }
    }
}

/// The event, with the ref and commit of the checkout in place of its own.
pub(super) fn of_checkout(workflow: Workflow) -> Result<(Workflow, Facts), Failure> {
    let checkout: Checkout = git::checkout(Path::new("."))?;
    let facts = Facts::local(&checkout.local());
    let Some(git_ref) = &facts.git_ref else {
        return Err(Failure::input("HEAD is detached and at no tag")
            .why("context is git, which takes the ref from the checkout")
            .hint("check out a branch or tag, or leave context out"));
    };
    let workflow = Workflow {
        git_ref: git_ref.to_string(),
        sha: checkout.commit.to_string(),
        ..workflow
    };
    Ok((workflow, facts))
}

/// What the event is, in the words of a workflow, and as far as it is understood.
pub(super) fn event(given: &Given, mode: Mode) -> Result<(Workflow, Option<Facts>), Failure> {
    let workflow = |facts: Option<&Facts>| facts::workflow(given, facts);
    match facts::find_if_any(given) {
        Ok(found) => Ok((workflow(found.as_ref())?, found)),
        // docker/metadata-action asks less of an event.
        Err(Failure::Input(complaint)) if mode == Mode::Compatible => {
            given.log.info(&complaint.what);
            Ok((workflow(None)?, None))
        }
        Err(failure) => Err(failure),
    }
}
