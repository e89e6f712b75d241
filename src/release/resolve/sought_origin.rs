//! Reads what every part of an image that is found by its commit names as its commit: anybody who pushes
//! an index writes its annotations, so that one part alone does not speak for all.

use std::collections::HashSet;

use futures_util::future::try_join_all;

use super::image_origin::{INDEX_DEPTH_LIMIT, merge_labels, read_config};
use crate::image::{CommitId, ImageLabels, Manifest, Platform};
use crate::tagging::ImageOrigin;
use crate::transfer::{ImageReader, StoreError};

/// What an image names, and whether its parts agree.
pub(super) struct SoughtOrigin {
    /// Commit and version, by the first part that names them.
    pub(super) origin: ImageOrigin,
    /// Commit that another part names.
    pub(super) contradiction: Option<CommitId>,
}

/// Reads the annotations of the root and of its platforms, and the labels of all platforms.
pub(super) async fn read_sought_origin(
    source: &ImageReader,
    root: &Manifest,
) -> Result<SoughtOrigin, StoreError> {
    let manifests = read_manifests(source, root).await?;
    let configs = manifests
        .iter()
        .map(|manifest| read_config(source, manifest));
    let configs = try_join_all(configs).await?;
    let mut origin = ImageOrigin::default();
    let mut commits = Vec::new();
    for (manifest, config) in manifests.iter().zip(configs) {
        let (labels, platform): (Option<ImageLabels>, Option<Option<Platform>>) = config.unzip();
        for labels in [Some(manifest.labels()), labels].into_iter().flatten() {
            merge_labels(&mut origin, &labels);
            commits.extend(labels.revision());
        }
        if manifest.digest == root.digest {
            origin.platform = platform.flatten();
        }
    }
    let named = origin.revision.as_ref();
    let contradiction = commits.into_iter().find(|commit| Some(commit) != named);
    Ok(SoughtOrigin {
        origin,
        contradiction,
    })
}

/// Reads the manifests of the root and all its platforms, the root first.
async fn read_manifests(
    source: &ImageReader,
    root: &Manifest,
) -> Result<Vec<Manifest>, StoreError> {
    let mut seen = HashSet::from([root.digest]);
    let mut manifests = Vec::new();
    let mut level = vec![root.clone()];
    for _ in 0..INDEX_DEPTH_LIMIT {
        let mut children = Vec::new();
        for parent in &level {
            let images = parent.children().filter(|child| !child.says_attestation());
            let new = images.filter(|child| seen.insert(child.digest));
            children.extend(new.map(|child| (child.digest, parent.digest)));
        }
        manifests.append(&mut level);
        let reads = children.into_iter().map(|(child, parent)| async move {
            let manifest = source.get_manifest(child).await?;
            manifest.ok_or(StoreError::MissingChild { child, parent })
        });
        level = try_join_all(reads).await?;
    }
    manifests.append(&mut level);
    Ok(manifests)
}
