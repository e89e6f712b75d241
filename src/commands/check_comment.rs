//! The comment of a check on its pull request: one for each workflow and environment, updated in place. It informs, and
//! never decides: its failure is a line of the report.

mod comment_choice;
mod comment_marker;

use std::time::Duration;

use super::event_inputs::runner_facts;
use super::invocation::Invocation;
use super::own_api::{UncalledApi, open_own_api};
use crate::actions::ProcessEnvironment;
use crate::cli::Input;
use crate::event::{EventFacts, EventName, PullRequestFacts};
use crate::github::{COMMENT_PERMISSION, GithubApi, GithubApiError, IssueComment};
use crate::notices::to_printable;
use crate::report::{CheckReport, OmittedComment, comment_page};
use comment_choice::{CommentChoice, choose_comment, forged, is_by};
use comment_marker::{CommentKey, CommentMarker, RunOrder};

/// Most characters of a comment. GitHub takes 65,536.
const COMMENT_LIMIT: usize = 60_000;
/// Longest time that all requests for the comment take.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// Most characters of an address in a message.
const ADDRESS_LIMIT: usize = 200;
/// Most characters of a name in a message.
const NAME_LIMIT: usize = 80;

/// Writes the report of a check as a comment on the pull request of this run. Returns why it was not written.
pub(super) async fn comment_on_pull_request(
    invocation: &Invocation,
    report: &CheckReport,
) -> Option<OmittedComment> {
    let written = async {
        let target = CommentTarget::find(invocation, report)?;
        let write = Box::pin(target.write(invocation, report));
        match tokio::time::timeout(TIME_LIMIT, write).await {
            Ok(written) => written,
            Err(_) => Err(CommentError::new(format!(
                "GitHub's API took more than {} s",
                TIME_LIMIT.as_secs()
            ))),
        }
    };
    let error = written.await.err()?;
    let omitted = OmittedComment {
        why: error.why,
        hint: error.hint,
    };
    invocation.log.info(&omitted.to_string());
    Some(omitted)
}

/// Reason why there is no comment.
struct CommentError {
    why: String,
    hint: Option<String>,
}

impl CommentError {
    fn new(why: impl Into<String>) -> Self {
        let why = why.into();
        Self { why, hint: None }
    }

    fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

impl From<GithubApiError> for CommentError {
    fn from(error: GithubApiError) -> Self {
        let failed = Self::new(error.to_string());
        match error.permission() {
            Some(_) => failed.with_hint(format!("add the permission {COMMENT_PERMISSION}")),
            None => failed,
        }
    }
}

/// Comment that a run writes.
struct CommentTarget {
    api: GithubApi,
    /// Number of the pull request.
    number: u64,
    marker: CommentMarker,
    /// Login of its author.
    author: String,
}

impl CommentTarget {
    fn find(invocation: &Invocation, report: &CheckReport) -> Result<Self, CommentError> {
        let environment = &invocation.environment;
        let pull_request = pull_request(environment)?;
        if !pull_request.same_repository {
            return Err(CommentError::new(
                "the token of a pull request from another repository can only read",
            ));
        }
        let arguments = &invocation.arguments;
        let api = open_own_api(invocation).map_err(|failure| {
            let what = failure
                .diagnostic()
                .map(|diagnostic| diagnostic.what.clone());
            CommentError::new(what.unwrap_or_default())
        })?;
        let api = api.map_err(|uncalled| match uncalled {
            UncalledApi::NoToken => {
                CommentError::new("there is no token").with_hint("give github-token")
            }
            uncalled => CommentError::new(uncalled.to_string()),
        })?;
        let name = report.outcome.environment.as_ref();
        let name = name.map_or("", |name| name.as_str());
        let author = arguments.text(Input::CommentAuthor).unwrap_or_default();
        Ok(Self {
            api,
            number: pull_request.number,
            marker: CommentMarker {
                key: CommentKey::new(workflow(environment)?, name),
                run: run_order(environment)?,
            },
            author: author.to_owned(),
        })
    }

