//! Observes the timelines of a release before anything is written, and refuses what they rule out.

use std::sync::Arc;

use futures_util::future::{try_join, try_join_all, try_join3};

use super::clock::{future_entry_failure, planning_time};
use super::intent::{Intent, ListedIntents};
use super::left_entries::refuse_left_entries;
use super::location::TimelineLocation;
use super::options::RecordOptions;
use super::record_basis::RecordBasis;
use super::source_timeline::{SourceTimeline, observe_source};
use super::superseded::superseded_reason;
use super::timeline_view::{EntryReading, RecentEntries, TimelineView};
use crate::image::Digest;
use crate::record::{DigestPrefix, RecordAction, RecordTime, ReleaseMark, Timeline, TimelineEntry};
use crate::referrers::TagSnapshot;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::OpenDestination;
use crate::release::plan::destination_state::DestinationState;
use crate::release::resolve::image::ResolvedImage;
use crate::tagging::{DerivedTags, PlannedTag};
use crate::transfer::{ImageStore, Side};

/// Timelines that a release depends on.
pub(crate) struct ObservedTimelines {
    /// Timeline of each destination.
    pub(crate) destinations: Vec<ObservedTimeline>,
    /// Timeline that the image comes from.
    pub(crate) source: Option<SourceTimeline>,
}

/// Timeline of a destination.
pub(crate) struct ObservedTimeline {
    pub(crate) view: Arc<TimelineView>,
    /// Store of the entries.
    pub(crate) entries: ImageStore,
    pub(crate) recent: RecentEntries,
    /// Timeline of the entries that decide on current and withdrawn roots.
    pub(crate) state: Timeline,
    pub(crate) intents: ListedIntents,
    /// Intent of an earlier attempt that has no entry.
    pub(crate) begun: Option<Intent>,
    /// Such an intent that is not continued, since its record does not say why this run may release.
    pub(crate) left: Option<Intent>,
    /// Newest counted release of the root.
    pub(crate) release: Option<Arc<EntryReading>>,
    /// Time for the next record.
    pub(crate) planned_at: RecordTime,
}

/// Image and tags of a release whose timelines are observed.
pub(crate) struct RecordedImage<'a> {
    pub(crate) root: Digest,
    /// Root in the environment that the image comes from: `root` can be a selection of its platforms.
    pub(crate) source_root: Digest,
    pub(crate) derived: &'a DerivedTags,
}

impl<'a> RecordedImage<'a> {
    /// Returns an image with the tags that it gets.
    pub(crate) fn new(image: &ResolvedImage, derived: &'a DerivedTags) -> Self {
        Self {
            root: image.root.digest,
            source_root: image.source_digest(),
            derived,
        }
    }
}

/// Observes the timelines of all destinations and of the source, whose names were listed before.
///
/// # Errors
/// What a timeline rules out, such as a withdrawn image, and stores that fail.
pub(crate) async fn observe_timelines(
    options: &RecordOptions,
    context: &ReleaseContext,
    destinations: &[OpenDestination],
    states: &[DestinationState],
    image: &RecordedImage<'_>,
    sources: &[Arc<TimelineView>],
) -> Result<ObservedTimelines, Failure> {
    let each = destinations.iter().zip(states);
    let each = each
        .map(|(destination, state)| observe_timeline(options, context, destination, state, image));
    let source = observe_source(context, sources, image.source_root);
    let (destinations, source) = try_join(try_join_all(each), source).await?;
    if let Some(source) = &source {
        for destination in &destinations {
            warn_of_rewritten_source(context, source, destination);
        }
    }
    Ok(ObservedTimelines {
        destinations,
        source,
    })
}

async fn observe_timeline(
    options: &RecordOptions,
    context: &ReleaseContext,
    destination: &OpenDestination,
    state: &DestinationState,
    image: &RecordedImage<'_>,
) -> Result<ObservedTimeline, Failure> {
    let Some(records) = destination.records.timeline() else {
        unreachable!("the destinations of a recorded release have timelines");
    };
    let view = records.view(&state.tags).await?;
    refuse_left_entries(&view, &state.tags)?;
    let root = image.root;
    let prior = destination.load_tag_snapshot(true, &state.tags).await?;
    let (recent, timeline, intents) = try_join3(
        view.read_recent(),
        view.read_state(std::slice::from_ref(&root)),
        list_intents(destination, prior, view.location(), root),
    )
    .await?;
    let (begun, release) = try_join(
        find_begun(options, context, destination, &view, &intents, image),
        view.read_newest_release(root),
    )
    .await?;
    let notices = &context.notices;
    let place = view.location().entries().clone();
    let clock = planning_time(options.account.now, &place, records.entries(), notices)?;
    let next = recent.timeline.plan_next_time(clock);
    let planned_at = next.map_err(|error| future_entry_failure(&view, error))?;
    let observed = ObservedTimeline {
        entries: records.entries().clone(),
        view,
        recent,
        state: timeline,
        intents,
        begun,
        left: None,
        release,
        planned_at,
    };
    observed.view.warn_passed_over(notices);
    if options.reinstates {
        observed.read_marks(root).await?;
    }
    Ok(observed)
}

