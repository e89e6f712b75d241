//! Decides what is told: which deployment is the run's own, which ones it replaces, and which status it ends with.
//! Pure functions of what the run releases and what GitHub lists.

use serde_json::{Value, json};

use super::options::{
    DeployedService, DeploymentEnd, DeploymentOptions, DeploymentTask, GithubLeftOut,
};
use crate::github::{
    Deployment, DeploymentState, DeploymentStatus, NewDeployment, NewDeploymentStatus,
};
use crate::image::{CommitId, Digest};
use crate::notices::to_printable;
use crate::record::ReleaseMark;

/// Task that separates deployments of this program from those of jobs.
pub(super) const TASK: &str = "shipmark";

/// Longest description, in characters: GitHub takes 140.
const DESCRIPTION_LIMIT: usize = 138;
/// Services that a payload names.
const SERVICES_LIMIT: usize = 100;
/// Longest text of a payload, in characters.
const TEXT_LIMIT: usize = 300;
/// Earlier deployments that are looked at.
const EARLIER_LIMIT: usize = 10;

/// Deployment of a run, before it exists.
pub(super) struct PlannedDeployment {
    pub(super) new: NewDeployment,
    /// What is said of it in the report.
    pub(super) note: Option<String>,
}

impl DeploymentOptions {
    /// Returns the deployment of a run: its ref is the commit of the first service.
    ///
    /// # Errors
    /// Why there can be none.
    pub(super) fn plan_deployment(
        &self,
        services: &[DeployedService],
    ) -> Result<PlannedDeployment, GithubLeftOut> {
        let commits = distinct_commits(services);
        let Some(first) = commits.first() else {
            return Err(GithubLeftOut {
                what: "the deployment",
                why: "the commit that the image was built from is unknown".to_owned(),
                add: Some("the label org.opencontainers.image.revision to the build".to_owned()),
            });
        };
        let note = (commits.len() > 1).then(|| {
            let count = commits.len();
            format!(
                "the services are built from {count} commits: the deployment is on {first}, the commit of the first, and its payload names the others"
            )
        });
        let new = NewDeployment {
            reference: first.to_string(),
            task: TASK.to_owned(),
            environment: self.environment.name.clone(),
            description: to_printable(
                &format!("releases {}", services_phrase(services)),
                DESCRIPTION_LIMIT,
            ),
            payload: self.payload(services),
            production_environment: self.environment.is_production,
        };
        Ok(PlannedDeployment { new, note })
    }

    fn payload(&self, services: &[DeployedService]) -> Value {
        let named: Vec<Value> = services.iter().take(SERVICES_LIMIT).map(to_json).collect();
        let mut payload = json!({"run": self.run_uri, "services": named});
        if services.len() > SERVICES_LIMIT {
            payload["more"] = (services.len() - SERVICES_LIMIT).into();
        }
        payload
    }
}

/// Returns the commits of the services, each once, in their order.
fn distinct_commits(services: &[DeployedService]) -> Vec<&CommitId> {
    let mut commits = Vec::new();
    for commit in services
        .iter()
        .filter_map(|service| service.commit.as_ref())
    {
        if !commits.contains(&commit) {
            commits.push(commit);
        }
    }
    commits
}

fn to_json(service: &DeployedService) -> Value {
    let place = service.places.first().map(ToString::to_string);
    let printable = |text: &str| to_printable(text, TEXT_LIMIT);
    json!({
        "service": service.service.as_ref().map(ToString::to_string),
        "repository": place.as_deref().map(printable),
        "digest": service.digest.to_string(),
        "version": service.version.as_deref().map(printable),
        "commit": service.commit.as_ref().map(ToString::to_string),
    })
}

fn services_phrase(services: &[DeployedService]) -> String {
    match services {
        [one] => {
            let place = one.places.first().map(ToString::to_string);
            let name = one.service.as_ref().map(ToString::to_string).or(place);
            let name = name.unwrap_or_else(|| "an image".to_owned());
            match &one.version {
                Some(version) => format!("{name} {version}"),
                None => format!("{name} {}", one.digest.short()),
            }
        }
        several => format!("{} services", several.len()),
    }
}

/// Returns the run's own deployment, of an earlier attempt: one that says in every point what the run would create.
/// Whoever made it, its statuses are then true.
pub(super) fn find_own<'a>(
    listed: &'a [Deployment],
    wanted: &NewDeployment,
) -> Option<&'a Deployment> {
    let run = wanted.payload["run"].as_str()?;
    listed.iter().find(|deployment| {
        is_of_environment(deployment, &wanted.environment)
            && deployment.sha == wanted.reference
            && deployment.production_environment == wanted.production_environment
            && deployment.payload["run"] == run
            && are_same_services(&deployment.payload, &wanted.payload)
    })
}

/// Returns whether two payloads name the same images of the same services. An earlier attempt can have derived another
/// version.
fn are_same_services(one: &Value, other: &Value) -> bool {
    let images = |payload: &Value| -> Option<Vec<[Value; 3]>> {
        let services = payload["services"].as_array()?.iter();
        let image = |it: &Value| ["service", "repository", "digest"].map(|key| it[key].clone());
        Some(services.map(image).collect())
    };
    images(one).is_some() && images(one) == images(other)
}

fn is_of_environment(deployment: &Deployment, environment: &str) -> bool {
    deployment.task == TASK && deployment.environment == environment
}

