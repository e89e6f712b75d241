//! Releases several services in one run, each through the pipeline.
//!
//! All services are resolved and planned before anything is written, so what a rule refuses for one of
//! them is refused before any other moves. Then they are released side by side, each of them tag last
//! for itself: a service whose tags are there is released, whatever becomes of the others. After the
//! first failure no further service is begun; those under way end. A run that is repeated finds what is
//! right, and does the rest.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};

use super::Failure;
use super::context::ReleaseContext;
use super::execute::stages::PreTagStages;
use super::github_deployment::accompany::accompany;
use super::github_deployment::options::{DeployedService, DeploymentEnd, DeploymentTask};
use super::outcome::ReleaseOutcome;
use super::pipeline::{announce_repositories, execute_release, execute_stages, prepare_release};
use super::prepared_release::PreparedRelease;
use super::release_plan::{PlannedRelease, ReleasePlan};
use super::request::{ReleaseRequest, ReleaseVerb};
use crate::gate::GateReport;
use crate::notices::to_printable;
use crate::policy::Service;

/// Services that are looked at at the same time.
pub(super) const PLANNING_CONCURRENCY: usize = 64;
/// Services that are released at the same time: each is a chain of requests that wait for one another,
/// and so many chains keep a registry's limit of requests in flight in use.
const RELEASE_CONCURRENCY: usize = 64;

/// A release of several services.
#[derive(Debug, Clone)]
pub struct ReleaseBatch {
    /// How they are released.
    pub verb: ReleaseVerb,
    /// Plan and report, and write nothing.
    pub dry_run: bool,
    /// What is asked for each: none twice.
    pub services: Vec<(Service, ReleaseRequest)>,
}

/// Outcome of a release of several services.
#[derive(Debug, Clone)]
pub struct BatchOutcome {
    /// How they were released.
    pub verb: ReleaseVerb,
    /// Whether nothing was written, only planned.
    pub dry_run: bool,
    /// Whether it came to writing: not where one was refused before.
    pub started: bool,
    /// What became of each, in the order asked for.
    pub services: Vec<(Service, ServiceOutcome)>,
    /// Verdicts of the gates of each, in the same order; empty for one without gates, and where none were judged.
    pub gates: Vec<GateReport>,
}

/// Outcome of one service of several.
#[derive(Debug, Clone)]
pub enum ServiceOutcome<O = ReleaseOutcome> {
    /// It is done, or was already.
    Completed(Box<O>),
    /// It failed by itself.
    Failed(Failure),
    /// It was not begun, since another one failed.
    NotStarted,
}

/// A service that was looked at.
struct PlannedService<'a> {
    state: ServiceState<'a>,
    /// Part of the plan, where one is expected and the service is planned.
    planned: Option<PlannedRelease>,
}

/// A service on its way.
enum ServiceState<'a> {
    Ready(Box<PreparedRelease<'a>>),
    Ended(ServiceOutcome),
}

impl BatchOutcome {
    /// Returns whether any tag was written.
    pub fn has_changes(&self) -> bool {
        self.completed().any(|(_, outcome)| outcome.has_changes())
    }

    /// Returns the services that are released, or were already, with their outcomes.
    pub fn completed(&self) -> impl Iterator<Item = (&Service, &ReleaseOutcome)> {
        self.services.iter().filter_map(|(service, end)| match end {
            ServiceOutcome::Completed(outcome) => Some((service, &**outcome)),
            _ => None,
        })
    }

    /// Returns the verdicts of the gates of each service that has any.
    pub fn gate_reports(&self) -> impl Iterator<Item = (&Service, &GateReport)> {
        let services = self.services.iter().map(|(service, _)| service);
        let each = services.zip(&self.gates);
        each.filter(|(_, report)| !report.verdicts().is_empty())
    }

