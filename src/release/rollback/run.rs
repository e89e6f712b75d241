//! Steps of a rollback.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{try_join, try_join3};

use super::failed_summary::{plan_summary, summary_signing, write_with_summary};
use super::image_check::{check_environment_goal, check_image, check_signature, require_target};
use super::line_search::LineSearch;
use super::moving_tags::{assume_gone_tags, observe_tags, plan_tags, version_tags};
use super::next_target::advise_next;
use super::notes::NotedRollback;
use super::outcome::RollbackOutcome;
use super::recheck::Recheck;
use super::repetition::find_begun;
use super::request::RollbackRequest;
use super::tag_writes::write_tags;
use super::target::{choose_target, with_unrecorded};
use super::withdrawn::{WithdrawnRelease, choose_withdrawn};
use crate::image::{Digest, Manifest};
use crate::record::{RecordAction, RecordId, RecordedTag, ReleaseRecord, Timeline, TimelineEntry};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::github_deployment::accompany::accompany;
use crate::release::github_deployment::options::{DeployedService, DeploymentEnd, DeploymentTask};
use crate::release::named_root::NamedRoot;
use crate::release::outcome::RecordResult;
use crate::release::plan::rollback_tags::{MovingTag, RollbackState, RollbackTag};
use crate::release::records::draft::base_record;
use crate::release::records::environment_tag::EnvironmentTags;
use crate::release::records::intent::ListedIntents;
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::records::stage::RecordContent;
use crate::release::records::timeline_request::{PATIENT_STRAY_LIMIT, TimelineRequest};
use crate::release::timeline_verb::TimelineVerb;

/// Planned rollback.
struct RollbackPlan {
    withdrawn: WithdrawnRelease,
    /// Root manifest of the withdrawn image; `None` if it is gone.
    subject: Option<Manifest>,
    target: Option<TimelineEntry>,
    /// What is recorded; `None` if the release is withdrawn already.
    content: Option<RecordContent>,
    intents: ListedIntents,
    /// Timeline after the rollback.
    forecast: Timeline,
    moving: Vec<MovingTag>,
    tags: Vec<RollbackTag>,
    manifests: BTreeMap<Digest, Manifest>,
}

impl RollbackPlan {
    /// Returns the release that the rollback puts back, or that an earlier attempt of it put back; `None` if the
    /// environment is on another one.
    fn restored_root(&self, timeline: &OpenTimeline) -> Option<Digest> {
        let restored = match (&self.target, self.withdrawn.earlier) {
            (Some(target), _) => target.root,
            (None, Some(earlier)) => {
                let known = timeline.known();
                let mut entries = known.entries().iter();
                entries.find(|entry| entry.record == earlier)?.restores?
            }
            (None, None) => return None,
        };
        let (_, current) = self.forecast.current()?;
        (current == restored).then_some(restored)
    }
}

/// Rollback that is checked, and not written.
pub(crate) struct PreparedRollback {
    timeline: OpenTimeline,
    plan: RollbackPlan,
}

/// Withdraws a release.
///
/// # Errors
/// See [`Failure`]. What is refused is refused before anything is written.
pub async fn rollback(
    request: &RollbackRequest,
    context: &ReleaseContext,
) -> Result<RollbackOutcome, Failure> {
    request.timeline.announce(context);
    let prepared = Box::pin(prepare(request, context)).await?;
    let services = request.deployed_service(&prepared).into_iter().collect();
    let (github, task) = (context.github.as_ref(), request.deployment_task());
    let PreparedRollback { mut timeline, plan } = prepared;
    let writes = Box::pin(execute(request, context, &mut timeline, plan));
    Box::pin(accompany(github, task, services, writes, |result| {
        DeploymentEnd::of_one(result.is_ok())
    }))
    .await
}

async fn prepare(
    request: &RollbackRequest,
    context: &ReleaseContext,
) -> Result<PreparedRollback, Failure> {
    let (location, now) = (&request.timeline.location, request.timeline.account.now);
    let opened = OpenTimeline::open(context, location, now, PATIENT_STRAY_LIMIT);
    let timeline = Box::pin(opened).await?;
    let plan = Box::pin(plan_rollback(request, context, &timeline)).await?;
    Ok(PreparedRollback { timeline, plan })
}

