//! What a destination lacks of an image.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Copy, Error, REQUESTS, StoreError};
use crate::image::{Descriptor, Digest, Manifest};

/// The most manifests that an image may have. A real one has a few dozen; an index made to exhaust
/// a reader has millions.
pub(super) const MANIFESTS_LIMIT: usize = 10_000;

/// What is to be copied.
pub(super) struct Plan {
    /// Manifests by their distance from the root, which is alone in the first level.
    pub(super) levels: Vec<Vec<Manifest>>,
    /// The blobs of all of them, each once, the largest first.
    pub(super) blobs: Vec<Descriptor>,
}

/// Walks down from the root, and not below what the destination has: whoever has a manifest by its
/// digest has what it names, since manifests are written after it.
pub(super) async fn missing(copy: &Copy<'_>) -> Result<Plan, Error> {
    let mut levels = vec![vec![copy.root.clone()]];
    let mut seen = HashSet::from([copy.root.digest]);
    let mut blobs: HashMap<Digest, Descriptor> = HashMap::new();
    while let Some(level) = levels.last() {
        for blob in level.iter().flat_map(Manifest::blobs) {
            blobs.entry(blob.digest).or_insert_with(|| blob.clone());
        }
        let below: Vec<(Digest, Descriptor)> = level
            .iter()
            .flat_map(|parent| {
                parent
                    .children()
                    .map(|child| (parent.digest, child.clone()))
            })
            .filter(|(_, child)| seen.insert(child.digest))
            .collect();
        if seen.len() > MANIFESTS_LIMIT {
            return Err(StoreError::Boundless(copy.root.digest).at_source());
        }
        let found: Vec<Option<Manifest>> = stream::iter(below)
            .map(|(parent, child)| fetch(copy, parent, child))
            .buffer_unordered(REQUESTS)
            .try_collect()
            .await?;
        let next: Vec<Manifest> = found.into_iter().flatten().collect();
        if next.is_empty() {
            break;
        }
        levels.push(next);
    }
    let mut blobs: Vec<Descriptor> = blobs.into_values().collect();
    blobs.sort_by(|a, b| b.size.cmp(&a.size).then(a.digest.cmp(&b.digest)));
    Ok(Plan { levels, blobs })
}

/// A child that the destination lacks.
async fn fetch(
    copy: &Copy<'_>,
    parent: Digest,
    child: Descriptor,
) -> Result<Option<Manifest>, Error> {
    if copy.destination.has_manifest(child.digest).await? {
        return Ok(None);
    }
    match copy.source.manifest(child.digest).await {
        Ok(Some(manifest)) => Ok(Some(manifest)),
        Ok(None) => Err(StoreError::MissingChild {
            child: child.digest,
            parent,
        }
        .at_source()),
        Err(error) => Err(error.at_source()),
    }
}
