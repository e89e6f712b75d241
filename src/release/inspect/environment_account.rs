use super::inspect_request::InspectRequest;
use super::open_image::OpenImage;
use crate::image::{Descriptor, Destination, Digest};
use crate::record::{
    DigestPrefix, EntryName, EntryState, HistoryLine, HistoryReadings, ListedEntries, PAST_LIMIT,
    RecordAction, RecordTime, TagDrift, Timeline, TimelineEntry, TimelineHistory,
};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::entry_scan::add_reading;
use crate::release::records::intent::ListedIntents;
use crate::release::records::location::TimelineLocation;
use crate::release::records::timeline_view::TimelineView;
use crate::release::records::unfinished::{ReleaseAccount, unfinished_releases};
use crate::release::resolve::image_store::open_to_read;
use crate::tagging::EnvironmentName;
use crate::transfer::Side;

/// What an environment's records say of an image.
#[derive(Debug, Clone)]
pub struct EnvironmentAccount {
    /// Environment.
    pub environment: EnvironmentName,
    /// Its repository.
    pub place: Destination,
    /// State of the image there; `None` if it has no release that counts.
    pub state: Option<EntryState>,
    /// Newest release of the image there.
    pub release: Option<ReleaseAccount>,
    /// Entries about the image that are known, and rollbacks that put it back, newest first.
    pub lines: Vec<HistoryLine>,
    /// Image that the environment was on before, with its version.
    pub before: Option<(Digest, Option<String>)>,
    /// Image that a rollback of this one would put back, with its version.
    pub good_before: Option<(Digest, Option<String>)>,
    /// Time from which the environment is on the image; `None` if it is on another.
    pub since: Option<RecordTime>,
    /// Difference between the tag by which the image is named and the records.
    pub tag_drift: Option<TagDrift>,
    /// Records of environments that are not shown, on which the release rests.
    pub carried: Vec<CarriedRecord>,
    /// Releases that were begun and have no entry, newest first.
    pub unfinished: Vec<ReleaseAccount>,
}

/// Record of another environment that a release rests on, from the release's entry.
#[derive(Debug, Clone)]
pub struct CarriedRecord {
    /// The record.
    pub release: ReleaseAccount,
    /// Reason why it does not count; `None` if it counts.
    pub rejection: Option<String>,
}

/// Account with the layers of the release's entry that hold the records it rests on.
pub(super) struct OpenAccount {
    pub(super) account: EnvironmentAccount,
    pub(super) location: TimelineLocation,
    pub(super) carried: Vec<Descriptor>,
}

impl OpenImage {
    /// Returns what an environment's records say of the image. Of an environment elsewhere that cannot be read a
    /// warning is enough.
    pub(super) async fn readable_account(
        &self,
        request: &InspectRequest,
        location: &TimelineLocation,
        context: &ReleaseContext,
    ) -> Result<Option<OpenAccount>, Failure> {
        match self.environment_account(request, location, context).await {
            Err(failure) if location.destination != self.place => {
                let reason = failure.diagnostic().map(ToString::to_string);
                context.notices.warning(format!(
                    "the records of {} cannot be read: {}",
                    location.environment,
                    reason.unwrap_or_default()
                ));
                Ok(None)
            }
            account => account,
        }
    }

    /// Returns what an environment's records say of the image; `None` if they say nothing.
    async fn environment_account(
        &self,
        request: &InspectRequest,
        location: &TimelineLocation,
        context: &ReleaseContext,
    ) -> Result<Option<OpenAccount>, Failure> {
        let view = self.open_timeline(location, context).await?;
        let root = self.root.digest;
        let unfinished = self.unfinished(&view, context).await?;
        let own: Vec<EntryName> = view.names_of(root, |_| true).cloned().collect();
        let is_tag_checked = self.named_tag().is_some() && location.destination == self.place;
        if own.is_empty() && unfinished.is_empty() && !is_tag_checked {
            return Ok(None);
        }
        let mut readings = HistoryReadings::default();
        let (release, carried) = newest_release(&view, &own, &mut readings).await?.unzip();
        read_what_decides(&view, release.as_ref(), &own, &mut readings).await?;
        self.read_for_tag(&view, release.as_ref(), &mut readings)
            .await?;
        let listed = ListedEntries {
            names: view.names(),
            is_complete: true,
            clock: request.clock,
        };
        let history = TimelineHistory::new(listed, &readings);
        let tag_drift = self.tag_drift(&view, &history, &readings);
        if own.is_empty() && unfinished.is_empty() && tag_drift.is_none() {
            return Ok(None);
        }
        let account = build_account(location, root, release, &history);
        Ok(Some(OpenAccount {
            account: EnvironmentAccount {
                tag_drift,
                unfinished,
                ..account
            },
            location: location.clone(),
            carried: carried.unwrap_or_default(),
        }))
    }

    async fn open_timeline(
        &self,
        location: &TimelineLocation,
        context: &ReleaseContext,
    ) -> Result<TimelineView, Failure> {
        let place = location.entries();
        if *place == self.place {
            return Ok(TimelineView::new(location.clone(), &self.store, &self.tags));
        }
        let store = open_to_read(context, place);
        let tags = store.tags().await;
        let tags = tags.map_err(|error| Failure::from_store_error(Side::Source, place, error))?;
        Ok(TimelineView::new(location.clone(), &store, &tags))
    }

