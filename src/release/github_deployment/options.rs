use crate::github::GithubApi;
use crate::image::{CommitId, Destination, Digest};
use crate::policy::Service;
use crate::record::{ReleaseMark, TimelineEntry};

/// Environment as GitHub shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubEnvironment {
    /// Its name at GitHub.
    pub name: String,
    /// Whether it is one of production.
    pub is_production: bool,
}

/// What a run tells GitHub, and where.
#[derive(Clone)]
pub struct DeploymentOptions {
    /// Client of the API, or why the run has none.
    pub api: Result<GithubApi, GithubLeftOut>,
    /// Whether a deployment is created.
    pub creates_deployment: bool,
    /// Whether linked-artifact records are created.
    pub creates_storage_record: bool,
    /// The environment at GitHub.
    pub environment: GithubEnvironment,
    /// Repository, `owner/name`.
    pub repository: String,
    /// Address of the run; `None` outside of a runner.
    pub run_uri: Option<String>,
    /// Commit that the run's workflow is of (`GITHUB_SHA`), on which the deployment of a job with `environment` is.
    pub run_commit: Option<String>,
    /// Whether nothing is created.
    pub dry_run: bool,
}

/// Part that GitHub was not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubLeftOut {
    /// The part: `the deployment`.
    pub what: &'static str,
    /// Why.
    pub why: String,
    /// What to add to the workflow.
    pub add: Option<String>,
}

/// Service that a run releases, as GitHub is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeployedService {
    /// Name; `None` of an image alone.
    pub(crate) service: Option<Service>,
    /// Destinations.
    pub(crate) places: Vec<Destination>,
    /// Root.
    pub(crate) digest: Digest,
    /// Version.
    pub(crate) version: Option<String>,
    /// Commit that the image was built from, if known.
    pub(crate) commit: Option<CommitId>,
}

impl DeployedService {
    /// Returns the release of a timeline's entry.
    pub(crate) fn of_entry(entry: &TimelineEntry, place: &Destination) -> Self {
        Self {
            service: None,
            places: vec![place.clone()],
            digest: entry.root,
            version: entry.version.clone(),
            commit: entry.commit.as_ref().and_then(|commit| commit.parse().ok()),
        }
    }
}

impl DeploymentEnd {
    /// Returns the end of a run with one service.
    pub(crate) fn of_one(is_done: bool) -> Self {
        let mut end = Self::default();
        match is_done {
            true => end.released = 1,
            false => end.failed.push("the image".to_owned()),
        }
        end
    }
}

/// What a run does to an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeploymentTask {
    /// It releases images, or puts released ones back: a deployment of the run.
    Release,
    /// It says whether a release runs: a status of the deployment of that release.
    Mark(ReleaseMark),
}

/// How the writes to the registry ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeploymentEnd {
    /// Services that are released, or were already.
    pub(crate) released: usize,
    /// Services whose release a newer one keeps from the environment's tag.
    pub(crate) superseded: usize,
    /// Names of the services that failed or were not begun.
    pub(crate) failed: Vec<String>,
    /// Records of the releases.
    pub(crate) records: Vec<String>,
}