impl TimelineVerb for RollbackRequest {
    type Prepared = PreparedRollback;
    type Outcome = RollbackOutcome;

    fn timeline(&self) -> &TimelineRequest {
        &self.timeline
    }

    async fn prepare(&self, context: &ReleaseContext) -> Result<PreparedRollback, Failure> {
        let prepared = prepare(self, context).await?;
        if let Some(content) = &prepared.plan.content {
            self.timeline.check_signer(context, content).await?;
        }
        Ok(prepared)
    }

    fn deployment_task(&self) -> DeploymentTask {
        DeploymentTask::Release
    }

    fn deployed_service(&self, prepared: &PreparedRollback) -> Option<DeployedService> {
        let PreparedRollback { timeline, plan } = prepared;
        let restored = plan.restored_root(timeline)?;
        let release = timeline.newest_release(restored)?;
        let place = &timeline.view.location().destination;
        Some(DeployedService::of_entry(&release, place))
    }

    async fn execute(
        &self,
        context: &ReleaseContext,
        prepared: PreparedRollback,
    ) -> Result<RollbackOutcome, Failure> {
        let PreparedRollback { mut timeline, plan } = prepared;
        execute(self, context, &mut timeline, plan).await
    }
}

async fn plan_rollback(
    request: &RollbackRequest,
    context: &ReleaseContext,
    timeline: &OpenTimeline,
) -> Result<RollbackPlan, Failure> {
    let current = timeline.known().current().map(|(_, root)| root);
    let read_current = async {
        match current {
            Some(root) => timeline.read_root(root).await,
            None => Ok(()),
        }
    };
    let (environment, ()) = try_join(EnvironmentTags::observe(timeline), read_current).await?;
    let withdrawn = choose_withdrawn(request, context, timeline, &environment).await?;
    let root = withdrawn.root;
    let observed = try_join3(
        timeline.get_root(root),
        timeline.list_intents(root),
        observe_tags(timeline, &withdrawn.tags, &environment.tags, root),
    );
    let chosen = choose_new_target(request, timeline, &withdrawn);
    let ((subject, intents, mut moving), (target, manifest)) = try_join(observed, chosen).await?;
    let gone_tags = match subject {
        Some(_) => Vec::new(),
        None => assume_gone_tags(&mut moving, root),
    };
    let account = &request.timeline.account;
    let begun = find_begun(context, timeline, &intents, root, account).await?;
    let restores = target.as_ref().map(|target| target.root);
    let begun = begun.filter(|intent| {
        withdrawn.earlier.is_none() && intent.verified.record.predicate.restores == restores
    });
    let mut draft = draft_record(request, timeline, &withdrawn, restores);
    if let Some(begun) = &begun {
        draft = begun.verified.record.clone();
    }
    let forecast = match withdrawn.earlier {
        Some(_) => timeline.known(),
        None => with_entry(
            &with_unrecorded(timeline, &withdrawn),
            &draft,
            RecordId::from_blob(&[]),
        ),
    };
    let current = forecast.current().map(|(_, root)| root);
    let mut state = RollbackState {
        moved_off: BTreeSet::from([root]),
        current,
        moves_environment: restores.is_some() && restores == current,
        usable: BTreeSet::new(),
    };
    let mut search = line_search(request, timeline, &withdrawn);
    search
        .manifests
        .extend(manifest.clone().map(|it| (it.digest, it)));
    let checked = async {
        match &manifest {
            Some(manifest) => check_image(timeline, manifest).await,
            None => Ok(()),
        }
    };
    let signed = async {
        match &target {
            Some(target) => check_signature(timeline, target).await,
            None => Ok(()),
        }
    };
    let planned = plan_tags(&mut search, &mut moving, &mut state);
    let checks = Box::pin(try_join3(planned, checked, signed)).await;
    let (mut tags, (), ()) = match (checks, &target) {
        (Err(failure), Some(target)) if request.to.is_none() => {
            let advised = advise_next(timeline, &withdrawn, target, failure);
            return Err(Box::pin(advised).await);
        }
        (checks, _) => checks?,
    };
    tags.retain(|tag| !tag.is_staying() || !gone_tags.contains(&tag.tag));
    let manifests = search.manifests;
    draft.predicate.tags = recorded_tags(&tags);
    Box::pin(check_environment_goal(timeline, &tags, target.as_ref())).await?;
    let content = match (withdrawn.earlier, begun) {
        (Some(_), _) => None,
        (None, Some(begun)) => Some(RecordContent::Begun(Box::new(begun))),
        (None, None) => Some(RecordContent::New(Box::new(draft))),
    };
    Ok(RollbackPlan {
        withdrawn,
        subject,
        target,
        content,
        intents,
        forecast,
        moving,
        tags,
        manifests,
    })
}

