use std::collections::BTreeSet;

use super::environment_request::EnvironmentRequest;
use crate::image::{Digest, Tag};
use crate::record::{RecordTime, Timeline, TimelineEntry};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::clock::planning_time;
use crate::release::records::left_entries::refuse_left_entries;
use crate::release::records::location::TimelineLocation;
use crate::release::records::open_timeline::list_names;
use crate::release::records::timeline_request::PATIENT_STRAY_LIMIT;
use crate::release::records::timeline_view::TimelineView;
use crate::release::resolve::image_store::open_to_show;
use crate::transfer::ImageStore;

/// Timeline of an environment, read as far as it decides on what is current, with the tags of the images' repository.
pub(super) struct CurrentState {
    /// Repository of the images.
    pub(super) images: ImageStore,
    /// Its tags.
    pub(super) tags: BTreeSet<Tag>,
    pub(super) view: TimelineView,
    /// What is known.
    pub(super) timeline: Timeline,
    /// Time of the run, by the clock that counts.
    pub(super) now: RecordTime,
}

impl CurrentState {
    /// Reads what decides on the current root, and every entry about it.
    ///
    /// # Errors
    /// A store that cannot tell, and too many entries that do not count.
    pub(super) async fn read(
        request: &EnvironmentRequest,
        context: &ReleaseContext,
    ) -> Result<Self, Failure> {
        let location = &request.location;
        let images = open_to_show(context, &location.destination).await?;
        let entries = match &location.entries_at {
            Some(place) => open_to_show(context, place).await?,
            None => images.clone(),
        };
        let (tags, view) = list_names(&images, &entries, location).await?;
        refuse_left_entries(&view, &tags)?;
        let view = view.with_stray_limit(PATIENT_STRAY_LIMIT);
        view.read_recent().await?;
        let timeline = view.read_state(&[]).await?;
        if let Some((_, root)) = timeline.current() {
            view.read_all(view.names_of(root, |_| true)).await?;
            view.check_strays()?;
        }
        let now = planning_time(
            request.clock,
            location.entries(),
            &entries,
            &context.notices,
        )?;
        view.warn_passed_over(&context.notices);
        Ok(Self {
            images,
            tags,
            timeline: view.timeline_known(),
            view,
            now,
        })
    }

    /// Returns where the timeline is.
    pub(super) fn location(&self) -> &TimelineLocation {
        self.view.location()
    }

    /// Returns the root that the environment is on.
    pub(super) fn root(&self) -> Option<Digest> {
        self.timeline.current().map(|(_, root)| root)
    }

    /// Returns the newest release of the current root.
    pub(super) fn release(&self) -> Option<&TimelineEntry> {
        let root = self.root()?;
        let mut newest_first = self.timeline.entries().iter().rev();
        newest_first.find(|entry| entry.action.is_release() && entry.root == root)
    }
}
