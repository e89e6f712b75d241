//! Rollbacks or marks of several services in one run.
//!
//! All services are checked before anything is written, so what a rule refuses for one of them is refused before a
//! tag of any other moves. Then they are written side by side, each with its own record. After the first failure no
//! further service is begun; those under way end.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};

use super::Failure;
use super::batch::ServiceOutcome;
use super::context::ReleaseContext;
use super::github_deployment::accompany::accompany;
use super::github_deployment::options::{DeployedService, DeploymentEnd, DeploymentTask};
use super::mark::{MarkOutcome, MarkRequest};
use super::rollback::{RollbackOutcome, RollbackRequest};
use super::timeline_verb::TimelineVerb;
use crate::policy::Service;
use crate::tagging::EnvironmentName;

/// Services that are checked or written at the same time.
const SERVICE_CONCURRENCY: usize = 64;

/// Requests of a verb of records for several services.
#[derive(Debug, Clone)]
pub struct RecordBatch<R> {
    /// Environment.
    pub environment: EnvironmentName,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// Request of each service: none twice.
    pub services: Vec<(Service, R)>,
}

/// Outcome of a verb of records for several services.
#[derive(Debug, Clone)]
pub struct RecordBatchOutcome<O> {
    /// Environment.
    pub environment: EnvironmentName,
    /// Whether this was a dry run.
    pub dry_run: bool,
    /// Whether it came to writing: not where one was refused before.
    pub started: bool,
    /// What became of each, in the order asked for.
    pub services: Vec<(Service, ServiceOutcome<O>)>,
}

impl<O> RecordBatchOutcome<O> {
    /// Returns the services that are done, with their outcomes.
    pub fn completed(&self) -> impl Iterator<Item = (&Service, &O)> {
        self.services.iter().filter_map(|(service, end)| match end {
            ServiceOutcome::Completed(outcome) => Some((service, &**outcome)),
            _ => None,
        })
    }

    /// Returns the services that failed by themselves, with their failures.
    pub fn failures(&self) -> impl Iterator<Item = (&Service, &Failure)> {
        self.services.iter().filter_map(|(service, end)| match end {
            ServiceOutcome::Failed(failure) => Some((service, failure)),
            _ => None,
        })
    }

    /// Replaces each failure.
    pub fn map_failures(&mut self, change: impl Fn(Failure) -> Failure) {
        for (_, end) in &mut self.services {
            if let ServiceOutcome::Failed(failure) = end {
                *failure = change(failure.clone());
            }
        }
    }
}

/// Withdraws a release of each service, and says of each what became of it when it ends. What fails is told by the
/// outcome, service by service.
pub async fn rollback_services(
    batch: &RecordBatch<RollbackRequest>,
    context: &ReleaseContext,
    on_outcome: impl Fn(&Service, &ServiceOutcome<RollbackOutcome>),
) -> RecordBatchOutcome<RollbackOutcome> {
    run_services(batch, context, on_outcome).await
}

/// Marks a release of each service, as [`rollback_services`] withdraws one.
pub async fn mark_services(
    batch: &RecordBatch<MarkRequest>,
    context: &ReleaseContext,
    on_outcome: impl Fn(&Service, &ServiceOutcome<MarkOutcome>),
) -> RecordBatchOutcome<MarkOutcome> {
    run_services(batch, context, on_outcome).await
}

async fn run_services<R: TimelineVerb>(
    batch: &RecordBatch<R>,
    context: &ReleaseContext,
    on_outcome: impl Fn(&Service, &ServiceOutcome<R::Outcome>),
) -> RecordBatchOutcome<R::Outcome> {
    let requests = &batch.services;
    for (_, request) in requests {
        request.timeline().announce(context);
    }
    let checked = check_services(requests, context).await;
    let mut results = checked.iter();
    let started = results.all(|result| matches!(result, Some(Ok(_))));
    let ends = match started {
        true => {
            let services = deployed_services(requests, &checked);
            let task = deployment_task(requests);
            let writes = write_services(requests, context, checked, on_outcome);
            let end = |ends: &Vec<_>| deployment_end(requests, ends);
            let github = context.github.as_ref();
            Box::pin(accompany(github, task, services, writes, end)).await
        }
        false => checked.into_iter().map(unwritten).collect(),
    };
    let names = requests.iter().map(|(service, _)| service.clone());
    RecordBatchOutcome {
        environment: batch.environment.clone(),
        dry_run: batch.dry_run,
        started,
        services: names.zip(ends).collect(),
    }
}