/// Returns the deployments that the job itself may have, since it has `environment`: those of others on the commit of
/// its workflow.
pub(super) fn find_job_deployments<'a>(
    listed: &'a [Deployment],
    options: &DeploymentOptions,
) -> impl Iterator<Item = &'a Deployment> {
    let environment = options.environment.name.clone();
    let commit = options.run_commit.clone();
    listed.iter().filter(move |deployment| {
        deployment.task != TASK
            && deployment.environment == environment
            && commit.as_ref() == Some(&deployment.sha)
    })
}

/// Returns whether a deployment's newest status says that its job is under way.
pub(super) fn is_under_way(newest_first: &[DeploymentStatus]) -> bool {
    newest_first.first().is_some_and(|status| {
        matches!(
            status.state.as_str(),
            "in_progress" | "queued" | "pending" | "waiting"
        )
    })
}

/// Returns the earlier deployments of the environment that can be active, newest first.
pub(super) fn find_earlier<'a>(
    listed: &'a [Deployment],
    environment: &str,
    own: u64,
) -> impl Iterator<Item = &'a Deployment> {
    let environment = environment.to_owned();
    let earlier = listed.iter().filter(move |deployment| {
        is_of_environment(deployment, &environment) && deployment.id < own
    });
    earlier.take(EARLIER_LIMIT)
}

/// What the newest status of an earlier deployment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierState {
    /// It is shown as active.
    Active,
    /// It ended without success, or never ended.
    Unfinished,
    /// A later run replaced it, and all before it.
    Replaced,
}

impl EarlierState {
    /// Returns what the statuses of a deployment say.
    pub(super) fn of_statuses(newest_first: &[DeploymentStatus]) -> Self {
        match newest_first.first().map(|status| status.state.as_str()) {
            Some("success") => Self::Active,
            Some("inactive") => Self::Replaced,
            _ => Self::Unfinished,
        }
    }
}

/// Returns the newest deployments that released the digests, each once.
pub(super) fn find_marked<'a>(
    listed: &'a [Deployment],
    environment: &str,
    digests: &[Digest],
) -> Vec<&'a Deployment> {
    let mut found: Vec<&Deployment> = Vec::new();
    for digest in digests {
        let digest = digest.to_string();
        let names = |deployment: &&Deployment| {
            let services = deployment.payload["services"].as_array();
            let mut services = services.into_iter().flatten();
            is_of_environment(deployment, environment)
                && services.any(|service| service["digest"] == *digest)
        };
        if let Some(newest) = listed.iter().find(names)
            && found.iter().all(|known| known.id != newest.id)
        {
            found.push(newest);
        }
    }
    found
}

/// Returns the status with which the deployment of a run begins.
pub(super) fn begin_status(options: &DeploymentOptions) -> NewDeploymentStatus {
    let text = "the gates have passed, the images are written";
    status(options, DeploymentState::InProgress, text)
}

/// Returns the status with which the deployment of a run ends.
pub(super) fn end_status(
    options: &DeploymentOptions,
    services: &[DeployedService],
    end: &DeploymentEnd,
) -> NewDeploymentStatus {
    if !end.failed.is_empty() {
        let text = format!("not released: {}", end.failed.join(", "));
        return status(options, DeploymentState::Failure, &text);
    }
    if end.released == 0 && end.superseded > 0 {
        let text = "recorded, and a newer release keeps the environment";
        return status(options, DeploymentState::Inactive, text);
    }
    let mut text = format!("released {}", services_phrase(services));
    if let [record] = end.records.as_slice() {
        let with_record = format!("{text}, record {record}");
        // A record's name that is cut names nothing.
        if with_record.chars().count() <= DESCRIPTION_LIMIT {
            text = with_record;
        }
    }
    status(options, DeploymentState::Success, &text)
}

/// Returns the status that a mark adds.
pub(super) fn mark_status(options: &DeploymentOptions, mark: ReleaseMark) -> NewDeploymentStatus {
    match mark {
        ReleaseMark::Deployed => status(
            options,
            DeploymentState::Success,
            "marked as deployed: it runs",
        ),
        ReleaseMark::Failed => status(
            options,
            DeploymentState::Failure,
            "marked as failed: it does not run as it should",
        ),
    }
}

/// Returns the status of a deployment that another one replaces.
pub(super) fn replaced_status(options: &DeploymentOptions) -> NewDeploymentStatus {
    status(
        options,
        DeploymentState::Inactive,
        "a later release replaced it",
    )
}

fn status(options: &DeploymentOptions, state: DeploymentState, text: &str) -> NewDeploymentStatus {
    NewDeploymentStatus {
        state,
        description: to_printable(text, DESCRIPTION_LIMIT),
        log_url: options.run_uri.clone(),
        environment_url: None,
        auto_inactive: true,
    }
}

/// Returns what a dry run would create.
pub(super) fn dry_run_phrase(
    options: &DeploymentOptions,
    task: DeploymentTask,
    services: &[DeployedService],
) -> Option<String> {
    if !options.creates_deployment || task != DeploymentTask::Release {
        return None;
    }
    let environment = &options.environment.name;
    match options.plan_deployment(services) {
        Ok(planned) => Some(format!(
            "would create a deployment of {} in {environment}",
            planned.new.reference
        )),
        Err(left_out) => Some(format!(
            "would create no deployment in {environment}: {}",
            left_out.why
        )),
    }
}