async fn list_intents(
    destination: &OpenDestination,
    prior: &TagSnapshot,
    location: &TimelineLocation,
    root: Digest,
) -> Result<ListedIntents, Failure> {
    let listed = destination.list_referrers(root, prior).await;
    let listed = listed.map_err(|error| {
        Failure::from_referrer_error(Side::Destination, &destination.name, error)
    })?;
    Ok(ListedIntents::from_listed(&listed, location))
}

/// Finds the intent of an earlier attempt of this run that names the same release and has no entry.
async fn find_begun(
    options: &RecordOptions,
    context: &ReleaseContext,
    destination: &OpenDestination,
    view: &TimelineView,
    intents: &ListedIntents,
    image: &RecordedImage<'_>,
) -> Result<Option<Intent>, Failure> {
    let location = view.location();
    let run = options.account.run_uri();
    let counted = intents.read_counted(
        &destination.store,
        location,
        image.root,
        |named| named == run,
        &context.notices,
    );
    for intent in counted.await? {
        if is_same_release(&intent, image.derived) && !view.has_entry(&intent).await? {
            return Ok(Some(intent));
        }
    }
    Ok(None)
}

/// Returns whether an intent names the version and the immutable tags of a release.
fn is_same_release(intent: &Intent, derived: &DerivedTags) -> bool {
    let predicate = &intent.verified.record.predicate;
    let immutable = derived.tags.iter().filter(|tag| tag.kind.is_immutable());
    let mut immutable = immutable.map(|planned: &PlannedTag| planned.tag.as_str());
    let is_named = |tag: &str| predicate.tags.iter().any(|recorded| recorded.name == tag);
    predicate.action.is_release() && predicate.version == derived.version && immutable.all(is_named)
}

/// Warns if the newest release of the destination rests on a record that the source's timeline has no more.
fn warn_of_rewritten_source(
    context: &ReleaseContext,
    source: &SourceTimeline,
    observed: &ObservedTimeline,
) {
    let location = source.view.location();
    let entries = observed.recent.timeline.entries().iter().rev();
    let mut read = entries.filter_map(|entry| observed.view.record_read(entry.record));
    let named = read.find_map(|reading| {
        let rests_on = reading.counted()?.record().predicate.source.clone()?;
        (rests_on.environment.as_ref() == Some(&location.environment)).then_some(rests_on.record)?
    });
    let Some(record) = named else {
        return;
    };
    let prefix = DigestPrefix::from_digest(record.digest());
    let mut names = source.view.names().iter();
    if !names.any(|name| name.record == prefix) {
        context.notices.warning(format!(
            "{}: the timeline of {} lacks the record {record}, which the newest release of {} rests on: it was rewritten",
            location.entries(),
            location.environment,
            observed.view.location().environment,
        ));
    }
}

impl ObservedTimeline {
    /// Reads the marks of a root, which a reinstatement does not end.
    ///
    /// # Errors
    /// A store that cannot tell.
    async fn read_marks(&self, root: Digest) -> Result<(), Failure> {
        let is_mark =
            |action: &RecordAction| matches!(action, RecordAction::Deployed | RecordAction::Failed);
        let marks = self.view.names_of(root, is_mark);
        self.view.read_all(marks).await.map(drop)
    }

    /// Returns a note if a root is still marked as failed.
    pub(crate) fn failed_note(&self, root: Digest) -> Option<String> {
        let mark = self.view.timeline_known().mark(root);
        let location = self.view.location();
        (mark == Some(ReleaseMark::Failed)).then(|| {
            format!(
                "{}: {} is still marked as failed in {}, and no rollback goes back to it. Once it runs, mark it: shipmark mark --state deployed",
                location.destination,
                root.short(),
                location.environment
            )
        })
    }

    /// Returns what the next record says of the timeline.
    pub(crate) fn basis(&self) -> RecordBasis<'_> {
        RecordBasis {
            location: self.view.location(),
            recent: &self.recent,
            planned_at: self.planned_at,
        }
    }

    /// Returns the newer release that keeps the environment's tag, if the run completes an older one.
    pub(crate) fn newer_release(&self, root: Digest) -> Option<&TimelineEntry> {
        let begun = self.begun.as_ref()?;
        let own = (
            begun.verified.record.predicate.planned_at,
            begun.verified.id,
        );
        let (entry, current) = self.state.current()?;
        (entry.order() > own && current != root).then_some(entry)
    }

    /// Returns why the environment's tag stays with a newer release.
    pub(crate) fn superseded_reason(&self, root: Digest) -> Option<String> {
        self.newer_release(root).map(superseded_reason)
    }
}
