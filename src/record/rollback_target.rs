//! Where a rollback goes by default.

use super::action::RecordAction;
use super::release_state::ReleaseMark;
use super::timeline::Timeline;
use super::timeline_entry::TimelineEntry;
use crate::image::Digest;

impl Timeline {
    /// Returns the release to go back to when `withdrawn` is withdrawn: the newest before it of another root that
    /// is neither withdrawn nor marked as failed. A deployed one goes before one without a mark, and of either one
    /// that was released before one that was adopted: an adoption records old releases late.
    ///
    /// `None` if the timeline has no such release, or none of `withdrawn`.
    pub fn rollback_target(&self, withdrawn: Digest) -> Option<&TimelineEntry> {
        let is_its_release =
            |entry: &&TimelineEntry| entry.action.is_release() && entry.root == withdrawn;
        let release = self.entries().iter().rev().find(is_its_release)?;
        let newest_of = |mark: Option<ReleaseMark>, is_adopted: bool| {
            self.releases_in_effect().rev().find(|earlier| {
                earlier.order() < release.order()
                    && earlier.root != withdrawn
                    && self.mark(earlier.root) == mark
                    && (earlier.action == RecordAction::Adopt) == is_adopted
            })
        };
        let newest_with = |mark| newest_of(mark, false).or_else(|| newest_of(mark, true));
        newest_with(Some(ReleaseMark::Deployed)).or_else(|| newest_with(None))
    }

    /// Returns the entries after `target` and before the release of `withdrawn` that stay as they are.
    pub fn releases_between(
        &self,
        target: &TimelineEntry,
        withdrawn: Digest,
    ) -> impl Iterator<Item = &TimelineEntry> {
        let end = self
            .entries()
            .iter()
            .rev()
            .find(|entry| entry.action.is_release() && entry.root == withdrawn)
            .map(TimelineEntry::order);
        let after = target.order();
        self.releases_in_effect().filter(move |entry| {
            entry.order() > after
                && end.is_some_and(|end| entry.order() < end)
                && entry.root != withdrawn
        })
    }
}
