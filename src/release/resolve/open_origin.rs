//! Place that an image is searched in, with the timeline of its environment, which is listed once.

use tokio::sync::OnceCell;

use super::image_store::open_source_store;
use crate::image::{Digest, ImageSource, Tag, TagOrDigest};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::source_timeline::list_timeline;
use crate::release::records::timeline_view::TimelineView;
use crate::release::source_search::SourceOrigin;
use crate::transfer::{ImageStore, Side};

/// Place that is searched.
pub(super) struct OpenOrigin<'a> {
    pub(super) origin: &'a SourceOrigin,
    pub(super) store: ImageStore,
    context: &'a ReleaseContext,
    timeline: OnceCell<Option<TimelineView>>,
}

impl<'a> OpenOrigin<'a> {
    /// Opens a place.
    ///
    /// # Errors
    /// A place that images cannot be looked up in.
    pub(super) fn open(
        context: &'a ReleaseContext,
        origin: &'a SourceOrigin,
    ) -> Result<Self, Failure> {
        let any = Digest::from_bytes(b"");
        let image = origin.place.to_source(TagOrDigest::Digest(any));
        Ok(Self {
            origin,
            store: open_source_store(context, &image)?,
            context,
            timeline: OnceCell::new(),
        })
    }

    /// Returns the timeline of its environment; `None` if no policy names one.
    ///
    /// # Errors
    /// A store that fails.
    pub(super) async fn timeline(&self) -> Result<Option<&TimelineView>, Failure> {
        let list = async {
            match &self.origin.timeline {
                Some(location) => list_timeline(self.context, location).await.map(Some),
                None => Ok(None),
            }
        };
        Ok(self.timeline.get_or_try_init(|| list).await?.as_ref())
    }

    /// Returns the timeline, as far as it was listed.
    pub(super) fn into_timeline(self) -> Option<TimelineView> {
        self.timeline.into_inner().flatten()
    }

    /// Returns the image under a tag or digest.
    pub(super) fn image(&self, target: &TagOrDigest) -> ImageSource {
        self.origin.place.to_source(target.clone())
    }

    /// Returns the digest that a tag names; `None` if there is no such tag.
    pub(super) async fn resolve_tag(&self, tag: &Tag) -> Result<Option<Digest>, Failure> {
        let named = self.store.resolve_tag(tag).await;
        named.map_err(|error| {
            let image = self.image(&TagOrDigest::Tag(tag.clone()));
            Failure::from_store_error(Side::Source, &image, error)
        })
    }

    /// Returns a name for the place in messages: its environment, else the place.
    pub(super) fn name(&self) -> String {
        match self.origin.environment() {
            Some(environment) => environment.to_string(),
            None => self.origin.place.to_string(),
        }
    }
}
