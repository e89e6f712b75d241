//! Reads what the records of a destination's environment say of releases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::record_facts::{RecordFacts, RecordedRoot};
use crate::image::{Digest, Tag};
use crate::release::Failure;
use crate::release::records::timeline_records::TimelineRecords;

/// Records of the environment that a destination belongs to.
#[derive(Debug, Clone)]
pub(crate) struct RecordedReleases {
    source: RecordSource,
}

#[derive(Debug, Clone)]
enum RecordSource {
    /// No records are kept here.
    NotKept,
    /// The timeline says.
    Timeline(Arc<TimelineRecords>),
    /// The records say this, whenever they are read.
    #[cfg(test)]
    Known(Box<RecordFacts>),
}

impl RecordedReleases {
    /// Returns the records of a destination that keeps none.
    pub(crate) const fn not_kept() -> Self {
        Self {
            source: RecordSource::NotKept,
        }
    }

    /// Returns the records of a timeline.
    pub(crate) fn of_timeline(timeline: TimelineRecords) -> Self {
        Self {
            source: RecordSource::Timeline(Arc::new(timeline)),
        }
    }

    /// Returns the timeline; `None` where no records are kept.
    pub(crate) fn timeline(&self) -> Option<&TimelineRecords> {
        match &self.source {
            RecordSource::Timeline(timeline) => Some(timeline),
            _ => None,
        }
    }

    /// Returns records that never change.
    #[cfg(test)]
    pub(crate) fn known(facts: RecordFacts) -> Self {
        Self {
            source: RecordSource::Known(Box::new(facts)),
        }
    }

    /// Reads what the names of the timeline say at this time: rollbacks, the current root, and what an earlier
    /// attempt of this run had found. `None` where no records are kept. `listed` are the tags of the
    /// destination, from a list that has just been read.
    ///
    /// # Errors
    /// A store that fails.
    pub(crate) async fn read_names(
        &self,
        listed: &BTreeSet<Tag>,
    ) -> Result<Option<RecordFacts>, Failure> {
        match &self.source {
            RecordSource::NotKept => Ok(None),
            RecordSource::Timeline(timeline) => {
                Box::pin(timeline.read_names(listed)).await.map(Some)
            }
            #[cfg(test)]
            RecordSource::Known(facts) => Ok(Some(RecordFacts {
                roots: BTreeMap::new(),
                images: BTreeMap::new(),
                ..RecordFacts::clone(facts)
            })),
        }
    }

    /// Reads what the records say of each root, by the names that were read last, without its intents.
    ///
    /// # Errors
    /// A store that fails.
    pub(crate) async fn read(
        &self,
        roots: &BTreeSet<Digest>,
    ) -> Result<BTreeMap<Digest, RecordedRoot>, Failure> {
        match &self.source {
            RecordSource::NotKept => Ok(roots.iter().map(|root| (*root, unrecorded())).collect()),
            RecordSource::Timeline(timeline) => Box::pin(timeline.read(roots)).await,
            #[cfg(test)]
            RecordSource::Known(facts) => {
                let known = |root| facts.roots.get(root).cloned();
                let each = roots.iter();
                Ok(each
                    .map(|root| (*root, known(root).unwrap_or_else(unrecorded)))
                    .collect())
            }
        }
    }

    /// Reads which versions and immutable tags the intents of each root name.
    ///
    /// # Errors
    /// A store that fails.
    pub(crate) async fn read_intents(
        &self,
        roots: &BTreeSet<Digest>,
    ) -> Result<BTreeMap<Digest, BTreeSet<String>>, Failure> {
        match &self.source {
            RecordSource::Timeline(timeline) => Box::pin(timeline.read_intents(roots)).await,
            _ => Ok(roots.iter().map(|root| (*root, BTreeSet::new())).collect()),
        }
    }
}

/// Returns what records say of a root that none of them is about.
fn unrecorded() -> RecordedRoot {
    RecordedRoot {
        intended: Some(BTreeSet::new()),
        ..RecordedRoot::default()
    }
}