/// Chooses the release to put back, with its root manifest; none of a release that is withdrawn already.
async fn choose_new_target(
    request: &RollbackRequest,
    timeline: &OpenTimeline,
    withdrawn: &WithdrawnRelease,
) -> Result<(Option<TimelineEntry>, Option<Manifest>), Failure> {
    if withdrawn.earlier.is_some() {
        return Ok((None, None));
    }
    let known = with_unrecorded(timeline, withdrawn);
    let guess = known
        .rollback_target(withdrawn.root)
        .map(|entry| entry.root);
    let guess = guess.filter(|_| withdrawn.is_current && request.to.is_none());
    let prefetch = async {
        match guess {
            Some(root) => timeline.get_root(root).await,
            None => Ok(None),
        }
    };
    let chosen = choose_target(request, timeline, withdrawn);
    let (target, prefetched) = try_join(chosen, prefetch).await?;
    let Some(target) = target else {
        return Ok((None, None));
    };
    let manifest = match prefetched.filter(|manifest| manifest.digest == target.root) {
        Some(manifest) => manifest,
        None => match require_target(timeline, target.root).await {
            Ok(manifest) => manifest,
            Err(failure) if request.to.is_none() => {
                let advised = advise_next(timeline, withdrawn, &target, failure);
                return Err(Box::pin(advised).await);
            }
            Err(failure) => return Err(failure),
        },
    };
    Ok((Some(target), Some(manifest)))
}

fn line_search<'a>(
    request: &'a RollbackRequest,
    timeline: &'a OpenTimeline,
    withdrawn: &WithdrawnRelease,
) -> LineSearch<'a> {
    let own_tags = own_version_tags(withdrawn);
    LineSearch::new(
        timeline,
        &request.excluded_versions,
        Some(withdrawn.root),
        own_tags,
    )
}

fn own_version_tags(withdrawn: &WithdrawnRelease) -> Vec<crate::image::Tag> {
    let release = withdrawn.release.as_ref();
    let version = release.and_then(|release| release.version.as_deref());
    version_tags(&withdrawn.tags, version)
}

fn draft_record(
    request: &RollbackRequest,
    timeline: &OpenTimeline,
    withdrawn: &WithdrawnRelease,
    restores: Option<Digest>,
) -> ReleaseRecord {
    let account = &request.timeline.account;
    let action = RecordAction::Rollback;
    let mut record = base_record(&timeline.basis(), account, withdrawn.root, action);
    let release = withdrawn.release.as_ref();
    let reading = release.and_then(|release| timeline.view.record_read(release.record));
    let counted = reading.as_ref().and_then(|reading| reading.counted());
    let predicate = &mut record.predicate;
    predicate.version = release.and_then(|release| release.version.clone());
    predicate.commit = counted.and_then(|counted| counted.record().predicate.commit.clone());
    predicate.about = release.map(|release| release.record);
    predicate.restores = restores;
    record
}

fn recorded_tags(tags: &[RollbackTag]) -> Vec<RecordedTag> {
    let moved = tags.iter().filter(|tag| tag.target().is_some());
    let recorded = moved.map(|tag| RecordedTag {
        name: tag.tag.to_string(),
        kind: tag.kind,
        previous: tag.from,
    });
    recorded.collect()
}

fn with_entry(timeline: &Timeline, record: &ReleaseRecord, id: RecordId) -> Timeline {
    let entry = TimelineEntry::from_record(id, record);
    Timeline::new(timeline.entries().iter().cloned().chain([entry]).collect())
}

