//! Resolved image: its root manifest, and the reader of its content.

use std::sync::Arc;

use crate::image::{Destination, Digest, ImageSource, Manifest, TagOrDigest};
use crate::release::Failure;
use crate::release::outcome::PlatformSelection;
use crate::tagging::ImageOrigin;
use crate::transfer::{ImageReader, ImageStore, Side, StoreError};

/// Image that is resolved.
#[derive(Clone)]
pub(crate) struct ResolvedImage {
    /// Where it is, for messages.
    pub(crate) location: ImageSource,
    pub(crate) reader: Arc<ImageReader>,
    pub(crate) root: Manifest,
    /// Commit and version from its labels, where they were needed.
    pub(crate) origin: Option<ImageOrigin>,
    /// Selected platforms, where the image is a selection of the source.
    pub(crate) platform_selection: Option<PlatformSelection>,
    /// Manifests that this run generated, with the root.
    pub(crate) generated_manifests: Vec<Digest>,
}

impl ResolvedImage {
    /// Returns the digest of the source, of which the image may be a selection.
    pub(crate) fn source_digest(&self) -> Digest {
        self.platform_selection
            .as_ref()
            .map_or(self.root.digest, |subset| subset.of)
    }
}

/// Reads a manifest that the index `parent` lists.
///
/// # Errors
/// A missing child: the index is incomplete.
pub(crate) async fn read_child(
    image: &ResolvedImage,
    parent: Digest,
    child: Digest,
) -> Result<Manifest, Failure> {
    let found = image.reader.get_manifest(child).await;
    let found = found.and_then(|found| found.ok_or(StoreError::MissingChild { child, parent }));
    found.map_err(|error| Failure::from_store_error(Side::Source, &image.location, error))
}

/// Resolves the image that a store has under a digest.
pub(crate) async fn resolve_in_store(
    store: &ImageStore,
    place: &Destination,
    digest: Digest,
) -> Result<ResolvedImage, Failure> {
    let failed = |error| Failure::from_store_error(Side::Destination, place, error);
    let source = ImageReader::from_store(store.clone());
    let root = source.get_manifest(digest).await.map_err(failed)?;
    let root = root.ok_or_else(|| {
        Failure::service(format!(
            "{place} has a tag that points to {digest}, but not that manifest"
        ))
    })?;
    Ok(ResolvedImage {
        location: place.to_source(TagOrDigest::Digest(digest)),
        reader: Arc::new(source),
        root,
        origin: None,
        platform_selection: None,
        generated_manifests: Vec::new(),
    })
}