    /// Returns the failures, so that the caller can add advice to them.
    pub fn failures_mut(&mut self) -> impl Iterator<Item = &mut Failure> {
        self.services.iter_mut().filter_map(|(_, end)| match end {
            ServiceOutcome::Failed(failure) => Some(failure),
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
}

impl ReleaseBatch {
    /// Releases the services, and says of each what became of it when it ends. What fails is told by
    /// the outcome, service by service.
    pub async fn run(
        &self,
        context: &ReleaseContext,
        on_outcome: impl Fn(&Service, &ServiceOutcome),
    ) -> BatchOutcome {
        announce_repositories(self.services.iter().map(|(_, request)| request), context);
        context.meter.expect_images(self.services.len() as u64);
        let contexts = self.service_contexts(context);
        let ended = |at: usize, end: &ServiceOutcome| {
            contexts[at].meter.finish_image();
            on_outcome(&self.services[at].0, end);
        };
        let services = self.plan_services(&contexts, &ended).await;
        let (mut steps, planned): (Vec<_>, Vec<_>) = services
            .into_iter()
            .map(|service| (service.state, service.planned))
            .unzip();
        if steps.iter().all(ServiceState::is_planned)
            && let Err(failure) = self.check_services_together(planned, context)
        {
            steps[0] = ServiceState::Ended(ServiceOutcome::Failed(failure));
        }
        let begun = steps.iter().all(ServiceState::is_planned);
        let gates = steps.iter().map(ServiceState::gate_report).collect();
        if !begun {
            steps = steps.into_iter().map(ServiceState::skip_if_ready).collect();
        }
        let services = match begun {
            true => self.deployed_services(&steps),
            false => Vec::new(),
        };
        let releases = release_services(steps, &ended);
        let (github, task) = (context.github.as_ref(), DeploymentTask::Release);
        let end = |ends: &Vec<ServiceOutcome>| self.deployment_end(ends);
        let ends = Box::pin(accompany(github, task, services, releases, end)).await;
        let names = self.services.iter().map(|(service, _)| service.clone());
        BatchOutcome {
            verb: self.verb,
            dry_run: self.dry_run,
            started: begun,
            services: names.zip(ends).collect(),
            gates,
        }
    }

    /// Returns what GitHub is told of each service that is released, or was already.
    fn deployed_services(&self, steps: &[ServiceState<'_>]) -> Vec<DeployedService> {
        let each = self.services.iter().zip(steps);
        let each = each.filter_map(|((service, _), step)| {
            let told = step.deployed_service()?;
            Some(DeployedService {
                service: Some(service.clone()),
                ..told
            })
        });
        each.collect()
    }

    /// Returns how the run ended.
    fn deployment_end(&self, ends: &[ServiceOutcome]) -> DeploymentEnd {
        let mut told = DeploymentEnd::default();
        for ((service, _), end) in self.services.iter().zip(ends) {
            match end {
                ServiceOutcome::Completed(outcome) => outcome.add_to_end(&mut told),
                _ => told.failed.push(service.to_string()),
            }
        }
        told
    }

    /// Returns the context of each service. Messages need no name of the only one.
    fn service_contexts(&self, context: &ReleaseContext) -> Vec<ReleaseContext> {
        let services = self.services.iter().map(|(service, _)| service);
        match self.services.len() {
            1 => services.map(|it| context.for_image(it.as_str())).collect(),
            _ => services.map(|it| context.for_service(it)).collect(),
        }
    }

    /// Refuses scan reports that are about none of the services, and another plan than the expected one, once all
    /// services are planned.
    fn check_services_together(
        &self,
        planned: Vec<Option<PlannedRelease>>,
        context: &ReleaseContext,
    ) -> Result<(), Failure> {
        refuse_unclaimed_reports(self.services.iter().map(|(_, request)| request))?;
        let Some((_, first)) = self.services.first() else {
            return Ok(());
        };
        if first.plan.expected.is_none() {
            return Ok(());
        }
        let names = self.services.iter().map(|(service, _)| Some(service));
        let services = names.zip(planned);
        let services = services.filter_map(|(service, planned)| Some((service, planned?)));
        ReleasePlan::new(&first.plan, first.environment.as_ref(), services)
            .require(&first.plan, &context.notices)
    }

    /// Resolves and plans all services. A rule that refuses one is no reason not to look at the others,
    /// so that one run tells all; a registry that fails is.
    async fn plan_services<'a>(
        &'a self,
        contexts: &'a [ReleaseContext],
        ended: &impl Fn(usize, &ServiceOutcome),
    ) -> Vec<PlannedService<'a>> {
        let services = self.services.iter().zip(contexts).enumerate();
        let looks = services.map(|(at, ((_, request), context))| async move {
            (at, plan_service(request, context).await)
        });
        let mut looks = stream::iter(looks).buffer_unordered(PLANNING_CONCURRENCY);
        let not_begun = || PlannedService {
            state: ServiceState::Ended(ServiceOutcome::NotStarted),
            planned: None,
        };
        let mut steps: Vec<PlannedService> = self.services.iter().map(|_| not_begun()).collect();
        while let Some((at, step)) = looks.next().await {
            // What stands against some of them is told of all at once.
            if let ServiceState::Ended(end @ ServiceOutcome::Completed(_)) = &step.state {
                ended(at, end);
            }
            let failed = matches!(
                step.state,
                ServiceState::Ended(ServiceOutcome::Failed(Failure::Service(_)))
            );
            steps[at] = step;
            if failed {
                break;
            }
        }
        steps
    }
}

/// Refuses a scan report that is about none of the images of a run.
///
/// # Errors
/// A refusal that names all such reports.
pub(super) fn refuse_unclaimed_reports<'a>(
    mut requests: impl Iterator<Item = &'a ReleaseRequest>,
) -> Result<(), Failure> {
    let unclaimed = requests.find_map(|request| {
        let reports = request.gates.as_ref()?.reports()?;
        Some(reports.unclaimed()).filter(|names| !names.is_empty())
    });
    match unclaimed {
        None => Ok(()),
        Some(names) => Err(unclaimed_failure(&names)),
    }
}

fn unclaimed_failure(names: &[&str]) -> Failure {
    let names: Vec<String> = names.iter().map(|name| to_printable(name, 200)).collect();
    Failure::refused(format!(
        "the scan report {} is about none of the images of this run",
        names.join(", ")
    ))
    .with_reason("each report belongs to the service whose image it names by a digest")
    .with_hint("give the reports of the images that are released, scanned by their digests")
}

/// Releases what is planned, side by side: one that takes long holds up no other. The ends are in the
/// order of the steps.
async fn release_services(
    steps: Vec<ServiceState<'_>>,
    ended: &impl Fn(usize, &ServiceOutcome),
) -> Vec<ServiceOutcome> {
    let broken = &AtomicBool::new(false);
    let ends = steps.into_iter().enumerate().map(|(at, step)| async move {
        match step {
            ServiceState::Ended(end) => (at, end),
            ServiceState::Ready(_) if broken.load(Ordering::Relaxed) => {
                (at, ServiceOutcome::NotStarted)
            }
            ServiceState::Ready(prepared) => {
                let end = ServiceOutcome::from_result(execute_release(&prepared).await);
                let failed = matches!(end, ServiceOutcome::Failed(_));
                broken.fetch_or(failed, Ordering::Relaxed);
                ended(at, &end);
                (at, end)
            }
        }
    });
    let ends = stream::iter(ends).buffer_unordered(RELEASE_CONCURRENCY);
    let mut ends: Vec<(usize, ServiceOutcome)> = ends.collect().await;
    ends.sort_unstable_by_key(|(at, _)| *at);
    ends.into_iter().map(|(_, end)| end).collect()
}

/// What is right already is done with: a thousand of them are not held in memory.
async fn plan_service<'a>(
    request: &'a ReleaseRequest,
    context: &'a ReleaseContext,
) -> PlannedService<'a> {
    let prepared = match prepare_release(request, context).await {
        Ok(prepared) => prepared,
        Err(failure) => {
            return PlannedService {
                state: ServiceState::Ended(ServiceOutcome::Failed(failure)),
                planned: None,
            };
        }
    };
    let is_expected = request.plan.expected.is_some();
    PlannedService {
        planned: is_expected.then(|| prepared.to_planned()),
        state: ServiceState::of_prepared(prepared).await,
    }
}

