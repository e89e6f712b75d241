//! Opening sources and destinations.

use futures_util::future::join;

use super::graph::{self, Node};
use super::select_platforms::{self, PlatformSelection};
use super::{Failure, ReleaseContext, ReleaseRequest, copy_referrers};
use crate::archive::ImageArchive;
use crate::image::{
    DaemonImageName, Destination, Digest, ImageSelector, ImageSource, Manifest, Reference,
    Repository, TagOrDigest,
};
use crate::layout::{LayoutDirectory, LayoutError, LayoutFault};
use crate::registry::RepositoryAccess;
use crate::tagging::ImageOrigin;
use crate::transfer::{ImageReader, ImageStore, Side, StoreError};

/// An image that was found.
pub(super) struct ResolvedImage {
    /// Where it was found, for messages.
    pub(super) location: ImageSource,
    pub(super) reader: ImageReader,
    pub(super) root: Manifest,
    /// What it says of itself, where that was needed.
    pub(super) origin: Option<ImageOrigin>,
    /// What it is of, where it was made of some platforms of another.
    pub(super) platform_selection: Option<PlatformSelection>,
    /// The manifests that were made here, the root among them.
    pub(super) generated_manifests: Vec<Digest>,
}

impl ResolvedImage {
    /// The digest that was found, of which the image may be a part.
    pub(super) fn source_digest(&self) -> Digest {
        self.platform_selection
            .as_ref()
            .map_or(self.root.digest, |subset| subset.of)
    }
}

/// The repositories of a release, and what it does there.
pub(super) fn required_repositories(
    request: &ReleaseRequest,
) -> impl Iterator<Item = (&Repository, RepositoryAccess)> {
    let destinations = request.destinations.iter().filter_map(|place| match place {
        Destination::Registry(repository) => Some((repository, RepositoryAccess::PullPush)),
        Destination::Layout(_) => None,
    });
    let source = match &request.source {
        ImageSource::Registry(reference) => Some((&reference.repository, RepositoryAccess::Pull)),
        _ => None,
    };
    destinations.chain(source)
}

/// The store that a destination is. Blobs can be mounted from a source on the same registry.
pub(super) fn open_destination_store(
    context: &ReleaseContext,
    place: &Destination,
    source: &ImageSource,
) -> ImageStore {
    match place {
        Destination::Registry(repository) => {
            let from = match source {
                ImageSource::Registry(reference) => vec![&reference.repository],
                _ => Vec::new(),
            };
            ImageStore::Registry(context.registry.open_repository(
                repository,
                RepositoryAccess::PullPush,
                &from,
            ))
        }
        Destination::Layout(path) => ImageStore::Layout(LayoutDirectory::new(path)),
    }
}

