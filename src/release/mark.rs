//! Mark: records that a release runs, or that it does not run as it should. No tag moves.

use std::sync::Arc;

use super::Failure;
use super::context::ReleaseContext;
use super::github_deployment::accompany::accompany;
use super::github_deployment::options::{DeployedService, DeploymentEnd, DeploymentTask};
use super::named_root::NamedRoot;
use super::outcome::RecordResult;
use super::records::draft::base_record;
use super::records::environment_tag::EnvironmentTags;
use super::records::intent::ListedIntents;
use super::records::open_timeline::OpenTimeline;
use super::records::options::RunAccount;
use super::records::release_name::ReleaseName;
use super::records::stage::RecordContent;
use super::records::timeline_request::{PATIENT_STRAY_LIMIT, TimelineRequest};
use super::records::timeline_view::{CountedRecord, EntryReading};
use super::timeline_verb::TimelineVerb;
use crate::image::{Descriptor, Destination, Digest};
use crate::record::{RecordAction, RecordId, ReleaseMark, TimelineEntry};
use crate::tagging::EnvironmentName;

/// Request to mark a release.
#[derive(Debug, Clone)]
pub struct MarkRequest {
    /// Timeline, and how it is written.
    pub timeline: TimelineRequest,
    /// What is said of the release.
    pub state: ReleaseMark,
    /// Release to mark; `None`: the current one.
    pub release: Option<ReleaseName>,
}

/// Outcome of a mark.
#[derive(Debug, Clone)]
pub struct MarkOutcome {
    /// Environment.
    pub environment: EnvironmentName,
    /// Repository.
    pub place: Destination,
    /// Marked release.
    pub release: NamedRoot,
    /// What is said of it.
    pub state: ReleaseMark,
    /// Record; `None` if the newest mark says the same.
    pub record: Option<RecordResult>,
    /// Record of that mark.
    pub recorded: Option<RecordId>,
    /// Why a person did it.
    pub reason: Option<String>,
    /// Address of more about it.
    pub link: Option<String>,
}

impl MarkOutcome {
    /// Returns the record of the mark.
    pub fn record_id(&self) -> Option<RecordId> {
        let written = self.record.as_ref().and_then(|record| record.id);
        written.or(self.recorded)
    }
}

/// Marks a release.
///
/// # Errors
/// See [`Failure`]. What is refused is refused before anything is written.
pub async fn mark(request: &MarkRequest, context: &ReleaseContext) -> Result<MarkOutcome, Failure> {
    request.timeline.announce(context);
    let prepared = Box::pin(prepare(request, context)).await?;
    let services = request.deployed_service(&prepared).into_iter().collect();
    let (github, task) = (context.github.as_ref(), request.deployment_task());
    let writes = Box::pin(execute(request, context, prepared));
    Box::pin(accompany(github, task, services, writes, |result| {
        DeploymentEnd::of_one(result.is_ok())
    }))
    .await
}

/// Mark that is checked, and not written.
pub(super) struct PreparedMark {
    timeline: OpenTimeline,
    release: TimelineEntry,
    /// Record that says the same.
    recorded: Option<RecordId>,
    /// What is recorded; `None` if a record says the same.
    record: Option<PlannedRecord>,
}

/// Record of a mark, and what it is written next to.
struct PlannedRecord {
    subject: Descriptor,
    intents: ListedIntents,
    content: RecordContent,
}

async fn prepare(request: &MarkRequest, context: &ReleaseContext) -> Result<PreparedMark, Failure> {
    let (location, now) = (&request.timeline.location, request.timeline.account.now);
    let opened = OpenTimeline::open(context, location, now, PATIENT_STRAY_LIMIT);
    let timeline = Box::pin(opened).await?;
    let root = match &request.release {
        Some(name) => timeline.find_root(name).await?,
        None => Box::pin(choose_unnamed(request, context, &timeline)).await?,
    };
    timeline.read_root(root).await?;
    let release = timeline.newest_release(root);
    let release = release.ok_or_else(|| timeline.unreleased(root))?;
    let own = read_own_marks(request, &timeline).await?;
    let recorded = find_own_mark(request, &own, root);
    let recorded = recorded.or_else(|| find_same_mark(request, &timeline, root));
    let record = match recorded {
        Some(_) => None,
        None => Some(Box::pin(plan_record(request, context, &timeline, &release)).await?),
    };
    Ok(PreparedMark {
        timeline,
        release,
        recorded,
        record,
    })
}

