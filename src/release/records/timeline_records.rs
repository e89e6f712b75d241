//! What the timeline of a destination says of releases, for decisions on its tags.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::intent::ListedIntents;
use super::location::TimelineLocation;
use super::timeline_view::TimelineView;
use super::written_entry::WrittenEntry;
use crate::image::{Digest, Tag};
use crate::notices::Notices;
use crate::record::{
    EntryName, RecordAction, RecordId, RecordTime, ReleasePredicate, TimelineEntry,
};
use crate::referrers::TagSnapshot;
use crate::release::Failure;
use crate::release::plan::record_facts::{
    CurrentRelease, NamedRollback, RecordFacts, RecordedRoot,
};
use crate::transfer::{ImageStore, Side};

/// Timeline of a destination, as it was listed last, and what this run adds to it.
pub(crate) struct TimelineRecords {
    location: TimelineLocation,
    /// Store of the images, which has the intents.
    store: ImageStore,
    /// Store of the entries.
    entries: ImageStore,
    notices: Notices,
    state: Mutex<ListedState>,
}

#[derive(Default)]
struct ListedState {
    view: Option<Arc<TimelineView>>,
    own: OwnRecord,
    /// Entry that sets the current root.
    current: Option<TimelineEntry>,
}

/// Record of this run, as far as it is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnRecord {
    /// Place in the order of the timeline; `None`: it is going to be the newest.
    pub(crate) order: Option<(RecordTime, RecordId)>,
    /// Root that a rollback puts back.
    pub(crate) restores: Option<Digest>,
    /// Rollbacks that it ends.
    pub(crate) reinstates: Vec<RecordId>,
    /// What the tags named before the first attempt.
    pub(crate) previous: BTreeMap<Tag, Digest>,
}

impl OwnRecord {
    /// Returns a new record that ends these rollbacks.
    pub(crate) fn of_reinstatement(reinstates: Vec<RecordId>) -> Self {
        Self {
            reinstates,
            ..Self::default()
        }
    }

    /// Returns a new record after an attempt that is not continued.
    pub(crate) fn after_attempt(left: &ReleasePredicate, reinstates: Vec<RecordId>) -> Self {
        Self {
            reinstates,
            previous: previous_roots(left),
            ..Self::default()
        }
    }

    /// Returns the record of an earlier attempt, whose id is `id`.
    pub(crate) fn of_attempt(id: RecordId, predicate: &ReleasePredicate) -> Self {
        Self {
            order: Some((predicate.planned_at, id)),
            restores: predicate.restores,
            reinstates: predicate.reinstates.clone(),
            previous: previous_roots(predicate),
        }
    }
}

fn previous_roots(attempt: &ReleasePredicate) -> BTreeMap<Tag, Digest> {
    let tags = attempt.tags.iter();
    let previous = tags.filter_map(|tag| Some((tag.name.parse().ok()?, tag.previous?)));
    previous.collect()
}

impl TimelineRecords {
    /// Returns the records of a timeline that is not listed yet.
    pub(crate) fn new(
        location: TimelineLocation,
        store: ImageStore,
        entries: ImageStore,
        notices: Notices,
    ) -> Self {
        Self {
            location,
            store,
            entries,
            notices,
            state: Mutex::default(),
        }
    }

    /// Returns the store of the entries.
    pub(crate) fn entries(&self) -> &ImageStore {
        &self.entries
    }

    /// Records what is known of this run's own record.
    pub(crate) fn set_own(&self, own: OwnRecord) {
        self.lock().own = own;
    }

    /// Returns the timeline as it was listed last; a list of `tags` if it was not.
    ///
    /// # Errors
    /// A store that fails.
    pub(crate) async fn view(&self, tags: &BTreeSet<Tag>) -> Result<Arc<TimelineView>, Failure> {
        let known = self.lock().view.clone();
        match known {
            Some(view) => Ok(view),
            None => self.list(tags).await,
        }
    }

    /// Takes an entry that this run has just written as read: the list that follows has its name.
    pub(crate) fn add_written(&self, entry: WrittenEntry) {
        if let Some(view) = &self.lock().view {
            view.add_written(&entry.name, &entry.manifest, entry.blob);
        }
    }

    /// Returns the entry that set the current root when the timeline was listed last.
    pub(crate) fn current(&self) -> Option<TimelineEntry> {
        self.lock().current.clone()
    }