/// Opens a place to read from it.
pub(super) fn at_place(context: &ReleaseContext, place: &Destination) -> ImageStore {
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

/// A manifest that the index `parent` lists.
///
/// # Errors
/// It is not there: an index without it is not whole.
pub(super) async fn read_child(
    image: &ResolvedImage,
    parent: Digest,
    child: Digest,
) -> Result<Manifest, Failure> {
    let found = image.reader.get_manifest(child).await;
    let found = found.and_then(|found| found.ok_or(StoreError::MissingChild { child, parent }));
    found.map_err(|error| Failure::from_store_error(Side::Source, &image.location, error))
}

/// The store of an image that is looked at with what stands beside it.
pub(super) fn open_source_store(
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
pub(super) async fn open_with_digest(
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
pub(super) async fn resolve_digest(
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

async fn select_in_layout(
    path: &std::path::Path,
    selector: &ImageSelector,
) -> Result<Digest, LayoutError> {
    LayoutDirectory::open(path)
        .await?
        .select_image(selector)
        .await
}

/// That store, and the image with all manifests below it: it comes first.
pub(super) async fn open_with_descendants(
    context: &ReleaseContext,
    source: &ImageSource,
) -> Result<(ImageStore, Vec<Node>), Failure> {
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
    let root = store.get_manifest(&target).await.map_err(failed)?;
    let root = root.ok_or_else(|| no_such_image(source))?;
    let nodes = graph::manifests(&store, root).await.map_err(failed)?;
    Ok((store, nodes))
}

/// Finds the image that the request names. One on disk is looked at in whole, so that a broken one
/// is refused before anything is written.
pub(super) async fn resolve_source(
    request: &ReleaseRequest,
    context: &ReleaseContext,
) -> Result<ResolvedImage, Failure> {
    let found = match &request.source {
        ImageSource::Registry(reference) => {
            open_registry_image(
                context,
                reference,
                copy_referrers::may_copy_referrers(request),
            )
            .await
        }
        ImageSource::Layout(path, selector) => open_layout_image(path, selector).await,
        ImageSource::Archive(path, selector) => open_archive_image(context, path, selector).await,
        ImageSource::DockerArchive(path, selector) => {
            open_docker_archive_image(context, path, selector).await
        }
        ImageSource::Daemon(image) => open_daemon_image(context, image).await,
    };
    let (source, root) = found
        .map_err(|error| Failure::from_store_error(Side::Source, &request.source, error))?
        .ok_or_else(|| no_such_image(&request.source))?;
    let mut image = ResolvedImage {
        location: request.source.clone(),
        reader: source,
        root,
        origin: None,
        platform_selection: None,
        generated_manifests: Vec::new(),
    };
    select_platforms::filter_platforms(request, context, &mut image).await?;
    Ok(image)
}

type OpenedSource = Option<(ImageReader, Manifest)>;

/// Its tags are listed meanwhile where they tell what stands beside it.
async fn open_registry_image(
    context: &ReleaseContext,
    reference: &Reference,
    with_tags: bool,
) -> Result<OpenedSource, StoreError> {
    let remote =
        context
            .registry
            .open_repository(&reference.repository, RepositoryAccess::Pull, &[]);
    let source = ImageReader::from_store(ImageStore::Registry(remote.clone()));
    let listed = async {
        if with_tags {
            // What fails fails again where it matters.
            let _ = source.first_tag_page().await;
        }
    };
    let (root, ()) = join(remote.get_manifest(&reference.target), listed).await;
    Ok(root?.map(|root| {
        source.cache_manifest(root.clone());
        (source, root)
    }))
}

async fn open_layout_image(
    path: &std::path::Path,
    selector: &ImageSelector,
) -> Result<OpenedSource, StoreError> {
    let layout = LayoutDirectory::open(path).await?;
    let digest = layout.select_image(selector).await?;
    layout.check(digest).await?;
    with_root_manifest(ImageReader::from_store(ImageStore::Layout(layout)), digest).await
}

async fn open_archive_image(
    context: &ReleaseContext,
    path: &std::path::Path,
    selector: &ImageSelector,
) -> Result<OpenedSource, StoreError> {
    let archive = ImageArchive::open(path, &context.unpacking).await?;
    let digest = archive.select_image(selector).await?;
    archive.check(digest).await?;
    with_root_manifest(ImageReader::from_archive(archive), digest).await
}

async fn open_docker_archive_image(
    context: &ReleaseContext,
    path: &std::path::Path,
    selector: &ImageSelector,
) -> Result<OpenedSource, StoreError> {
    let ReleaseContext {
        unpacking, notices, ..
    } = context;
    let (archive, digest) = ImageArchive::open_docker(path, selector, unpacking, notices).await?;
    archive.check(digest).await?;
    with_root_manifest(ImageReader::from_archive(archive), digest).await
}

async fn open_daemon_image(
    context: &ReleaseContext,
    image: &DaemonImageName,
) -> Result<OpenedSource, StoreError> {
    let (host, unpacking) = (context.docker_host.as_deref(), &context.unpacking);
    let (archive, digest) =
        ImageArchive::open_daemon_image(image, host, unpacking, &context.notices).await?;
    archive.check(digest).await?;
    with_root_manifest(ImageReader::from_archive(archive), digest).await
}

async fn with_root_manifest(
    source: ImageReader,
    digest: Digest,
) -> Result<OpenedSource, StoreError> {
    let root = source.get_manifest(digest).await?;
    Ok(root.map(|root| (source, root)))
}

fn no_such_image(source: &ImageSource) -> Failure {
    Failure::input(format!("source {source}: there is no such image"))
        .with_hint("check the tag or digest; a registry may also answer so where the login may not see the repository")
}

/// The image that a store has under a digest.
pub(super) async fn resolve_in_store(
    store: &ImageStore,
    place: &Destination,
    digest: Digest,
) -> Result<ResolvedImage, Failure> {
    let failed = |error| Failure::from_store_error(Side::Destination, place, error);
    let source = ImageReader::from_store(store.clone());
    let root = source.get_manifest(digest).await.map_err(failed)?;
    let root = root.ok_or_else(|| {
        Failure::service(format!(
            "{place} names {digest} by a tag, but does not have it"
        ))
    })?;
    let location = match place {
        Destination::Registry(repository) => ImageSource::Registry(
            repository.to_reference(crate::image::TagOrDigest::Digest(digest)),
        ),
        Destination::Layout(path) => {
            ImageSource::Layout(path.clone(), ImageSelector::Digest(digest))
        }
    };
    Ok(ResolvedImage {
        location,
        reader: source,
        root,
        origin: None,
        platform_selection: None,
        generated_manifests: Vec::new(),
    })
}

/// Whether a layout's refusal to write a tag is the rule of immutable tags, and what it names.
pub(super) fn conflicting_digest(error: &LayoutError) -> Option<Digest> {
    match &error.fault {
        LayoutFault::TagConflict { there, .. } => Some(*there),
        _ => None,
    }
}
