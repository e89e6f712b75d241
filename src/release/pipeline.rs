//! Release pipeline: resolves, plans, copies, signs and tags, in the order of promise 2 of the design.
//! Tags are always last.

use std::sync::Arc;

use futures_util::future::{try_join, try_join_all};

use super::Failure;
use super::context::ReleaseContext;
use super::destination::{self, OpenDestination};
use super::execute::stages::PreTagStages;
use super::gates::gate_outcome::GateOutcome;
use super::gates::gate_reading::GateReading;
use super::gates::gate_refusal::require_passed;
use super::gates::gate_warnings::report_gate_warnings;
use super::gates::gated_release::GatedRelease;
use super::gates::judge_gates::judge_gates;
use super::github_deployment::accompany::accompany;
use super::github_deployment::options::{DeploymentEnd, DeploymentTask};
use super::hand_rollback::hand_rollback_note;
use super::outcome::{DestinationOutcome, ReleaseOutcome};
use super::plan::destination_state::DestinationState;
use super::plan::line_facts::read_line_facts;
use super::plan::tags::{TagPlan, plan_tags};
use super::platform_contents::platform_contents;
use super::prepared_release::PreparedRelease;
use super::previous_image::{self, PreviousImages};
use super::records::begin::{BegunRelease, begin_record};
use super::records::clock::planning_time;
use super::records::observe::{ObservedTimelines, RecordedImage};
use super::records::timeline_view::TimelineView;
use super::refusal_list::RefusalList;
use super::release_plan::ReleasePlan;
use super::request::{ImageCheck, ReleaseRequest};
use super::resolve::find_source::{FoundSource, find_source};
use super::resolve::image::ResolvedImage;
use super::resolve_and_observe::{ObservedImage, resolve_and_observe};
use super::resolve_release::ResolvedSender;
use super::sign::plan_summaries::summary_signing;
use super::sign::report_binding::assign_reports;
use super::tags::{line_recheck, reconcile, write};
use crate::image::Digest;
use crate::tagging::DerivedTags;

/// Announces the repositories of releases to the registries' client, so that their requests share
/// logins. [`run`] does so for its own; a caller of several announces all of them first.
pub fn announce_repositories<'a>(
    requests: impl IntoIterator<Item = &'a ReleaseRequest>,
    context: &ReleaseContext,
) {
    let repositories = requests
        .into_iter()
        .flat_map(ReleaseRequest::required_repositories);
    context.registry.expect(repositories);
}

/// Releases an image.
///
/// # Errors
/// See [`Failure`]. No tag names an image that is not complete at its destination.
pub async fn run(
    request: &ReleaseRequest,
    context: &ReleaseContext,
) -> Result<ReleaseOutcome, Failure> {
    // Each step has a place of its own in memory: a debug build would need more stack than a thread has.
    let prepared = Box::pin(prepare_release(request, context)).await?;
    let planned = [(None, prepared.to_planned())];
    ReleasePlan::new(&request.plan, request.environment.as_ref(), planned)
        .require(&request.plan, &context.notices)?;
    let services = vec![prepared.deployed_service()];
    let release = Box::pin(execute_release(&prepared));
    let task = DeploymentTask::Release;
    Box::pin(accompany(
        context.github.as_ref(),
        task,
        services,
        release,
        release_end,
    ))
    .await
}

/// Returns how the release of one image ended.
fn release_end(result: &Result<ReleaseOutcome, Failure>) -> DeploymentEnd {
    let mut end = DeploymentEnd::default();
    match result {
        Ok(outcome) => outcome.add_to_end(&mut end),
        Err(_) => end.failed.push("the image".to_owned()),
    }
    end
}

/// Resolves, observes and plans; writes nothing. What a rule refuses is refused here, with all reasons.
pub(super) async fn prepare_release<'a>(
    request: &'a ReleaseRequest,
    context: &'a ReleaseContext,
) -> Result<PreparedRelease<'a>, Failure> {
    let mut prepared = Box::pin(examine_release(request, context)).await?;
    let refusals = std::mem::take(&mut prepared.refusals);
    match Failure::join(refusals.into_failures()) {
        Some(failure) => Err(failure.with_gates(&prepared.gates.report)),
        None => Ok(prepared),
    }
}

