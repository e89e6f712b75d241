//! What is visible of a registry's own protection of tags before anything is written.

use crate::image::Tag;
use crate::record::{RecordTime, RecordedTagKind};
use crate::release::prepared_release::PreparedRelease;

/// Protection of tags by the registry itself. The distribution API does not tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagMutability {
    /// An image layout, which protects no tag.
    Unprotected,
    /// An earlier release has moved a tag here: the registry lets at least this one move.
    Moved {
        /// Tag that moved.
        tag: String,
        /// Time of the record of the release.
        at: RecordTime,
    },
    /// Nothing that was read tells it.
    Unknown {
        /// Moving tags of the release, which the registry must let move.
        moving: Vec<Tag>,
    },
}

impl TagMutability {
    /// Returns what is visible at a destination, by what was read for the decision.
    pub(super) fn of_destination(prepared: &PreparedRelease<'_>, at: usize) -> Self {
        if prepared.destinations[at].is_layout() {
            return Self::Unprotected;
        }
        moved_tag(prepared, at).unwrap_or_else(|| {
            let tags = prepared.derived.tags.iter();
            let moving = tags.filter(|planned| !planned.kind.is_immutable());
            Self::Unknown {
                moving: moving.map(|planned| planned.tag.clone()).collect(),
            }
        })
    }
}

/// Finds a tag that the newest releases have moved. A record with an entry is of a release whose tags were written.
fn moved_tag(prepared: &PreparedRelease<'_>, at: usize) -> Option<TagMutability> {
    let timeline = &prepared.timelines.as_ref()?.destinations[at];
    let entries = timeline.recent.timeline.entries().iter().rev();
    let mut read = entries.filter_map(|entry| timeline.view.record_read(entry.record));
    read.find_map(|reading| {
        let record = reading.counted()?;
        let predicate = &record.record().predicate;
        let moved = predicate.tags.iter().find(|tag| {
            let is_moving = tag.kind != RecordedTagKind::Immutable;
            let previous = tag
                .previous
                .filter(|previous| *previous != record.entry.root);
            is_moving && previous.is_some() && predicate.action.is_release()
        })?;
        Some(TagMutability::Moved {
            tag: moved.name.clone(),
            at: predicate.planned_at,
        })
    })
}
