//! Requests about one deployment, and what becomes of those whose answer is lost.

use futures_util::future::join;

use super::deployment_plan::{
    EarlierState, begin_status, find_earlier, find_job_deployments, find_own, is_under_way,
};
use super::options::{DeployedService, DeploymentOptions, GithubLeftOut};
use crate::github::{
    Deployment, DeploymentQuery, GithubApi, GithubApiError, NewDeployment, NewDeploymentStatus,
};
use crate::notices::to_printable;

/// Part of the report that is about deployments.
pub(super) const DEPLOYMENT: &str = "the deployment";

/// Longest reason in a report, in characters.
const REASON_LIMIT: usize = 400;

/// Deployment whose release is under way.
#[derive(Debug, Default)]
pub(super) struct BegunDeployment {
    /// Its id; `None` if there is none.
    pub(super) id: Option<u64>,
    /// Earlier deployments that are shown as active.
    pub(super) active: Vec<u64>,
    pub(super) notes: Vec<String>,
    pub(super) left_out: Vec<GithubLeftOut>,
}

/// Returns the part that an error left out.
pub(super) fn left_out_by(what: &'static str, error: &GithubApiError) -> GithubLeftOut {
    GithubLeftOut {
        what,
        why: to_printable(&error.to_string(), REASON_LIMIT),
        // Who may write may read, and a run that reads writes a moment later.
        add: error
            .permission()
            .map(|permission| format!("permissions: {}", permission.replace(": read", ": write"))),
    }
}

/// Returns the deployments of the environment, of this program and of jobs, newest first.
pub(super) async fn list(
    options: &DeploymentOptions,
    api: &GithubApi,
) -> Result<Vec<Deployment>, GithubApiError> {
    let query = DeploymentQuery {
        environment: Some(&options.environment.name),
        ..DeploymentQuery::default()
    };
    api.list_deployments(&query, 1).await
}

/// Finds or creates the deployment of a run, and says that it is under way.
pub(super) async fn begin(
    options: &DeploymentOptions,
    api: &GithubApi,
    services: &[DeployedService],
) -> BegunDeployment {
    let mut begun = BegunDeployment::default();
    let planned = match options.plan_deployment(services) {
        Ok(planned) => planned,
        Err(left_out) => {
            begun.left_out.push(left_out);
            return begun;
        }
    };
    let found = find_or_create(options, api, &planned.new, &mut begun.notes).await;
    let (id, listed) = match found {
        Ok(Some(found)) => found,
        Ok(None) => return begun,
        Err(left_out) => {
            begun.left_out.push(left_out);
            return begun;
        }
    };
    begun.id = Some(id);
    begun.notes.extend(planned.note);
    let status = begin_status(options);
    let (status, active) = join(
        add_status(api, id, &status),
        find_active(options, api, &listed, id),
    )
    .await;
    begun.left_out.extend(
        status
            .err()
            .map(|error| left_out_by("the status in_progress", &error)),
    );
    match active {
        Ok(active) => begun.active = active,
        Err(error) => begun.left_out.push(left_out_by(
            "the status inactive of earlier deployments",
            &error,
        )),
    }
    begun
}

/// Returns the deployment of the run with the list; `None` if the job has its own.
async fn find_or_create(
    options: &DeploymentOptions,
    api: &GithubApi,
    wanted: &NewDeployment,
    notes: &mut Vec<String>,
) -> Result<Option<(u64, Vec<Deployment>)>, GithubLeftOut> {
    let left_out = |error: GithubApiError| left_out_by(DEPLOYMENT, &error);
    let listed = list(options, api).await.map_err(left_out)?;
    if let Some(own) = find_own(&listed, wanted) {
        return Ok(Some((own.id, listed)));
    }
    for deployment in find_job_deployments(&listed, options) {
        let statuses = api.list_deployment_statuses(deployment.id).await;
        if is_under_way(&statuses.map_err(left_out)?) {
            notes.push(format!(
                "the job has environment: {}, so GitHub made deployment {} of the workflow's commit, and shipmark made none: set deployment: false below environment to have one of the image's commit",
                to_printable(&options.environment.name, 100),
                deployment.id
            ));
            return Ok(None);
        }
    }
    match api.create_deployment(wanted).await {
        Ok(created) => Ok(Some((created.id, listed))),
        Err(error) if error.is_refusal() => Err(left_out(error)),
        // The API may have taken the request before its answer was lost.
        Err(error) => match list(options, api).await {
            Ok(listed) => match find_own(&listed, wanted) {
                Some(own) => Ok(Some((own.id, listed))),
                None => Err(left_out(error)),
            },
            Err(_) => Err(left_out(error)),
        },
    }
}

/// Returns the earlier deployments that are shown as active, where GitHub does not see to it itself: in production.
async fn find_active(
    options: &DeploymentOptions,
    api: &GithubApi,
    listed: &[Deployment],
    own: u64,
) -> Result<Vec<u64>, GithubApiError> {
    let mut active = Vec::new();
    if !options.environment.is_production {
        return Ok(active);
    }
    for earlier in find_earlier(listed, &options.environment.name, own) {
        let statuses = api.list_deployment_statuses(earlier.id).await?;
        match EarlierState::of_statuses(&statuses) {
            EarlierState::Active => active.push(earlier.id),
            EarlierState::Unfinished => {}
            EarlierState::Replaced => break,
        }
    }
    Ok(active)
}

/// Adds a status. One whose answer is lost is sent once more: a status that is there twice says the same.
pub(super) async fn add_status(
    api: &GithubApi,
    id: u64,
    status: &NewDeploymentStatus,
) -> Result<(), GithubApiError> {
    match api.create_deployment_status(id, status).await {
        Err(error) if !error.is_refusal() => {
            api.create_deployment_status(id, status).await.map(drop)
        }
        sent => sent.map(drop),
    }
}
