//! What the records of an environment say, as far as decisions on its tags depend on it.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::{Digest, Tag};
use crate::record::{DigestPrefix, RecordId, RecordTime};
use crate::tagging::TaggedRelease;

/// What the records say of a root under a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordedRelease {
    /// A counted record releases it as that version, and it is not withdrawn.
    Released,
    /// A verified intent does, without an entry yet: its run is in progress, or died.
    Intended,
    /// A rollback of the root is in effect.
    Withdrawn,
    /// No record releases it as that version, which only a tag says.
    Unrecorded,
}

/// What the records say of a root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordedRoot {
    /// Whether a rollback of it is in effect.
    pub(crate) is_withdrawn: bool,
    /// Versions and immutable tags that its counted releases name.
    pub(crate) released: BTreeSet<String>,
    /// Those that verified intents name; `None`: intents were not read.
    pub(crate) intended: Option<BTreeSet<String>>,
}

impl RecordedRelease {
    /// Returns whether the root is a release, complete or in progress.
    pub(crate) fn is_release(self) -> bool {
        matches!(self, Self::Released | Self::Intended)
    }
}

impl RecordedRoot {
    /// Returns what the records say of the root under the version of a tag; `None` if its intents must be read.
    pub(crate) fn release(&self, version: &TaggedRelease) -> Option<RecordedRelease> {
        if self.is_withdrawn {
            return Some(RecordedRelease::Withdrawn);
        }
        if is_named(&self.released, version) {
            return Some(RecordedRelease::Released);
        }
        let intended = self.intended.as_ref()?;
        Some(match is_named(intended, version) {
            true => RecordedRelease::Intended,
            false => RecordedRelease::Unrecorded,
        })
    }
}

/// Returns whether versions and immutable tags of a root name the version of a tag.
pub(crate) fn is_named(names: &BTreeSet<String>, version: &TaggedRelease) -> bool {
    names.contains(version.tag.as_str()) || names.contains(&version.version.to_string())
}

/// Rollback by the name of its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NamedRollback {
    /// Beginning of the digest of the withdrawn root.
    pub(crate) root: DigestPrefix,
    /// Beginning of the id of the record.
    pub(crate) record: DigestPrefix,
}

/// Release that an environment is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CurrentRelease {
    /// Root.
    pub(crate) root: Digest,
    /// Place of the entry that set the root in the order of the timeline.
    pub(crate) order: (RecordTime, RecordId),
}

/// What the records of an environment say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordFacts {
    /// Rollbacks by the names of entries. All other roots are not withdrawn.
    pub(crate) rollbacks: BTreeSet<NamedRollback>,
    /// Release that the environment is on by the entries that count, and by this run's own where that withdraws
    /// or reinstates; `None`: none that is not withdrawn.
    pub(crate) current: Option<CurrentRelease>,
    /// Place of this run's record in the order of the timeline; `None`: it is going to be the newest.
    pub(crate) own_order: Option<(RecordTime, RecordId)>,
    /// Root that this run puts back; `None`: it is no rollback, or one that puts nothing back.
    pub(crate) restores: Option<Digest>,
    /// What the tags of this run named before its first attempt, by the intent of that attempt.
    pub(crate) previous: BTreeMap<Tag, Digest>,
    /// What the records say of roots, as far as they were read.
    pub(crate) roots: BTreeMap<Digest, RecordedRoot>,
    /// Whether the destination has images, as far as it was asked.
    pub(crate) images: BTreeMap<Digest, bool>,
}

impl RecordFacts {
    /// Returns whether a rollback of the root is in effect; `None` if its records must be read.
    pub(crate) fn is_withdrawn(&self, root: Digest) -> Option<bool> {
        match self.roots.get(&root) {
            Some(recorded) => Some(recorded.is_withdrawn),
            None if self.may_be_withdrawn(root) => None,
            None => Some(false),
        }
    }

    /// Returns the root that the environment is on once the entry of this run counts, whose root is `own`;
    /// `None`: none that is not withdrawn.
    pub(crate) fn current_root(&self, own: Digest, is_own_withdrawn: bool) -> Option<Digest> {
        let is_newer = |current: &CurrentRelease| {
            is_own_withdrawn || self.own_order.is_some_and(|own| own < current.order)
        };
        let newer = self.current.filter(is_newer).map(|current| current.root);
        newer.or(Some(own).filter(|_| !is_own_withdrawn))
    }

    /// Returns whether a name says that the root was rolled back.
    pub(crate) fn may_be_withdrawn(&self, root: Digest) -> bool {
        self.rollbacks.iter().any(|name| name.root.is_of(root))
    }
}

#[cfg(test)]
impl RecordedRoot {
    /// Returns what the records say of a root that has only these versions.
    pub(crate) fn of_release(
        release: RecordedRelease,
        versions: impl IntoIterator<Item = impl ToString>,
    ) -> Self {
        let versions: BTreeSet<String> = versions.into_iter().map(|it| it.to_string()).collect();
        let only = |is_it: bool| versions.iter().filter(|_| is_it).cloned().collect();
        Self {
            is_withdrawn: release == RecordedRelease::Withdrawn,
            released: only(release == RecordedRelease::Released),
            intended: Some(only(release == RecordedRelease::Intended)),
        }
    }
}

#[cfg(test)]
impl NamedRollback {
    /// Returns the name of a rollback of the root.
    pub(crate) fn of_root(root: Digest) -> Self {
        let root = DigestPrefix::from_digest(root);
        Self { root, record: root }
    }
}
