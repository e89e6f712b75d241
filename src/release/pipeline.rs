//! Release pipeline: resolves, plans, copies, signs and tags, in the order of promise 2 of the design.
//! Tags are always last.

use futures_util::future::{try_join, try_join_all};

use super::Failure;
use super::context::ReleaseContext;
use super::destination::{self, OpenDestination};
use super::execute::stages::PreTagStages;
use super::gates::gate_outcome::GateOutcome;
use super::gates::gate_refusal::require_passed;
use super::gates::gated_release::GatedRelease;
use super::gates::judge_gates::judge_gates;
use super::hand_rollback::hand_rollback_note;
use super::naming_checks;
use super::outcome::{DestinationOutcome, ReleaseOutcome};
use super::plan::branch_ancestry::BranchTagGuard;
use super::plan::branch_names::check_branch_names;
use super::plan::destination_state::DestinationState;
use super::plan::line_facts::read_line_facts;
use super::plan::reuse::{ObservedRelease, reuse_existing_image};
use super::plan::tags::{TagPlan, plan_tags};
use super::platform_contents::platform_contents;
use super::prepared_release::PreparedRelease;
use super::previous_image::{self, PreviousImages};
use super::records::clock::planning_time;
use super::records::observe::{ObservedTimelines, RecordedImage, observe_timelines};
use super::records::refusals::check_release;
use super::records::source_record::require_source_record;
use super::records::timeline_records::OwnRecord;
use super::records::timeline_view::TimelineView;
use super::refusal_list::RefusalList;
use super::release_plan::ReleasePlan;
use super::request::{ImageCheck, ReleaseRequest, ReleaseVerb};
use super::resolve::find_source::{FoundSource, find_source};
use super::resolve::image::ResolvedImage;
use super::resolve_and_observe::{ResolvedRelease, resolve_and_observe};
use super::tags::{line_recheck, reconcile, write};
use crate::image::{CommitId, Digest};
use crate::tagging::DerivedTags;
use crate::transfer::Side;

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
    Box::pin(execute_release(&prepared)).await
}

/// Resolves, observes and plans; writes nothing. What a rule refuses is refused here, with all reasons.
pub(super) async fn prepare_release<'a>(
    request: &'a ReleaseRequest,
    context: &'a ReleaseContext,
) -> Result<PreparedRelease<'a>, Failure> {
    let mut prepared = Box::pin(examine_release(request, context)).await?;
    let refusals = std::mem::take(&mut prepared.refusals);
    match Failure::join(refusals.into_failures()) {
        Some(failure) => Err(failure),
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
    let resolved = resolve_and_observe(request, context, &destinations, timelines);
    let ResolvedRelease {
        mut image,
        derived,
        mut states,
        sources,
    } = Box::pin(resolved).await?;
    let excluded = &request.excluded_versions;
    refusals.keep(naming_checks::refuse_excluded_version(excluded, &derived))?;
    for warning in &derived.warnings {
        context.notices.warning(warning.clone());
    }
    let (requested_digest, source_digest) = (image.root.digest, image.source_digest());
    refusals.keep(check_source(request, context, requested_digest).await)?;
    let commit = image_commit(request, &image);
    let observed = ObservedRelease {
        destinations: &destinations,
        states: &states,
        derived: &derived,
        root: image.root.digest,
    };
    let existing = reuse_existing_image(request, context, &observed, commit.as_ref());
    let existing = Box::pin(existing).await?;
    image = existing.unwrap_or(image);
    let root = image.root.digest;
    let names = check_branch_names(request, context, &destinations, &derived, &mut states, root);
    refusals.keep(names)?;
    let branch_guard = BranchTagGuard::new(context, &derived, commit.as_ref());
    if let Some(guard) = &branch_guard {
        let kept = guard.keep_newer_tags(&destinations, &derived, &mut states, root);
        kept.await?;
    }
    let image_tags = RecordedImage {
        root,
        source_root: image.source_digest(),
        derived: &derived,
    };
    let timelines = observe_recorded(
        request,
        context,
        &destinations,
        &mut states,
        &image_tags,
        sources,
        &mut refusals,
    )
    .await?;
    let facts = read_line_facts(&destinations, &derived.tags, &mut states, &image);
    Box::pin(facts).await?;
    let plans = plan_destinations(&destinations, &derived, &states, root);
    let plans = refusals.keep(plans)?.unwrap_or_default();
    let gates = run_gates(request, context, &destinations, &image, timelines.as_ref());
    let gates = refusals.keep(Box::pin(gates).await)?.unwrap_or_default();
    refusals.keep(require_passed(image.source_digest(), &gates.report))?;
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
        timelines,
        refusals,
    })
}

