use std::collections::BTreeSet;

use futures_util::future::try_join;

use crate::image::{Destination, ImageSource, Manifest, Tag};
use crate::referrers::{ListedReferrers, TagSnapshot};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::resolve::image_store::open_with_manifest;
use crate::transfer::{ImageStore, Side};

/// Image that was opened, with what its repository lists.
pub(super) struct OpenImage {
    pub(super) source: ImageSource,
    pub(super) place: Destination,
    pub(super) store: ImageStore,
    pub(super) root: Manifest,
    pub(super) tags: BTreeSet<Tag>,
    pub(super) referrers: ListedReferrers,
}

/// Opens an image, and lists the tags of its repository and its referrers.
///
/// # Errors
/// An image that does not exist, and a store that cannot tell.
pub(super) async fn open_image(
    source: ImageSource,
    context: &ReleaseContext,
) -> Result<OpenImage, Failure> {
    let (store, root) = open_with_manifest(context, &source).await?;
    let place = match &source {
        ImageSource::Registry(reference) => Destination::Registry(reference.repository.clone()),
        ImageSource::Layout(path, _)
        | ImageSource::Archive(path, _)
        | ImageSource::DockerArchive(path, _) => Destination::Layout(path.clone()),
        ImageSource::Daemon(_) => Destination::Layout(std::path::PathBuf::new()),
    };
    let tags = async {
        let tags = store.tags().await;
        tags.map_err(|error| Failure::from_store_error(Side::Source, &place, error))
    };
    let referrers = async {
        let listed = ListedReferrers::read(&store, root.digest, &TagSnapshot::Unknown).await;
        listed.map_err(|error| Failure::from_referrer_error(Side::Source, &place, error))
    };
    let (tags, referrers) = try_join(tags, referrers).await?;
    Ok(OpenImage {
        source,
        place,
        store,
        root,
        tags,
        referrers,
    })
}
