use super::inspect_request::InspectRequest;
use super::open_image::OpenImage;
use crate::image::{Destination, Digest};
use crate::record::{
    DigestPrefix, EntryName, EntryState, HistoryLine, HistoryReadings, ListedEntries, PAST_LIMIT,
    RecordAction, RecordId, ReleasePredicate, Timeline, TimelineEntry, TimelineHistory,
};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::entry_scan::add_reading;
use crate::release::records::intent::{Intent, ListedIntents};
use crate::release::records::location::TimelineLocation;
use crate::release::records::timeline_view::TimelineView;
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
    /// Entries about the image that are known, newest first.
    pub lines: Vec<HistoryLine>,
    /// Image that the environment was on before, with its version.
    pub before: Option<(Digest, Option<String>)>,
    /// Image that a rollback of this one would put back, with its version.
    pub good_before: Option<(Digest, Option<String>)>,
    /// Releases that were begun and have no entry, newest first.
    pub unfinished: Vec<ReleaseAccount>,
}

/// Record of a release.
#[derive(Debug, Clone)]
pub struct ReleaseAccount {
    /// Its id.
    pub record: RecordId,
    /// Signer; `None` if the environment does not sign.
    pub signer: Option<String>,
    /// Content.
    pub predicate: Box<ReleasePredicate>,
}

impl OpenImage {
    /// Returns what an environment's records say of the image. Of an environment elsewhere that cannot be read a
    /// warning is enough.
    pub(super) async fn readable_account(
        &self,
        request: &InspectRequest,
        location: &TimelineLocation,
        context: &ReleaseContext,
    ) -> Result<Option<EnvironmentAccount>, Failure> {
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
    ) -> Result<Option<EnvironmentAccount>, Failure> {
        let view = self.open_timeline(location, context).await?;
        let root = self.root.digest;
        let unfinished = self.unfinished(&view, context).await?;
        let own: Vec<EntryName> = view.names_of(root, |_| true).cloned().collect();
        if own.is_empty() && unfinished.is_empty() {
            return Ok(None);
        }
        let mut readings = HistoryReadings::default();
        let release = newest_release(&view, &own, &mut readings).await?;
        read_what_followed(&view, release.as_ref(), &own, &mut readings).await?;
        let listed = ListedEntries {
            names: view.names(),
            is_complete: true,
            clock: request.clock,
        };
        let history = TimelineHistory::new(listed, &readings);
        let timeline = &history.timeline;
        let prefix = DigestPrefix::from_digest(root);
        let lines = history.lines.iter().rev();
        let lines = lines.filter(|line| line.name.root == prefix).cloned();
        let entry = release.as_ref().and_then(|it| timeline.entry(it.record));
        Ok(Some(EnvironmentAccount {
            environment: location.environment.clone(),
            place: location.destination.clone(),
            state: entry.map(|_| state(timeline, root)),
            lines: lines.collect(),
            before: entry.and_then(|entry| image_before(timeline, entry)),
            good_before: timeline
                .rollback_target(root)
                .map(|before| (before.root, before.version.clone())),
            release,
            unfinished,
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
        let source = self.referrers_source.clone();
        let intents = ListedIntents::from_listed(source, &self.referrers, location);
        let root = self.root.digest;
        if intents.count() <= view.names_of(root, |_| true).count() {
            return Ok(Vec::new());
        }
        let notices = &context.notices;
        let counted = intents.read_any(&self.store, location, root, notices);
        let has_entry = |intent: &Intent| {
            let prefix = DigestPrefix::from_digest(intent.verified.id.digest());
            view.names().iter().any(|name| name.record == prefix)
        };
        let unfinished = counted.await?.into_iter().filter(|it| !has_entry(it));
        Ok(unfinished
            .map(|intent| ReleaseAccount {
                record: intent.verified.id,
                signer: intent.verified.signer,
                predicate: Box::new(intent.verified.record.predicate),
            })
            .collect())
    }
}

/// Reads the newest release of the image that counts.
async fn newest_release(
    view: &TimelineView,
    own: &[EntryName],
    readings: &mut HistoryReadings,
) -> Result<Option<ReleaseAccount>, Failure> {
    for name in own.iter().rev().filter(|name| name.action.is_release()) {
        let reading = view.read(name).await?;
        add_reading(name, &reading, readings);
        if let Some(counted) = reading.counted() {
            return Ok(Some(ReleaseAccount {
                record: counted.entry.record,
                signer: counted.verified.signer.clone(),
                predicate: Box::new(counted.record().predicate.clone()),
            }));
        }
        view.check_strays()?;
    }
    Ok(None)
}

/// Reads what decides on the state of the image: the other entries about it, and the newest of the timeline if one
/// follows its release.
async fn read_what_followed(
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
    let sets_root =
        |name: &&EntryName| name.action.is_release() || name.action == RecordAction::Rollback;
    let followers = names.iter().rev().take_while(|name| name.planned_at > time);
    if followers.clone().filter(sets_root).count() == 0 {
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
