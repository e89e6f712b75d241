//! What the gates `checks` and `approvals` need to ask GitHub: the run, by the runner's variables, and the API.

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use super::own_api::{UncalledApi, open_own_api};
use crate::event::RefFilter;
use crate::gate::{RequiredCheck, RequiredJob, UnknownFact};
use crate::image::CommitId;
use crate::policy::EnvironmentRules;
use crate::release::{Failure, GithubFactReader, GithubRun};

/// Returns what reads GitHub's facts for the gates of a run.
///
/// # Errors
/// An address of the API that is none.
pub(super) fn open_fact_reader(
    invocation: &Invocation,
    pushed_commit: Option<CommitId>,
) -> Result<GithubFactReader, Failure> {
    let variable = |name| invocation.environment.get(name);
    let repository = variable("GITHUB_REPOSITORY").unwrap_or_default().to_owned();
    let api = open_own_api(invocation)?.map_err(unknown_fact);
    let actors = ["GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR"];
    Ok(GithubFactReader::new(GithubRun {
        api,
        repository,
        id: variable("GITHUB_RUN_ID").and_then(|id| id.parse().ok()),
        actors: actors.map(|name| variable(name).map(str::to_owned)).into(),
        pushed_commit,
    }))
}

fn unknown_fact(uncalled: UncalledApi) -> UnknownFact {
    let hint = match uncalled {
        UncalledApi::NoToken => {
            ": give one of a job with permissions: actions: read, and checks: read, statuses: read or pull-requests: read for what the gate asks"
        }
        _ => "",
    };
    UnknownFact {
        reason: format!("{uncalled}{hint}"),
        permission: None,
    }
}

/// Returns the checks of an environment, each with the branches whose runs count: those that it states, else the refs
/// of the environments that images are first pushed to.
pub(super) fn checks_with_branches(
    checks: &[RequiredCheck],
    stage: &EnvironmentRules,
    loaded: &LoadedPolicy,
) -> Vec<RequiredCheck> {
    let otherwise = first_refs(stage, loaded);
    let each = checks.iter().map(|check| match check {
        RequiredCheck::Job(job) if job.branches.is_empty() => RequiredCheck::Job(RequiredJob {
            branches: otherwise.clone(),
            ..job.clone()
        }),
        check => check.clone(),
    });
    each.collect()
}

/// Returns the refs of the environments that images are first pushed to; none if one of them takes every ref.
fn first_refs(stage: &EnvironmentRules, loaded: &LoadedPolicy) -> Vec<RefFilter> {
    let mut filters = Vec::new();
    let mut seen = Vec::new();
    let mut left = vec![stage];
    while let Some(rules) = left.pop() {
        if seen.contains(&rules.name()) {
            continue;
        }
        seen.push(rules.name());
        match (rules.from(), rules.refs()) {
            ([], Some(refs)) => filters.push(refs.clone()),
            ([], None) => return Vec::new(),
            (from, _) => left.extend(from.iter().filter_map(|name| loaded.policy.stage(name))),
        }
    }
    filters
}