fn deployment_task<R: TimelineVerb>(requests: &[(Service, R)]) -> DeploymentTask {
    let first = requests.first();
    first.map_or(DeploymentTask::Release, |(_, request)| {
        request.deployment_task()
    })
}

/// Returns the releases that GitHub is told of.
fn deployed_services<R: TimelineVerb>(
    requests: &[(Service, R)],
    checked: &[Option<Result<R::Prepared, Failure>>],
) -> Vec<DeployedService> {
    let each = requests.iter().zip(checked);
    let each = each.filter_map(|((service, request), checked)| {
        let prepared = checked.as_ref()?.as_ref().ok()?;
        let told = request.deployed_service(prepared)?;
        Some(DeployedService {
            service: Some(service.clone()),
            ..told
        })
    });
    each.collect()
}

/// Returns how the writes of all services ended.
fn deployment_end<R, O>(requests: &[(Service, R)], ends: &[ServiceOutcome<O>]) -> DeploymentEnd {
    let mut told = DeploymentEnd::default();
    for ((service, _), end) in requests.iter().zip(ends) {
        match end {
            ServiceOutcome::Completed(_) => told.released += 1,
            _ => told.failed.push(service.to_string()),
        }
    }
    told
}

/// Checks all services. A rule that refuses one is no reason not to look at the others, so that one run tells all; a
/// registry that fails is. `None`: not looked at.
async fn check_services<R: TimelineVerb>(
    requests: &[(Service, R)],
    context: &ReleaseContext,
) -> Vec<Option<Result<R::Prepared, Failure>>> {
    let checks = requests.iter().enumerate();
    let checks = checks
        .map(|(at, (_, request))| async move { (at, Box::pin(request.prepare(context)).await) });
    let mut checks = stream::iter(checks).buffer_unordered(SERVICE_CONCURRENCY);
    let mut results: Vec<_> = requests.iter().map(|_| None).collect();
    while let Some((at, result)) = checks.next().await {
        let has_failed = matches!(result, Err(Failure::Service(_)));
        results[at] = Some(result);
        if has_failed {
            break;
        }
    }
    results
}

/// Returns the end of a service of which nothing is written, because another one did not pass.
fn unwritten<P, O>(checked: Option<Result<P, Failure>>) -> ServiceOutcome<O> {
    match checked {
        Some(Err(failure)) => ServiceOutcome::Failed(failure),
        _ => ServiceOutcome::NotStarted,
    }
}

/// Writes what is checked, side by side. The ends are in the order of the requests.
async fn write_services<R: TimelineVerb>(
    requests: &[(Service, R)],
    context: &ReleaseContext,
    checked: Vec<Option<Result<R::Prepared, Failure>>>,
    on_outcome: impl Fn(&Service, &ServiceOutcome<R::Outcome>),
) -> Vec<ServiceOutcome<R::Outcome>> {
    let (broken, on_outcome) = (&AtomicBool::new(false), &on_outcome);
    let writes = requests.iter().zip(checked);
    let writes = writes.map(|((service, request), checked)| async move {
        let prepared = match checked {
            Some(Ok(prepared)) if !broken.load(Ordering::Relaxed) => prepared,
            other => return unwritten(other),
        };
        let end = Box::pin(request.execute(context, prepared)).await;
        let end = ServiceOutcome::from_result(end);
        broken.fetch_or(matches!(end, ServiceOutcome::Failed(_)), Ordering::Relaxed);
        on_outcome(service, &end);
        end
    });
    let ends = stream::iter(writes).buffered(SERVICE_CONCURRENCY);
    ends.collect().await
}
