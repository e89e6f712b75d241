//! Compares the tag by which an image is named with the records of its repository.

use super::open_image::OpenImage;
use crate::image::Tag;
use crate::record::{EntryName, HistoryReadings, TagDrift, TimelineHistory, expected_root};
use crate::release::Failure;
use crate::release::records::timeline_view::TimelineView;
use crate::release::records::unfinished::ReleaseAccount;

impl OpenImage {
    /// Returns the tag by which the image is named; `None` for a digest.
    pub(super) fn named_tag(&self) -> Option<Tag> {
        self.source.tag()
    }

    /// Reads what the timeline must say of the tag: its newest entry, and all as far as needed where no record of
    /// the image names the tag.
    pub(super) async fn read_for_tag(
        &self,
        view: &TimelineView,
        release: Option<&ReleaseAccount>,
        readings: &mut HistoryReadings,
    ) -> Result<(), Failure> {
        let Some(tag) = self.named_tag().filter(|_| self.has_timeline(view)) else {
            return Ok(());
        };
        let is_recorded = release.is_some_and(|release| {
            let mut tags = release.predicate.tags.iter();
            tags.any(|it| it.name == tag.as_str())
        });
        let names: &[EntryName] = view.names();
        let newest = names.len().saturating_sub(1);
        let sought = match is_recorded {
            true => &names[newest..],
            false => names,
        };
        view.scan(sought, false, readings).await
    }

    /// Returns what differs between the tag and the records.
    pub(super) fn tag_drift(
        &self,
        view: &TimelineView,
        history: &TimelineHistory,
        readings: &HistoryReadings,
    ) -> Option<TagDrift> {
        let tag = self.named_tag().filter(|_| self.has_timeline(view))?;
        let environment = &view.location().environment;
        let timeline = &history.timeline;
        let read = readings.read_entries();
        let expected = expected_root(&tag, environment, &read, timeline)?;
        let found = self.root.digest;
        let drift = || TagDrift::new(tag.clone(), Some(expected), Some(found), timeline);
        (expected.root != found).then(drift)
    }

    fn has_timeline(&self, view: &TimelineView) -> bool {
        view.location().destination == self.place
    }
}
