//! Tells GitHub of a run while and after it writes to the registry, and never in its way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::time::{Instant, timeout};

use super::deployment_calls::{BegunDeployment, DEPLOYMENT, add_status, begin, left_out_by, list};
use super::deployment_plan::{
    dry_run_phrase, end_status, find_marked, mark_status, replaced_status,
};
use super::linked_artifacts::create_records;
use super::options::{
    DeployedService, DeploymentEnd, DeploymentOptions, DeploymentTask, GithubLeftOut,
};
use super::report::{GithubDeploymentStatus, GithubReport};
use crate::github::{Deployment, DeploymentState, GithubApi};
use crate::image::Digest;
use crate::record::ReleaseMark;

/// Time for all requests about deployments together.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// What a run tells GitHub, with the report of it. Its clones share the report.
#[derive(Clone)]
pub struct GithubDeployment(Arc<DeploymentRun>);

struct DeploymentRun {
    options: DeploymentOptions,
    report: Mutex<GithubReport>,
}

/// What is known of the deployment when the writes to the registry end.
enum BegunTask {
    None,
    Release(BegunDeployment),
    Mark(Vec<Deployment>),
}

/// Writes to the registry, and tells GitHub of it next to that and afterwards. Returns what the writes return.
pub(crate) async fn accompany<T>(
    deployment: Option<&GithubDeployment>,
    task: DeploymentTask,
    services: Vec<DeployedService>,
    writes: impl Future<Output = T>,
    end: impl FnOnce(&T) -> DeploymentEnd,
) -> T {
    let Some(deployment) = deployment.filter(|_| !services.is_empty()) else {
        return writes.await;
    };
    let options = &deployment.0.options;
    if options.dry_run {
        deployment.0.add(|report| {
            report.planned = dry_run_phrase(options, task, &services);
        });
        return writes.await;
    }
    let api = match &options.api {
        Ok(api) => api,
        Err(left_out) => {
            deployment
                .0
                .add(|report| report.left_out.push(left_out.clone()));
            return writes.await;
        }
    };
    let beginning = Box::pin(deployment.0.begin(api, task, &services));
    let (written, (begun, spent)) = join(writes, beginning).await;
    let end = end(&written);
    Box::pin(
        deployment
            .0
            .finish(api, task, &services, begun, spent, &end),
    )
    .await;
    written
}

impl GithubDeployment {
    /// Returns what tells GitHub of a run.
    pub fn new(options: DeploymentOptions) -> Self {
        Self(Arc::new(DeploymentRun {
            options,
            report: Mutex::default(),
        }))
    }

    /// Returns what GitHub was told so far.
    pub fn report(&self) -> GithubReport {
        self.0.lock().clone()
    }
}

