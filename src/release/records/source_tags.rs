//! Tags of the repository that has the timeline of the environment that an image comes from: listed once for the
//! timeline and for the names of the image.

use std::collections::BTreeSet;

use tokio::sync::OnceCell;

use super::location::TimelineLocation;
use super::options::RecordOptions;
use super::timeline_view::TimelineView;
use crate::image::{ImageSource, Tag};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::resolve::image_store::open_to_read;
use crate::transfer::{ImageStore, Side, StoreError};

/// Tags of the repository with the timeline that an image comes from.
pub(crate) struct SourceTags {
    location: TimelineLocation,
    store: ImageStore,
    tags: OnceCell<BTreeSet<Tag>>,
}

impl SourceTags {
    /// Opens the repository; `None` if no policy names one.
    pub(crate) fn open(options: Option<&RecordOptions>, context: &ReleaseContext) -> Option<Self> {
        let location = options?.source.as_ref()?;
        Some(Self {
            location: location.clone(),
            store: open_to_read(context, location.entries()),
            tags: OnceCell::new(),
        })
    }

    /// Returns whether an image comes from the repository.
    pub(crate) fn are_of(&self, image: &ImageSource) -> bool {
        self.location.entries().is_place_of(image)
    }

    /// Returns whether it is the repository of a timeline.
    pub(crate) fn has_timeline(&self, location: &TimelineLocation) -> bool {
        self.location.place() == location.place()
    }

    /// Lists the tags, once.
    ///
    /// # Errors
    /// A store that fails.
    pub(crate) async fn list(&self) -> Result<&BTreeSet<Tag>, StoreError> {
        self.tags.get_or_try_init(|| self.store.tags()).await
    }

    /// Returns the timeline, with the names of its entries.
    ///
    /// # Errors
    /// A store that fails.
    pub(crate) async fn list_timeline(&self) -> Result<TimelineView, Failure> {
        let place = self.location.entries();
        let tags = self.list().await;
        let tags = tags.map_err(|error| Failure::from_store_error(Side::Source, place, error))?;
        Ok(TimelineView::new(self.location.clone(), &self.store, tags))
    }
}