impl<'a> ServiceState<'a> {
    async fn of_prepared(prepared: PreparedRelease<'a>) -> Self {
        if prepared.changes_tags() {
            return Self::Ready(Box::new(prepared));
        }
        match PreTagStages::find_missing(&prepared).await {
            Ok(stages) if stages.is_only_image_missing() => Self::Ended(
                ServiceOutcome::from_result(execute_stages(&prepared, stages).await),
            ),
            // What it lacks is looked at again when its turn comes, and not held until then.
            Ok(_) => Self::Ready(Box::new(prepared)),
            Err(failure) => {
                let failure = failure.with_gates(&prepared.gates.report);
                Self::Ended(ServiceOutcome::Failed(failure))
            }
        }
    }

    fn deployed_service(&self) -> Option<DeployedService> {
        match self {
            Self::Ready(prepared) => Some(prepared.deployed_service()),
            Self::Ended(ServiceOutcome::Completed(outcome)) => Some(outcome.deployed_service()),
            Self::Ended(_) => None,
        }
    }

    fn is_planned(&self) -> bool {
        !matches!(
            self,
            Self::Ended(ServiceOutcome::Failed(_) | ServiceOutcome::NotStarted)
        )
    }

    /// Returns the verdicts of the gates, as far as they were judged.
    fn gate_report(&self) -> GateReport {
        match self {
            Self::Ready(prepared) => prepared.gates.report.clone(),
            Self::Ended(ServiceOutcome::Completed(outcome)) => outcome.gates.clone(),
            Self::Ended(ServiceOutcome::Failed(failure)) => {
                failure.gates().cloned().unwrap_or_default()
            }
            Self::Ended(ServiceOutcome::NotStarted) => GateReport::default(),
        }
    }

    /// Not to be begun.
    fn skip_if_ready(self) -> Self {
        match self {
            Self::Ready(_) => Self::Ended(ServiceOutcome::NotStarted),
            ended => ended,
        }
    }
}

impl<O> ServiceOutcome<O> {
    pub(super) fn from_result(result: Result<O, Failure>) -> Self {
        match result {
            Ok(outcome) => Self::Completed(Box::new(outcome)),
            Err(failure) => Self::Failed(failure),
        }
    }
}
