//! Opens the stores that images and their signatures are read from, and resolves digests in them.

use super::missing_image::{no_such_image, no_such_image_in};
use crate::image::{
    Destination, Digest, ImageSelector, ImageSource, Manifest, Reference, TagOrDigest,
};
use crate::layout::{LayoutDirectory, LayoutError};
use crate::registry::RepositoryAccess;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::transfer::{ImageStore, Side, StoreError};

/// Opens a destination for reading.
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

/// Opens a destination whose content is shown.
///
/// # Errors
/// A layout that does not exist: a mistyped path would look like an empty one.
pub(crate) async fn open_to_show(
    context: &ReleaseContext,
    place: &Destination,
) -> Result<ImageStore, Failure> {
    if let Destination::Layout(path) = place {
        LayoutDirectory::open(path).await.map_err(|error| {
            Failure::from_store_error(Side::Source, place, StoreError::Layout(error))
        })?;
    }
    Ok(open_to_read(context, place))
}

/// Opens the store of an image, to read its signatures.
///
/// # Errors
/// An archive or a Docker engine, which hold no signatures.
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
            "source {source}: signatures in an archive cannot be verified"
        ))
        .with_hint("unpack the archive, and name the directory as oci:DIR")),
        ImageSource::DockerArchive(..) | ImageSource::Daemon(_) => Err(Failure::input(format!(
            "source {source}: images of a Docker engine hold no signatures"
        ))
        .with_hint("name the released image, in a registry or as oci:DIR")),
    }
}

/// Opens the store of an image and resolves its digest. A reference by digest needs no request.
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

/// Opens the store of an image and reads its root.
///
/// # Errors
/// An image that does not exist.
pub(crate) async fn open_with_manifest(
    context: &ReleaseContext,
    source: &ImageSource,
) -> Result<(ImageStore, Manifest), Failure> {
    let store = open_source_store(context, source)?;
    let failed = |error| Failure::from_store_error(Side::Source, source, error);
    let target = match source {
        ImageSource::Registry(reference) => reference.target.clone(),
        ImageSource::Layout(path, selector) => {
            let digest = select_in_layout(path, selector).await;
            TagOrDigest::Digest(digest.map_err(|error| failed(StoreError::Layout(error)))?)
        }
        _ => return Err(no_such_image(source)),
    };
    match store.get_manifest(&target).await.map_err(failed)? {
        Some(root) => Ok((store, root)),
        None => Err(no_such_image_in(&store, source).await),
    }
}

/// Resolves the digest of an image.
///
/// # Errors
/// An image that does not exist.
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
    match digest {
        Some(digest) => Ok(digest),
        None => Err(no_such_image_in(store, source).await),
    }
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
