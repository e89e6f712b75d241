//! Timeline that is open for a record about an image which is there: a rollback, a mark or an adoption.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use futures_util::future::try_join;

use super::clock::{future_entry_failure, planning_time};
use super::intent::{Intent, ListedIntents};
use super::left_entries::refuse_left_entries;
use super::location::TimelineLocation;
use super::record_basis::RecordBasis;
use super::timeline_view::{EntryReading, RecentEntries, TimelineView};
use crate::image::{Digest, Tag};
use crate::record::{EntryName, RecordAction, RecordTime, Timeline, TimelineEntry};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::destination::{OpenDestination, open_to_write};
use crate::transfer::{ImageStore, Side};

/// Timeline with the repository of its images, open for writing.
pub(crate) struct OpenTimeline {
    /// Repository of the images.
    pub(crate) destination: OpenDestination,
    /// Tags of that repository.
    pub(crate) tags: BTreeSet<Tag>,
    /// Store of the entries.
    pub(crate) entries: ImageStore,
    pub(crate) view: TimelineView,
    pub(crate) recent: RecentEntries,
    /// Time for the next record.
    pub(crate) planned_at: RecordTime,
}

impl OpenTimeline {
    /// Opens a timeline, and reads what decides on its current root.
    ///
    /// # Errors
    /// A store that cannot tell, a counted entry of a later time, and too many entries that do not count.
    pub(crate) async fn open(
        context: &ReleaseContext,
        location: &TimelineLocation,
        now: RecordTime,
        stray_limit: usize,
    ) -> Result<Self, Failure> {
        let destination = OpenDestination::open(context, &location.destination);
        let entries = match &location.entries_at {
            Some(place) => open_to_write(context, place, &[]),
            None => destination.store.clone(),
        };
        let (tags, view) = list_names(&destination.store, &entries, location).await?;
        refuse_left_entries(&view, &tags)?;
        let view = view.with_stray_limit(stray_limit);
        let recent = view.read_recent().await?;
        view.read_state(&[]).await?;
        let clock = planning_time(now, location.entries(), &entries, &context.notices)?;
        let next = recent.timeline.plan_next_time(clock);
        let planned_at = next.map_err(|error| future_entry_failure(&view, error))?;
        view.warn_passed_over(&context.notices);
        Ok(Self {
            destination,
            tags,
            entries,
            view,
            recent,
            planned_at,
        })
    }

    /// Lists tags and entries again, and reads the new entries but our `own`. Returns whether there are any.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn relist(&mut self, own: Option<&Tag>) -> Result<bool, Failure> {
        let location = self.view.location().clone();
        let (tags, view) = list_names(&self.destination.store, &self.entries, &location).await?;
        let known: HashSet<&EntryName> = self.view.names().iter().collect();
        let is_own = |name: &EntryName| own.is_some_and(|own| name.to_tag() == *own);
        let names = view.names().iter();
        let new: Vec<_> = names
            .filter(|name| !known.contains(name) && !is_own(name))
            .collect();
        self.view.read_all(new.iter().copied()).await?;
        let has_new = !new.is_empty();
        self.view.take_names(&view);
        self.tags = tags;
        Ok(has_new)
    }

    /// Returns the timeline as far as it is known.
    pub(crate) fn known(&self) -> Timeline {
        self.view.timeline_known()
    }

    /// Takes a record that was written, which the next one follows.
    pub(crate) fn advance(&mut self, entry: TimelineEntry) {
        let next = entry.planned_at.next();
        self.recent.heads = vec![entry.record];
        let entries = self.recent.timeline.entries().iter().cloned();
        self.recent.timeline = Timeline::new(entries.chain([entry]).collect());
        self.planned_at = next.unwrap_or(self.planned_at);
    }

    /// Returns what the next record says of the timeline.
    pub(crate) fn basis(&self) -> RecordBasis<'_> {
        RecordBasis {
            location: self.view.location(),
            recent: &self.recent,
            planned_at: self.planned_at,
        }
    }

    /// Reads every entry about a root.
    ///
    /// # Errors
    /// A store that cannot tell, and too many entries that do not count.
    pub(crate) async fn read_root(&self, root: Digest) -> Result<(), Failure> {
        self.view
            .read_all(self.view.names_of(root, |_| true))
            .await?;
        self.view.check_strays()
    }

    /// Returns the counted releases of a root that were read, oldest first.
    pub(crate) fn releases_read(&self, root: Digest) -> Vec<Arc<EntryReading>> {
        let timeline = self.view.timeline_read();
        let entries = timeline.entries().iter();
        let releases = entries.filter(|entry| entry.action.is_release() && entry.root == root);
        releases
            .filter_map(|entry| self.view.record_read(entry.record))
            .collect()
    }

    /// Returns the newest release of a root that is known.
    pub(crate) fn newest_release(&self, root: Digest) -> Option<TimelineEntry> {
        let timeline = self.known();
        let mut newest_first = timeline.entries().iter().rev();
        let release = newest_first.find(|entry| entry.action.is_release() && entry.root == root);
        release.cloned()
    }

    /// Lists the intents about a root.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub(crate) async fn list_intents(&self, root: Digest) -> Result<ListedIntents, Failure> {
        let prior = self.destination.load_tag_snapshot(true, &self.tags).await?;
        let location = self.view.location();
        ListedIntents::list(&self.destination.store, prior, location, root).await
    }

    /// Finds the newest intent of an action that has no timeline entry, among those of wanted runs.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn find_unfinished(
        &self,
        context: &ReleaseContext,
        intents: &ListedIntents,
        root: Digest,
        is_wanted_run: impl Fn(Option<&str>) -> bool,
        is_wanted: impl Fn(&RecordAction) -> bool,
    ) -> Result<Option<Intent>, Failure> {
        let (store, location) = (&self.destination.store, self.view.location());
        let counted = intents.read_counted(store, location, root, is_wanted_run, &context.notices);
        for intent in counted.await? {
            let action = &intent.verified.record.predicate.action;
            if is_wanted(action) && !self.view.has_entry(&intent).await? {
                return Ok(Some(intent));
            }
        }
        Ok(None)
    }
}

/// Lists the tags of the images' repository, and the names of the timeline's entries.
///
/// # Errors
/// A store that cannot tell.
pub(crate) async fn list_names(
    images: &ImageStore,
    entries: &ImageStore,
    location: &TimelineLocation,
) -> Result<(BTreeSet<Tag>, TimelineView), Failure> {
    let failed = |place, error| Failure::from_store_error(Side::Destination, place, error);
    let own = async {
        let tags = images.tags().await;
        tags.map_err(|error| failed(&location.destination, error))
    };
    let Some(place) = &location.entries_at else {
        let tags = own.await?;
        let view = TimelineView::new(location.clone(), entries, &tags);
        return Ok((tags, view));
    };
    let of_entries = async {
        let tags = entries.tags().await;
        tags.map_err(|error| failed(place, error))
    };
    let (tags, names) = try_join(own, of_entries).await?;
    let view = TimelineView::new(location.clone(), entries, &names);
    Ok((tags, view))
}
