//! Checks the releases of services side by side: what stands against one hides nothing of the others.

use futures_util::{StreamExt, stream};

use super::check_outcome::{
    CheckOutcome, CheckRequest, CheckedDestination, CheckedRelease, CheckedService, CheckedTag,
};
use super::current_image::find_current_images;
use super::tag_mutability::TagMutability;
use crate::image::Destination;
use crate::policy::Service;
use crate::release::Failure;
use crate::release::batch::{PLANNING_CONCURRENCY, refuse_unclaimed_reports};
use crate::release::context::ReleaseContext;
use crate::release::outcome::ReleaseOutcome;
use crate::release::pipeline::{announce_repositories, examine_release, execute_release};
use crate::release::prepared_release::PreparedRelease;
use crate::release::release_plan::{PlannedRelease, ReleasePlan};
use crate::release::request::ReleaseRequest;

/// Checks a promotion; writes nothing.
pub async fn check(request: &CheckRequest, context: &ReleaseContext) -> CheckOutcome {
    let requests = request.services.iter().map(|(_, request)| request);
    announce_repositories(requests.clone(), context);
    let mut found = check_services(request, context).await;
    found.sort_unstable_by_key(|(at, ..)| *at);
    let mut refusals: Vec<Failure> = request.refused_run.iter().cloned().collect();
    if found
        .iter()
        .all(|(_, checked, _)| checked.failures.is_empty())
    {
        refusals.extend(refuse_unclaimed_reports(requests).err());
    }
    let first = request.services.first().map(|(_, request)| request);
    let planned: Option<Vec<_>> = found
        .iter()
        .map(|(_, checked, planned)| Some((checked.service.as_ref(), planned.clone()?)))
        .collect();
    let plan = planned
        .zip(first)
        .map(|(planned, first)| ReleasePlan::new(&first.plan, first.environment.as_ref(), planned));
    CheckOutcome {
        environment: first.and_then(|first| first.environment.clone()),
        path: first.map(|first| first.path.clone()).unwrap_or_default(),
        refusals,
        plan,
        services: found.into_iter().map(|(_, checked, _)| checked).collect(),
    }
}

/// Checks all services. Returns them as they end, each with its place in the request and its part of the plan.
async fn check_services(
    request: &CheckRequest,
    context: &ReleaseContext,
) -> Vec<(usize, CheckedService, Option<PlannedRelease>)> {
    let services = request.services.iter().enumerate();
    let checks = services.map(|(at, (service, request))| async move {
        let name = service.as_ref().map_or("image", Service::as_str);
        let context = context.for_image(name);
        let (checked, planned) = Box::pin(check_service(service, request, &context)).await;
        (at, checked, planned)
    });
    let checks = stream::iter(checks).buffer_unordered(PLANNING_CONCURRENCY);
    checks.collect().await
}

async fn check_service(
    service: &Option<Service>,
    request: &ReleaseRequest,
    context: &ReleaseContext,
) -> (CheckedService, Option<PlannedRelease>) {
    let mut checked = CheckedService {
        service: service.clone(),
        release: None,
        failures: Vec::new(),
    };
    let mut prepared = match Box::pin(examine_release(request, context)).await {
        Ok(prepared) => prepared,
        Err(failure) => {
            checked.failures.push(failure);
            return (checked, None);
        }
    };
    checked.failures = std::mem::take(&mut prepared.refusals).into_failures();
    let outcome = match checked.failures.is_empty() {
        true => match execute_release(&prepared).await {
            Ok(outcome) => Some(outcome),
            Err(failure) => {
                checked.failures.push(failure);
                None
            }
        },
        false => None,
    };
    let planned = prepared.to_planned();
    checked.release = Some(Box::new(describe_release(&prepared, outcome).await));
    (checked, Some(planned))
}

/// Returns what is known of a release; `outcome` is that of the dry run, if nothing refuses it.
async fn describe_release(
    prepared: &PreparedRelease<'_>,
    outcome: Option<ReleaseOutcome>,
) -> CheckedRelease {
    let mut currents = find_current_images(prepared).await.into_iter();
    let places = 0..prepared.destinations.len();
    let destinations = places.map(|at| CheckedDestination {
        place: prepared.destinations[at].name.clone(),
        tags: checked_tags(prepared, at),
        record: outcome
            .as_ref()
            .and_then(|it| it.destinations[at].record.clone()),
        is_recorded: prepared.timelines.is_some(),
        records_place: records_place(prepared, at),
        current: currents.next().flatten(),
        mutability: TagMutability::of_destination(prepared, at),
    });
    let destinations = destinations.collect();
    CheckedRelease {
        source: prepared.image.location.clone(),
        source_digest: prepared.source_digest,
        root: prepared.image.root.digest,
        version: prepared.derived.version.clone(),
        commit: prepared.commit.clone(),
        source_repository: prepared
            .image
            .origin
            .as_ref()
            .and_then(|it| it.source.clone()),
        gates: prepared.gates.report.clone(),
        destinations,
        would_write: outcome.as_ref().is_some_and(ReleaseOutcome::has_changes),
        notes: match outcome {
            Some(outcome) => outcome.notes,
            None => prepared.derived.notes.clone(),
        },
    }
}

fn records_place(prepared: &PreparedRelease<'_>, at: usize) -> Option<Destination> {
    let timelines = prepared.timelines.as_ref()?;
    timelines.destinations[at]
        .view
        .location()
        .entries_at
        .clone()
}

fn checked_tags(prepared: &PreparedRelease<'_>, at: usize) -> Vec<CheckedTag> {
    let steps = prepared.plans.get(at).map(|plan| &plan.steps);
    let changes = |number: usize| Some(steps?.get(number)?.change.clone());
    let tags = prepared.derived.tags.iter().enumerate();
    tags.map(|(number, planned)| CheckedTag {
        tag: planned.tag.clone(),
        is_immutable: planned.kind.is_immutable(),
        rule: planned.rule.clone(),
        change: changes(number),
    })
    .collect()
}
