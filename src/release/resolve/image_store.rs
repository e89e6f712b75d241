//! Stores that images and their referrers are read from.

use crate::image::{Destination, Digest, ImageSelector, ImageSource, Reference, TagOrDigest};
use crate::layout::{LayoutDirectory, LayoutError};
use crate::registry::RepositoryAccess;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::transfer::{ImageStore, Side, StoreError};

/// Opens a place to read from it.
pub(crate) fn open_to_read(context: &ReleaseContext, place: &Destination) -> ImageStore {
    match place {
        Destination::Registry(repository) => {
            let remote = context
                .registry
                .open_repository(repository, RepositoryAccess::Pull, &[]);
            ImageStore::Registry(remote)
        }
        Destination::Layout(path) => ImageStore::Layout(LayoutDirectory::new(path)),
    }
}

/// The store of an image that is looked at with what stands beside it.
pub(crate) fn open_source_store(
    context: &ReleaseContext,
    source: &ImageSource,
) -> Result<ImageStore, Failure> {
    match source {
        ImageSource::Registry(reference) => {
            let registry = &context.registry;
            let remote =
                registry.open_repository(&reference.repository, RepositoryAccess::Pull, &[]);
            Ok(ImageStore::Registry(remote))
        }
        ImageSource::Layout(path, _) => Ok(ImageStore::Layout(LayoutDirectory::to_read(path))),
        ImageSource::Archive(..) => Err(Failure::input(format!(
            "source {source}: the signatures in an archive are not looked at"
        ))
        .with_hint("unpack it, and name the directory as oci:DIR")),
        ImageSource::DockerArchive(..) | ImageSource::Daemon(_) => Err(Failure::input(format!(
            "source {source}: what a Docker engine has or saves holds no signatures"
        ))
        .with_hint("name the image where it is released, in a registry or as oci:DIR")),
    }
}

/// That store, and the image's digest. A registry is not asked for what is named by it.
pub(crate) async fn open_with_digest(
    context: &ReleaseContext,
    source: &ImageSource,
) -> Result<(ImageStore, Digest), Failure> {
    let store = open_source_store(context, source)?;
    let digest = match source {
        ImageSource::Registry(Reference {
            target: TagOrDigest::Digest(digest),
            ..
        }) => *digest,
        _ => resolve_digest(&store, source).await?,
    };
    Ok((store, digest))
}

/// The digest of an image that is there.
pub(crate) async fn resolve_digest(
    store: &ImageStore,
    source: &ImageSource,
) -> Result<Digest, Failure> {
    let digest = match (store, source) {
        (ImageStore::Registry(remote), ImageSource::Registry(reference)) => remote
            .head_manifest(&reference.target)
            .await
            .map(|head| head.map(|head| head.digest))
            .map_err(StoreError::Registry),
        (_, ImageSource::Layout(path, selector)) => select_in_layout(path, selector)
            .await
            .map(Some)
            .map_err(StoreError::Layout),
        _ => Ok(None),
    };
    let digest = digest.map_err(|error| Failure::from_store_error(Side::Source, source, error))?;
    digest.ok_or_else(|| no_such_image(source))
}

/// Returns the digest of the image that a selector means in a layout.
pub(crate) async fn select_in_layout(
    path: &std::path::Path,
    selector: &ImageSelector,
) -> Result<Digest, LayoutError> {
    LayoutDirectory::open(path)
        .await?
        .select_image(selector)
        .await
}

/// Returns that the source has no such image.
pub(crate) fn no_such_image(source: &ImageSource) -> Failure {
    Failure::input(format!("source {source}: there is no such image"))
        .with_hint("check the tag or digest; a registry may also answer so where the login may not see the repository")
}