/// Writes what is missing and then the tags; on a dry run reports what would be written.
pub(super) async fn execute_release(
    prepared: &PreparedRelease<'_>,
) -> Result<ReleaseOutcome, Failure> {
    let stages = PreTagStages::find_missing(prepared).await?;
    execute_stages(prepared, stages).await
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
        stages.write_timeline_entries().await?;
        reconcile_tags(prepared, plans).await?;
    } else {
        moving.await?;
        stages.write_timeline_entries().await?;
        try_join(
            reconcile_tags(prepared, plans),
            stages.recheck_shared_tags(),
        )
        .await?;
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

/// Judges the release by its gates.
async fn run_gates(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    image: &ResolvedImage,
    timelines: Option<&ObservedTimelines>,
) -> Result<GateOutcome, Failure> {
    let Some(gates) = &request.gates else {
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
    let source = timelines.and_then(|timelines| timelines.source.as_ref());
    let release = GatedRelease {
        image,
        source: source.map(|source| &source.view),
        times,
    };
    let outcome = judge_gates(gates, &release).await?;
    for verdict in outcome.report.verdicts() {
        for warning in verdict.warnings() {
            let text = format!("gate {}: {warning}", verdict.gate());
            context.notices.warning(text);
        }
    }
    Ok(outcome)
}

/// Observes the timelines, where the release is recorded.
async fn observe_recorded(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    states: &mut [DestinationState],
    image: &RecordedImage<'_>,
    sources: Vec<TimelineView>,
    refusals: &mut RefusalList,
) -> Result<Option<ObservedTimelines>, Failure> {
    let Some(options) = &request.record else {
        return Ok(None);
    };
    let observed = observe_timelines(options, context, destinations, states, image, sources);
    let observed = Box::pin(observed).await?;
    for (timeline, state) in observed.destinations.iter().zip(&*states) {
        refusals.keep(check_release(options, timeline, state, image).await)?;
    }
    if request.verb == ReleaseVerb::Promote {
        refusals.keep(require_source_record(context, &observed, image))?;
    }
    let each = destinations.iter().zip(states).zip(&observed.destinations);
    for ((destination, state), timeline) in each {
        let Some(records) = destination.records.timeline() else {
            continue;
        };
        if let Some(begun) = &timeline.begun {
            let (id, record) = (begun.verified.id, &begun.verified.record);
            records.set_own(OwnRecord::of_attempt(id, &record.predicate));
            state.records = destination.records.read_names(&state.tags).await?;
        } else if options.reinstates {
            let ended = timeline.state.withdrawals(image.root).collect();
            records.set_own(OwnRecord::of_reinstatement(ended));
        }
    }
    Ok(Some(observed))
}

async fn check_source(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    root: Digest,
) -> Result<(), Failure> {
    match &request.check {
        None => Ok(()),
        Some(check) => {
            check
                .require_of_source(context, Side::Source, root, &request.source)
                .await
        }
    }
}

/// Returns the commit of the image: the event's for a push, the one that its labels name for a
/// promotion.
fn image_commit(request: &ReleaseRequest, image: &ResolvedImage) -> Option<CommitId> {
    match request.verb {
        ReleaseVerb::Push => request.facts.as_ref()?.commit.clone(),
        ReleaseVerb::Promote => image.origin.as_ref()?.revision.clone(),
    }
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
