//! Resolves the source of a release to its root manifest.

use futures_util::future::join;

use super::image::ResolvedImage;
use super::missing_image::{no_such_image, no_such_image_in};
use super::platforms;
use crate::archive::ImageArchive;
use crate::image::{DaemonImageName, Digest, ImageSelector, ImageSource, Manifest, Reference};
use crate::layout::LayoutDirectory;
use crate::registry::RepositoryAccess;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::request::ReleaseRequest;
use crate::release::source_lookup::SourceLookup;
use crate::transfer::{ImageReader, ImageStore, Side, StoreError};

/// Finds the image that the request names. One on disk is looked at in whole, so that a broken one
/// is refused before anything is written.
///
/// # Errors
/// An image that does not exist, is not whole, or lacks a requested platform.
pub(crate) async fn resolve_source(
    request: &ReleaseRequest,
    context: &ReleaseContext,
) -> Result<ResolvedImage, Failure> {
    let pinned = request.lookup.as_ref().map(SourceLookup::found_image);
    let found = match pinned.as_ref().unwrap_or(&request.source) {
        ImageSource::Registry(reference) => {
            open_registry_image(context, reference, request.may_copy_referrers()).await
        }
        ImageSource::Layout(path, selector) => open_layout_image(path, selector).await,
        ImageSource::Archive(path, selector) => open_archive_image(context, path, selector).await,
        ImageSource::DockerArchive(path, selector) => {
            open_docker_archive_image(context, path, selector).await
        }
        ImageSource::Daemon(image) => open_daemon_image(context, image).await,
    };
    let found =
        found.map_err(|error| Failure::from_store_error(Side::Source, &request.source, error))?;
    let Some((source, root)) = found else {
        return Err(missing_image_failure(context, &request.source).await);
    };
    let mut image = ResolvedImage {
        location: request.source.clone(),
        reader: std::sync::Arc::new(source),
        root,
        origin: None,
        platform_selection: None,
        generated_manifests: Vec::new(),
    };
    platforms::filter_platforms(request, context, &mut image).await?;
    // What is released is looked at in whole, and nothing else: some tools save an index with the images of
    // some of its platforms.
    match image.reader.check_stored_content(image.root.digest).await {
        Ok(()) => Ok(image),
        Err(error) => Err(incomplete_image_failure(&image, error).await),
    }
}

/// Returns the failure for an image on disk that is not whole, with the platforms of which it is.
async fn incomplete_image_failure(image: &ResolvedImage, error: StoreError) -> Failure {
    let failure = Failure::from_store_error(Side::Source, &image.location, error);
    let mut present = Vec::new();
    for entry in image.root.entries() {
        if let Some(platform) = entry
            .platform
            .as_ref()
            .filter(|_| !entry.is_for_no_platform())
            && image
                .reader
                .check_stored_content(entry.digest)
                .await
                .is_ok()
        {
            present.push(platform.to_string());
        }
    }
    match present.as_slice() {
        [] => failure,
        present => failure.with_hint(format!(
            "only {} is complete there: release it with platforms: {}, or save all platforms",
            present.join(", "),
            present.join(",")
        )),
    }
}

async fn missing_image_failure(context: &ReleaseContext, source: &ImageSource) -> Failure {
    let ImageSource::Registry(reference) = source else {
        return no_such_image(source);
    };
    let registry = &context.registry;
    let remote = registry.open_repository(&reference.repository, RepositoryAccess::Pull, &[]);
    no_such_image_in(&ImageStore::Registry(remote), source).await
}

type OpenedSource = Option<(ImageReader, Manifest)>;

/// Opens an image in a registry. Its tags are listed meanwhile, where they tell which referrers exist.
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
    with_root_manifest(ImageReader::from_store(ImageStore::Layout(layout)), digest).await
}

async fn open_archive_image(
    context: &ReleaseContext,
    path: &std::path::Path,
    selector: &ImageSelector,
) -> Result<OpenedSource, StoreError> {
    let archive = ImageArchive::open(path, &context.unpacking).await?;
    let digest = archive.select_image(selector).await?;
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
    with_root_manifest(ImageReader::from_archive(archive), digest).await
}

async fn open_daemon_image(
    context: &ReleaseContext,
    image: &DaemonImageName,
) -> Result<OpenedSource, StoreError> {
    let (host, unpacking) = (context.docker_host.as_deref(), &context.unpacking);
    let (archive, digest) =
        ImageArchive::open_daemon_image(image, host, unpacking, &context.notices).await?;
    with_root_manifest(ImageReader::from_archive(archive), digest).await
}

async fn with_root_manifest(
    source: ImageReader,
    digest: Digest,
) -> Result<OpenedSource, StoreError> {
    let root = source.get_manifest(digest).await?;
    Ok(root.map(|root| (source, root)))
}