/// Resolves, observes and plans; writes nothing. Rules that refuse the image once it is resolved are named in the
/// result: no other step may follow then.
pub(super) async fn examine_release<'a>(
    request: &'a ReleaseRequest,
    context: &'a ReleaseContext,
) -> Result<PreparedRelease<'a>, Failure> {
    let mut refusals = RefusalList::default();
    announce_repositories([request], context);
    let found = Box::pin(find_source(request, context)).await?;
    let FoundSource {
        request: found,
        timelines,
    } = found;
    let request = found.as_ref();
    let destinations = destination::open_destinations(request, context)?;
    let observed = observe_and_read(request, context, &destinations, timelines, &mut refusals);
    let (observed, reading) = Box::pin(observed).await?;
    let ObservedImage {
        image,
        requested_digest,
        source_digest,
        derived,
        sources,
        commit,
        mut states,
        branch_guard,
        mut timelines,
    } = observed;
    let gated = GatedRelease::new(&image, &sources);
    let gates = run_gates(
        request,
        context,
        &destinations,
        &gated,
        timelines.as_ref(),
        reading,
    );
    let gates = refusals.keep(Box::pin(gates).await)?;
    if let Some(timelines) = &mut timelines {
        let release = BegunRelease {
            request,
            image: RecordedImage::new(&image, &derived),
            gates: gates.as_ref().filter(|gates| gates.report.has_passed()),
        };
        let begin = begin_record(&release, context, &destinations, &mut states, timelines);
        refusals.keep(Box::pin(begin).await)?;
    }
    let facts = read_line_facts(&destinations, &derived.tags, &mut states, &image);
    Box::pin(facts).await?;
    let plans = plan_destinations(&destinations, &derived, &states, image.root.digest);
    let plans = refusals.keep(plans)?.unwrap_or_default();
    let gates = gates.unwrap_or_default();
    refusals.keep(require_passed(image.source_digest(), &gates.report))?;
    let summary_signing = request.signing.as_ref().map(summary_signing);
    let found = Box::pin(assign_reports(found, &image)).await?;
    Ok(PreparedRelease {
        request: found,
        context,
        destinations,
        requested_digest,
        source_digest,
        image,
        commit,
        derived,
        states,
        plans,
        branch_guard,
        gates,
        summary_signing,
        timelines,
        refusals,
    })
}

/// What the gates judge, as far as it could be read; `None` without any.
type ReadForGates = Result<Option<GateReading>, Failure>;

/// Resolves and observes, and reads what the gates judge at the same time.
async fn observe_and_read<'a>(
    request: &ReleaseRequest,
    context: &'a ReleaseContext,
    destinations: &[OpenDestination],
    timelines: Vec<TimelineView>,
    refusals: &mut RefusalList,
) -> Result<(ObservedImage<'a>, ReadForGates), Failure> {
    let (sender, receiver) = ResolvedSender::new();
    let observed = resolve_and_observe(request, context, destinations, timelines, sender, refusals);
    let reading = async {
        match receiver.receive().await {
            Some((image, sources)) => read_gates(request, &image, &sources).await,
            None => Ok(None),
        }
    };
    // What rules the release out is told before what a gate cannot read.
    let reads = try_join(observed, async { Ok(reading.await) });
    let (observed, reading) = Box::pin(reads).await?;
    if observed.image.root.digest == observed.requested_digest {
        return Ok((observed, reading));
    }
    let reading = read_gates(request, &observed.image, &observed.sources).await;
    Ok((observed, reading))
}

/// Writes what is missing and then the tags; on a dry run reports what would be written.
pub(super) async fn execute_release(
    prepared: &PreparedRelease<'_>,
) -> Result<ReleaseOutcome, Failure> {
    let executed = async {
        let stages = PreTagStages::find_missing(prepared).await?;
        execute_stages(prepared, stages).await
    };
    let executed = Box::pin(executed).await;
    executed.map_err(|failure| failure.with_gates(&prepared.gates.report))
}

/// Executes a release of which is known what the destinations lack.
pub(super) async fn execute_stages(
    prepared: &PreparedRelease<'_>,
    mut stages: PreTagStages<'_>,
) -> Result<ReleaseOutcome, Failure> {
    let mut plans = prepared.plans.clone();
    prepared.report_kept_tags();
    prepared.report_line_warnings();
    prepared.warn_of_moving_tags_only();
    let writes = write_release(prepared, &mut stages, &mut plans);
    let ((), previous) = Box::pin(previous_image::read_during(prepared, writes)).await?;
    let mut outcome = build_outcome(prepared, plans, &stages, previous);
    outcome.notes.extend(stages.notes());
    Ok(outcome)
}