    /// Returns the releases that were begun here and have no entry. Where there are as many entries as intents,
    /// each has its own.
    async fn unfinished(
        &self,
        view: &TimelineView,
        context: &ReleaseContext,
    ) -> Result<Vec<ReleaseAccount>, Failure> {
        let location = view.location();
        if location.destination != self.place {
            return Ok(Vec::new());
        }
        let intents = ListedIntents::from_listed(&self.referrers, location);
        let root = self.root.digest;
        unfinished_releases(&self.store, view, &intents, root, &context.notices).await
    }
}

/// Returns what the history of an environment says of an image.
fn build_account(
    location: &TimelineLocation,
    root: Digest,
    release: Option<ReleaseAccount>,
    history: &TimelineHistory,
) -> EnvironmentAccount {
    let timeline = &history.timeline;
    let prefix = DigestPrefix::from_digest(root);
    let newest_first = history.lines.iter().rev();
    let restored = |line: &HistoryLine| line.entry.as_ref().and_then(|entry| entry.restores);
    let lines = newest_first.filter(|it| it.name.root == prefix || restored(it) == Some(root));
    let entry = release.as_ref().and_then(|it| timeline.entry(it.record));
    let current = timeline.current();
    let since = current.and_then(|(entry, of)| (of == root).then_some(entry.planned_at));
    EnvironmentAccount {
        environment: location.environment.clone(),
        place: location.destination.clone(),
        state: entry.map(|_| state(timeline, root)),
        lines: lines.cloned().collect(),
        before: entry.and_then(|entry| image_before(timeline, entry)),
        good_before: timeline
            .rollback_target(root)
            .map(|before| (before.root, before.version.clone())),
        since,
        tag_drift: None,
        carried: Vec::new(),
        unfinished: Vec::new(),
        release,
    }
}

/// Reads the newest release of the image that counts, and returns it with the layers of the records it rests on.
async fn newest_release(
    view: &TimelineView,
    own: &[EntryName],
    readings: &mut HistoryReadings,
) -> Result<Option<(ReleaseAccount, Vec<Descriptor>)>, Failure> {
    for name in own.iter().rev().filter(|name| name.action.is_release()) {
        let reading = view.read(name).await?;
        add_reading(name, &reading, readings);
        if let Some(counted) = reading.counted() {
            let account = ReleaseAccount::from_verified(&counted.verified);
            return Ok(Some((account, counted.sources.clone())));
        }
        view.check_strays()?;
    }
    Ok(None)
}

/// Reads what decides on the state of the image: the other entries about it, those before its release that the
/// release did not see, and the newest of the timeline if one follows it.
async fn read_what_decides(
    view: &TimelineView,
    release: Option<&ReleaseAccount>,
    own: &[EntryName],
    readings: &mut HistoryReadings,
) -> Result<(), Failure> {
    let newest_own = own.iter().rev().take(PAST_LIMIT);
    let others = newest_own.filter(|name| !name.action.is_release());
    view.read_into(others.collect(), readings).await?;
    let Some(release) = release else {
        return Ok(());
    };
    let time = release.predicate.planned_at;
    let names = view.names();
    let end = names.partition_point(|name| name.planned_at <= time);
    let before = names[end.saturating_sub(PAST_LIMIT)..end].iter();
    let unseen = before.filter(|name| !readings.knows(name)).collect();
    view.read_into(unseen, readings).await?;
    // A mark of another release decides where a rollback of this one goes.
    let changes_state = |name: &EntryName| {
        name.action.is_release()
            || matches!(
                name.action,
                RecordAction::Rollback | RecordAction::Deployed | RecordAction::Failed
            )
    };
    let followers = names.iter().rev().take_while(|name| name.planned_at > time);
    if !followers.clone().any(changes_state) {
        return Ok(());
    }
    let begin = names.len() - followers.take(PAST_LIMIT + 1).count();
    view.scan(&names[begin..], false, readings).await?;
    let reinstatements = names[begin..].iter();
    let reinstatements = reinstatements.filter(|name| name.action == RecordAction::Reinstate);
    view.read_into(reinstatements.collect(), readings).await
}

fn state(timeline: &Timeline, root: Digest) -> EntryState {
    match timeline.current() {
        _ if timeline.is_withdrawn(root) => EntryState::Withdrawn,
        Some((_, current)) if current == root => EntryState::Current,
        _ => EntryState::Superseded,
    }
}

/// Returns the image that the environment was on before a release.
fn image_before(timeline: &Timeline, release: &TimelineEntry) -> Option<(Digest, Option<String>)> {
    let earlier = timeline.entries().iter();
    let earlier = earlier.filter(|entry| entry.order() < release.order());
    let earlier = Timeline::new(earlier.cloned().collect());
    let (_, root) = earlier.current()?;
    let mut of_root = earlier.entries().iter().rev();
    let version = of_root
        .find(|entry| entry.root == root && entry.version.is_some())
        .and_then(|entry| entry.version.clone());
    Some((root, version))
}