/// Writes the record, if none says the same.
async fn execute(
    request: &MarkRequest,
    context: &ReleaseContext,
    prepared: PreparedMark,
) -> Result<MarkOutcome, Failure> {
    let PreparedMark {
        timeline,
        release,
        recorded,
        record,
    } = prepared;
    let record = match record {
        Some(planned) => Some(write_mark(request, context, &timeline, planned).await?),
        None => None,
    };
    let location = &request.timeline.location;
    Ok(MarkOutcome {
        environment: location.environment.clone(),
        place: location.destination.clone(),
        release: NamedRoot::of_entry(&release),
        state: request.state,
        record,
        recorded,
        reason: request.timeline.account.reason.clone(),
        link: request.timeline.account.link.clone(),
    })
}

impl TimelineVerb for MarkRequest {
    type Prepared = PreparedMark;
    type Outcome = MarkOutcome;

    fn timeline(&self) -> &TimelineRequest {
        &self.timeline
    }

    async fn prepare(&self, context: &ReleaseContext) -> Result<PreparedMark, Failure> {
        let prepared = prepare(self, context).await?;
        if let Some(planned) = &prepared.record {
            self.timeline
                .check_signer(context, &planned.content)
                .await?;
        }
        Ok(prepared)
    }

    fn deployment_task(&self) -> DeploymentTask {
        DeploymentTask::Mark(self.state)
    }

    fn deployed_service(&self, prepared: &PreparedMark) -> Option<DeployedService> {
        let place = &self.timeline.location.destination;
        Some(DeployedService::of_entry(&prepared.release, place))
    }

    async fn execute(
        &self,
        context: &ReleaseContext,
        prepared: PreparedMark,
    ) -> Result<MarkOutcome, Failure> {
        execute(self, context, prepared).await
    }
}

/// Returns the root that the environment is on, by its records and by its tag.
///
/// # Errors
/// A timeline without a current release, a tag that names another image, and a store that cannot tell.
async fn require_certain_current(
    context: &ReleaseContext,
    timeline: &OpenTimeline,
) -> Result<Digest, Failure> {
    let current = timeline.require_current()?;
    let environment = EnvironmentTags::observe(timeline).await?;
    let location = timeline.view.location();
    let recorded = NamedRoot::find(&timeline.known(), current);
    let Some(tag) = environment.tags.first() else {
        return Ok(current);
    };
    let Some(at) = environment.at else {
        context.notices.warning(format!(
            "{}: the tag {tag} is gone, and by its records {} is on {recorded}: somebody deleted the tag",
            location.destination, location.environment
        ));
        return Ok(current);
    };
    if at == current {
        return Ok(current);
    }
    Err(Failure::refused(format!(
        "the tag {tag} of {} names {at}, and by its records {} is on {recorded}",
        location.destination, location.environment
    ))
    .with_reason(
        "a run died before its record or is still under way, or somebody moved the tag: which one is meant is unknown",
    )
    .with_hint("name the release with release, or repeat the run that died"))
}

/// Chooses the release of a request that names none: the current one. A repeated job takes the one that it marked
/// or began to mark, unless the run has released the current one itself.
async fn choose_unnamed(
    request: &MarkRequest,
    context: &ReleaseContext,
    timeline: &OpenTimeline,
) -> Result<Digest, Failure> {
    let account = &request.timeline.account;
    let Some(own) = account.repeated_run() else {
        return require_certain_current(context, timeline).await;
    };
    let known = timeline.known();
    let current = known.current().map(|(entry, _)| entry.record);
    let reading = current.and_then(|record| timeline.view.record_read(record));
    let counted = reading.as_ref().and_then(|reading| reading.counted());
    if counted.is_some_and(|counted| own.wrote(counted.record())) {
        return timeline.require_current();
    }
    let marks = read_own_marks(request, timeline).await?;
    let counted = marks.iter().filter_map(|reading| reading.counted());
    let mut earlier = counted.filter(|counted| own.wrote_before(counted.record()));
    if let Some(mark) = earlier.next() {
        return Ok(mark.entry.root);
    }
    match find_begun_root(context, timeline, account).await? {
        Some(root) => Ok(root),
        None => require_certain_current(context, timeline).await,
    }
}

/// Returns the root next to which the run has an intent of a mark without an entry.
async fn find_begun_root(
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    account: &RunAccount,
) -> Result<Option<Digest>, Failure> {
    let Some(own) = account.run_uri() else {
        return Ok(None);
    };
    for root in timeline.recent_roots() {
        let intents = timeline.list_intents(root).await?;
        let is_own = |named: Option<&str>| named == Some(own);
        let begun = timeline.find_unfinished(context, &intents, root, is_own, is_mark);
        if begun.await?.is_some() {
            return Ok(Some(root));
        }
    }
    Ok(None)
}

