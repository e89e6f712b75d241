//! Reads what GitHub says of the source commit and of the run, once for all services of a run.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join, join_all};
use tokio::sync::OnceCell;

use crate::gate::{
    ApprovalFacts, ApprovalsRule, COUNTED_EVENTS, CheckFacts, FoundCheckRun, FoundJob, FoundReview,
    FoundStatus, FoundWorkflowRun, GithubFact, RequiredCheck, UnknownFact,
};
use crate::github::{
    ACTIONS_PERMISSION, GithubApi, GithubApiError, PullRequest, RunReview, WorkflowJob, WorkflowRun,
};
use crate::image::CommitId;

/// Account that commits what users write and merge on GitHub's pages.
const WEB_COMMITTER: &str = "web-flow";

/// Reader of what GitHub says for the gates of a run. Its clones share what was read.
#[derive(Clone)]
pub struct GithubFactReader {
    run: Arc<GithubRun>,
    reads: Arc<SharedReads>,
}

/// Run of a workflow, and the API of its repository.
pub struct GithubRun {
    /// Client of the API; or why the run does not call it.
    pub api: Result<GithubApi, UnknownFact>,
    /// `owner/name`
    pub repository: String,
    /// Id of the run; `None` outside of a runner.
    pub id: Option<u64>,
    /// Logins of the users who started the run and this attempt; `None` for one that is not known.
    pub actors: Vec<Option<String>>,
    /// Full SHA of the commit that a push releases; `None` for other verbs.
    pub pushed_commit: Option<CommitId>,
}

/// What was read, by what it is about.
#[derive(Default)]
struct SharedReads {
    check_runs: ReadMap<String, GithubFact<Vec<FoundCheckRun>>>,
    workflow_runs: ReadMap<(String, String), GithubFact<Vec<FoundWorkflowRun>>>,
    statuses: ReadMap<String, GithubFact<Vec<FoundStatus>>>,
    authors: ReadMap<String, GithubFact<Vec<Option<String>>>>,
    reviews: OnceCell<GithubFact<Vec<RunReview>>>,
}

/// Values that are read once each, whoever asks first.
struct ReadMap<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for ReadMap<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> ReadMap<K, V> {
    async fn get_or_read(&self, key: K, read: impl Future<Output = V>) -> V {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            cells.entry(key).or_default().clone()
        };
        cell.get_or_init(|| read).await.clone()
    }
}

impl GithubFactReader {
    /// Returns a reader for a run, which has read nothing yet.
    pub fn new(run: GithubRun) -> Self {
        Self {
            run: Arc::new(run),
            reads: Arc::default(),
        }
    }

    /// Returns whether this is a run of a workflow that calls the API.
    pub fn is_in_run(&self) -> bool {
        self.run.api.is_ok() && self.run.id.is_some()
    }

    /// Returns the commit that a push releases; `None` for other verbs.
    pub(super) fn pushed_commit(&self) -> Option<&CommitId> {
        self.run.pushed_commit.as_ref()
    }

    /// Reads the checks of a commit, as far as rules need them. A failure is an unknown fact.
    pub(super) async fn read_checks(&self, commit: &str, rules: &[RequiredCheck]) -> CheckFacts {
        let mut workflows: Vec<&str> = rules.iter().filter_map(RequiredCheck::workflow).collect();
        workflows.sort_unstable();
        workflows.dedup();
        let is_status = |rule: &RequiredCheck| matches!(rule, RequiredCheck::Status { .. });
        let check_runs = async {
            match rules.iter().all(is_status) {
                true => Ok(Vec::new()),
                false => self.read_check_runs(commit).await,
            }
        };
        let statuses = async {
            match rules.iter().any(is_status) {
                true => self.read_statuses(commit).await,
                false => Ok(Vec::new()),
            }
        };
        let runs = workflows.into_iter().map(|file| async move {
            (file.to_owned(), self.read_workflow_runs(file, commit).await)
        });
        let reads = join(join(check_runs, statuses), join_all(runs));
        let ((check_runs, statuses), runs) = Box::pin(reads).await;
        CheckFacts {
            commit: commit.to_owned(),
            check_runs,
            workflow_runs: runs.into_iter().collect(),
            statuses,
        }
    }

    /// Reads the approvals of the run, and the authors of a commit if a rule excludes them. A failure is an unknown
    /// fact.
    pub(super) async fn read_approvals(
        &self,
        rule: &ApprovalsRule,
        commit: &GithubFact<String>,
    ) -> ApprovalFacts {
        let authors = async {
            match (rule.excludes_author, commit) {
                (false, _) => Ok(Vec::new()),
                (true, Ok(commit)) => self.read_authors(commit).await,
                (true, Err(unknown)) => Err(unknown.clone()),
            }
        };
        let (reviews, authors) = join(self.read_reviews(), authors).await;
        let reviews = reviews.map(|reviews| reviews.into_iter().map(found_review).collect());
        ApprovalFacts {
            reviews,
            authors,
            actors: self.run.actors.clone(),
        }
    }

    /// Reads the reviews of the run's deployments.
    ///
    /// # Errors
    /// Why they are not known.
    pub async fn read_reviews(&self) -> GithubFact<Vec<RunReview>> {
        let read = async {
            let api = self.api()?;
            let id = self.run.id.ok_or_else(|| UnknownFact {
                reason: "GITHUB_RUN_ID is not set".to_owned(),
                permission: None,
            })?;
            api.list_run_approvals(id).await.map_err(unknown_fact)
        };
        self.reads.reviews.get_or_init(|| read).await.clone()
    }

