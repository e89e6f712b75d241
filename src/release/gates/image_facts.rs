//! Reads what gates judge of the image itself: its platforms, with sizes and configs.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::gate::{JudgedConfig, JudgedImage, JudgedPlatform};
use crate::image::{Digest, Manifest, Platform, PlatformName};
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
    let by_config = read.as_deref().and_then(Platform::from_config);
    let by_index = node.platform.clone().filter(|it| !it.is_unknown());
    let platform_conflict = find_conflict(by_index.as_ref(), by_config.as_ref());
    let platform = by_index.or(by_config);
    Ok(JudgedPlatform {
        platform: platform.filter(|_| platform_conflict.is_none()),
        platform_conflict,
        manifest: node.digest,
        // What has no config is known by its manifest alone.
        config: config.map_or(node.digest, |config| config.digest),
        layers_size: parts.map_or(0, |parts| parts.layers_size),
        content: read.as_deref().and_then(JudgedConfig::parse),
        is_released,
    })
}

/// Returns what an index and a config say of a platform if they contradict each other. One may say less than the other.
fn find_conflict(by_index: Option<&Platform>, by_config: Option<&Platform>) -> Option<String> {
    let (index, config) = (by_index?, by_config?);
    let names = [(index, config), (config, index)];
    let agrees = names.into_iter().any(|(name, platform)| {
        let name = Platform {
            os_version: None,
            ..name.clone()
        };
        let name: Option<PlatformName> = name.to_string().parse().ok();
        name.is_some_and(|name| name.matches(platform))
    });
    (!agrees).then(|| format!("{index} by the index and {config} by its config"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(name: &str) -> Platform {
        let mut parts = name.split('/').map(str::to_owned);
        Platform {
            os: parts.next().unwrap(),
            architecture: parts.next().unwrap(),
            variant: parts.next(),
            os_version: None,
        }
    }

    #[test]
    fn an_index_and_a_config_contradict_each_other_in_what_both_say() {
        for (index, config, contradicts) in [
            ("linux/amd64", "linux/amd64", false),
            ("linux/arm64/v8", "linux/arm64", false),
            ("linux/arm64", "linux/arm64/v8", false),
            ("linux/arm/v7", "linux/arm", false),
            ("linux/arm", "linux/arm/v6", false),
            ("linux/arm/v7", "linux/arm/v6", true),
            ("linux/arm64", "linux/amd64", true),
            ("windows/amd64", "linux/amd64", true),
        ] {
            let found = find_conflict(Some(&platform(index)), Some(&platform(config)));
            assert_eq!(found.is_some(), contradicts, "{index} {config} {found:?}");
        }
        assert_eq!(find_conflict(None, Some(&platform("linux/amd64"))), None);
        assert_eq!(find_conflict(Some(&platform("linux/amd64")), None), None);
    }
}