    async fn write(
        &self,
        invocation: &Invocation,
        report: &CheckReport,
    ) -> Result<(), CommentError> {
        let marker = self.marker.to_string();
        let limit = COMMENT_LIMIT - marker.chars().count() - 1;
        let page = comment_page(report, &invocation.environment, &invocation.log, limit);
        let body = format!("{marker}\n{page}");
        let comments = self.api.list_issue_comments(self.number).await?;
        for other in forged(&comments, &self.marker, &self.author) {
            invocation.log.info(&format!(
                "a comment by {} has the marker of this workflow, and is ignored: {}",
                author_name(other),
                page_of(other)
            ));
        }
        let written = match choose_comment(&comments, &self.marker, &self.author) {
            CommentChoice::OfNewerRun(newer) => {
                invocation.log.info(&format!(
                    "the comment on the pull request is of a newer run, and stays: {}",
                    page_of(newer)
                ));
                return Ok(());
            }
            CommentChoice::Update { oldest, doubles } => {
                for double in doubles {
                    invocation.log.info(&format!(
                        "a second comment of this workflow is not updated, delete it: {}",
                        page_of(double)
                    ));
                }
                self.api.update_issue_comment(oldest.id, &body).await?
            }
            CommentChoice::Create => {
                let written = self.api.create_issue_comment(self.number, &body).await?;
                self.warn_of_author(invocation, &written);
                written
            }
        };
        invocation.log.info(&format!(
            "the comment on the pull request is {}",
            page_of(&written)
        ));
        Ok(())
    }

    /// The next run finds its comment by the author.
    fn warn_of_author(&self, invocation: &Invocation, written: &IssueComment) {
        if !is_by(written, &self.author) {
            let author = author_name(written);
            invocation.log.warning(&format!(
                "the comment on the pull request is by {author}, and comment-author is {}: the next run would write a second one\n hint: set comment-author: {author}",
                to_printable(&self.author, NAME_LIMIT)
            ));
        }
    }
}

fn author_name(comment: &IssueComment) -> String {
    let author = comment.author.as_deref();
    to_printable(author.unwrap_or("an account that is gone"), NAME_LIMIT)
}

fn page_of(comment: &IssueComment) -> String {
    let address = comment.html_url.as_deref();
    address.map_or_else(
        || format!("its id is {}", comment.id),
        |address| to_printable(address, ADDRESS_LIMIT),
    )
}

fn unset(variable: &str) -> CommentError {
    CommentError::new(format!("{variable} is not set"))
}

fn pull_request(environment: &ProcessEnvironment) -> Result<PullRequestFacts, CommentError> {
    let wrong = |event: &str| {
        let event = to_printable(event, NAME_LIMIT);
        CommentError::new(format!(
            "the run is not of a pull request, but of the event {event}"
        ))
        .with_hint("run check with comment in a workflow with on: pull_request")
    };
    if !environment.is_in_runner() {
        return Err(wrong("none"));
    }
    match runner_facts(environment) {
        Ok(EventFacts {
            event: EventName::PullRequest,
            pull_request: Some(pull_request),
            ..
        }) => Ok(pull_request),
        Ok(facts) => Err(wrong(facts.event.as_str())),
        Err(_) => Err(wrong("that cannot be read")),
    }
}

/// Returns the path of the workflow, `owner/name/path`: the ref of a pull request's run is none of the workflow's own.
fn workflow(environment: &ProcessEnvironment) -> Result<&str, CommentError> {
    let path = environment.get("GITHUB_WORKFLOW_REF");
    let path = path.and_then(|path| path.rsplit_once("@refs/").map(|(path, _)| path));
    let workflow = path.or_else(|| environment.get("GITHUB_WORKFLOW"));
    workflow.ok_or_else(|| unset("GITHUB_WORKFLOW_REF"))
}

fn run_order(environment: &ProcessEnvironment) -> Result<RunOrder, CommentError> {
    let number = |name| environment.get(name).and_then(|text| text.parse().ok());
    Ok(RunOrder {
        number: number("GITHUB_RUN_NUMBER").ok_or_else(|| unset("GITHUB_RUN_NUMBER"))?,
        attempt: number("GITHUB_RUN_ATTEMPT").unwrap_or(1),
    })
}