    async fn read_check_runs(&self, commit: &str) -> GithubFact<Vec<FoundCheckRun>> {
        let read = async {
            let runs = self.api()?.list_check_runs(commit).await;
            let runs = runs.map_err(unknown_fact)?.into_iter();
            let runs = runs.map(|run| FoundCheckRun {
                id: run.id,
                name: run.name,
                app: run.app_slug,
                status: run.status,
                conclusion: run.conclusion,
                started_at: run.started_at,
            });
            Ok(runs.collect())
        };
        let reads = &self.reads.check_runs;
        reads.get_or_read(commit.to_owned(), read).await
    }

    async fn read_statuses(&self, commit: &str) -> GithubFact<Vec<FoundStatus>> {
        let read = async {
            let statuses = self.api()?.list_commit_statuses(commit).await;
            let statuses = statuses.map_err(unknown_fact)?.into_iter();
            let statuses = statuses.map(|status| FoundStatus {
                id: status.id,
                context: status.context,
                state: status.state,
                creator: status.creator,
            });
            Ok(statuses.collect())
        };
        let reads = &self.reads.statuses;
        reads.get_or_read(commit.to_owned(), read).await
    }

    async fn read_workflow_runs(
        &self,
        file: &str,
        commit: &str,
    ) -> GithubFact<Vec<FoundWorkflowRun>> {
        let read = async {
            let api = self.api()?;
            let runs = match api.list_workflow_runs(file, commit).await {
                Ok(runs) => runs,
                // GitHub answers alike for a workflow that is not there and for a missing permission.
                Err(error) => return Err(unknown_workflow(file, error)),
            };
            // No jobs are read of runs that cannot count.
            let can_count = |run: &WorkflowRun| {
                COUNTED_EVENTS.contains(&run.event.as_str()) && self.is_own(run)
            };
            let (read, left): (Vec<_>, Vec<_>) = runs.into_iter().partition(can_count);
            let jobs = join_all(read.iter().map(|run| api.list_run_jobs(run.id))).await;
            let mut found = Vec::with_capacity(read.len() + left.len());
            for (run, jobs) in read.into_iter().zip(jobs) {
                let jobs = jobs.map_err(unknown_fact)?;
                found.push(self.found_run(run, jobs.into_iter().map(found_job).collect()));
            }
            found.extend(left.into_iter().map(|run| self.found_run(run, Vec::new())));
            Ok(found)
        };
        let key = (file.to_owned(), commit.to_owned());
        self.reads.workflow_runs.get_or_read(key, read).await
    }

    fn found_run(&self, run: WorkflowRun, jobs: Vec<FoundJob>) -> FoundWorkflowRun {
        FoundWorkflowRun {
            is_own_repository: self.is_own(&run),
            path: run.path,
            event: run.event,
            branch: run.head_branch,
            commit: run.head_sha,
            jobs,
        }
    }

    fn is_own(&self, run: &WorkflowRun) -> bool {
        let repository = run.head_repository.as_deref();
        repository.is_some_and(|it| it.eq_ignore_ascii_case(&self.run.repository))
    }

    /// Reads the logins of the author and committer of a commit, and of the authors of the pull requests that it merged.
    async fn read_authors(&self, commit: &str) -> GithubFact<Vec<Option<String>>> {
        let read = async {
            let api = self.api()?;
            let (details, pulls) = join(
                api.get_commit(commit),
                api.list_commit_pull_requests(commit),
            )
            .await;
            let details = details.map_err(unknown_fact)?;
            let pulls = pulls.map_err(unknown_fact)?.into_iter();
            let merged = pulls.filter(|pull: &PullRequest| pull.merged_at.is_some());
            let by_commit = match details {
                Some(details) => [details.author_login, details.committer_login],
                None => [None, None],
            };
            let is_person = |login: &Option<String>| login.as_deref() != Some(WEB_COMMITTER);
            let mut authors: Vec<_> = by_commit.into_iter().filter(is_person).collect();
            authors.extend(merged.map(|pull| pull.author));
            Ok(authors)
        };
        let reads = &self.reads.authors;
        reads.get_or_read(commit.to_owned(), read).await
    }

    fn api(&self) -> Result<&GithubApi, UnknownFact> {
        self.run.api.as_ref().map_err(UnknownFact::clone)
    }
}

impl std::fmt::Debug for GithubFactReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GithubFactReader({})", self.run.repository)
    }
}

fn found_job(job: WorkflowJob) -> FoundJob {
    FoundJob {
        id: job.id,
        name: job.name,
        status: job.status,
        conclusion: job.conclusion,
    }
}

fn found_review(review: RunReview) -> FoundReview {
    FoundReview {
        state: review.state,
        user: review.user,
        environments: review.environments,
    }
}

fn unknown_fact(error: GithubApiError) -> UnknownFact {
    UnknownFact {
        permission: error.permission(),
        reason: error.to_string(),
    }
}

fn unknown_workflow(file: &str, error: GithubApiError) -> UnknownFact {
    UnknownFact {
        permission: Some(ACTIONS_PERMISSION),
        reason: format!("the runs of {file} are not known: {error}"),
    }
}