impl DeploymentRun {
    fn lock(&self) -> std::sync::MutexGuard<'_, GithubReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, change: impl FnOnce(&mut GithubReport)) {
        change(&mut self.lock());
    }

    fn leave_out_silence(&self) {
        self.add(|report| {
            report.left_out.push(GithubLeftOut {
                what: DEPLOYMENT,
                why: format!("GitHub did not answer within {} s", TIME_LIMIT.as_secs()),
                add: None,
            });
        });
    }

    /// Does what comes next to the writes. Returns the time that it took.
    async fn begin(
        &self,
        api: &GithubApi,
        task: DeploymentTask,
        services: &[DeployedService],
    ) -> (BegunTask, Duration) {
        if !self.options.creates_deployment {
            return (BegunTask::None, Duration::ZERO);
        }
        let began = Instant::now();
        let work = async {
            match task {
                DeploymentTask::Release => {
                    BegunTask::Release(begin(&self.options, api, services).await)
                }
                DeploymentTask::Mark(_) => match list(&self.options, api).await {
                    Ok(listed) => BegunTask::Mark(listed),
                    Err(error) => {
                        let left_out = left_out_by(DEPLOYMENT, &error);
                        self.add(|report| report.left_out.push(left_out));
                        BegunTask::None
                    }
                },
            }
        };
        let begun = match timeout(TIME_LIMIT, work).await {
            Ok(begun) => begun,
            Err(_) => {
                self.leave_out_silence();
                BegunTask::None
            }
        };
        (begun, began.elapsed())
    }

    /// Says how the writes ended.
    async fn finish(
        &self,
        api: &GithubApi,
        task: DeploymentTask,
        services: &[DeployedService],
        begun: BegunTask,
        spent: Duration,
        end: &DeploymentEnd,
    ) {
        let left = TIME_LIMIT.saturating_sub(spent);
        let work = async {
            match (begun, task) {
                (BegunTask::Release(begun), _) => {
                    self.finish_release(api, services, begun, end).await
                }
                (BegunTask::Mark(listed), DeploymentTask::Mark(mark)) => {
                    self.mark(api, services, &listed, mark, end).await;
                }
                _ => {}
            }
        };
        if timeout(left, work).await.is_err() {
            self.leave_out_silence();
        }
        let is_released = end.failed.is_empty() && end.released > 0;
        let is_release = task == DeploymentTask::Release;
        if self.options.creates_storage_record && is_release && is_released {
            let mut report = GithubReport::default();
            create_records(&self.options, api, services, &mut report).await;
            self.add(|all| {
                all.storage_records = report.storage_records;
                all.left_out.extend(report.left_out);
            });
        }
    }

    async fn finish_release(
        &self,
        api: &GithubApi,
        services: &[DeployedService],
        begun: BegunDeployment,
        end: &DeploymentEnd,
    ) {
        let BegunDeployment {
            id,
            active,
            notes,
            left_out,
        } = begun;
        self.add(|report| {
            report.notes.extend(notes);
            report.left_out.extend(left_out);
        });
        let Some(id) = id else {
            return;
        };
        let mut told = GithubDeploymentStatus {
            id,
            environment: self.options.environment.name.clone(),
            state: DeploymentState::InProgress.as_str(),
            replaced: 0,
        };
        self.add(|report| report.deployment = Some(told.clone()));
        let status = end_status(&self.options, services, end);
        let is_success = status.state == DeploymentState::Success;
        let replaced = replaced_status(&self.options);
        let replacing = active.iter().filter(|_| is_success);
        let replacing = replacing.map(|earlier| add_status(api, *earlier, &replaced));
        let (sent, replacing) = join(add_status(api, id, &status), join_all(replacing)).await;
        let mut left_out = Vec::new();
        match sent {
            Ok(()) => told.state = status.state.as_str(),
            Err(error) => left_out.push(left_out_by("the last status of the deployment", &error)),
        }
        for sent in replacing {
            match sent {
                Ok(()) => told.replaced += 1,
                Err(error) => left_out.push(left_out_by(
                    "the status inactive of an earlier deployment",
                    &error,
                )),
            }
        }
        self.add(|report| {
            report.deployment = Some(told);
            report.left_out.extend(left_out);
        });
    }

    /// Adds a status to the deployments of marked releases.
    async fn mark(
        &self,
        api: &GithubApi,
        services: &[DeployedService],
        listed: &[Deployment],
        mark: ReleaseMark,
        end: &DeploymentEnd,
    ) {
        if !end.failed.is_empty() {
            return;
        }
        let environment = &self.options.environment.name;
        let digests: Vec<Digest> = services.iter().map(|service| service.digest).collect();
        let marked = find_marked(listed, environment, &digests);
        if marked.is_empty() {
            self.add(|report| {
                report.left_out.push(GithubLeftOut {
                    what: "the status of the deployment",
                    why: format!("shipmark made no deployment of the release in {environment}"),
                    add: Some("deployments: true to the promotion".to_owned()),
                });
            });
        }
        let status = mark_status(&self.options, mark);
        for deployment in marked {
            let sent = add_status(api, deployment.id, &status).await;
            self.add(|report| match sent {
                Ok(()) => {
                    report.deployment = Some(GithubDeploymentStatus {
                        id: deployment.id,
                        environment: environment.clone(),
                        state: status.state.as_str(),
                        replaced: 0,
                    });
                }
                Err(error) => report
                    .left_out
                    .push(left_out_by("the status of the deployment", &error)),
            });
        }
    }
}
