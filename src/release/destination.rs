//! Destinations of a release, open for writing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::Failure;
use super::context::ReleaseContext;
use super::plan::recorded_releases::RecordedReleases;
use super::records::timeline_records::TimelineRecords;
use super::request::ReleaseRequest;
use crate::image::{
    CanonicalPlace, Destination, Digest, ImageSource, Repository, Tag, TagOrDigest,
};
use crate::layout::{self, LayoutDirectory};
use crate::referrers::{ListedReferrers, ReferrerError, TagSnapshot};
use crate::registry::RepositoryAccess;
use crate::transfer::{ImageStore, Side, StoreError};

/// Destination that is open, with what is known of it.
pub(crate) struct OpenDestination {
    pub(super) name: Destination,
    pub(super) store: ImageStore,
    /// Records of the environment that it belongs to.
    pub(super) records: RecordedReleases,
    tag_snapshot: OnceCell<TagSnapshot>,
    /// Referrers of the first image that they were listed of.
    listed_referrers: OnceCell<(Digest, Arc<ListedReferrers>)>,
    /// Whether the whole image was copied again, after a tag was refused because content was missing.
    pub(super) recopied: OnceCell<()>,
}

impl OpenDestination {
    /// Opens a destination for records and tags of images that it has.
    pub(super) fn open(context: &ReleaseContext, place: &Destination) -> Self {
        Self {
            name: place.clone(),
            store: open_to_write(context, place, &[]),
            records: RecordedReleases::not_kept(),
            tag_snapshot: OnceCell::new(),
            listed_referrers: OnceCell::new(),
            recopied: OnceCell::new(),
        }
    }

    /// Returns whether it is an image layout.
    pub(super) fn is_layout(&self) -> bool {
        matches!(self.store, ImageStore::Layout(_))
    }

    /// Returns the tag of this destination that the source is.
    pub(super) fn source_tag<'a>(&self, source: &'a ImageSource) -> Option<&'a Tag> {
        match (&self.name, source) {
            (Destination::Registry(repository), ImageSource::Registry(reference)) => {
                match &reference.target {
                    TagOrDigest::Tag(tag) if reference.repository == *repository => Some(tag),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Returns which tags of referrers are absent by the list of `tags`, where the image is about to
    /// be written; the list is asked for once. Where no tag `writes`, the image is there, and reading
    /// the tags that matter is as fast.
    pub(super) async fn load_tag_snapshot(
        &self,
        writes: bool,
        tags: &BTreeSet<Tag>,
    ) -> Result<&TagSnapshot, Failure> {
        if !writes {
            return Ok(&TagSnapshot::Unknown);
        }
        let ask = || TagSnapshot::load(&self.store, tags);
        let prior = self.tag_snapshot.get_or_try_init(ask).await;
        prior.map_err(|error| Failure::from_store_error(Side::Destination, &self.name, error))
    }

    /// Lists the referrers of a root, once for all who decide on them before anything is written.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub(super) async fn list_referrers(
        &self,
        root: Digest,
        prior: &TagSnapshot,
    ) -> Result<Arc<ListedReferrers>, ReferrerError> {
        let read = || async {
            let listed = ListedReferrers::read(&self.store, root, prior).await?;
            Ok((root, Arc::new(listed)))
        };
        let (of, listed) = self.listed_referrers.get_or_try_init(read).await?;
        match *of == root {
            true => Ok(listed.clone()),
            false => read().await.map(|(_, listed)| listed),
        }
    }
}

#[cfg(test)]
impl OpenDestination {
    /// Opens an image layout whose environment has these records.
    pub(super) fn of_layout(path: &std::path::Path, records: RecordedReleases) -> Self {
        Self {
            name: Destination::Layout(path.into()),
            store: ImageStore::Layout(LayoutDirectory::new(path)),
            records,
            tag_snapshot: OnceCell::new(),
            listed_referrers: OnceCell::new(),
            recopied: OnceCell::new(),
        }
    }
}

/// Opens the destinations of a request.
///
/// # Errors
/// No destination, or one that is given twice.
pub(super) fn open_destinations(
    request: &ReleaseRequest,
    context: &ReleaseContext,
) -> Result<Vec<OpenDestination>, Failure> {
    refuse_twice(&request.destinations)?;
    if request.destinations.is_empty() {
        return Err(Failure::input("no destination").with_hint("set the input images"));
    }
    Ok(request
        .destinations
        .iter()
        .map(|place| {
            let store = open_destination_store(request, context, place);
            OpenDestination {
                name: place.clone(),
                records: open_records(request, context, place, &store),
                store,
                tag_snapshot: OnceCell::new(),
                listed_referrers: OnceCell::new(),
                recopied: OnceCell::new(),
            }
        })
        .collect())
}

/// Refuses a destination that is given twice, however it is spelled, and one that cannot be compared.
fn refuse_twice(places: &[Destination]) -> Result<(), Failure> {
    let mut seen: HashMap<CanonicalPlace, &Destination> = HashMap::new();
    for place in places {
        let canonical = layout::canonical_place(place).map_err(|error| {
            Failure::from_store_error(Side::Destination, place, StoreError::from(error))
        })?;
        match seen.insert(canonical, place) {
            None => {}
            Some(first) => {
                let failure = Failure::input(format!("destination {place} is given twice"));
                return Err(match first == place {
                    true => failure,
                    false => failure.with_reason(format!("{first} is the same destination")),
                });
            }
        }
    }
    Ok(())
}

/// Opens the timeline of a destination, where the release is recorded.
fn open_records(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    place: &Destination,
    store: &ImageStore,
) -> RecordedReleases {
    let Some(options) = &request.record else {
        return RecordedReleases::not_kept();
    };
    let location = options.location(place);
    let entries = match &location.entries_at {
        Some(entries) => open_store(context, entries, request.destination_access(), &[]),
        None => store.clone(),
    };
    let notices = context.notices.clone();
    let timeline = TimelineRecords::new(location, store.clone(), entries, notices);
    RecordedReleases::of_timeline(timeline)
}

/// Opens the store of a destination. Blobs can be mounted from a source on the same registry.
fn open_destination_store(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    place: &Destination,
) -> ImageStore {
    let from = match &request.source {
        ImageSource::Registry(reference) => vec![&reference.repository],
        _ => Vec::new(),
    };
    open_store(context, place, request.destination_access(), &from)
}

/// Opens a store for writing. Blobs can be mounted from repositories on the same registry.
pub(crate) fn open_to_write(
    context: &ReleaseContext,
    place: &Destination,
    mount_from: &[&Repository],
) -> ImageStore {
    open_store(context, place, RepositoryAccess::PullPush, mount_from)
}

/// Opens a store for writing and deleting.
pub(super) fn open_to_delete(context: &ReleaseContext, place: &Destination) -> ImageStore {
    open_store(context, place, RepositoryAccess::PullPushDelete, &[])
}

fn open_store(
    context: &ReleaseContext,
    place: &Destination,
    access: RepositoryAccess,
    mount_from: &[&Repository],
) -> ImageStore {
    match place {
        Destination::Registry(repository) => {
            let registry = &context.registry;
            ImageStore::Registry(registry.open_repository(repository, access, mount_from))
        }
        Destination::Layout(path) => ImageStore::Layout(LayoutDirectory::new(path)),
    }
}