    /// Reads the names of the timeline, whose repository has just listed `tags` if it is that of the images.
    ///
    /// # Errors
    /// A store that fails, or too many entries that do not count.
    pub(crate) async fn read_names(&self, tags: &BTreeSet<Tag>) -> Result<RecordFacts, Failure> {
        let view = self.list(tags).await?;
        let timeline = view.read_state(&[]).await?;
        let current = timeline.current();
        let is_rollback = |action: &RecordAction| *action == RecordAction::Rollback;
        let rollbacks = view.names().iter().filter(|name| is_rollback(&name.action));
        let mut state = self.lock();
        state.current = current.map(|(entry, _)| entry.clone());
        Ok(RecordFacts {
            rollbacks: rollbacks.map(to_named_rollback).collect(),
            current: current.map(|(entry, root)| CurrentRelease {
                root,
                order: entry.order(),
            }),
            own_order: state.own.order,
            restores: state.own.restores,
            previous: state.own.previous.clone(),
            roots: BTreeMap::new(),
            images: BTreeMap::new(),
        })
    }

    /// Reads what the records say of each root, by the names that were listed last, without its intents.
    ///
    /// # Errors
    /// A store that fails, or too many entries that do not count.
    pub(crate) async fn read(
        &self,
        roots: &BTreeSet<Digest>,
    ) -> Result<BTreeMap<Digest, RecordedRoot>, Failure> {
        let view = self.view(&BTreeSet::new()).await?;
        let mut recorded = BTreeMap::new();
        for root in roots {
            recorded.insert(*root, self.read_root(&view, *root).await?);
        }
        Ok(recorded)
    }

    async fn read_root(&self, view: &TimelineView, root: Digest) -> Result<RecordedRoot, Failure> {
        view.read_withdrawal(root).await?;
        let ended = self.lock().own.reinstates.clone();
        let mut rollbacks = view.timeline_known().withdrawals(root).collect::<Vec<_>>();
        rollbacks.retain(|rollback| !ended.contains(rollback));
        if !rollbacks.is_empty() {
            return Ok(RecordedRoot {
                is_withdrawn: true,
                ..RecordedRoot::default()
            });
        }
        view.read_all(view.names_of(root, RecordAction::is_release))
            .await?;
        view.check_strays()?;
        Ok(RecordedRoot {
            is_withdrawn: false,
            released: view.released_names(root),
            intended: None,
        })
    }

    /// Reads which versions and immutable tags the intents of each root name.
    ///
    /// # Errors
    /// A store that fails.
    pub(crate) async fn read_intents(
        &self,
        roots: &BTreeSet<Digest>,
    ) -> Result<BTreeMap<Digest, BTreeSet<String>>, Failure> {
        let mut named = BTreeMap::new();
        for root in roots {
            let prior = TagSnapshot::Unknown;
            let intents = ListedIntents::list(&self.store, &prior, &self.location, *root).await?;
            let counted = intents.read_any(&self.store, &self.location, *root, &self.notices);
            let counted = counted.await?;
            let predicates = counted
                .iter()
                .map(|intent| &intent.verified.record.predicate);
            let releases = predicates.filter(|predicate| predicate.action.is_release());
            let names = releases.flat_map(|release| release.release_names());
            named.insert(*root, names.map(str::to_owned).collect());
        }
        Ok(named)
    }

    async fn list(&self, tags: &BTreeSet<Tag>) -> Result<Arc<TimelineView>, Failure> {
        let own_list;
        let tags = match &self.location.entries_at {
            None => tags,
            Some(place) => {
                let listed = self.entries.tags().await;
                own_list = listed
                    .map_err(|error| Failure::from_store_error(Side::Destination, place, error))?;
                &own_list
            }
        };
        let mut view = TimelineView::new(self.location.clone(), &self.entries, tags);
        let mut state = self.lock();
        if let Some(before) = &state.view {
            view = view.with_readings_of(before);
        }
        let view = Arc::new(view);
        state.view = Some(view.clone());
        Ok(view)
    }

    fn lock(&self) -> MutexGuard<'_, ListedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_named_rollback(name: &EntryName) -> NamedRollback {
    NamedRollback {
        root: name.root,
        record: name.record,
    }
}

impl fmt::Debug for TimelineRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimelineRecords")
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}
