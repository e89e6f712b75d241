//! Reads what gates judge of the image itself: its platforms, with sizes and configs.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::gate::{JudgedConfig, JudgedImage, JudgedPlatform};
use crate::image::{Digest, Manifest, Platform};
use crate::release::Failure;
use crate::release::resolve::image::ResolvedImage;
use crate::release::resolve::image_origin::CONFIG_LIMIT;
use crate::release::verify::graph::{self, ManifestContent, ManifestNode};
use crate::transfer::{Side, StoreError};

/// Configs that are read at the same time.
const READS: usize = 8;

/// Reads the platforms of an image by their own manifests, which nothing in the index can leave out. With
/// `reads_configs` the config of each is read too; else only where an index names no platform.
///
/// # Errors
/// A store that fails, and an incomplete image.
pub(super) async fn read_judged_image(
    image: &ResolvedImage,
    reads_configs: bool,
) -> Result<JudgedImage, Failure> {
    let failed = |error| Failure::from_store_error(Side::Source, &image.location, error);
    let released = manifests_of(image, image.root.clone())
        .await
        .map_err(failed)?;
    let nodes = match &image.platform_selection {
        // Reports name the index that the platforms were selected from.
        Some(selection) => {
            let whole = image
                .reader
                .get_manifest(selection.of)
                .await
                .map_err(failed)?;
            let whole = whole.unwrap_or_else(|| image.root.clone());
            manifests_of(image, whole).await.map_err(failed)?
        }
        None => released.clone(),
    };
    let released: BTreeSet<Digest> = released.iter().map(|node| node.digest).collect();
    let reads = nodes.into_iter().map(|node| {
        let is_released = released.contains(&node.digest);
        read_platform(image, node, is_released, reads_configs)
    });
    let reads: Vec<_> = reads.collect();
    let platforms = stream::iter(reads).buffered(READS).try_collect();
    Ok(JudgedImage {
        root: image.source_digest(),
        platforms: platforms.await.map_err(failed)?,
    })
}

/// Returns the images at and below a root.
async fn manifests_of(
    image: &ResolvedImage,
    root: Manifest,
) -> Result<Vec<ManifestNode>, StoreError> {
    let nodes = graph::manifests(&image.reader, root).await?;
    Ok(nodes.into_iter().filter(may_run).collect())
}

/// Returns whether a manifest could run. BuildKit puts its statements next to the images, for no platform.
fn may_run(node: &ManifestNode) -> bool {
    let has_statements_alone = node
        .parts
        .as_ref()
        .is_some_and(|parts| parts.has_statements_alone);
    node.content == ManifestContent::Image && !(has_statements_alone && node.is_for_no_platform())
}

async fn read_platform(
    image: &ResolvedImage,
    node: ManifestNode,
    is_released: bool,
    reads_config: bool,
) -> Result<JudgedPlatform, StoreError> {
    let parts = node.parts.as_ref();
    let config = parts.and_then(|parts| parts.config.as_ref());
    let is_needed = reads_config || node.platform.is_none();
    let read = match config.filter(|_| is_needed) {
        Some(config) => Some(image.reader.read_small_blob(config, CONFIG_LIMIT).await?),
        None => None,
    };
    let in_config = || Platform::from_config(read.as_ref()?);
    Ok(JudgedPlatform {
        platform: node.platform.clone().or_else(in_config),
        manifest: node.digest,
        // What has no config is known by its manifest alone.
        config: config.map_or(node.digest, |config| config.digest),
        layers_size: parts.map_or(0, |parts| parts.layers_size),
        content: read.as_deref().and_then(JudgedConfig::parse),
        is_released,
    })
}