/// Reads the marks that this run wrote, newest first; none on its first attempt.
async fn read_own_marks(
    request: &MarkRequest,
    timeline: &OpenTimeline,
) -> Result<Vec<Arc<EntryReading>>, Failure> {
    match request.timeline.account.repeated_run() {
        Some(own) => {
            timeline
                .view
                .read_own(own, |name| is_mark(&name.action))
                .await
        }
        None => Ok(Vec::new()),
    }
}

/// Returns the record of the newest mark of a root by this run, if it says what the request says: whatever others
/// marked since, the job that is repeated has nothing to add.
fn find_own_mark(
    request: &MarkRequest,
    own: &[Arc<EntryReading>],
    root: Digest,
) -> Option<RecordId> {
    let mut counted = own.iter().filter_map(|reading| reading.counted());
    let newest = counted.find(|counted| counted.entry.root == root)?;
    is_same_mark(request, newest).then_some(newest.entry.record)
}

/// Returns the record of the newest mark of a root, if it says what the request says.
fn find_same_mark(
    request: &MarkRequest,
    timeline: &OpenTimeline,
    root: Digest,
) -> Option<RecordId> {
    let known = timeline.known();
    let mut newest_first = known.entries().iter().rev();
    let newest = newest_first.find(|entry| is_mark(&entry.action) && entry.root == root)?;
    let reading = timeline.view.record_read(newest.record)?;
    is_same_mark(request, reading.counted()?).then_some(newest.record)
}

fn is_same_mark(request: &MarkRequest, mark: &CountedRecord) -> bool {
    let predicate = &mark.record().predicate;
    let account = &request.timeline.account;
    predicate.action == action(request.state)
        && predicate.reason == account.reason
        && predicate.link == account.link
}

fn is_mark(action: &RecordAction) -> bool {
    matches!(action, RecordAction::Deployed | RecordAction::Failed)
}

fn action(state: ReleaseMark) -> RecordAction {
    match state {
        ReleaseMark::Deployed => RecordAction::Deployed,
        ReleaseMark::Failed => RecordAction::Failed,
    }
}

async fn plan_record(
    request: &MarkRequest,
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    release: &TimelineEntry,
) -> Result<PlannedRecord, Failure> {
    let subject = timeline.require_root(release.root).await?.to_descriptor();
    let intents = timeline.list_intents(release.root).await?;
    let content = mark_content(request, context, timeline, release, &intents).await?;
    Ok(PlannedRecord {
        subject,
        intents,
        content,
    })
}

async fn write_mark(
    request: &MarkRequest,
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    planned: PlannedRecord,
) -> Result<RecordResult, Failure> {
    let PlannedRecord {
        subject,
        intents,
        content,
    } = planned;
    let stage = request
        .timeline
        .plan_stage(context, timeline, Some(subject), content, &intents);
    let mut stage = stage.await?;
    stage.write_blobs().await?;
    stage.write_intent().await?;
    stage.write_list(false).await?;
    stage.write_entry().await?;
    Ok(stage.result())
}

/// Returns the record of the mark: a new one, or the one that this run began and nothing followed.
async fn mark_content(
    request: &MarkRequest,
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    release: &TimelineEntry,
    intents: &ListedIntents,
) -> Result<RecordContent, Failure> {
    let account = &request.timeline.account;
    let (own, wanted) = (account.run_uri(), action(request.state));
    let begun = timeline.find_unfinished(
        context,
        intents,
        release.root,
        |named| named == own,
        |action| *action == wanted,
    );
    let newest = timeline.recent.timeline.entries().last();
    let begun = begun.await?.filter(|intent| {
        let predicate = &intent.verified.record.predicate;
        let is_newest = newest.is_none_or(|newest| newest.planned_at < predicate.planned_at);
        is_newest && predicate.reason == account.reason && predicate.link == account.link
    });
    if let Some(begun) = begun {
        return Ok(RecordContent::Begun(Box::new(begun)));
    }
    let mut record = base_record(&timeline.basis(), account, release.root, wanted);
    let reading = timeline.view.record_read(release.record);
    let counted = reading.as_ref().and_then(|reading| reading.counted());
    record.predicate.version.clone_from(&release.version);
    record.predicate.commit = counted.and_then(|counted| counted.record().predicate.commit.clone());
    record.predicate.about = Some(release.record);
    Ok(RecordContent::New(Box::new(record)))
}