/// Writes the intent, the tags and the entry, and lists the timeline again; nothing on a dry run.
async fn execute(
    request: &RollbackRequest,
    context: &ReleaseContext,
    timeline: &mut OpenTimeline,
    mut plan: RollbackPlan,
) -> Result<RollbackOutcome, Failure> {
    let (record, own) = Box::pin(write_record(request, context, timeline, &mut plan)).await?;
    // Also after an entry without a tag: another run may have moved tags to the image meanwhile.
    let has_written = own.is_some() || plan.tags.iter().any(|tag| tag.target().is_some());
    if !request.dry_run && has_written {
        let recheck = Recheck {
            context,
            excluded: &request.excluded_versions,
            withdrawn: plan.withdrawn.root,
            own_tags: own_version_tags(&plan.withdrawn),
            own: own.zip(record.as_ref().and_then(|record| record.entry.clone())),
            moving: plan.moving.clone(),
        };
        Box::pin(recheck.run(timeline, &mut plan.tags)).await?;
    }
    Ok(build_outcome(request, timeline, plan, record))
}

/// Writes the record with the tags in between. Returns what was written, and the entry.
async fn write_record(
    request: &RollbackRequest,
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    plan: &mut RollbackPlan,
) -> Result<(Option<RecordResult>, Option<TimelineEntry>), Failure> {
    let content = plan.content.take();
    let (tags, manifests) = (&plan.tags, &plan.manifests);
    let Some(content) = content else {
        if !request.dry_run {
            write_tags(context, timeline, tags, manifests).await?;
        }
        return Ok((None, None));
    };
    let record = content.record().clone();
    let subject = plan.subject.as_ref().map(Manifest::to_descriptor);
    let signing = summary_signing(&request.timeline, &record);
    // The first bundle next to an image hides its other signatures from cosign.
    let signing = signing.filter(|_| plan.intents.has_bundle);
    let summary = async {
        match (&signing, &subject) {
            (Some(signing), Some(subject)) => {
                plan_summary(signing, context, timeline, subject.clone(), &record).await
            }
            _ => Ok(None),
        }
    };
    let intents = &plan.intents;
    let stage = request
        .timeline
        .plan_stage(context, timeline, subject.clone(), content, intents);
    let (mut stage, summary) = Box::pin(try_join(stage, summary)).await?;
    if !request.dry_run {
        Box::pin(write_with_summary(&mut stage, summary)).await?;
        write_tags(context, timeline, tags, manifests).await?;
        stage.write_entry().await?;
    }
    let result = stage.result();
    let entry = result.id.map(|id| TimelineEntry::from_record(id, &record));
    Ok((Some(result), entry))
}

fn build_outcome(
    request: &RollbackRequest,
    timeline: &OpenTimeline,
    plan: RollbackPlan,
    record: Option<RecordResult>,
) -> RollbackOutcome {
    let location = timeline.view.location();
    let RollbackPlan {
        withdrawn,
        subject,
        target,
        forecast,
        tags,
        ..
    } = plan;
    let noted = NotedRollback {
        withdrawn: &withdrawn,
        is_gone: subject.is_none(),
        target: target.as_ref(),
        is_named: request.to.is_some(),
        forecast: &forecast,
        tags: &tags,
    };
    let notes = noted.notes();
    let between = target.iter().flat_map(|target| {
        let between = forecast.releases_between(target, withdrawn.root);
        between.map(NamedRoot::of_entry).collect::<Vec<_>>()
    });
    let between: Vec<NamedRoot> = between.collect();
    RollbackOutcome {
        dry_run: request.dry_run,
        environment: location.environment.clone(),
        place: location.destination.clone(),
        withdrawn: NamedRoot {
            digest: withdrawn.root,
            version: withdrawn.release.as_ref().and_then(|it| it.version.clone()),
        },
        restored: target.as_ref().map(NamedRoot::of_entry),
        current: forecast
            .current()
            .map(|(_, root)| NamedRoot::find(&forecast, root)),
        between,
        notes,
        tags,
        record,
        recorded: withdrawn.earlier,
        reason: request.timeline.account.reason.clone(),
    }
}