/// Writes what is missing and then the tags; nothing on a dry run.
async fn write_release(
    prepared: &PreparedRelease<'_>,
    stages: &mut PreTagStages<'_>,
    plans: &mut [TagPlan],
) -> Result<(), Failure> {
    if !prepared.request.dry_run {
        let last_stage = LastStage::choose(prepared, stages);
        stages.append_to_existing_tags().await?;
        stages.write_blobs().await?;
        stages.write_child_manifests().await?;
        if last_stage.is_after_root() {
            stages.write_root().await?;
        }
        if last_stage == LastStage::ReferrerLists {
            stages.write_referrer_manifests().await?;
        }
        write_tags(prepared, stages, plans, last_stage).await?;
        if last_stage == LastStage::None {
            stages.count_roots();
        }
    }
    Ok(())
}

/// What is written last before the tags, while the immutable ones are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastStage {
    /// Nothing: the first tag writes the root. Every destination is sure to get one, and nothing but the image
    /// is missing.
    None,
    /// The root, by its digest: nothing but the image is missing.
    Root,
    /// The referrers, which name the root.
    Referrers,
    /// The lists of referrers, which are kept under tags, after the referrers.
    ReferrerLists,
}

impl LastStage {
    fn choose(prepared: &PreparedRelease<'_>, stages: &PreTagStages<'_>) -> Self {
        if !stages.is_only_image_missing() {
            return match stages.may_append_to_tags() {
                true => Self::ReferrerLists,
                false => Self::Referrers,
            };
        }
        let is_sure = |(destination, plan): (&OpenDestination, &TagPlan)| match plan.writes() {
            true => plan.is_certain_to_write(),
            false => !PreparedRelease::is_looked_through(destination, plan),
        };
        let mut each = prepared.destinations.iter().zip(&prepared.plans);
        match each.all(is_sure) {
            true => Self::None,
            false => Self::Root,
        }
    }

    /// Returns whether the root is written by its digest before this stage.
    fn is_after_root(self) -> bool {
        matches!(self, Self::Referrers | Self::ReferrerLists)
    }

    async fn write(self, stages: &mut PreTagStages<'_>) -> Result<(), Failure> {
        match self {
            Self::None => Ok(()),
            Self::Root => stages.write_root().await,
            Self::Referrers => {
                stages.write_referrer_manifests().await?;
                stages.write_referrer_lists().await
            }
            Self::ReferrerLists => stages.write_referrer_lists().await,
        }
    }
}

/// Writes the tags: immutable ones first, then moving ones; version lines are read again.
async fn write_tags(
    prepared: &PreparedRelease<'_>,
    stages: &mut PreTagStages<'_>,
    plans: &mut [TagPlan],
    last_stage: LastStage,
) -> Result<(), Failure> {
    let checks = write::recheck_immutable_tags(prepared);
    let (immutable, ()) = try_join(checks, last_stage.write(stages)).await?;
    let wrote_immutable = !immutable.is_empty();
    write::write_immutable_tags(prepared, immutable).await?;
    if let Some(guard) = &prepared.branch_guard {
        guard.recheck_tags(&prepared.destinations, plans).await?;
    }
    Box::pin(line_recheck::recheck_bypassing_lines(prepared, plans)).await?;
    // Immutable tags that were written and read back have taken as long as a run that had read a list
    // before ours can take to write it. After an entry the tags are read again in any case.
    let moving = write::write_moving_tags(prepared, plans);
    if wrote_immutable && !stages.writes_entries() {
        try_join(moving, stages.recheck_shared_tags()).await?;
        try_join(reconcile_tags(prepared, plans), stages.write_summaries()).await?;
    } else {
        moving.await?;
        stages.write_timeline_entries().await?;
        let after = async {
            stages.recheck_shared_tags().await?;
            stages.write_summaries().await
        };
        try_join(reconcile_tags(prepared, plans), after).await?;
    }
    stages.find_superseded();
    Ok(())
}

async fn reconcile_tags(
    prepared: &PreparedRelease<'_>,
    plans: &mut [TagPlan],
) -> Result<(), Failure> {
    let each = prepared.destinations.iter().zip(plans);
    let results = each
        .zip(&prepared.states)
        .map(|((destination, plan), state)| {
            let image = &prepared.image;
            reconcile::reconcile_tags(prepared.context, destination, plan, state, image)
        });
    Box::pin(try_join_all(results)).await.map(drop)
}

