//! Records of a model registry: intents, which are found by their root, and entries, which count.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::model::{ModelRegistry, ModelRelease, Turn};
use crate::image::{Digest, Tag};
use crate::record::{DigestPrefix, RecordAction, RecordId, RecordTime, Timeline, TimelineEntry};
use crate::release::plan::record_facts::{
    CurrentRelease, NamedRollback, RecordFacts, RecordedRelease,
};

/// Intent of a run: the entry that it is going to write, and what its tags named before.
#[derive(Debug, Clone)]
pub struct ModelIntent {
    pub entry: TimelineEntry,
    pub previous: BTreeMap<Tag, Digest>,
}

#[derive(Default)]
pub struct ModelTimeline {
    intents: RefCell<Vec<ModelIntent>>,
    entries: RefCell<Vec<TimelineEntry>>,
    /// How many records were planned.
    planned: Cell<u8>,
}

impl ModelTimeline {
    /// Returns the entries that count at this time.
    pub fn now(&self) -> Timeline {
        Timeline::new(self.entries.borrow().clone())
    }

    /// Plans a record: its time is that of a clock which may be behind, and after all that is there.
    pub fn plan_entry(
        &self,
        registry: &ModelRegistry,
        action: RecordAction,
        root: Digest,
    ) -> TimelineEntry {
        let number = self.planned.get() + 1;
        self.planned.set(number);
        let clock = time(usize::from(number).saturating_sub(registry.choose(3)) + 1);
        TimelineEntry {
            deletions: Vec::new(),
            record: RecordId::from_blob(&[number]),
            root,
            action,
            planned_at: self.now().plan_next_time(clock).unwrap(),
            restores: None,
            reinstates: Vec::new(),
            hold: None,
            previous: Vec::new(),
            version: None,
            commit: None,
            actor: None,
            is_summary: false,
        }
    }

    /// Puts a release in place before the play begins.
    pub fn set_up(&self, registry: &ModelRegistry, release: &ModelRelease) {
        let entry = self.plan_entry(registry, RecordAction::Promote, release.image);
        let there = registry.tags();
        let named = release.planned.iter().filter_map(|planned| {
            let at = there.get(&planned.tag).copied()?;
            Some((planned.tag.clone(), at))
        });
        let previous = named.filter(|(_, at)| *at != release.image).collect();
        for planned in &release.planned {
            registry.set_up(planned.tag.clone(), release.image, None);
        }
        self.entries.borrow_mut().push(entry.clone());
        self.intents
            .borrow_mut()
            .push(ModelIntent { entry, previous });
    }

    pub async fn write_intent(&self, registry: &ModelRegistry, intent: ModelIntent) {
        Turn::default().await;
        registry.note("  writes its intent");
        self.intents.borrow_mut().push(intent);
    }

    pub async fn write_entry(&self, registry: &ModelRegistry, entry: &TimelineEntry) {
        Turn::default().await;
        registry.note("  writes its entry");
        self.entries.borrow_mut().push(entry.clone());
    }

    /// Returns what the tags named before the first release of a root.
    pub fn previous_of(&self, root: Digest) -> BTreeMap<Tag, Digest> {
        let intents = self.intents.borrow();
        let mut of_root = intents.iter().filter(|it| it.entry.root == root);
        of_root
            .next()
            .map_or_else(BTreeMap::new, |it| it.previous.clone())
    }

    /// Reads what the records say of a root: the entries as they were listed, and intents.
    pub async fn release_of(
        &self,
        registry: &ModelRegistry,
        listed: &Timeline,
        root: Digest,
    ) -> RecordedRelease {
        Turn::default().await;
        registry.note("  reads records");
        let is_release = |it: &TimelineEntry| it.action.is_release() && it.root == root;
        let intents = self.intents.borrow();
        if listed.is_withdrawn(root) {
            RecordedRelease::Withdrawn
        } else if listed.entries().iter().any(is_release) {
            RecordedRelease::Released
        } else if intents.iter().any(|it| is_release(&it.entry)) {
            RecordedRelease::Intended
        } else {
            RecordedRelease::Unrecorded
        }
    }
}

/// Returns what the names of a timeline say.
pub fn facts_of(timeline: &Timeline) -> RecordFacts {
    let is_rollback = |it: &&TimelineEntry| it.action == RecordAction::Rollback;
    let rollbacks = timeline.entries().iter().filter(is_rollback);
    let rollbacks = rollbacks.map(|it| NamedRollback {
        root: DigestPrefix::from_digest(it.root),
        record: DigestPrefix::from_digest(it.record.digest()),
    });
    let current = timeline.current().map(|(entry, root)| CurrentRelease {
        root,
        order: entry.order(),
    });
    RecordFacts {
        rollbacks: rollbacks.collect(),
        current,
        ..RecordFacts::default()
    }
}

fn time(minute: usize) -> RecordTime {
    let minute = jiff::SignedDuration::from_mins(i64::try_from(minute).unwrap());
    RecordTime::from_timestamp(jiff::Timestamp::UNIX_EPOCH + minute).unwrap()
}