/// Reads what the gates judge; `None` without any.
async fn read_gates(
    request: &ReleaseRequest,
    image: &ResolvedImage,
    sources: &[Arc<TimelineView>],
) -> Result<Option<GateReading>, Failure> {
    let Some(gates) = &request.gates else {
        return Ok(None);
    };
    let release = GatedRelease::new(image, sources);
    GateReading::read(gates, &release).await.map(Some)
}

/// Judges the release by its gates.
async fn run_gates(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    release: &GatedRelease<'_>,
    timelines: Option<&ObservedTimelines>,
    reading: ReadForGates,
) -> Result<GateOutcome, Failure> {
    let Some((gates, reading)) = request.gates.as_ref().zip(reading?) else {
        return Ok(GateOutcome::default());
    };
    let mut times = Vec::with_capacity(destinations.len());
    for (at, destination) in destinations.iter().enumerate() {
        times.push(match timelines {
            Some(timelines) => timelines.destinations[at].planned_at,
            None => {
                let (place, store) = (&destination.name, &destination.store);
                planning_time(gates.now, place, store, &context.notices)?
            }
        });
    }
    let outcome = judge_gates(gates, release, reading, &times).await?;
    report_gate_warnings(&outcome.report, context);
    Ok(outcome)
}

fn plan_destinations(
    destinations: &[OpenDestination],
    derived: &DerivedTags,
    states: &[DestinationState],
    root: Digest,
) -> Result<Vec<TagPlan>, Failure> {
    let each = destinations.iter().zip(states);
    let mut plans = Vec::with_capacity(destinations.len());
    let mut failures = Vec::new();
    for (destination, state) in each {
        match plan_tags(&destination.name, &derived.tags, state, root) {
            Ok(plan) => plans.push(plan),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::join(failures).map_or(Ok(plans), Err)
}

fn build_outcome(
    prepared: &PreparedRelease<'_>,
    plans: Vec<TagPlan>,
    stages: &PreTagStages<'_>,
    previous: PreviousImages,
) -> ReleaseOutcome {
    let PreparedRelease {
        request,
        requested_digest,
        image,
        commit,
        derived,
        ..
    } = prepared;
    let each = prepared.destinations.iter().zip(&plans);
    let notes = each.filter_map(|(one, plan)| hand_rollback_note(&one.name, plan));
    let reinstates = request.record.as_ref().filter(|record| record.reinstates);
    let timelines = reinstates.and(prepared.timelines.as_ref());
    let timelines = timelines
        .iter()
        .flat_map(|timelines| &timelines.destinations);
    let failed = timelines.filter_map(|timeline| timeline.failed_note(image.root.digest));
    let contradictions = derived.provenance.contradictions().cloned();
    let notes = derived
        .notes
        .iter()
        .cloned()
        .chain(contradictions)
        .chain(notes)
        .chain(previous.note)
        .chain(failed)
        .collect();
    let places = prepared.destinations.iter().map(|one| one.name.clone());
    let released = places.zip(plans).zip(previous.images);
    let released = released.zip(stages.results());
    let released = released.map(|(((place, plan), previous), results)| DestinationOutcome {
        place,
        tags: plan.into_results(),
        previous,
        copy_stats: results.copy_stats,
        referrers: results.referrers,
        signatures: results.signatures,
        record: results.record,
    });
    let root = &image.root;
    ReleaseOutcome {
        verb: request.verb,
        dry_run: request.dry_run,
        source: request.source.clone(),
        sought_commit: request.lookup.as_ref().map(|lookup| lookup.commit.clone()),
        environment: request.environment.clone(),
        path: request.path.clone(),
        root: root.digest,
        media_type: root.media_type,
        platform_selection: image.platform_selection.clone(),
        requested_digest: Some(*requested_digest).filter(|digest| *digest != root.digest),
        version: derived.version.clone(),
        commit: commit.clone(),
        source_repository: image.origin.as_ref().and_then(|it| it.source.clone()),
        platforms: platform_contents(image, stages),
        signer: stages.signer(),
        gates: prepared.gates.report.clone(),
        source_signer: request.check.as_ref().and_then(ImageCheck::source_signer),
        provenance: derived.provenance.clone(),
        destinations: released.collect(),
        notes,
    }
}
